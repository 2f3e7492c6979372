"""Measures, traits and the quality score of every image, cached by content hash and version.

measuring.py   one picture by itself: grid, native image, measures, background
reference.py   what the originals of a project say: ranges, palette, words, nearest neighbours
detecting.py   the detectors of traits, fitted once and kept
stage.py       the stage: measure what is new, relate it to the originals and to the other candidates
"""

from graftset.assess.detecting import known_reliability
from graftset.assess.measuring import measure_pixels
from graftset.assess.reference import Reference
from graftset.assess.stage import AssessReport, assess, load_native, native_png, outdated

__all__ = [
    "AssessReport",
    "Reference",
    "assess",
    "known_reliability",
    "load_native",
    "measure_pixels",
    "native_png",
    "outdated",
]
