"""What an evaluator says of checkpoints: the values that evaluate writes, and that report and comparison read.

records.py    one checkpoint's figures, pictures and checks
measures.py   every figure described: unit, range, which way is better, meaning, source
reading.py    cards as JSON files
course.py     the cards of one run in a row: windows, criteria, convergence, stability, the best checkpoint
"""

from graftset.scorecards.course import Course, Criteria, Criterion, Series, Window, follow
from graftset.scorecards.measures import BY_NAME, MEASURES, EvaluationMeasure
from graftset.scorecards.reading import as_json, from_json, read_scorecard, write_scorecard
from graftset.scorecards.records import (
    OBEDIENCE,
    RECALL,
    DistanceToOriginals,
    Figure,
    Group,
    PictureScore,
    Place,
    PromptAsked,
    Scorecard,
    StyleCheck,
    comparable,
)

__all__ = [
    "BY_NAME",
    "MEASURES",
    "OBEDIENCE",
    "RECALL",
    "Course",
    "Criteria",
    "Criterion",
    "DistanceToOriginals",
    "EvaluationMeasure",
    "Figure",
    "Group",
    "PictureScore",
    "Place",
    "PromptAsked",
    "Scorecard",
    "Series",
    "StyleCheck",
    "Window",
    "as_json",
    "comparable",
    "follow",
    "from_json",
    "read_scorecard",
    "write_scorecard",
]
