"""What is in a picture, slot by slot: detectors fitted on the originals; every answer has a confidence or is "unknown".

background.py  the background put into words
features.py    what a detector sees of a native picture
scoring.py     one linear score for one question, its calibration, grouped folds, how far it can be trusted
places.py      where a slot's colour shows, learned from captions, and the colour read there
detectors.py   all of it together: fit on originals, detect on any picture
"""

from __future__ import annotations

from graftset.traits.background import learn_words, name_background
from graftset.traits.detectors import TraitDetectors
from graftset.traits.reliability import Reliability

__all__ = ["Reliability", "TraitDetectors", "learn_words", "name_background"]
