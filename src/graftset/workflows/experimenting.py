"""Experiments: planned before anything is trained, trained side by side, evaluated, and compared with the baseline."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from graftset import __version__
from graftset.build import BuildRecord, read_build
from graftset.compare.reading import write_comparisons
from graftset.compare.records import LEAST_SEEDS, PRIMARY, Comparison, Endpoint
from graftset.config import ExperimentSettings
from graftset.engine import available_cores
from graftset.errors import ExistsError, UserError
from graftset.experiments import (
    COMPARISONS,
    EXPERIMENT,
    Experiment,
    ExperimentArm,
    read_experiment,
    read_experiment_prompts,
    write_experiment,
)
from graftset.prompts import PromptCounts, sample_prompts
from graftset.records import SamplePrompt
from graftset.runs import CHECKPOINTS, RUN, Run, open_run, prompts_hash
from graftset.train import Estimate, load_backend
from graftset.train.job import Moment
from graftset.workflows.arms import prepare_arms
from graftset.workflows.comparing import compare_runs
from graftset.workflows.evaluating import Evaluator, evaluate_run
from graftset.workflows.side_by_side import Answer, steps_taken, train_all
from graftset.workflows.steps import Session, plain_name
from graftset.workflows.trainer_builds import backend_settings
from graftset.workflows.training import open_training
from graftset.workflows.training_process import Order, carry_out

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for on the command line; None leaves it to a definition that is there, to settings or defaults."""

    name: str
    arms: tuple[str, ...] | None = None
    seeds: int | None = None
    steps: int | None = None
    checkpoints: int | None = None
    backend: str | None = None
    device: str | None = None
    counts: PromptCounts | None = None  # prompts by kind
    samples: int | None = None  # pictures of each


@dataclass(frozen=True, slots=True)
class Planned:
    """An experiment that is defined, with what is to be known before it begins."""

    experiment: Experiment
    is_new: bool  # nothing was written before
    notes: tuple[str, ...]
    estimate: Estimate | None  # of one run; None where no build is there to try
    unbuilt: tuple[str, ...] = ()  # arms that a dry run did not build
    finished: int = 0  # runs that need nothing more

    @property
    def runs(self) -> int:
        """How many runs there are in all."""
        return len(self.experiment.seeds) * (len(self.experiment.arms) + len(self.unbuilt))

    @property
    def left(self) -> int:
        """How many of them are to be trained, or gone on with."""
        return self.runs - self.finished


@dataclass(frozen=True, slots=True)
class Experimented:
    """What an experiment came to."""

    experiment: Experiment
    comparisons: tuple[Comparison, ...]
    trained: tuple[str, ...]  # runs that were trained, or went on, now
    unchanged: tuple[str, ...]  # that were finished before
    failed: tuple[tuple[str, str], ...]  # runs that could not be finished, with the reason
    refused: tuple[tuple[str, str], ...]  # arms that cannot be compared, with the reason


def plan(session: Session, asked: Asked, *, dry_run: bool = False) -> Planned:
    """Define an experiment, or take up the one of that name.

    Raises:
        ExistsError: An experiment of this name is defined otherwise.
        UserError: An arm cannot be had, or a build changed since it was defined.
    """
    folder = session.project.experiments / plain_name(asked.name, "experiment")
    if (folder / EXPERIMENT).exists():
        experiment = read_experiment(folder)
        _check_same(session, experiment, asked)
        finished = sum(_is_finished(session, experiment, arm, seed) for arm, seed in experiment.runs())
        estimate = None
        if finished < len(experiment.runs()):
            estimate = _estimate(session, experiment, read_experiment_prompts(folder), keep=True)
        return Planned(experiment, False, (), estimate, finished=finished)
    experiment, prompts, notes, unbuilt = _define(session, asked, dry_run=dry_run)
    if not dry_run:
        write_experiment(folder, experiment, prompts)
    estimate = _estimate(session, experiment, prompts, keep=not dry_run) if experiment.arms else None
    return Planned(experiment, True, notes, estimate, unbuilt)


def _define(
    session: Session, asked: Asked, *, dry_run: bool
) -> tuple[Experiment, tuple[SamplePrompt, ...], tuple[str, ...], tuple[str, ...]]:
    settings = session.project.settings.train
    backend = asked.backend or settings.backend
    load_backend(backend)  # before hours of work, not after
    wanted_steps = asked.steps or settings.steps
    # sd-scripts takes the steps of its build; the embedded model takes those it is told.
    budget = wanted_steps if backend == "kohya" else None
    found = prepare_arms(session, asked.arms or (), budget=budget, dry_run=dry_run)
    prompts = _prompts(session, found.arms, asked.counts, any_candidate=bool(found.unbuilt))
    wordings = Counter(prompt.kind for prompt in prompts)
    notes = list(dict.fromkeys(found.notes))
    seeds = asked.seeds or session.project.settings.experiment.seeds
    if seeds < LEAST_SEEDS:
        notes.append(f"With fewer than {LEAST_SEEDS} seeds every verdict is directional only")
    if not wordings["candidate"]:
        notes.append("No candidate of the arms came with a prompt: obedience is measured on the other wordings instead")
    experiment = Experiment(
        name=asked.name,
        arms=found.arms,
        left_out=found.left_out,
        seeds=tuple(range(seeds)),
        steps=wanted_steps,
        checkpoints=asked.checkpoints or CHECKPOINTS,
        backend=backend,
        device=asked.device or settings.device,
        settings=backend_settings(settings, backend, session.project),
        settings_sha256=_settings_hash(session, backend),
        prompts={str(kind): count for kind, count in wordings.items()},
        prompts_sha256=prompts_hash(prompts),
        sample_seeds=tuple(range(asked.samples or settings.samples)),
        primary=_endpoints(session.project.settings.experiment),
        versions={"graftset": __version__},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return experiment, prompts, tuple(notes), found.unbuilt


def _prompts(
    session: Session, arms: Sequence[ExperimentArm], counts: PromptCounts | None, *, any_candidate: bool
) -> tuple[SamplePrompt, ...]:
    """The prompts of an experiment: of the candidates' wordings those that some arm holds, for there words can harm."""
    records = [read_build(session.project.builds / arm.build) for arm in arms]
    held = {image.source_sha256 for record in records for image in record.images}
    views = session.catalog.views()
    there = [view for view in views if view.origin == "original" or any_candidate or view.sha256 in held]
    # A verdict rests on prompts as much as on seeds: builds bring twenty, these are a hundred.
    wanted = session.project.settings.experiment
    counts = counts or PromptCounts(wanted.training, wanted.candidate, wanted.generic, wanted.unseen)
    return sample_prompts(there, counts=counts, seed=session.project.settings.build.seed)


def _endpoints(wanted: ExperimentSettings) -> tuple[Endpoint, ...]:
    """The primary endpoints with the project's margins."""
    return tuple(
        replace(
            endpoint,
            margin=wanted.quality_margin if endpoint.measure == "quality_preservation" else wanted.accuracy_margin,
        )
        for endpoint in PRIMARY
    )


def _settings_hash(session: Session, backend: str) -> str:
    settings = backend_settings(session.project.settings.train, backend, session.project)
    return hashlib.sha256(json.dumps([backend, settings], sort_keys=True).encode()).hexdigest()


def _check_same(session: Session, experiment: Experiment, asked: Asked) -> None:
    """Refuse to go on with another experiment than was defined."""
    given = {
        "--seeds": (asked.seeds, len(experiment.seeds)),
        "--steps": (asked.steps, experiment.steps),
        "--checkpoints": (asked.checkpoints, experiment.checkpoints),
        "--backend": (asked.backend, experiment.backend),
        "--device": (asked.device, experiment.device),
    }
    names = {arm.name for arm in experiment.arms} | {arm.name for arm in experiment.left_out}
    for text in asked.arms or ():
        if not names & {text.replace(":", "-"), text.partition(":")[0]}:
            raise ExistsError(
                f"The experiment {experiment.name} is defined without this arm, and results must not change a plan",
                field="--arms",
                value=text,
                remedy="Give the new experiment another name, or leave the option out to go on",
            )
    for option, (wanted, defined) in given.items():
        if wanted is not None and wanted != defined:
            raise ExistsError(
                f"The experiment {experiment.name} is defined with {defined}, and results must not change a plan",
                field=option,
                value=wanted,
                remedy="Give the new experiment another name, or leave the option out to go on",
            )
    for arm in experiment.arms:
        record: BuildRecord = read_build(session.project.builds / arm.build)
        if record.build_sha256 != arm.build_sha256:
            raise UserError(
                f"The build of {arm.name} is another one than when the experiment {experiment.name} was defined",
                field="build",
                value=arm.build,
                remedy="Define another experiment under a new name",
            )
    if _settings_hash(session, experiment.backend) != experiment.settings_sha256:
        raise UserError(
            f"The training settings are others than when the experiment {experiment.name} was defined",
            field=f"train.{experiment.backend}",
            remedy="Put them back in graftset.toml, or define another experiment under a new name",
        )


def _estimate(
    session: Session, experiment: Experiment, prompts: Sequence[SamplePrompt], *, keep: bool
) -> Estimate | None:
    """How long one run takes, by a few steps of the largest arm."""
    arm = max(experiment.arms, key=lambda arm: arm.originals + arm.generated)
    training = open_training(
        session.project.root,
        build=session.project.builds / arm.build,
        name=experiment.run_name(arm, experiment.seeds[0]),
        seed=experiment.seeds[0],
        steps=experiment.steps,
        device=experiment.device,
        checkpoints=experiment.checkpoints,
        prompts=prompts,
        sample_seeds=experiment.sample_seeds,
        keep=keep,
        backend=experiment.backend,
    )
    return load_backend(experiment.backend).estimate(training.job)


def _side_by_side(experiment: Experiment) -> int:
    """How many runs go on at once: a trainer of its own process takes the whole machine."""
    return 1 if experiment.backend == "kohya" else available_cores()


def run(session: Session, experiment: Experiment, *, jobs: int = 0, tell: Tell = lambda line: None) -> Experimented:
    """Train what is not trained yet, evaluate every finished run, and compare every arm with the baseline.

    Args:
        session: The open project.
        experiment: As `plan` defined it.
        jobs: Runs side by side; 0 for as many as there are cores; with sd-scripts one.
        tell: Told a sentence whenever a run ends.
    """
    orders = [
        Order(str(session.project.root), experiment.name, arm.name, seed)
        for arm, seed in experiment.runs()
        if not _is_finished(session, experiment, arm, seed)
    ]
    every = [experiment.run_name(arm, seed) for arm, seed in experiment.runs()]
    wanted = {experiment.run_name(_arm_of(experiment, order), order.seed) for order in orders}
    unchanged = tuple(name for name in every if name not in wanted)
    evaluator = Evaluator(session)
    for name in unchanged:
        evaluate_run(session, open_run(session.project.runs / name), evaluator=evaluator)
    failed: list[tuple[str, str]] = []
    trained: list[str] = []
    # Closed however this ends: the processes are told to stop.
    with closing(_answers(session, experiment, orders, jobs or _side_by_side(experiment))) as answers:
        for answer in answers:
            name = experiment.run_name(_arm_of(experiment, answer.order), answer.order.seed)
            if answer.error is not None:
                failed.append((name, answer.error))
                tell(f"{name} did not finish: {answer.error}")
                continue
            evaluate_run(session, open_run(session.project.runs / name), evaluator=evaluator)
            trained.append(name)
            tell(f"{name} is trained and evaluated, {len(unchanged) + len(trained)} of {len(every)} runs")
    comparisons, refused = compare_experiment(session, experiment)
    return Experimented(experiment, comparisons, tuple(trained), unchanged, tuple(failed), refused)


def compare_experiment(
    session: Session, experiment: Experiment
) -> tuple[tuple[Comparison, ...], tuple[tuple[str, str], ...]]:
    """Compare every arm with the baseline, and keep it; arms that cannot be compared are given with the reason."""
    comparisons: list[Comparison] = []
    refused: list[tuple[str, str]] = []
    runs = {arm.name: _runs_of(session, experiment, arm) for arm in experiment.arms}
    for arm in experiment.arms[1:]:
        try:
            comparisons.append(
                compare_runs(
                    session,
                    (arm.name, runs[arm.name]),
                    (experiment.baseline.name, runs[experiment.baseline.name]),
                    primary=experiment.primary,
                    experiment=experiment.name,
                    planned=experiment.seeds,
                )
            )
        except UserError as error:
            refused.append((arm.name, str(error)))
    write_comparisons(session.project.experiments / experiment.name / COMPARISONS, comparisons)
    return tuple(comparisons), tuple(refused)


def _runs_of(session: Session, experiment: Experiment, arm: ExperimentArm) -> list[Run]:
    folders = [session.project.runs / experiment.run_name(arm, seed) for seed in experiment.seeds]
    return [open_run(folder) for folder in folders if (folder / RUN).is_file()]


def _arm_of(experiment: Experiment, order: Order) -> ExperimentArm:
    return next(arm for arm in experiment.arms if arm.name == order.arm)


def _is_finished(session: Session, experiment: Experiment, arm: ExperimentArm, seed: int) -> bool:
    """Whether a run needs nothing more.

    Raises:
        ExistsError: The run of this name is no run of this experiment.
    """
    folder = session.project.runs / experiment.run_name(arm, seed)
    if not (folder / RUN).is_file():
        return False
    found = open_run(folder)
    record = found.record
    if (record.build_sha256, record.seed, record.steps, record.prompts_sha256) != (
        arm.build_sha256,
        seed,
        experiment.steps,
        experiment.prompts_sha256,
    ):
        raise ExistsError(
            f"A run that is not of the experiment {experiment.name} has the name of one",
            field="run",
            value=str(folder),
            remedy="Move that run away, or give the experiment another name",
        )
    return found.finished and len(found.sampled()) == len(found.checkpoints())


def _answers(
    session: Session, experiment: Experiment, orders: Sequence[Order], jobs: int
) -> Generator[Answer, None, None]:
    """Train what is left, showing steps over the whole experiment."""
    runs = session.project.runs
    names = {order: experiment.run_name(_arm_of(experiment, order), order.seed) for order in orders}
    taken = dict.fromkeys(orders, 0)
    bar = session.meter(f"train {len(orders)} runs")

    def show(under_way: Sequence[Order]) -> None:
        taken.update({order: steps_taken(runs / names[order]) for order in under_way})
        bar(sum(taken.values()), experiment.steps * len(orders))

    def ended(answer: Answer) -> Answer:
        taken[answer.order] = experiment.steps
        show(())
        return answer

    if jobs > 1 and len(orders) > 1:
        yield from map(ended, train_all(orders, jobs=jobs, progress=show))
        return
    for order in orders:

        def watch(moment: Moment, order: Order = order) -> None:
            taken[order] = moment.step
            show(())

        try:
            carry_out(order, watch)
            yield ended(Answer(order, None))
        except UserError as error:
            yield ended(Answer(order, str(error)))
