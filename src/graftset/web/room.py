"""What the application keeps in memory beside the review's desk: facts of every candidate, filtered and sorted lists.

The desk is the truth of verdicts and captions and follows the catalog; what is here is worked out from it, once for
each version of it, and only for the candidates that changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from graftset.assess import native_png
from graftset.audit import AuditReport, Finding
from graftset.errors import UserError
from graftset.records import ImageView
from graftset.report.colors import WordColors, learned_colors
from graftset.review import Desk, Item
from graftset.web.facts import Facts, facts_of
from graftset.web.failures import not_found
from graftset.web.filters import Filter, parse
from graftset.web.orders import DEFAULT, ORDERS
from graftset.web.pictures import Pictures
from graftset.workflows import auditing
from graftset.workflows.steps import Session

T = TypeVar("T")
PLAN = "plan"
_MOST_LISTS = 64  # filtered lists that are kept for one version


@dataclass(frozen=True, slots=True)
class Queue:
    """What a reviewer goes through: the plan's sample, or candidates that a filter lets through, in some order."""

    order: str = DEFAULT
    query: str = ""
    planned: bool = False

    def __str__(self) -> str:
        return PLAN if self.planned else f"{self.order}:{self.query}"

    @classmethod
    def read(cls, text: str) -> Queue:
        """The queue that an address names.

        Raises:
            UserError: An order or a filter that cannot be understood.
        """
        if text == PLAN:
            return cls(planned=True)
        order, _, query = text.partition(":")
        queue = cls(order or DEFAULT, query)
        checked_order(queue.order)
        parse(query)
        return queue


def checked_order(name: str) -> str:
    """The name of an order that there is.

    Raises:
        UserError: There is none of this name.
    """
    if name not in ORDERS:
        raise UserError("There is no such order", field="sort", value=name, remedy=f"Use one of {', '.join(ORDERS)}.")
    return name


class Room:
    """One project under review."""

    def __init__(self, session: Session, desk: Desk, reviewer: str) -> None:
        self.session = session
        self.desk = desk
        self.default_reviewer = reviewer
        self.pictures = Pictures(lambda view: native_png(session.catalog, view.sha256, view.grid))
        self.writing = threading.Lock()  # a verdict is compared with what is there and written, with nothing in between
        self._lock = threading.RLock()
        self._auditing = threading.Lock()
        self._audited: tuple[int, AuditReport] | None = None
        self._version = -1
        self._facts: dict[str, tuple[Item, Facts]] = {}
        self._kept: dict[object, object] = {}
        self.current()

    def current(self) -> None:
        """Take in what changed since the last request."""
        self.desk.refresh()
        with self._lock:
            if self.desk.version == self._version:
                return
            version = self.desk.version
            known: dict[str, tuple[Item, Facts]] = {}
            for item in self.desk.items():
                have = self._facts.get(item.id)
                known[item.id] = have if have is not None and have[0] is item else (item, self._facts_of(item, have))
            self._facts, self._version = known, version
            self._kept.clear()

    def _facts_of(self, item: Item, have: tuple[Item, Facts] | None) -> Facts:
        old = have[0].view if have is not None else None
        same = old is not None and replace(old, review=None, stale_review=None) == replace(
            item.view, review=None, stale_review=None
        )
        facts = have[1] if have is not None and same else facts_of(item.view)
        says = self.desk.says(item.id)
        return replace(
            facts,
            standing=item.queue,
            reviewers=frozenset(entry.reviewer.lower() for entry in says if entry.verdict != "withdrawn"),
            conflict=item.conflict,
            planned=item.place is not None,
            probability=None,
        )

    # --- lists --------------------------------------------------------------------------------------------------------

    def facts(self, name: str) -> Facts:
        """The facts of one candidate."""
        return self._facts[name][1]

    def listed(self, order: str, query: str) -> Sequence[Item]:
        """Candidates that a filter lets through, in an order."""
        return self.once(("list", order, query.strip()), lambda: self._listed(ORDERS[checked_order(order)].name, query))

    def _listed(self, order: str, query: str) -> Sequence[Item]:
        wanted = parse(query)
        ordered = self.once(("order", order), lambda: self._ordered(order))
        estimates = self._probabilities() if any(term.field == "p" for term in wanted.terms) else {}
        return [item for item, facts in ordered if wanted.matches(_estimated(facts, estimates.get(item.id)))]

    def _ordered(self, order: str) -> list[tuple[Item, Facts]]:
        how = ORDERS[order]
        estimates = self._probabilities() if how.estimates else {}
        pairs = [(item, _estimated(facts, estimates.get(item.id))) for item, facts in self._facts.values()]
        return sorted(pairs, key=lambda pair: (how.key(pair[1]), pair[1].name, pair[0].id))

    def _probabilities(self) -> Mapping[str, float]:
        return self.once("probabilities", self._estimate_all)

    def _estimate_all(self) -> Mapping[str, float]:
        curve = self.desk.calibration()
        if curve is None:
            return {}
        scored = [(item.id, facts.score) for item, facts in self._facts.values() if facts.score is not None]
        by_score = {score: float(curve.probability(score)) for score in {score for _, score in scored}}
        return {name: by_score[score] for name, score in scored}

    def count(self, wanted: Filter) -> int:
        """How many candidates a filter lets through."""
        return self.once(
            ("count", str(wanted)), lambda: sum(wanted.matches(facts) for _, facts in self._facts.values())
        )

    def queue(self, queue: Queue) -> Sequence[Item]:
        """The candidates of a queue, in order."""
        return self.desk.items(scope="plan") if queue.planned else self.listed(queue.order, queue.query)

    def neighbors(self, queue: Queue, item: Item) -> tuple[Item | None, Item | None, str]:
        """The candidates before and after one in a queue, and its place for people.

        One that left the queue (it was reviewed, and the queue holds what is not) keeps its neighbors: those that stand
        around it in the order.
        """
        items = self.queue(queue)
        place = next((i for i, other in enumerate(items) if other.id == item.id), None)
        if place is not None:
            before = items[place - 1] if place else None
            after = items[place + 1] if place + 1 < len(items) else None
            return before, after, f"{place + 1:,} of {len(items):,}"
        if queue.planned:
            return None, (items[0] if items else None), "not in the sample"
        inside = {other.id for other in items}
        everyone = self.listed(queue.order, "")
        at = next((i for i, other in enumerate(everyone) if other.id == item.id), 0)
        before = next((other for other in reversed(everyone[:at]) if other.id in inside), None)
        after = next((other for other in everyone[at + 1 :] if other.id in inside), None)
        return before, after, f"{len(items):,} left"

    def next_pending(self, queue: Queue, after: Item | None) -> Item | None:
        """The next candidate that waits for a verdict, behind one and then from the beginning; None where none does."""
        items = self.queue(queue)
        at = next((i + 1 for i, other in enumerate(items) if after is not None and other.id == after.id), 0)
        if after is not None and at == 0 and not queue.planned:
            follower = self.neighbors(queue, after)[1]
            at = next((i for i, other in enumerate(items) if follower is not None and other.id == follower.id), 0)
        waiting = (other for other in (*items[at:], *items[:at]) if self.waits(queue, other))
        return next((other for other in waiting if after is None or other.id != after.id), None)

    def waits(self, queue: Queue, item: Item) -> bool:
        """Whether a candidate has no verdict yet that counts for a queue."""
        return not item.counted if queue.planned else item.queue == "pending"

    # --- single things ------------------------------------------------------------------------------------------------

    def item(self, name: str) -> Item:
        """One candidate.

        Raises:
            Refusal: There is none.
        """
        try:
            return self.desk.item(name)
        except UserError:
            raise not_found("candidate", name) from None

    def candidate_at(self, path: str) -> Item | None:
        """The candidate at a path; None where that is an original or nothing."""
        return self.once("paths", lambda: {item.view.path: item for item in self.desk.items()}).get(path)

    def picture(self, sha256: str) -> ImageView:
        """Any picture of the project, originals too.

        Raises:
            Refusal: There is none.
        """
        view = self.desk.by_sha256(sha256)
        if view is None:
            raise not_found("picture", sha256)
        return view

    def originals(self) -> Sequence[ImageView]:
        """Every original."""
        return self.once("originals", self.desk.originals)

    def colors(self) -> WordColors:
        """What color words look like in this set."""
        return self.once("colors", lambda: learned_colors(self.originals()))

    def audit(self) -> AuditReport:
        """What is wrong with captions, dismissed findings apart; read once for each state of the captions."""
        key = tuple(hash((item.id, item.view.training_caption)) for item in self.desk.items())
        with self._auditing:
            if self._audited is None or self._audited[0] != hash(key):
                views = [*self.originals(), *(item.view for item in self.desk.items())]
                self._audited = (hash(key), auditing.audit_views(self.session, views))
            report = self._audited[1]
        dismissed = self.session.catalog.dismissals()
        return replace(
            report,
            findings=tuple(finding for finding in report.findings if finding.id not in dismissed),
            dismissed=tuple(finding for finding in report.findings if finding.id in dismissed),
        )

    def findings(self) -> Mapping[str, Sequence[Finding]]:
        """Findings by path, where the captions were audited since the last of them changed; never waits for it."""
        audited = self._audited
        if audited is None:
            return {}
        return self.once(("findings", audited[0]), lambda: _by_path(audited[1].findings))

    def once(self, key: object, work: Callable[[], T]) -> T:
        """Work something out once for each version of what is known."""
        with self._lock:
            if key not in self._kept:
                if len(self._kept) > _MOST_LISTS:
                    self._kept.clear()
                self._kept[key] = work()
            return cast(T, self._kept[key])


def _by_path(findings: Sequence[Finding]) -> Mapping[str, Sequence[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.path is not None:
            found.setdefault(finding.path, []).append(finding)
    return found


def _estimated(facts: Facts, probability: float | None) -> Facts:
    return facts if probability is None else replace(facts, probability=probability)


__all__ = ["PLAN", "Queue", "Room", "checked_order"]
