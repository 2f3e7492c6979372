"""Orders of the contact sheet, and of looking through it. One more order is one line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graftset.web.facts import Facts

GATE = 8.0  # where careful owners draw the line, while there are too few verdicts to estimate anything


@dataclass(frozen=True, slots=True)
class Order:
    """One order; `key` gets the facts and the estimated chance of approval. Ties are broken by name and hash, so that
    pages never overlap.
    """

    name: str
    label: str
    key: Callable[[Facts, float | None], Any]
    changes: bool = False  # whether verdicts change it


def _score(facts: Facts) -> float:
    return -math.inf if facts.score is None else facts.score


def _uncertain(facts: Facts, chance: float | None) -> float:
    if chance is not None:
        return abs(chance - 0.5)
    return math.inf if facts.score is None else abs(facts.score - GATE)


_STANDING = {"pending": 0, "rejected": 1, "skipped": 2, "approved": 3}

ORDERS: Mapping[str, Order] = {
    order.name: order
    for order in (
        Order("best", "highest score", lambda f, _: -_score(f)),
        Order("worst", "lowest score", lambda f, _: _score(f)),
        Order("uncertain", "most uncertain", _uncertain, changes=True),
        Order("finding", "contradicted captions", lambda f, _: (not f.contradicted, -_score(f))),
        Order("background", "background", lambda f, _: (min(f.backgrounds, default="~"), -_score(f))),
        Order("verdict", "verdict, pending first", lambda f, _: (_STANDING[f.standing], -_score(f)), changes=True),
        Order("tokens", "longest caption", lambda f, _: -(f.tokens or 0)),
        Order("near", "nearest to an original", lambda f, _: math.inf if f.distance is None else f.distance),
        Order("name", "name", lambda f, _: ()),
    )
}
DEFAULT = "best"
