"""What can be read at the desk: candidates in their queues, what was said of them, the plan and the numbers.

Nothing here writes; `graftset.review.desk` adds what does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from graftset.catalog import Catalog
from graftset.errors import UserError
from graftset.records import ImageView, ReviewPlan, VerdictEntry
from graftset.review import figures
from graftset.review.captions import CaptionState, caption_state
from graftset.review.index import Index
from graftset.review.items import ORDERS, QUEUES, Item, Queue, Scope, uncertainty
from graftset.review.plans import Label, Outcome, allowed_of, draw
from graftset.review.plans import outcome as outcome_of
from graftset.review.standing import coverage, earlier_draws, plan_notes, uncovered
from graftset.statistics import PlattScaling
from graftset.tokens import DEFAULT_LIMIT

DEFAULT_ALLOWED = 2  # errors of a fixed plan: a set with 95 % right passes twice as often as with none


@dataclass(frozen=True, slots=True)
class Around:
    """An item's neighbours in a queue."""

    previous: str | None
    next: str | None
    position: int  # from 0
    of: int


class Reading:
    """The review of one project as it is read. `refresh` brings it in step with the catalog."""

    def __init__(self, catalog: Catalog, *, token_limit: int = DEFAULT_LIMIT) -> None:
        self.token_limit = token_limit
        self._catalog = catalog
        self._index = Index(catalog)
        self._lock = self._index.lock

    # --- keeping in step ----------------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Grows whenever anything changed; pages that show it can tell whether they are current."""
        return self._index.version

    def refresh(self, *, force: bool = False) -> bool:
        """Take in what is new in the catalog; returns whether anything was."""
        return self._index.refresh(force=force)

    # --- looking ------------------------------------------------------------------------------------------------------

    def items(
        self,
        *,
        queue: Queue | None = None,
        scope: Scope = "all",
        order: str = "path",
        where: Callable[[Item], bool] | None = None,
    ) -> tuple[Item, ...]:
        """Candidates to look at.

        Args:
            queue: Only those that stand there.
            scope: "plan": the open plan's sample in the order drawn, whatever `order` says, and what still counts
                decides the queue there; "pool": the admitted; "all": every candidate.
            order: A name in `ORDERS`.
            where: Only those it is true of.
        """
        with self._lock:
            if scope == "plan":
                found = self._sample()
                if queue is not None:
                    found = [item for item in found if _stands_in_plan(item) == queue]
            else:
                found = self._ordered(order)
                if scope == "pool":
                    found = [item for item in found if item.view.selected]
                if queue is not None:
                    found = [item for item in found if item.queue == queue]
            return tuple(found if where is None else filter(where, found))

    def _sample(self) -> list[Item]:
        """The open plan's sample in the order drawn, without files that are gone."""
        return [self._index.items[name] for name in self._index.lasting("sample", self._sample_ids)]

    def _sample_ids(self) -> list[str]:
        places = (
            self._index.ids.get(image.path) for image in (self._index.plans[-1].drawn if self._index.plans else ())
        )
        return [name for name in places if name in self._index.items]

    def _ordered(self, order: str) -> list[Item]:
        if order not in ORDERS:
            raise UserError(
                "There is no such order", field="order", value=order, remedy=f"Use one of {', '.join(ORDERS)}."
            )
        key = ORDERS[order].key
        if key is None:
            return self._index.once(("order", order), self._uncertain_first)
        names = self._index.lasting(
            ("order", order), lambda: sorted(self._index.items, key=lambda name: key(self._index.items[name].view))
        )
        return [self._index.items[name] for name in names]

    def _uncertain_first(self) -> list[Item]:
        items, curve = list(self._index.items.values()), self.calibration()
        scores = self._index.lasting(
            "scores", lambda: np.array([_score(item.view) for item in items], dtype=np.float64)
        )
        far = uncertainty(scores, None if curve is None else curve.probability(scores))
        return [items[i] for i in np.argsort(far, kind="stable")]

    def item(self, name: str) -> Item:
        """One candidate by its id.

        Raises:
            UserError: There is none, or not any more.
        """
        with self._lock:
            try:
                return self._index.items[name]
            except KeyError:
                raise UserError(
                    "There is no such candidate", field="id", value=name, remedy="Load the list again."
                ) from None

    def view(self, path: str) -> ImageView | None:
        """Any image by its path, originals too: what a candidate is compared with."""
        return self._index.views.get(path)

    def by_sha256(self, sha256: str) -> ImageView | None:
        """Any image by its content hash, originals too."""
        path = self._index.paths.get(sha256)
        return None if path is None else self._index.views[path]

    def originals(self) -> tuple[ImageView, ...]:
        """The originals, by path."""
        return tuple(view for _, view in sorted(self._index.views.items()) if view.origin == "original")

    def around(self, name: str | None, items: Sequence[Item]) -> Around:
        """The neighbours of an item in a list that `items` gave.

        With None, or where the item has left the list, the first of the list comes next.
        """
        place = next((i for i, item in enumerate(items) if item.id == name), None)
        if place is None:
            return Around(None, items[0].id if items else None, 0, len(items))
        before = items[place - 1].id if place else None
        after = items[place + 1].id if place + 1 < len(items) else None
        return Around(before, after, place, len(items))

    def counts(self, scope: Scope = "all") -> dict[Queue, int]:
        """How many candidates stand in each queue."""
        with self._lock:
            if scope != "plan":
                return self._index.tally.counts(admitted=scope == "pool")
            count = Counter(map(_stands_in_plan, self._sample()))
            return {queue: count[queue] for queue in QUEUES}

    def conflicts(self) -> tuple[Item, ...]:
        """Candidates that reviewers disagree on, by path."""
        with self._lock:
            found = [self._index.items[name] for name in self._index.tally.conflicts]
            return tuple(sorted(found, key=lambda item: item.view.path))

    def says(self, name: str) -> tuple[VerdictEntry, ...]:
        """The newest entry of each reviewer on one candidate, stale ones too."""
        with self._lock:
            return tuple(self._index.ledger.says(self.item(name).view.path).values())

    def history(self, name: str) -> tuple[VerdictEntry, ...]:
        """Every entry on one candidate, the oldest first."""
        with self._lock:
            return self._index.ledger.history(self.item(name).view.path)

    def caption(self, name: str) -> CaptionState:
        """The caption of one candidate, with a chip for each proposed change and its token count."""
        return caption_state(self.item(name).view, self.token_limit)

    # --- the plan -----------------------------------------------------------------------------------------------------

    @property
    def plan(self) -> ReviewPlan | None:
        """The open plan; None while there is only free browsing."""
        return self._index.plans[-1] if self._index.plans else None

    @property
    def plans(self) -> tuple[ReviewPlan, ...]:
        """Every plan of the project, the oldest first."""
        return tuple(self._index.plans)

    def pool(self) -> tuple[ImageView, ...]:
        """The set a plan samples: what the newest selection admits."""
        return tuple(item.view for item in self.items(scope="pool"))

    def propose_plan(
        self,
        kind: str = "fixed",
        *,
        allowed: int | None = None,
        target: float = 0.90,
        confidence: float = 0.95,
        seed: int = 0,
        by: str = "",
    ) -> ReviewPlan:
        """The plan that `start_plan` would fix, without fixing it; see there."""
        with self._lock:
            selection, pool = self._catalog.selection_date(), self.pool()
            return draw(
                pool,
                kind,
                allowed=allowed_of(len(pool), DEFAULT_ALLOWED, target) if allowed is None else allowed,
                target=target,
                confidence=confidence,
                seed=seed,
                by=by,
                definition=f"admitted by the selection of {selection}",
            )

    def outcome(self) -> Outcome | None:
        """Where the open plan stands."""
        with self._lock:
            return self._index.once("outcome", self._outcome)

    def labels(self) -> tuple[Label, ...]:
        """What the open plan counts each image of its sample as, in the order drawn; empty without a plan."""
        with self._lock:
            return tuple(self._index.labels)

    def _outcome(self) -> Outcome | None:
        if not self._index.plans:
            return None
        plan = self._index.plans[-1]
        cover = self._index.lasting("cover", lambda: coverage(plan, self._index.views.values()))
        limit = uncovered(cover, self._is_rejected)
        found = outcome_of(plan, self._index.labels)
        notes = plan_notes(
            limit, len(self._index.changed), earlier_draws(self._index.plans, self._index.ledger.followed)
        )
        return replace(found, notes=(*found.notes, *notes))

    def _is_rejected(self, sha256: str) -> bool:
        item = self._index.items.get(sha256)
        return item is not None and item.queue == "rejected"

    # --- numbers ------------------------------------------------------------------------------------------------------

    def calibration(self) -> PlattScaling | None:
        """P(a person approves) by the score; None until there are enough verdicts of both kinds."""
        with self._lock:
            return self._index.once("calibration", lambda: figures.calibrate(self._index.tally.decided.values()))

    def probability(self, item: Item) -> tuple[float, float, float] | None:
        """P(a person approves) of one candidate with the ends of its 95 % interval; None where it is not known."""
        curve, score = self.calibration(), item.view.score
        if curve is None or score is None:
            return None
        low, high = curve.interval(score)
        return float(curve.probability(score)), float(low), float(high)

    def numbers(self) -> figures.Numbers:
        """Everything that grows with the verdicts."""
        with self._lock:
            return self._index.once("numbers", self._numbers)

    def _numbers(self) -> figures.Numbers:
        return figures.numbers(
            self._index.tally,
            self._index.ledger.reviewers(),
            plan=self.plan,
            outcome=self.outcome(),
            curve=self.calibration(),
        )


def _stands_in_plan(item: Item) -> Queue:
    """The queue of an item in a plan's sample: pending until it has a verdict that counts."""
    return item.queue if item.counted else "pending"


def _score(view: ImageView) -> float:
    return np.nan if view.score is None else view.score
