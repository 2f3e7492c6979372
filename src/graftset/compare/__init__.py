"""Comparing arms: scorecards in, differences with intervals and verdict words out. Pure values.

records.py   what a comparison says
"""
