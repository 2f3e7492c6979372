"""Suggesting: ranked next experiments from a project's state and the record of past ones.

records.py    facts in, suggestions out
table.py      the knobs: one entry each, with its prior
images.py     moves on what is trained on
training.py   moves on how is trained
search.py     the next value of a numeric knob
believing.py  prior and record -> expected effect and confidence
ranking.py    which comes first
"""

from graftset.suggest.ranking import suggest
from graftset.suggest.records import Facts, Lack, Move, Observed, Prior, Suggestion, Trial, Unsettled
from graftset.suggest.table import KNOBS

__all__ = ["KNOBS", "Facts", "Lack", "Move", "Observed", "Prior", "Suggestion", "Trial", "Unsettled", "suggest"]
