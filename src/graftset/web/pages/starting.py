"""The first page: a plan before the first verdict, or free browsing."""

from __future__ import annotations

from graftset.errors import UserError
from graftset.records import ReviewPlan
from graftset.review.plans import outcome as outcome_so_far
from graftset.review.plans import percent
from graftset.statistics import pass_probability
from graftset.web.contexts import StartPage
from graftset.web.filters import parse
from graftset.web.pages.frame import Visitor, framed, outcome_of
from graftset.web.parts import Link, PlanOption
from graftset.web.room import Queue, Room

# What the buttons send -> kind and errors allowed. The recommended one first: a plan that allows no error fails a set
# with 95 % right in three of four cases.
CHOICES: dict[str, tuple[str, int]] = {
    "fixed-2": ("fixed", 2),
    "sequential": ("sequential", 0),
    "fixed-0": ("fixed", 0),
    "fixed-1": ("fixed", 1),
}
TYPICAL = 0.95  # share right of a set that a careful owner would be glad of

QUEUES: tuple[tuple[str, str, str], ...] = (
    ("Most uncertain first", "uncertain:reviewed:no", "where a verdict teaches most"),
    ("Captions that were contradicted", "finding:contradicted:yes reviewed:no", "asked for one thing, shows another"),
    ("Admitted, the weakest first", "worst:selected:yes reviewed:no", "what lies just over the gate"),
    ("Left out, the best first", "best:selected:no copy:no reviewed:no", "what the gates may have pruned"),
    ("Skipped", "best:verdict:skipped", "what you put off"),
    ("Rejected", "best:verdict:rejected", "to look at once more"),
    ("Approved", "worst:verdict:approved", "to look at once more"),
)


def start_page(room: Room, visitor: Visitor) -> StartPage:
    """The first page."""
    pool = len(room.desk.pool())
    everything = len(room.desk.items())
    problem = None
    if not everything:
        problem = "There is nothing to review: no candidate was found. Run `graftset ingest` and `graftset assess`."
    elif not pool:
        problem = "Nothing is admitted yet, so no plan can be drawn. Run `graftset select`; browsing works already."
    return StartPage(
        **framed(room, "start", visitor),
        title="Review",
        open_plan=outcome_of(room),
        plans=room.steady(("plans", len(room.desk.plans)), lambda: _plans(room)) if pool else (),
        pool=pool,
        queues=_queues(room),
        problem=problem,
    )


def _queues(room: Room) -> tuple[Link, ...]:
    links = []
    for label, text, hint in QUEUES:
        queue = Queue.read(text)
        count = room.count(parse(queue.query))
        links.append(Link(label, f"/look?queue={text.replace(' ', '+')}", text, count, hint))
    return tuple(link for link in links if link.count)


def proposed(room: Room, key: str) -> ReviewPlan:
    """The plan that a choice would fix. Each plan draws anew: the pictures of the last were looked at and mended.

    Raises:
        UserError: The pool is too small for it.
    """
    kind, allowed = CHOICES[key]
    wanted = room.session.project.settings.review
    return room.desk.propose_plan(
        kind,
        allowed=allowed,
        target=wanted.target,
        confidence=wanted.confidence,
        seed=wanted.seed + len(room.desk.plans),
    )


def _plans(room: Room) -> tuple[PlanOption, ...]:
    options = []
    for key, (kind, allowed) in CHOICES.items():
        try:
            plan = proposed(room, key)
        except UserError:
            continue  # the pool is too small for so many errors
        aim = f"at least {percent(plan.target)} are right ({percent(plan.confidence)} confidence)"
        if kind == "sequential":
            least = outcome_so_far(plan, ["pending"] * plan.n).left
            options.append(
                PlanOption(
                    key,
                    "Until it is shown",
                    least,
                    f"Stop when the bound says that {aim}. It may be watched: it holds at every moment.",
                    f"{least} without an error; each error makes it longer.",
                )
            )
            continue
        chance = percent(pass_probability(plan.pool, plan.n, allowed, TYPICAL))
        wrong = {0: "none wrong", 1: "1 wrong"}.get(allowed, f"{allowed} wrong")
        options.append(
            PlanOption(
                key,
                f"{'With' if allowed else 'All'} {wrong} {'at most' if allowed else ''}".strip(),
                plan.n,
                f"If it holds: {aim}.",
                f"A set that is {percent(TYPICAL)} right passes it in {chance} of cases.",
                recommended=key == "fixed-2",
            )
        )
    return tuple(options)
