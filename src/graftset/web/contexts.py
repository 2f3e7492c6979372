"""What each page shows, as typed objects: a template reads nothing else.

Every field says what it holds (`told`), and a test holds that each is documented, is used by the page's template, and
that templates use no others. Texts are plain; the templates escape them. Colors are "#rrggbb" or None, outlines are SVG
paths in native cells.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graftset.web.parts import (
    Bar,
    Candidate,
    CaptionBox,
    Cell,
    Choice,
    Companion,
    ConflictRow,
    Fact,
    FieldHelp,
    FindingRow,
    KeyHelp,
    Link,
    Outcome,
    PlanOption,
    Rule,
    Slice,
    TraitRow,
    Tally,
)


def told(meaning: str) -> Any:
    """A required field of a context, with what it holds."""
    return field(metadata={"meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class Page:
    """What every page holds."""

    title: str = told("what the browser's tab says, and the page's heading where it has no other")


@dataclass(frozen=True, kw_only=True)
class ErrorPage(Page):
    """A failure, for people; the JSON of the same failure has the same four fields."""

    status: int = told("HTTP status")
    message: str = told("what is wrong, a sentence without full stop")
    field: str = told("the part of the request that is wrong")
    value: str | None = told("what was found there")
    remedy: str = told("what to do, a sentence")


@dataclass(frozen=True, kw_only=True)
class Framed(Page):
    """What every page of a project holds around its own content."""

    project: str = told("the project folder's name")
    here: str = told("the part of the application this page belongs to, as the navigation names it")
    links: tuple[Link, ...] = told("the navigation, in order")
    reviewer: str = told("whose verdicts this browser gives")
    sentence: str = told("what is known so far, in a sentence")
    tally: Tally = told("how many candidates are in which state")
    notice: str | None = told("what just happened, for the status line; None where nothing did")
    warning: bool = told("whether the notice tells of something that was not done")


@dataclass(frozen=True, kw_only=True)
class StartPage(Framed):
    """The first page: whose verdicts, which plan, or free browsing."""

    open_plan: Outcome | None = told("the plan that is under way, with what it shows so far; None before one is chosen")
    plans: tuple[PlanOption, ...] = told("plans to choose from, the recommended one first")
    pool: int = told("candidates the plans draw from: those admitted by the last selection")
    queues: tuple[Link, ...] = told("ways of browsing freely, with how many candidates each holds")
    problem: str | None = told("why nothing can be reviewed, with what to run; None where something can")


@dataclass(frozen=True, kw_only=True)
class LookPage(Framed):
    """One candidate with everything that a verdict rests on."""

    queue: str = told("the queue this candidate is looked at in, as the address names it")
    queue_label: str = told("the same for people")
    counts: bool = told("whether a verdict given here counts for the plan's bound")
    place: str = told('where in the queue it stands: "12 of 54"')
    previous: str | None = told("address of the one before")
    next: str | None = told("address of the one after")
    here_url: str = told("address of this page without what just happened")
    candidate: Candidate = told("the picture")
    companion: Companion | None = told("what to compare it with: the source or nearest original")
    difference: str = told("how much of the picture differs from the companion")
    score: str | None = told("0-10 with one decimal; None where it could not be measured")
    parts: tuple[Bar, ...] = told("the parts of the score, the weakest first")
    traits: tuple[TraitRow, ...] = told("asked against seen, contradicted ones first")
    caption: CaptionBox = told("the caption, with the changes that are proposed")
    standing: str = told("pending, approved, rejected or skipped")
    standing_text: str = told("the same as a sentence, with who and why")
    stale: str | None = told("a verdict on another caption or picture, which does not count; None where there is none")
    reasons: tuple[str, ...] = told("why the selection kept or dropped it")
    selected: bool | None = told("whether the last selection admitted it; None before one")
    chance: str | None = told("estimated chance that a person approves, with its uncertainty; None where too little is known")
    reject_reasons: tuple[Choice, ...] = told("reasons for rejecting, each with its digit")
    findings: tuple[str, ...] = told("what the caption audit says of it")
    facts: tuple[Fact, ...] = told("everything else that is known")
    action: str = told("a fresh id for the next action: sent twice, it acts once")
    seen: str = told("the state that this page shows; a form with another state is refused as stale")


@dataclass(frozen=True, kw_only=True)
class FullPage(Framed):
    """The stored file at its own size."""

    candidate: Candidate = told("the picture")
    back: str = told("address of the page it was opened from")
    size: str = told("width and height in px, and the format")


@dataclass(frozen=True, kw_only=True)
class SheetPage(Framed):
    """The contact sheet: candidates that a filter lets through."""

    query: str = told("the filter as it was typed")
    error: str | None = told("what is wrong with the filter; None where it was understood")
    sort: str = told("name of the order")
    sorts: tuple[Choice, ...] = told("orders to choose from")
    total: int = told("candidates that are shown, over all pages")
    everything: int = told("candidates of the project")
    cells: tuple[Cell, ...] = told("those of this page")
    page_number: int = told("this page, from 1")
    pages: int = told("how many there are, at least 1")
    per_page: int = told("candidates on a page")
    previous: str | None = told("address of the page before")
    next: str | None = told("address of the page after")
    presets: tuple[Link, ...] = told("filters that are often wanted, with how many candidates each lets through")
    look: str = told("beginning of the address of one candidate in this filter and order")
    fields: tuple[FieldHelp, ...] = told("what a filter can ask for")
    action: str = told("a fresh id for a bulk action")
    reject_reasons: tuple[Choice, ...] = told("reasons for rejecting, each with its digit")


@dataclass(frozen=True, kw_only=True)
class ConflictsPage(Framed):
    """Candidates on which reviewers disagree."""

    rows: tuple[ConflictRow, ...] = told("one for each, the latest disagreement first")
    kappa: str | None = told("Cohen's kappa of the two reviewers who share most pictures, in a sentence")
    reviewers: tuple[Bar, ...] = told("verdicts of each reviewer")


@dataclass(frozen=True, kw_only=True)
class BalancePage(Framed):
    """Traits of the originals, of all candidates and of the admitted ones."""

    slices: tuple[Slice, ...] = told("one for each trait that can be told")
    notes: tuple[str, ...] = told("what the selection says of the balance")


@dataclass(frozen=True, kw_only=True)
class CaptionsPage(Framed):
    """The caption audit: what is wrong with captions, with dismissing."""

    rules: tuple[Rule, ...] = told("rules that found something, with how often")
    rule: str = told("the rule that is shown; empty: all")
    rows: tuple[FindingRow, ...] = told("findings on this page")
    total: int = told("findings of the rule shown")
    captions: int = told("captions that were read")
    dismissed: int = told("findings that were dismissed and found again")
    page_number: int = told("this page, from 1")
    pages: int = told("how many there are, at least 1")
    previous: str | None = told("address of the page before")
    next: str | None = told("address of the page after")
    notes: tuple[str, ...] = told("what the audit could not tell")


@dataclass(frozen=True, kw_only=True)
class NumbersPage(Framed):
    """The figures that grow with the review."""

    open_plan: Outcome | None = told("the plan with its bound; None before one is chosen")
    trace: str = told("SVG path of the lower bound over pictures reviewed, in a 100 x 100 box; empty with too few")
    agreement: tuple[Fact, ...] = told("score against verdicts")
    surprises: tuple[Cell, ...] = told("where score and person disagree most")
    acceptance: tuple[Bar, ...] = told("share approved of each trait, with an alarm where it is far below the pool's")
    chance: str = told("how P(approve) is estimated, or why not yet")
    outcomes: tuple[Fact, ...] = told("verdicts by state, and those of each reviewer")


@dataclass(frozen=True, kw_only=True)
class RunsPage(Framed):
    """Training runs and comparisons."""

    runs: tuple[Fact, ...] = told("runs of this project, the newest first: name, and what its run.json says")
    builds: tuple[Fact, ...] = told("training sets that runs can use")
    commands: tuple[Fact, ...] = told("what to run to get there")


@dataclass(frozen=True, kw_only=True)
class HelpPage(Framed):
    """Keys and the filter language, from the tables that the code itself uses."""

    keys: tuple[KeyHelp, ...] = told("every key, with what it does")
    fields: tuple[FieldHelp, ...] = told("what a filter can ask for")
