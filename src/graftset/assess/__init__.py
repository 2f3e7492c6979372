"""Measures, traits and the quality score of every image, cached by content hash and version.

stage.py        the stage: measure what is new, relate it to the originals and to the other candidates

What one picture measures, and what the originals say of it, is in `measuring/`.
"""

from graftset.assess.stage import AssessReport, assess, known_pictures, load_native, native_png, outdated

__all__ = ["AssessReport", "assess", "known_pictures", "load_native", "native_png", "outdated"]
