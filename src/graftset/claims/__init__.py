"""What a caption claims against what was seen: confirmed, contradicted or unverifiable; and the rewrite.

judging.py    a verdict on each phrase
wording.py    what was seen, in basic terms and American spelling, ordered as the originals' captions are
rewriting.py  the corrected caption
"""

from graftset.claims.judging import JUDGES, SHOWN, certain, judge, named_confidence
from graftset.claims.rewriting import apply_changes, correct
from graftset.claims.wording import background_words, compose, describe

__all__ = [
    "JUDGES",
    "SHOWN",
    "apply_changes",
    "background_words",
    "certain",
    "compose",
    "correct",
    "describe",
    "judge",
    "named_confidence",
]
