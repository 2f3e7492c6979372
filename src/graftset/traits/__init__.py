"""What is in a picture, slot by slot: detectors fitted on the originals; every answer has a confidence or is "unknown".

background.py   the background put into words
features.py     what a detector sees of a native picture
scoring.py      a linear score for one question, and scores of pictures it was not fitted on
reliability.py  how far held-out answers can be trusted
places.py       where a slot's colour shows, learned from captions, and the colour read there
covering.py     what hides what
answers.py      fitted questions and the answers they give, with the cells that speak for them
detectors.py    all of it together: fit on originals, detect on any picture
stored.py       fitted detectors as bytes and back
"""

from __future__ import annotations

from graftset.traits.background import learn_words, name_background
from graftset.traits.detectors import TraitDetectors
from graftset.traits.reliability import Reliability

__all__ = ["Reliability", "TraitDetectors", "learn_words", "name_background"]
