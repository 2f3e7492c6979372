"""Counts over all candidates that follow every change of one of them, so that no number costs a walk over all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from graftset.records import ImageView
from graftset.review.items import QUEUES, Item, Queue

DECISIONS: tuple[Queue, ...] = ("approved", "rejected")


class Tally:
    """What the numbers are made of. An item that changes is removed as it was and added as it is.

    Attributes:
        decided: Approved and rejected items, by id.
        conflicts: Ids of items that reviewers disagree on.
        stale: Ids of items whose verdicts concern another picture or caption than they have now.
        verdicts: (reviewer, verdict) -> items, of verdicts on the pictures as they are.
        pairs: (first, second, verdict, verdict) -> items that both decided blind, names in order.
        traits: (slot, value, queue) -> decided items that show it.
    """

    def __init__(self) -> None:
        self.decided: dict[str, Item] = {}
        self.conflicts: set[str] = set()
        self.stale: set[str] = set()
        self.verdicts: Counter[tuple[str, str]] = Counter()
        self.pairs: Counter[tuple[str, str, str, str]] = Counter()
        self.traits: Counter[tuple[str, str, Queue]] = Counter()
        self._queues: Counter[tuple[Queue, bool]] = Counter()  # (queue, admitted)

    def counts(self, *, admitted: bool) -> dict[Queue, int]:
        """Candidates in each queue: all of them, or the admitted."""
        return {q: self._queues[q, True] + (0 if admitted else self._queues[q, False]) for q in QUEUES}

    def replace(self, old: Item | None, new: Item) -> None:
        """Count an item as it is instead of as it was."""
        if old is not None:
            self._count(old, -1)
            self.decided.pop(old.id, None)
            self.conflicts.discard(old.id)
            self.stale.discard(old.id)
        self._count(new, 1)
        if new.queue in DECISIONS:
            self.decided[new.id] = new
        if new.conflict:
            self.conflicts.add(new.id)
        if new.stale:
            self.stale.add(new.id)

    def _count(self, item: Item, by: int) -> None:
        self._queues[item.queue, item.admitted] += by
        if not item.says:
            return
        for entry in item.says:
            self.verdicts[entry.reviewer, entry.verdict] += by
        if item.queue in DECISIONS:
            for slot, value in traits_of(item.view):
                self.traits[slot, value, item.queue] += by
        # A verdict that settles a conflict was not given blind.
        blind = sorted((e.reviewer, e.verdict) for e in item.says if e.verdict in DECISIONS and not e.settles)
        for (first, a), (second, b) in combinations(blind, 2):
            self.pairs[first, second, a, b] += by


def traits_of(view: ImageView) -> Iterator[tuple[str, str]]:
    """(slot, value) of everything seen in a picture that is known."""
    if view.traits.background is not None and view.traits.background.value != "unknown":
        yield "background", view.traits.background.value
    for slot, seen in view.traits.slots.items():
        if seen.value != "unknown":
            yield slot, seen.value
    for term, seen in view.traits.accessories.items():
        if seen.value == "present":
            yield "accessory", term
