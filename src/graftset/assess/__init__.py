"""Measures, traits and the quality score of every image, cached by content hash and version.

detecting.py   the detectors of traits, fitted once and kept
stage.py       the stage: measure what is new, relate it to the originals and to the other candidates

What one picture measures, and what the originals say of it, is in `measuring/`.
"""

from graftset.assess.detecting import detectors_for, known_reliability
from graftset.assess.stage import AssessReport, assess, known_pictures, load_native, native_png, outdated

__all__ = [
    "AssessReport",
    "assess",
    "detectors_for",
    "known_pictures",
    "known_reliability",
    "load_native",
    "native_png",
    "outdated",
]
