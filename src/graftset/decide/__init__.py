"""Deciding: comparisons, a review bound and thresholds in, the matrix of four scenarios out.

records.py   what a decision says
success.py   the five success metrics of an arm
matrix.py    the matrix, its verdicts, and a person's word against them
keeping.py   decisions as numbered files
"""

from graftset.decide.keeping import as_json, history, keep, latest, read
from graftset.decide.matrix import decide, leading, overridden, written
from graftset.decide.records import (
    ALL,
    FIRST,
    NOT_YET,
    SCENARIOS,
    SUBSET,
    WORDS,
    ArmSuccess,
    Decision,
    Metric,
    Override,
    Quantity,
    Row,
    Thresholds,
    Word,
)

__all__ = [
    "ALL",
    "FIRST",
    "NOT_YET",
    "SCENARIOS",
    "SUBSET",
    "WORDS",
    "ArmSuccess",
    "Decision",
    "Metric",
    "Override",
    "Quantity",
    "Row",
    "Thresholds",
    "Word",
    "as_json",
    "decide",
    "history",
    "keep",
    "latest",
    "leading",
    "overridden",
    "read",
    "written",
]
