"""Runs that were trained before graftset knew of them, or elsewhere -> run folders.

finding.py   what lies in a folder: LoRA files of a run, and what their metadata tells
placing.py   where in the run every checkpoint stands, and which pictures are its own
taking.py    the run folder
"""

from graftset.pastruns.finding import Found, find_training
from graftset.pastruns.placing import Point, Told, place_all
from graftset.pastruns.taking import Facts, Taken, take_run

__all__ = ["Facts", "Found", "Point", "Taken", "Told", "find_training", "place_all", "take_run"]
