"""Paints prompts with a trained model and leaves a folder of samples behind: one file for each kind of generator.

native.py  a checkpoint of the embedded trainer
"""
