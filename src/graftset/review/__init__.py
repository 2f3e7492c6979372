"""Review: which pictures are looked at, what people say of them, and how far that may be trusted.

desk.py      everything a review needs, in memory and in step with the catalog: what the web application calls
reading.py   the part of it that only reads: queues, what was said, the plan and the numbers
index.py     what the desk keeps in memory, and how it keeps in step
plans.py     PURE  sampling plans, and what may be said of all after a sample
standing.py  PURE  pictures of a sample as labels, and what a build may say of a review
ledger.py    PURE  the verdicts as they stand, undo and redo
items.py     PURE  one candidate in review, queues and orders
captions.py  PURE  a caption with a chip for each proposed change
figures.py   PURE  the numbers that grow with the verdicts
tally.py     PURE  the counts they are made of, kept up with every change
exchange.py  verdicts as CSV and JSON lines
"""

from graftset.review.captions import CaptionState, Chip
from graftset.review.desk import Desk, Given
from graftset.review.exchange import ImportReport, export_text, export_verdicts, import_text, import_verdicts
from graftset.review.figures import Acceptance, Agreement, CurvePoint, Disagreement, Numbers, Reviewer
from graftset.review.items import ORDERS, QUEUES, Item, Order, Queue, Scope
from graftset.review.plans import PLANS, Outcome, PlanKind
from graftset.review.reading import Around

__all__ = [
    "ORDERS",
    "PLANS",
    "QUEUES",
    "Acceptance",
    "Agreement",
    "Around",
    "CaptionState",
    "Chip",
    "CurvePoint",
    "Desk",
    "Disagreement",
    "Given",
    "ImportReport",
    "Item",
    "Numbers",
    "Order",
    "Outcome",
    "PlanKind",
    "Queue",
    "Reviewer",
    "Scope",
    "export_text",
    "export_verdicts",
    "import_text",
    "import_verdicts",
]
