"""The index behind the desk: every view, verdict, plan and count in memory, kept in step with the catalog.

The catalog is the truth. A look at how far its append-only tables reach tells whether anything is new; only what is new
is read then. Images and assessments are replaced in place, so now and then a slower look asks whether those changed.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar, cast

from graftset.catalog import Catalog, Marks
from graftset.catalog.joining import with_reviews
from graftset.catalog.verdicts import concerns
from graftset.records import ImageView, ReviewPlan
from graftset.review.items import Item, queue_of, version_of
from graftset.review.ledger import Ledger
from graftset.review.plans import Label
from graftset.review.standing import is_outdated, label_of
from graftset.review.tally import Tally

T = TypeVar("T")
MOST_AT_ONCE = 1000  # captions that changed, beyond which everything is read anew
OF_PLAN = ("sample", "cover")  # what is kept longer and belongs to the open plan
REREAD_AFTER = 2.0  # seconds between looks at whether images or assessments changed


class Index:
    """What the catalog says, for reading.

    Attributes:
        lock: To be held while several of these are read together.
        version: Grows whenever anything changed.
        views: Every image by path, originals too.
        ids: Path -> id of the image.
        paths: The other way round.
        items: Candidates by id, in the order of their paths.
        ledger: The verdicts as they stand.
        plans: Every plan, the oldest first; the last is open.
        labels: Of the open plan's sample, in the order drawn.
        changed: Places in it whose verdicts concern another picture or caption than there is now.
        tally: Counts over all candidates.
    """

    def __init__(self, catalog: Catalog, clock: Callable[[], float] = time.monotonic) -> None:
        self._catalog = catalog
        self._clock = clock
        self._marks: Marks | None = None
        self._foundations: tuple[object, ...] = ()
        self._looked = 0.0
        self._places: dict[str, int] = {}  # path -> place in the open plan
        self._kept: dict[object, object] = {}  # what was worked out at this version
        self._kept_longer: dict[object, object] = {}  # what no verdict changes
        self.lock = threading.RLock()
        self.version = 0
        self.views: dict[str, ImageView] = {}
        self.ids: dict[str, str] = {}
        self.paths: dict[str, str] = {}
        self.items: dict[str, Item] = {}
        self.ledger = Ledger()
        self.plans: list[ReviewPlan] = []
        self.labels: list[Label] = []
        self.changed: set[int] = set()
        self.tally = Tally()
        self.refresh(force=True)

    def refresh(self, *, force: bool = False) -> bool:
        """Take in what is new in the catalog; returns whether anything was."""
        with self.lock:
            marks = self._catalog.marks()
            if force or self._marks is None or self._rebuilt(marks):
                self._read_all()
            elif marks == self._marks:
                return False
            else:
                self._read_new(self._marks, marks)
            self._marks = marks
            self.version += 1
            self._kept.clear()
            return True

    def _rebuilt(self, marks: Marks) -> bool:
        """Whether so much may have changed that everything is read again."""
        assert self._marks is not None
        if marks.selections != self._marks.selections:
            return True
        if self._clock() - self._looked < REREAD_AFTER:
            return False
        self._looked = self._clock()
        return self._catalog.foundations() != self._foundations

    def _read_all(self) -> None:
        self._kept_longer.clear()
        self._foundations, self._looked = self._catalog.foundations(), self._clock()
        self.views = {view.path: view for view in self._catalog.views()}
        self.ledger = Ledger(self._catalog.verdicts())
        self._set_plans(self._catalog.plans())
        self.ids, self.paths = {}, {}
        seen: Counter[str] = Counter()
        for path, view in sorted(self.views.items()):
            seen[view.sha256] += 1
            name = view.sha256 + (f"-{seen[view.sha256]}" if seen[view.sha256] > 1 else "")
            self.ids[path], self.paths[name] = name, path
        self.items, self.tally = {}, Tally()
        for _, view in sorted(self.views.items()):
            if view.origin == "generated":
                self._put(view)

    def _read_new(self, old: Marks, new: Marks) -> None:
        touched: set[str] = set()
        if new.captions != old.captions:
            changed = self._catalog.captioned_since(old.captions)
            if len(changed) > MOST_AT_ONCE or any(path not in self.views for path in changed):  # taken in since
                self._read_all()
                return
            for view in self._catalog.views(changed):
                if view.claims != self.views[view.path].claims:
                    self._kept_longer.clear()
                self.views[view.path] = view
            touched |= set(changed)
        if new.verdicts != old.verdicts:
            touched |= self.ledger.extend(self._catalog.verdicts(after=old.verdicts))
        if new.plans != old.plans:
            before = set(self._places)
            self._set_plans([*self.plans, *self._catalog.plans(after=old.plans)])
            for key in OF_PLAN:
                self._kept_longer.pop(key, None)
            for path in (before | set(self._places)) - touched:  # all others have no place in either plan
                self._move(path)
        for path in touched:
            known = self.views.get(path)
            if known is not None and known.origin == "generated":
                self._put(known)

    def _set_plans(self, known: list[ReviewPlan]) -> None:
        self.plans = known
        drawn = known[-1].drawn if known else ()
        self._places = {image.path: place for place, image in enumerate(drawn)}
        self.labels = ["skipped"] * len(drawn)  # of files that are gone: they cannot be shown to be right any more
        self.changed = set()

    def _put(self, view: ImageView) -> None:
        """Take in a candidate as it is now."""
        name = self.ids[view.path]
        item = self._item(view)
        self.tally.replace(self.items.get(name), item)
        self.items[name] = item

    def _move(self, path: str) -> None:
        """Give a candidate its place in the plan that was just begun."""
        item = self.items.get(self.ids.get(path, ""))
        if item is None:
            return
        if self.ledger.says(path) or item.view.review or item.view.stale_review:
            self._put(item.view)
            return
        # Nobody looked at it: nothing else of it changes, and a plan may have a place for thousands.
        place = self._places.get(path)
        if place is not None:
            self.labels[place] = "pending"
        self.items[item.id] = replace(item, place=place, label=None if place is None else "pending")

    def _item(self, view: ImageView) -> Item:
        says = self.ledger.says(view.path).values()
        joined = with_reviews(view, says) if says or view.review or view.stale_review else view
        self.views[view.path] = joined
        place = self._places.get(view.path)
        label = None if place is None else label_of(self.plans[-1], self.plans[-1].drawn[place], joined, says)
        if place is not None and label is not None:
            self.labels[place] = label
            (self.changed.add if is_outdated(label, self.plans[-1], says) else self.changed.discard)(place)
        return Item(
            id=self.ids[view.path],
            view=joined,
            version=version_of(joined),
            queue=queue_of(joined),
            conflict=joined.review is not None and joined.review.conflict,
            says=tuple(
                entry
                for entry in says
                if entry.verdict != "withdrawn" and concerns(entry, joined.sha256, joined.training_caption)
            ),
            place=place,
            label=label,
        )

    def once(self, key: object, work: Callable[[], T]) -> T:
        """What `work` gives, worked out once a version."""
        if key not in self._kept:
            self._kept[key] = work()
        return cast(T, self._kept[key])

    def lasting(self, key: object, work: Callable[[], T]) -> T:
        """What `work` gives, worked out once while pictures, claims, the selection and the plan stay: no verdicts."""
        if key not in self._kept_longer:
            self._kept_longer[key] = work()
        return cast(T, self._kept_longer[key])
