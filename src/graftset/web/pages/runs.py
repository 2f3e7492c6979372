"""Runs beside one another, and the page of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from graftset.decide import history
from graftset.errors import UserError
from graftset.phrases import counted, noun
from graftset.report import render_run
from graftset.report.plots import written
from graftset.web.contexts import RunsPage
from graftset.web.failures import not_found
from graftset.web.pages.frame import Visitor, framed
from graftset.web.parts import Fact, RunRow
from graftset.web.room import Room
from graftset.workflows import known_runs
from graftset.workflows.builds import known_builds
from graftset.workflows.known_runs import KnownRun
from graftset.workflows.run_pages import run_context

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
# What `graftset.report` writes for a file holds its style and pictures inside; it has no script, and gets none here.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_COLUMNS = (
    ("original_accuracy", "training", "percent"),
    ("variation_accuracy", "obedience", "percent"),
    ("quality_preservation", "all", "number"),
)
_DECISIONS = 5  # the newest ones that are shown
_COMMANDS = (
    Fact(
        "Build a training set of what was admitted and not rejected",
        "graftset select && graftset build --plan weighted",
    ),
    Fact("Train on the originals alone, the baseline", "graftset train --plan originals"),
    Fact("Train on the grown set", "graftset train --plan weighted"),
    Fact("Look at what a run painted, while it trains or after", "graftset evaluate weighted-s0 --watch"),
    Fact("Decide what to train on, by the newest experiment", "graftset decide"),
)


def runs_page(room: Room, visitor: Visitor) -> RunsPage:
    """Runs of the project beside one another, and the training sets."""
    found, notes = known_runs.list_runs(room.session)
    builds, strange = known_builds(room.session.project, room.session.catalog.views(), room.session.catalog.selection())
    decisions, unread = _decisions(room)
    return RunsPage(
        **framed(room, "runs", visitor),
        title="Runs and comparisons",
        runs=tuple(map(_row, found)),
        comparable=_comparable(found),
        live=any(run.state == "training" for run in found),
        notes=(*notes, *strange, *unread),
        builds=tuple(
            Fact(
                build.name,
                f"plan {build.record.plan.name}, {counted(len(build.record.images), 'image')}, "
                f"{counted(build.record.plan.steps, 'step')}, reviewed: {build.record.reviewed}",
            )
            for build in builds
        ),
        decisions=decisions,
        commands=_COMMANDS,
    )


def _decisions(room: Room) -> tuple[tuple[Fact, ...], tuple[str, ...]]:
    """The newest decisions with their sentences; a note where one cannot be read."""
    try:
        kept = history(room.session.project.decisions)
    except UserError as error:
        return (), (str(error),)
    newest = kept[: -_DECISIONS - 1 : -1]
    return tuple(Fact(f"Decision {one.number}, {one.at[:10]}", one.sentence) for one in newest), ()


def run_html(room: Room, name: str) -> str:
    """The page of one run as it stands now, with a way back; it asks to be loaded again while the run goes on.

    Raises:
        Refusal: There is no such run, or none of its checkpoints was evaluated.
    """
    known = next((run for run in known_runs.list_runs(room.session)[0] if run.name == name), None)
    if known is None or not re.fullmatch(NAME, name):
        raise not_found("run", name)
    if known.course is None:
        raise not_found("evaluated run", name, f"Evaluate it first: graftset evaluate {name}")
    (evaluated,) = room.session.catalog.evaluated_runs(name)
    return render_run(replace(run_context(room.session, known.course, evaluated), back="/runs"))


def _row(run: KnownRun) -> RunRow:
    of = f" of {run.planned}" if run.planned else ""
    shown = [_figure(run, *column) for column in _COLUMNS]
    best = run.course.best_checkpoint if run.course else None
    trained = "" if run.record is None else f"build {run.record.record.build}, seed {run.record.record.seed}"
    return RunRow(
        name=run.name,
        url=f"/runs/{quote(run.name)}" if run.course else None,
        state=f"{run.state}, {run.checkpoints}{of} {noun(run.planned or run.checkpoints, 'checkpoint')}",
        trained=trained,
        recall=shown[0],
        obedience=shown[1],
        quality=shown[2],
        best=best or "–",
        resume=f"graftset {run.resume}" if run.resume else "",
    )


def _figure(run: KnownRun, measure: str, group: str, text: str) -> str:
    """What the newest card says, with its 95 % interval."""
    figure = run.course.cards[-1].figure(measure, group) if run.course else None
    if figure is None:
        return "–"
    point = written(figure.point, text)
    if figure.low is None or figure.high is None:
        return point
    return f"{point} ({written(figure.low, text)} to {written(figure.high, text)})"


def _comparable(runs: Sequence[KnownRun]) -> str:
    """Whether the figures of these runs may be held beside one another, in a sentence."""
    cards = [run.course.cards[-1] for run in runs if run.course]
    if len(cards) < 2:
        return ""
    if len({(card.evaluator, card.prompts_sha256, card.originals_sha256) for card in cards}) == 1:
        return "All were evaluated alike, on the same prompts, seeds and originals."
    return (
        "Not all were evaluated alike, on the same prompts, seeds and originals: figures of those that were not say "
        "nothing beside one another."
    )
