"""Draws the sample set: originals and candidates with known truth and planted faults.

specs.py        what a portrait, an original, a candidate and the whole set are: the truth
palette.py      words and the colors they mean
sprites_*.py    the layers of the two styles, cell by cell
backdrop.py, portrait.py     a spec -> 24 x 24 pixels
captions.py     a spec -> its caption and what that claims
cast.py, names.py            who the originals are
variations.py, candidates.py          what the candidates show, were asked for, and what is wrong with them
rendering.py, faults.py               24 x 24 pixels -> what a diffusion model would have painted
sample_set.py   all of it into a folder
"""

from __future__ import annotations

from graftset.drawn.portrait import FACE, draw_original
from graftset.drawn.rendering import render
from graftset.drawn.sample_set import draw_candidate, draw_sample_set, plan_sample_set
from graftset.drawn.specs import CandidateTruth, OriginalTruth, PortraitSpec, SampleTruth

__all__ = [
    "FACE",
    "CandidateTruth",
    "OriginalTruth",
    "PortraitSpec",
    "SampleTruth",
    "draw_candidate",
    "draw_original",
    "draw_sample_set",
    "plan_sample_set",
    "render",
]
