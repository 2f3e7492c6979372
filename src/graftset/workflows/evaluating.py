"""Looking at what runs paint: the evaluator of a project, its scorecards, and the page of a run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from graftset.assess import detectors_for, known_pictures
from graftset.build import read_build
from graftset.catalog.store import now
from graftset.drawn import draw_candidate, draw_original, plan_sample_set
from graftset.errors import BuildError, EmptyInputError, GraftsetError, UserError
from graftset.evaluate import (
    EVALUATOR,
    Batch,
    Holdout,
    Original,
    Originals,
    StyleModel,
    auc,
    evaluate,
    find_batches,
    fit_style,
    inputs_sha256,
    originals_sha256,
    read_batch,
    read_prompts,
    style_check,
    understand,
)
from graftset.measuring import measure_pixels
from graftset.quality import Scale
from graftset.records import SamplePrompt
from graftset.runs import RUN, Run, open_run, run_state
from graftset.scorecards import Course, Criteria, Place, Scorecard, follow, write_scorecard
from graftset.vocabulary import Vocabulary
from graftset.workflows.run_pages import write_run_page
from graftset.workflows.steps import Session
from graftset.workflows.tracking import track_cards, track_run

PLANTED = ("blur", "off_grid", "texture_noise", "melted_face")  # style faults of the sample set
_ORIGINALS, _CANDIDATES = 96, 96  # of the sample set that the check of the style measure draws
_POLL = 2.0  # seconds between two looks at a run that goes on


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one evaluation did. `course` is None where no checkpoint has pictures yet."""

    run: str
    folder: Path
    course: Course | None
    made: tuple[str, ...]  # checkpoints whose cards are new
    unchanged: tuple[str, ...]
    page: Path | None
    notes: tuple[str, ...]


class Evaluator:
    """The evaluator of one project: fitted on its originals when it is first needed, then used for any number of runs.

    Args:
        session: An open project whose images are assessed.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def known(self) -> list[Original]:
        """The originals that were measured.

        Raises:
            EmptyInputError: None was.
        """
        views = [view for view in self._session.catalog.views() if view.origin == "original"]
        pictures = known_pictures(self._session.catalog, views)
        found = [Original(view.sha256, pictures[view.path]) for view in views if view.path in pictures]
        if not found:
            raise EmptyInputError(
                "There are no measured originals to compare with",
                field="originals",
                remedy="Run `graftset ingest` and `graftset assess` first.",
            )
        return found

    @cached_property
    def originals(self) -> Originals:
        """The originals, fitted; this takes seconds, and is put off until a picture is looked at."""
        pictures = [original.picture for original in self.known]
        return Originals(self.known, detectors=detectors_for(self._session.catalog, pictures), style=self.style)

    @cached_property
    def sample_set_auc(self) -> float:
        """How well style consistency tells the drawn sample set's planted style faults; found out once."""
        known = self._session.catalog.evaluator_fit("sample_set", EVALUATOR)
        if known is None:
            known = {"auc": sample_set_auc()}
            self._session.catalog.save_evaluator_fit("sample_set", EVALUATOR, known)
        return float(known["auc"])

    @cached_property
    def style(self) -> StyleModel:
        """The style model of these originals, remembered by what it was fitted on."""
        key = f"{EVALUATOR}:{originals_sha256(self.known)}"
        catalog = self._session.catalog
        found = catalog.evaluator_fit("style", key)
        if found is not None:
            scale = Scale.fit([original.picture.data["measures"] for original in self.known])
            return StyleModel(scale, np.array(found["weights"]), found["bias"], found["own_auc"])
        fitted = fit_style(self.known)
        catalog.save_evaluator_fit(
            "style", key, {"weights": fitted.weights.tolist(), "bias": fitted.bias, "own_auc": fitted.own_auc}
        )
        return fitted

    def look(self, run: str, batch: Batch, holdout: Holdout, scorecard: Path, *, force: bool) -> Scorecard | None:
        """Evaluate one checkpoint and keep its card; None where the card that is there rests on the same inputs."""
        check = style_check(self.style, self.sample_set_auc)
        inputs = inputs_sha256(batch, originals_sha256(self.known), check, holdout)
        if (
            not force
            and scorecard.exists()
            and self._session.catalog.evaluated_inputs(run).get(batch.place.checkpoint) == inputs
        ):
            return None
        card = evaluate(
            run,
            batch,
            self.originals,
            sample_set_auc=self.sample_set_auc,
            holdout=holdout,
            at=now(),
        )
        write_scorecard(card, scorecard)
        self._session.catalog.save_scorecard(card, str(batch.folder))
        return card


def sample_set_auc() -> float:
    """How well a style model fitted on drawn originals tells planted style faults from clean candidates.

    The faults are painted by other code than those the model is fitted on.
    """
    truth = plan_sample_set(style="classic", seed=0, originals=_ORIGINALS, candidates=_CANDIDATES)
    natives = [draw_original(original.spec, "classic") for original in truth.originals]
    size = natives[0].shape[1], natives[0].shape[0]
    measures = [measure_pixels(native)[0]["measures"] for native in natives]
    model = StyleModel.fit(natives, measures, np.random.default_rng(0))
    clean: list[Mapping[str, float]] = []
    faulty: list[Mapping[str, float]] = []
    for candidate in truth.candidates:
        data, _ = measure_pixels(draw_candidate(candidate, "classic", truth.size), size)
        if "measures" in data:
            (faulty if set(candidate.faults) & set(PLANTED) else clean).append(data["measures"])
    return round(auc(model.probability(clean), model.probability(faulty)), 4)


def evaluate_run(session: Session, run: Run, *, evaluator: Evaluator | None = None, force: bool = False) -> Evaluation:
    """Evaluate every checkpoint of a run that has pictures, and write the run's page.

    A trainer calls this after each checkpoint with one `Evaluator` for the whole run.
    """
    fitted = evaluator or Evaluator(session)
    holdout, notes = _holdout(session, run)
    places = _places(run)
    batches = [read_batch(run.samples_folder(place.checkpoint), place) for place in places]
    return _evaluate(session, fitted, run.record.name, run.folder, batches, holdout, run.scorecard_file, notes, force)


def evaluate_samples(
    session: Session,
    samples: Path,
    prompts: Path,
    *,
    name: str | None = None,
    force: bool = False,
    evaluator: Evaluator | None = None,
) -> Evaluation:
    """Evaluate a folder of pictures that somebody else's trainer painted.

    Raises:
        UserError: Folder or prompts are not there or cannot be read; the name is no plain folder name.
        EmptyInputError: The folder holds no picture.
    """
    if not samples.is_dir():
        raise UserError(
            "There is no such folder", field="--samples", value=str(samples), remedy="Name an existing folder."
        )
    folder = Path(samples).absolute()
    run = name or re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).strip("-.") or "samples"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", run):
        raise UserError(
            "A run's name is a plain folder name",
            field="--name",
            value=run,
            remedy="Use letters, digits, dashes, dots and underscores.",
        )
    if (session.project.runs / run).exists():
        raise UserError(
            "A run of this name is there already",
            field="--name",
            value=run,
            remedy="Give these samples another name with --name.",
        )
    fitted = evaluator or Evaluator(session)
    asked = prompts_of_file(session, prompts, fitted.known)
    batches = find_batches(folder, asked)
    cards = session.project.evaluations / run
    return _evaluate(
        session, fitted, run, folder, batches, Holdout(), lambda checkpoint: cards / f"{checkpoint}.json", (), force
    )


def prompts_of_file(session: Session, path: Path, originals: Sequence[Original]) -> list[SamplePrompt]:
    """The prompts of a file, with whose caption each is and what it asks for.

    Raises:
        UserError: The file cannot be read, or holds no prompts.
    """
    return asked_prompts(session, originals, read_prompts(path))


def asked_prompts(
    session: Session, originals: Sequence[Original], entries: Sequence[Mapping[str, Any]]
) -> list[SamplePrompt]:
    """Prompts as somebody wrote them down, with what they ask for in the words of this project."""
    views = session.catalog.views()
    candidates = [
        text for v in views if v.origin == "generated" for text in (v.prompt, v.training_caption) if text is not None
    ]
    captions = [original.picture.caption for original in originals if original.picture.caption]
    return understand(entries, originals, Vocabulary.learn(captions), candidates)


def watch(session: Session, run: Run, *, force: bool = False) -> Iterator[Evaluation]:
    """Evaluate checkpoints as they come, until the run is finished or was stopped.

    Gives one `Evaluation` each time something is new.
    """
    evaluator = Evaluator(session)
    first = True
    while True:
        # Asked first: what comes between this and the next look is looked at again.
        finished, stopped = run.finished, run_state(run) == "stopped"
        done = evaluate_run(session, run, evaluator=evaluator, force=force and first)
        if done.made or first:
            yield done
        first = False
        if stopped or (finished and len(run.sampled()) == len(run.checkpoints())):
            return
        time.sleep(_POLL)


def criteria_of(session: Session) -> Criteria:
    """What the project's settings want of a run."""
    wanted = session.project.settings.evaluate
    return Criteria(
        original_accuracy=wanted.original_accuracy,
        style_consistency=wanted.style_consistency,
        quality=wanted.quality,
        by_checkpoint=wanted.by_checkpoint,
        delta=wanted.delta,
    )


def _evaluate(
    session: Session,
    evaluator: Evaluator,
    run: str,
    folder: Path,
    batches: Sequence[Batch],
    holdout: Holdout,
    scorecard: Callable[[str], Path],
    notes: Sequence[str],
    force: bool,
) -> Evaluation:
    """Look at the checkpoints that are new or changed, put all of them in a row, and write the page."""
    made: list[str] = []
    unchanged: list[str] = []
    progress = session.meter(f"evaluate {run}")
    for done, batch in enumerate(batches, start=1):
        card = evaluator.look(run, batch, holdout, scorecard(batch.place.checkpoint), force=force)
        (unchanged if card is None else made).append(batch.place.checkpoint)
        progress(done, len(batches))
    known = session.catalog.evaluated_runs(run)
    present = {batch.place.checkpoint for batch in batches}
    cards = [card for one in known for card in one.cards if card.place.checkpoint in present]
    course = follow(cards, criteria_of(session)) if cards else None
    page = None
    if course is not None:
        page = write_run_page(session, course, known[0])
    told = [*notes, *(course.left_out if course else ()), *_tracked(session, run, folder, cards)]
    return Evaluation(run, folder, course, tuple(made), tuple(unchanged), page, tuple(told))


def _tracked(session: Session, name: str, folder: Path, cards: Sequence[Scorecard]) -> list[str]:
    """Send what is new to the trackers of the settings; a note where one fails: the cards are kept in any case."""
    try:
        if (folder / RUN).is_file():
            track_run(session.project, open_run(folder))
        else:
            track_cards(session.project, name, session.project.evaluations / name, cards)
    except GraftsetError as error:
        return [str(error)]
    return []


def _places(run: Run) -> list[Place]:
    """The checkpoints of a run that have pictures."""
    planned = run.record.checkpoint_steps
    return [
        Place(
            checkpoint.name,
            planned.index(checkpoint.step) + 1 if checkpoint.step in planned else number,
            len(planned),
            checkpoint.step if run.record.unit == "step" else None,
            checkpoint.images_seen or None,
            checkpoint.epoch,
            checkpoint.exposures.get("original"),
        )
        for number, checkpoint in enumerate(run.sampled(), start=1)
    ]


def _holdout(session: Session, run: Run) -> tuple[Holdout, tuple[str, ...]]:
    """Which originals a run was trained on, by the manifest of its build, and whether the others are unseen.

    Nobody records what a candidate's generator was tuned on, and by the definition of a generation it saw originals. So
    those that a build left out count as unseen only where the build holds no generated picture.
    """
    if not run.record.build:
        return Holdout(), ("Which build this run was trained on is not known, so no prompt is held out.",)
    try:
        build = read_build(session.project.builds / run.record.build)
    except BuildError as error:
        return Holdout(), (f"The build {run.record.build} cannot be read, so no prompt is held out: {error.message}",)
    if build.build_sha256 != run.record.build_sha256:
        return Holdout(), (f"The build {run.record.build} is another one by now, so no prompt is held out.",)
    trained_on = frozenset(i.source_sha256 for i in build.images if i.origin == "original")
    originals = {view.sha256 for view in session.catalog.views() if view.origin == "original"}
    generated = any(i.origin == "generated" for i in build.images)
    return Holdout(trained_on, clean=None if originals <= trained_on else not generated), ()
