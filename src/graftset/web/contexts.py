"""What each page shows, as typed objects: a template reads nothing else.

Every field says what it holds, beside its type; a test holds that each is documented, that the page's template uses it,
and that templates use no others. Texts are plain; the templates escape them. Colors are "#rrggbb" or None, outlines are
SVG paths in native cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

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
    RunRow,
    Slice,
    Tally,
    TraitRow,
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What every page holds."""

    title: Annotated[str, "what the browser's tab says, and the page's heading where it has no other"]


@dataclass(frozen=True, kw_only=True)
class ErrorPage(Page):
    """A failure, for people; the JSON of the same failure has the same four fields."""

    status: Annotated[int, "HTTP status"]
    message: Annotated[str, "what is wrong, a sentence without full stop"]
    field: Annotated[str, "the part of the request that is wrong"]
    value: Annotated[str | None, "what was found there"]
    remedy: Annotated[str, "what to do, a sentence"]


@dataclass(frozen=True, kw_only=True)
class Framed(Page):
    """What every page of a project holds around its own content."""

    project: Annotated[str, "the project folder's name"]
    here: Annotated[str, "the part of the application this page belongs to, as the navigation names it"]
    links: Annotated[tuple[Link, ...], "the navigation, in order"]
    reviewer: Annotated[str, "whose verdicts this browser gives"]
    sentence: Annotated[str, "what is known so far, in a sentence"]
    tally: Annotated[Tally, "how many candidates are in which state"]
    notice: Annotated[str | None, "what just happened, for the status line; None where nothing did"]
    warning: Annotated[bool, "whether the notice tells of something that was not done"]


@dataclass(frozen=True, kw_only=True)
class StartPage(Framed):
    """The first page: whose verdicts, which plan, or free browsing."""

    open_plan: Annotated[Outcome | None, "the plan under way, with what it shows so far; None before one is chosen"]
    plans: Annotated[tuple[PlanOption, ...], "plans to choose from, the recommended one first"]
    pool: Annotated[int, "candidates the plans draw from: those admitted by the last selection"]
    queues: Annotated[tuple[Link, ...], "ways of browsing freely, with how many candidates each holds"]
    problem: Annotated[str | None, "why nothing can be reviewed, with what to run; None where something can"]


@dataclass(frozen=True, kw_only=True)
class LookPage(Framed):
    """One candidate with everything that a verdict rests on."""

    queue: Annotated[str, "the queue this candidate is looked at in, as the address names it"]
    queue_label: Annotated[str, "the same for people"]
    counts: Annotated[bool, "whether a verdict given here counts for the plan's bound"]
    place: Annotated[str, 'where in the queue it stands: "12 of 54"']
    previous: Annotated[str | None, "address of the one before"]
    next: Annotated[str | None, "address of the one after"]
    here_url: Annotated[str, "address of this page without what just happened"]
    candidate: Annotated[Candidate, "the picture"]
    companion: Annotated[Companion | None, "what to compare it with: the source or nearest original"]
    difference: Annotated[str, "how much of the picture differs from the companion"]
    score: Annotated[str | None, "0-10 with one decimal; None where it could not be measured"]
    parts: Annotated[tuple[Bar, ...], "the parts of the score, the weakest first"]
    traits: Annotated[tuple[TraitRow, ...], "asked against seen, contradicted ones first"]
    caption: Annotated[CaptionBox, "the caption, with the changes that are proposed"]
    standing: Annotated[str, "pending, approved, rejected or skipped"]
    standing_text: Annotated[str, "the same as a sentence, with who and why"]
    stale: Annotated[str | None, "a verdict on another caption or picture, which does not count; None without one"]
    reasons: Annotated[tuple[str, ...], "why the selection kept or dropped it"]
    selected: Annotated[bool | None, "whether the last selection admitted it; None before one"]
    chance: Annotated[str | None, "estimated chance of approval, with its uncertainty; None where unknown"]
    reject_reasons: Annotated[tuple[Choice, ...], "reasons for rejecting, each with its digit"]
    findings: Annotated[tuple[str, ...], "what the caption audit says of it"]
    facts: Annotated[tuple[Fact, ...], "everything else that is known"]
    action: Annotated[str, "a fresh id for the next action: sent twice, it acts once"]
    seen: Annotated[str, "the state that this page shows; a form with another state is refused as stale"]


@dataclass(frozen=True, kw_only=True)
class FullPage(Framed):
    """The stored file at its own size."""

    candidate: Annotated[Candidate, "the picture"]
    back: Annotated[str, "address of the page it was opened from"]
    size: Annotated[str, "width and height in px, and the format"]


@dataclass(frozen=True, kw_only=True)
class SheetPage(Framed):
    """The contact sheet: candidates that a filter lets through."""

    query: Annotated[str, "the filter as it was typed"]
    error: Annotated[str | None, "what is wrong with the filter; None where it was understood"]
    sort: Annotated[str, "name of the order"]
    sorts: Annotated[tuple[Choice, ...], "orders to choose from"]
    total: Annotated[int, "candidates that are shown, over all pages"]
    everything: Annotated[int, "candidates of the project"]
    cells: Annotated[tuple[Cell, ...], "those of this page"]
    page_number: Annotated[int, "this page, from 1"]
    pages: Annotated[int, "how many there are, at least 1"]
    per_page: Annotated[int, "candidates on a page"]
    previous: Annotated[str | None, "address of the page before"]
    next: Annotated[str | None, "address of the page after"]
    presets: Annotated[tuple[Link, ...], "filters that are often wanted, with how many candidates each lets through"]
    fields: Annotated[tuple[FieldHelp, ...], "what a filter can ask for"]
    action: Annotated[str, "a fresh id for a bulk action"]
    reject_reasons: Annotated[tuple[Choice, ...], "reasons for rejecting, each with its digit"]


@dataclass(frozen=True, kw_only=True)
class ConflictsPage(Framed):
    """Candidates on which reviewers disagree."""

    rows: Annotated[tuple[ConflictRow, ...], "one for each, the latest disagreement first"]
    kappa: Annotated[str | None, "Cohen's kappa of the two reviewers who share most pictures, in a sentence"]
    reviewers: Annotated[tuple[Bar, ...], "verdicts of each reviewer"]


@dataclass(frozen=True, kw_only=True)
class BalancePage(Framed):
    """Traits of the originals, of all candidates and of the admitted ones."""

    slices: Annotated[tuple[Slice, ...], "one for each trait that can be told"]
    notes: Annotated[tuple[str, ...], "what the selection says of the balance"]


@dataclass(frozen=True, kw_only=True)
class CaptionsPage(Framed):
    """The caption audit: what is wrong with captions, with dismissing."""

    rules: Annotated[tuple[Rule, ...], "rules that found something, with how often"]
    rule: Annotated[str, "the rule that is shown; empty: all"]
    rows: Annotated[tuple[FindingRow, ...], "findings on this page"]
    total: Annotated[int, "findings of the rule shown"]
    captions: Annotated[int, "captions that were read"]
    dismissed: Annotated[int, "findings that were dismissed and found again"]
    page_number: Annotated[int, "this page, from 1"]
    pages: Annotated[int, "how many there are, at least 1"]
    previous: Annotated[str | None, "address of the page before"]
    next: Annotated[str | None, "address of the page after"]
    notes: Annotated[tuple[str, ...], "what the audit could not tell"]


@dataclass(frozen=True, kw_only=True)
class NumbersPage(Framed):
    """The figures that grow with the review."""

    open_plan: Annotated[Outcome | None, "the plan with its bound; None before one is chosen"]
    trace: Annotated[str, "SVG path of the lower bound over pictures reviewed, in a 100 x 100 box; empty with too few"]
    agreement: Annotated[tuple[Fact, ...], "score against verdicts"]
    surprises: Annotated[tuple[Cell, ...], "where score and person disagree most"]
    acceptance: Annotated[tuple[Bar, ...], "share approved of each trait, with an alarm where it is low"]
    chance: Annotated[str, "how P(approve) is estimated, or why not yet"]
    outcomes: Annotated[tuple[Fact, ...], "verdicts by state, and those of each reviewer"]


@dataclass(frozen=True, kw_only=True)
class RunsPage(Framed):
    """Training runs and comparisons."""

    runs: Annotated[tuple[RunRow, ...], "runs of this project by name, with the figures of the newest checkpoint"]
    comparable: Annotated[str, "whether figures of these runs may be held beside one another; empty for fewer than two"]
    live: Annotated[bool, "whether a run goes on: the page asks to be loaded again"]
    notes: Annotated[tuple[str, ...], "folders that could not be read, a sentence each"]
    builds: Annotated[tuple[Fact, ...], "training sets that runs can use"]
    decisions: Annotated[tuple[Fact, ...], "what was decided on them, the newest first: when, and the sentence"]
    commands: Annotated[tuple[Fact, ...], "what to run to get there"]


@dataclass(frozen=True, kw_only=True)
class HelpPage(Framed):
    """Keys and the filter language, from the tables that the code itself uses."""

    keys: Annotated[tuple[KeyHelp, ...], "every key, with what it does"]
    fields: Annotated[tuple[FieldHelp, ...], "what a filter can ask for"]
