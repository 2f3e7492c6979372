"""What a reviewer sees of one candidate, and how candidates are ordered for looking at. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from graftset.records import ImageView, VerdictEntry
from graftset.review.plans import Label

Queue = Literal["pending", "approved", "rejected", "skipped"]
QUEUES: tuple[Queue, ...] = ("pending", "approved", "rejected", "skipped")
F64 = NDArray[np.float64]
USUAL_THRESHOLD = 8.0  # score that careful owners train on; where no verdicts say where people draw the line
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
        says: The newest entry of everybody who spoke of it as it is.
        label: What the open plan counts it as; None where it is not drawn.
    """

    id: str
    view: ImageView
    version: str
    queue: Queue
    conflict: bool
    says: tuple[VerdictEntry, ...]
    place: int | None
    label: Label | None

    @property
    def counted(self) -> bool:
        """Whether its verdict counts for the open plan."""
        return self.label is not None and self.label != "pending"

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


@dataclass(frozen=True, slots=True)
class Order:
    """One way to go through candidates: by what is known of a picture, or by the chance that it is approved."""

    name: str
    title: str
    key: Callable[[ImageView], Any] | None  # None: by the chance, most uncertain first


def uncertainty(scores: F64, chances: F64 | None) -> F64:
    """What the most uncertain come first by: distance to an even chance; without a curve, to the usual threshold.

    Args:
        scores: Quality scores, float64 [N], NaN where there is none.
        chances: P(approved) of each, float64 [N]; None without a curve.

    Returns:
        float64 [N], infinite for pictures without a score.
    """
    far = np.abs(scores - USUAL_THRESHOLD) if chances is None else np.abs(chances - 0.5)
    return np.where(np.isnan(scores), np.inf, far)


def _background(view: ImageView) -> tuple[Any, ...]:
    seen = view.traits.background
    return ("~" if seen is None else seen.value, _best(view))


def _findings(view: ImageView) -> tuple[Any, ...]:
    """Most contradicted claims first."""
    return (-sum(claim.verdict == "contradicted" for claim in view.claims), _best(view))


def _best(view: ImageView) -> tuple[float, str]:
    return (math.inf if view.score is None else -view.score, view.path)


def _worst(view: ImageView) -> tuple[float, str]:
    return (math.inf if view.score is None else view.score, view.path)


ORDERS: Mapping[str, Order] = {
    order.name: order
    for order in (
        Order("uncertain", "Most uncertain first", None),
        Order("background", "By background", _background),
        Order("finding", "Contradicted captions first", _findings),
        Order("best", "Highest score first", _best),
        Order("worst", "Lowest score first", _worst),
        Order("path", "By name", lambda view: view.path),
    )
}
