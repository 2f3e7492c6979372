"""Stages in order. No logic of their own: each step hands a stage what it needs and stores what it says.

steps.py    one function a stage, over an open project: what the command line and the web application call
expand.py   init to report in one
demo.py     the sample set, drawn and expanded
"""
