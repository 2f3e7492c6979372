"""Ranked next experiments."""
