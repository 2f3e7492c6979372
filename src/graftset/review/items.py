"""What a reviewer sees of one candidate, and how candidates are ordered for looking at. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from graftset.records import ImageView

Queue = Literal["pending", "approved", "rejected", "skipped"]
QUEUES: tuple[Queue, ...] = ("pending", "approved", "rejected", "skipped")
Scope = Literal["plan", "pool", "all"]  # the open plan's sample in the order drawn, the admitted, every candidate


@dataclass(frozen=True, slots=True)
class Item:
    """One candidate in review.

    Attributes:
        id: Content hash of the file, with "-2", "-3" where several files hold the same bytes: safe in a URL.
        view: Everything known of it, its review filled in.
        version: Changes with the picture and its caption. A verdict names the version it is said of.
        queue: Where it stands.
        conflict: Reviewers disagree, and nobody has settled it.
        place: Place in the open plan's sample, from 0; None where it is not drawn.
        counted: Its verdict counts for the open plan.
    """

    id: str
    view: ImageView
    version: str
    queue: Queue
    conflict: bool
    place: int | None
    counted: bool

    @property
    def admitted(self) -> bool:
        """Whether the newest selection keeps it."""
        return bool(self.view.selected)

    @property
    def stale(self) -> bool:
        """Whether it was reviewed as another picture or with another caption than it is now."""
        return self.view.stale_review is not None


def version_of(view: ImageView) -> str:
    """16 hex digits that change with the picture and its training caption."""
    caption = view.training_caption
    said = view.sha256 + ("" if caption is None else "\n" + caption)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def queue_of(view: ImageView) -> Queue:
    """Where an image stands: as its review says, else pending."""
    return "pending" if view.review is None else view.review.verdict


Key = Callable[[Item, float | None], Any]  # an item and P(approved) -> what it is sorted by


@dataclass(frozen=True, slots=True)
class Order:
    """One way to go through candidates."""

    name: str
    title: str
    key: Key


def _uncertain(item: Item, probability: float | None) -> tuple[Any, ...]:
    """Nearest to an even chance first; without a calibration, nearest to the threshold that careful owners use."""
    if probability is not None:
        return (abs(probability - 0.5), item.view.path)
    score = item.view.score
    return (math.inf if score is None else abs(score - 8.0), item.view.path)


def _background(item: Item, _: float | None) -> tuple[Any, ...]:
    seen = item.view.traits.background
    return ("~" if seen is None else seen.value, _best(item, None))


def _findings(item: Item, _: float | None) -> tuple[Any, ...]:
    """Most contradicted claims first."""
    return (-sum(claim.verdict == "contradicted" for claim in item.view.claims), _best(item, None))


def _best(item: Item, _: float | None) -> tuple[Any, ...]:
    score = item.view.score
    return (math.inf if score is None else -score, item.view.path)


def _worst(item: Item, _: float | None) -> tuple[Any, ...]:
    score = item.view.score
    return (math.inf if score is None else score, item.view.path)


ORDERS: Mapping[str, Order] = {
    order.name: order
    for order in (
        Order("uncertain", "Most uncertain first", _uncertain),
        Order("background", "By background", _background),
        Order("finding", "Contradicted captions first", _findings),
        Order("best", "Highest score first", _best),
        Order("worst", "Lowest score first", _worst),
        Order("path", "By name", lambda item, _: item.view.path),
    )
}
