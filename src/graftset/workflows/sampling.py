"""Painting a run's checkpoints: which weights, prompts, seeds and size, then the generator that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graftset.build import BuildRecord, read_build
from graftset.errors import BuildError, UserError
from graftset.records import SamplePrompt
from graftset.runs import RUN, Run, open_run, read_samples
from graftset.sampling import Fault, How, Sampling, SamplingJob, Weights, load_generator, sample
from graftset.workflows.building import plain_name
from graftset.workflows.evaluating import Evaluator, prompts_of_file
from graftset.workflows.known_runs import find_run
from graftset.workflows.lora_runs import BACKEND, adopt, weights_of
from graftset.workflows.prompting import project_prompts
from graftset.workflows.steps import Session
from graftset.workflows.training import build_prompts_of

_STEP = 8  # px: what sides must be multiples of


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for; None for what the settings say."""

    generator: str | None = None
    model: str | None = None
    loras: Path | None = None
    prompts: Path | None = None
    seeds: int | None = None
    checkpoints: tuple[str, ...] = ()  # names; none for all
    device: str | None = None
    batch: int | None = None
    size: int | None = None  # px
    sampler: str | None = None
    url: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Sampled:
    """What one call did, and in which run."""

    run: Run
    generator: str
    prompts: int
    seeds: int
    done: Sampling


def sample_run(session: Session, name: str, wanted: Wanted) -> Sampled:
    """Paint the checkpoints of a run that have no samples yet.

    Args:
        session: An open project.
        name: A run's name or folder; with a folder of LoRA files, also the name of a run to be made.
        wanted: What is asked for.

    Raises:
        WeightsError: No checkpoint can be painted.
        UserError: There is no such run, prompt, model or server, or it fails; what is finished is kept.
    """
    generator = wanted.generator or session.project.settings.sampling.generator
    module = load_generator(generator)
    run, weights, faults, prompts, seeds = _subjects(session, name, wanted)
    weights = _chosen(weights, wanted.checkpoints)
    if not weights:
        raise UserError(
            "This run has no checkpoint yet", field="RUN", value=name, remedy="Run it again when training saved one"
        )
    how = how_to_paint(session, run, wanted)
    job = SamplingJob(run, weights, prompts, seeds, wanted.force, session.meter("paint"))
    done = sample(job, generator, module.open_generator(how))
    done = replace(done, faults=(*faults, *done.faults))
    if done.faults and not done.painted and not done.unchanged:
        raise done.faults[0].error
    return Sampled(run, generator, len(prompts), len(seeds), done)


def how_to_paint(session: Session, run: Run, wanted: Wanted) -> How:
    """The settings of the project, with what the command line asks for in their place."""
    settings, samples = session.project.settings.sampling, session.project.settings.build.samples
    build = _build_of(session, run)
    width = wanted.size or settings.size
    if width:
        height = round(width * run.record.height / run.record.width / _STEP) * _STEP
    else:
        width, height = (build.size.width, build.size.height) if build is not None else (0, 0)
    model = settings.model if wanted.model is None else wanted.model
    inside = session.project.path(model)
    return How(
        # A path of the settings starts at the project folder; a server's name of a model, or one of a hub, stays.
        model=str(inside) if wanted.model is None and model and inside.exists() else model,
        config=str(session.project.path(settings.config)) if settings.config else "",
        hub=settings.hub,
        device=wanted.device or settings.device,
        precision=settings.precision,
        width=width,
        height=height,
        steps=samples.steps,
        scale=samples.scale,
        negative=samples.negative,
        batch=wanted.batch or settings.batch,
        lora_scale=settings.lora_scale,
        sampler=settings.sampler if wanted.sampler is None else wanted.sampler,
        url=settings.url if wanted.url is None else wanted.url,
        timeout=settings.timeout,
        workflow=session.project.path(settings.workflow) if settings.workflow else None,
    )


def _subjects(
    session: Session, name: str, wanted: Wanted
) -> tuple[Run, tuple[Weights, ...], tuple[Fault, ...], tuple[SamplePrompt, ...], tuple[int, ...]]:
    """Run, weights, faults of files that were looked at, prompts and seeds."""
    settings = session.project.settings.sampling
    folder = session.project.runs / name
    known = "/" in name or folder.is_dir()
    if wanted.loras is not None and (not known or _is_adopted(folder)):
        folder = session.project.runs / plain_name(name, "run")
        evaluator = Evaluator(session)
        native = evaluator.known[0].picture.native
        prompts = _prompts(session, None, wanted.prompts, evaluator)
        seeds = tuple(range(wanted.seeds or settings.seeds))
        size = native.shape[1], native.shape[0]
        run, weights, faults = adopt(folder, wanted.loras, size=size, prompts=prompts, seeds=seeds)
        return run, weights, faults, prompts, seeds
    run = find_run(session, name)
    loras = wanted.loras or (Path(str(run.record.settings["loras"])) if run.record.backend == BACKEND else None)
    prompts = _prompts(session, run, wanted.prompts, Evaluator(session))
    seeds = tuple(range(wanted.seeds)) if wanted.seeds else run.record.sample_seeds or tuple(range(settings.seeds))
    return run, weights_of(run, loras), (), prompts, seeds


def _is_adopted(folder: Path) -> bool:
    return (folder / RUN).is_file() and open_run(folder).record.backend == BACKEND


def _prompts(session: Session, run: Run | None, given: Path | None, evaluator: Evaluator) -> tuple[SamplePrompt, ...]:
    """The prompts of a file, else the build's, else those of samples that are there, else the project's."""
    if given is not None:
        return tuple(prompts_of_file(session, given, evaluator.known))
    if run is not None:
        build = session.project.builds / run.record.build
        if run.record.build and (kept := build_prompts_of(build)) is not None:
            return kept
        for checkpoint in run.sampled():
            samples = read_samples(run.samples_folder(checkpoint.name))
            return tuple({sample.prompt_id: sample.sample_prompt for sample in samples}.values())
    prompts = project_prompts(session.project, session.catalog.views()).prompts
    if not prompts:
        raise UserError(
            "There are no prompts to paint",
            field="--prompts",
            remedy="Name a file of prompts, or run `graftset ingest` and `graftset assess` first",
        )
    return prompts


def _build_of(session: Session, run: Run) -> BuildRecord | None:
    if not run.record.build:
        return None
    try:
        return read_build(session.project.builds / run.record.build)
    except BuildError:
        return None


def _chosen(weights: Sequence[Weights], names: Sequence[str]) -> tuple[Weights, ...]:
    """The weights of the checkpoints that are asked for.

    Raises:
        UserError: There is no such checkpoint.
    """
    there = {one.checkpoint: one for one in weights}
    unknown = [name for name in names if name not in there]
    if unknown:
        raise UserError(
            "There is no such checkpoint",
            field="--checkpoint",
            value=unknown[0],
            remedy=f"Use one of: {', '.join(there) or 'none yet'}",
        )
    return tuple(one for one in weights if not names or one.checkpoint in names)
