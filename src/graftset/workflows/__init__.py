"""Stages in order. No logic of their own: each step hands a stage what it needs and stores what it says.

starting.py   graftset.toml, and the folders of pictures it names
steps.py      one function a stage, over an open project: what the command line and the web application call
auditing.py   the audit of captions: findings, dismissals
builds.py     the builds that lie in a project's folder
training.py   a build as a training job, the palette and prompts that all arms share
standing.py   where a project stands, and what to run next
expand.py     ingest to report in one
demo.py       the sample set, drawn and expanded
"""
