"""What the application keeps in memory beside the review's desk: facts of every candidate, filtered and sorted lists.

The desk is the truth of verdicts and captions and follows the catalog; what is here is worked out from it, once for
each version of it, and only for the candidates that changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
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
from graftset.web.orders import DEFAULT, ORDERS, Order
from graftset.web.pictures import Pictures
from graftset.workflows import auditing
from graftset.workflows.steps import Session

T = TypeVar("T")
PLAN = "plan"
_MOST_LISTS = 64  # filters, and filtered lists of one version, that are kept
_MOST_CHANGED = 500  # candidates beyond which filters are asked anew


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
        self._reading: tuple[int, Future[AuditReport]] | None = None
        self._audited: tuple[int, AuditReport] | None = None
        self._version = -1
        self._facts: dict[str, tuple[Item, Facts]] = {}  # by id, in the order of the desk
        self._members: dict[Filter, dict[str, bool]] = {}  # which candidates a filter lets through
        self._kept: dict[object, object] = {}  # what a verdict may change
        self._steady: dict[object, object] = {}  # what none does
        self.current()

    def current(self) -> None:
        """Take in what changed since the last request: of ten thousand candidates a verdict changes one."""
        self.desk.refresh()
        with self._lock:
            if self.desk.version == self._version:
                return
            self._version = self.desk.version
            self._kept.clear()
            items = self.desk.items()
            if len(items) != len(self._facts) or any(item.id not in self._facts for item in items):
                known = self._facts
                self._facts = {item.id: (item, self._facts_of(item, known.get(item.id))) for item in items}
                self._forget()
                return
            changed = [item for item in items if self._facts[item.id][0] is not item]
            for item in changed:
                self._take_in(item)
            if len(changed) > _MOST_CHANGED:
                self._members.clear()

    def _take_in(self, item: Item) -> None:
        before = self._facts[item.id]
        if not _same(before[0].view, item.view):
            if _only_recaptioned(before[0].view, item.view):
                self._steady.pop(ORDERS["tokens"], None)
            else:
                self._forget()
        facts = self._facts_of(item, before)
        self._facts[item.id] = (item, facts)
        for wanted, members in self._members.items():
            members[item.id] = wanted.matches(facts)

    def _forget(self) -> None:
        self._steady.clear()
        self._members.clear()

    def _facts_of(self, item: Item, have: tuple[Item, Facts] | None) -> Facts:
        facts = have[1] if have is not None and _same(have[0].view, item.view) else facts_of(item.view)
        says = self.desk.says(item.id)
        return replace(
            facts,
            standing=item.queue,
            reviewers=frozenset(entry.reviewer.lower() for entry in says if entry.verdict != "withdrawn"),
            conflict=item.conflict,
            planned=item.place is not None,
        )

    # --- lists --------------------------------------------------------------------------------------------------------

    def facts(self, name: str) -> Facts:
        """The facts of one candidate."""
        return self._facts[name][1]

    def listed(self, order: str, query: str) -> Sequence[Item]:
        """Candidates that a filter lets through, in an order."""
        return self.once(("list", order, query.strip()), lambda: self._listed(ORDERS[checked_order(order)], query))

    def _listed(self, order: Order, query: str) -> Sequence[Item]:
        wanted = parse(query)
        names = self.once(order, lambda: self._ordered(order)) if order.changes else self._lasting(order)
        if not wanted.terms:
            return [self._facts[name][0] for name in names]
        members = self._matching(wanted)
        return [self._facts[name][0] for name in names if members[name]]

    def _lasting(self, order: Order) -> Sequence[str]:
        return self.steady(order, lambda: self._ordered(order))

    def _ordered(self, order: Order) -> Sequence[str]:
        estimates = self._probabilities() if order.changes else {}
        by_name = self.steady("names", lambda: sorted(self._facts, key=lambda name: (self._facts[name][1].name, name)))
        return sorted(by_name, key=lambda name: order.key(self._facts[name][1], estimates.get(name)))

    def _matching(self, wanted: Filter) -> Mapping[str, bool]:
        """Which candidates a filter lets through; kept in step with the verdicts, unless it asks for estimates."""
        if wanted.estimates:
            chances = self._probabilities()
            return {name: wanted.matches(facts, chances.get(name)) for name, (_, facts) in self._facts.items()}
        with self._lock:
            if wanted not in self._members:
                if len(self._members) >= _MOST_LISTS:
                    self._members.clear()
                self._members[wanted] = {name: wanted.matches(facts) for name, (_, facts) in self._facts.items()}
            return self._members[wanted]

    def _probabilities(self) -> Mapping[str, float]:
        """P(approve) of every candidate with a score; empty while too little is known."""
        return self.once("probabilities", self._estimate_all)

    def _estimate_all(self) -> Mapping[str, float]:
        curve = self.desk.calibration()
        if curve is None:
            return {}
        scores = {name: facts.score for name, (_, facts) in self._facts.items() if facts.score is not None}
        return dict(zip(scores, curve.probability(list(scores.values())).tolist(), strict=True))

    def count(self, wanted: Filter) -> int:
        """How many candidates a filter lets through."""
        return self.once(("count", wanted), lambda: sum(self._matching(wanted).values()))

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
        found = self.steady("paths", lambda: {item.view.path: item.id for item in self.desk.items()}).get(path)
        return None if found is None else self._facts[found][0]

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
        return self.steady("originals", self.desk.originals)

    def colors(self) -> WordColors:
        """What color words look like in this set."""
        return self.steady("colors", lambda: learned_colors(self.originals()))

    def audit(self, patience: float | None = None) -> AuditReport | None:
        """What is wrong with captions, dismissed findings apart; read once for each state of the captions.

        Args:
            patience: Seconds to wait for it; None waits until it is there. Thousands of captions take a while.

        Returns:
            None where it is still being read.
        """
        key = hash(tuple((name, item.view.training_caption) for name, (item, _) in self._facts.items()))
        with self._lock:
            if self._reading is None or self._reading[0] != key:
                views = [*self.originals(), *(item.view for item, _ in self._facts.values())]
                self._reading = (key, _begun(lambda: auditing.audit_views(self.session, views)))
            reading = self._reading[1]
        try:
            report = reading.result(patience)
        except TimeoutError:
            return None
        self._audited = (key, report)
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
        return self._remembered(self._kept, key, work)

    def steady(self, key: object, work: Callable[[], T]) -> T:
        """Work something out once that no verdict changes: it lasts until pictures or captions do."""
        return self._remembered(self._steady, key, work)

    def _remembered(self, kept: dict[object, object], key: object, work: Callable[[], T]) -> T:
        with self._lock:
            if key not in kept:
                found = work()
                if len(kept) > _MOST_LISTS:
                    kept.clear()
                kept[key] = found
            return cast(T, kept[key])


def _begun(work: Callable[[], T]) -> Future[T]:
    """Work that goes on in a thread, which does not keep the process from ending as an executor's would."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # whoever waits for it gets it
            future.set_exception(error)

    threading.Thread(target=run, name="audit", daemon=True).start()
    return future


def _same(one: ImageView, other: ImageView) -> bool:
    """Whether two views differ in nothing but what reviewers say.

    A verdict replaces the view and leaves what it holds where it is; whatever is read again lies elsewhere.
    """
    return (
        one.traits is other.traits
        and one.score_parts is other.score_parts
        and one.claims is other.claims
        and one.reasons is other.reasons
        and one.caption == other.caption
        and one.proposed_caption == other.proposed_caption
        and one.selected == other.selected
    )


def _only_recaptioned(one: ImageView, other: ImageView) -> bool:
    """Whether nothing but the caption to train with changed."""
    return (
        one.traits == other.traits
        and one.score_parts == other.score_parts
        and one.claims == other.claims
        and one.reasons == other.reasons
        and one.selected == other.selected
    )


def _by_path(findings: Sequence[Finding]) -> Mapping[str, Sequence[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.path is not None:
            found.setdefault(finding.path, []).append(finding)
    return found
