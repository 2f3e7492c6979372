"""Training on a build: its files verified, its pictures at native size, the palette and prompts that all arms share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from graftset.assess import load_native
from graftset.build import MANIFEST, BuildRecord, read_build, verify
from graftset.catalog import Catalog
from graftset.config import FILE_NAME, Project, TrainSettings
from graftset.diffusion.palette import Palette, make_palette
from graftset.errors import BuildError, SkipFile, UserError
from graftset.files import write_whole
from graftset.imageio import read_rgb
from graftset.pixels.grid import from_native
from graftset.pixels.merging import merge_colors
from graftset.records import SamplePrompt
from graftset.runs import CHECKPOINTS
from graftset.train import Moment, TrainingJob, TrainingSet, TrainingStage
from graftset.train.job import unwatched
from graftset.train.kohya.script import write_script
from graftset.workflows.steps import open_session, plain_name
from graftset.workflows.trainer_builds import backend_settings, build_files, planned_steps

PROMPTS = "prompts.json"  # in a build folder
PALETTE = "palette.json"  # in the folder of runs
RECALL_PROMPTS = 40  # made of the originals' captions where a build brings no prompts

_PROMPTS = TypeAdapter(tuple[SamplePrompt, ...])
_COLORS = TypeAdapter(list[str])


def training_job(
    build: Path,
    data: TrainingSet,
    *,
    runs: Path,
    settings: TrainSettings,
    name: str | None = None,
    seed: int | None = None,
    steps: int | None = None,
    device: str | None = None,
    checkpoints: int | None = None,
    prompts: Sequence[SamplePrompt] | None = None,
    sample_seeds: Sequence[int] | None = None,
    watch: Callable[[Moment], None] = unwatched,
    backend: str | None = None,
    project: Project | None = None,
) -> TrainingJob:
    """A run on a build, ready to be handed to a backend; nothing is written.

    Args:
        build: The build folder.
        data: What `training_set` read from it.
        runs: Folder of the runs.
        settings: For whatever is not given.
        name: Of the run; None for build and seed, as in `equal-s0`.
        seed: Of everything random.
        steps: Of training.
        device: Where to compute.
        checkpoints: How many there are; None for ten.
        prompts: What every checkpoint paints, in place of what the build brings.
        sample_seeds: Of the noise each prompt is painted from.
        watch: Told where training stands.
        backend: What will train; None for what the settings say.
        project: Whose folder relative paths in the settings start at; None: the current folder.

    Raises:
        BuildError: The prompts of the build are damaged.
        UserError: The name is no plain folder name, or what is asked for does not go with the build or the backend.
    """
    seed = settings.seed if seed is None else seed
    backend = backend or settings.backend
    files = build_files(build, epochs=settings.kohya.epochs if backend == "kohya" else 0)
    if backend == "kohya":
        steps = planned_steps(files, steps)
    return TrainingJob(
        folder=runs / plain_name(name or f"{build.name}-s{seed}", "run"),
        data=data,
        prompts=_prompts(build, data, prompts, backend),
        sample_seeds=tuple(range(settings.samples) if sample_seeds is None else sample_seeds),
        seed=seed,
        steps=steps or settings.steps,
        device=device or settings.device,
        settings=backend_settings(settings, backend, project),
        watch=watch,
        checkpoints=checkpoints or CHECKPOINTS,
        build=files,
    )


def training_set(folder: Path) -> TrainingSet:
    """The pictures of a build at native size, with captions and plan, after comparing every file with its hash.

    Raises:
        BuildError: Files are missing, changed or added, or a picture is not a native one enlarged.
    """
    found = verify(folder)
    if not found.intact:
        wrong = {"missing": found.missing, "changed": found.changed, "added": found.trained_on}
        faults = [f"{len(names)} {what} ({names[0]}, ...)" for what, names in wrong.items() if names]
        raise BuildError(
            f"This build is not as it was built: {'; '.join([*faults, *found.contradictions])}",
            field="build",
            value=str(folder),
            remedy="Build it again, or see `graftset build --verify`",
        )
    record = read_build(folder)
    plan = record.plan
    return TrainingSet(
        build=folder.name,
        build_sha256=record.build_sha256,
        plan=plan.name,
        pictures=np.stack([_native(folder / image.file, record) for image in record.images]),
        captions=tuple(image.caption for image in record.images),
        generated=np.array([image.origin == "generated" for image in record.images]),
        stages=tuple(
            TrainingStage(
                stage.name,
                stage.images_seen / plan.images_seen,
                np.array([stage.repeats(image.origin) for image in record.images]),
            )
            for stage in plan.stages
        ),
        sources=tuple(image.source_sha256 for image in record.images),
    )


def _native(path: Path, record: BuildRecord) -> NDArray[np.uint8]:
    """A training picture reduced to its native cells: one pixel of each, after proving that all others are the same."""
    try:
        rgb = read_rgb(path).rgb
    except SkipFile as error:
        raise BuildError(
            f"A picture of the build cannot be read: {error.reason}",
            field="image",
            value=str(path),
            remedy="Build it again",
        ) from error
    width, height = record.native.width, record.native.height
    rows = -(-np.arange(height) * rgb.shape[0] // height)  # the first row of each cell, as `from_native` cuts them
    columns = -(-np.arange(width) * rgb.shape[1] // width)
    native: NDArray[np.uint8] = np.ascontiguousarray(rgb[rows][:, columns])
    if not np.array_equal(from_native(native, rgb.shape[1], rgb.shape[0]), rgb):
        raise BuildError(
            f"A picture of the build is not a {width} x {height} one enlarged without a loss",
            field="image",
            value=str(path),
            remedy="Build it again",
        )
    return native


def _prompts(
    folder: Path, data: TrainingSet, given: Sequence[SamplePrompt] | None, backend: str
) -> tuple[SamplePrompt, ...]:
    """What every checkpoint paints. A trainer of its own that nobody gives prompts paints the build's, or nothing."""
    if given is not None:
        return tuple(given)
    return build_prompts_of(folder) or () if backend == "kohya" else build_prompts(folder, data)


def build_prompts(folder: Path, data: TrainingSet) -> tuple[SamplePrompt, ...]:
    """What every checkpoint paints: the prompts a build brings, else captions of originals, the same for every arm.

    Raises:
        BuildError: The prompts file is damaged.
    """
    kept = build_prompts_of(folder)
    if kept is not None:
        return kept
    captions = {
        caption: source
        for caption, source, generated in zip(data.captions, data.sources, data.generated, strict=True)
        if not generated
    }
    ranked = sorted(captions, key=lambda caption: hashlib.sha256(caption.encode()).digest())
    return tuple(
        SamplePrompt(f"training-{number:03d}", "training", caption, {}, captions[caption])
        for number, caption in enumerate(ranked[:RECALL_PROMPTS])
    )


def build_prompts_of(folder: Path) -> tuple[SamplePrompt, ...] | None:
    """The prompts that a build brings; None where it brings none.

    Raises:
        BuildError: The prompts file is damaged.
    """
    path = folder / PROMPTS
    return stored_prompts(path) if path.is_file() else None


def stored_prompts(path: Path) -> tuple[SamplePrompt, ...]:
    """The prompts in a file that graftset wrote.

    Raises:
        BuildError: They are damaged.
    """
    try:
        return _PROMPTS.validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        why = str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise BuildError(
            f"The prompts cannot be read: {why}", field="prompts", value=str(path), remedy="Build it again"
        ) from error


def shared_palette(runs: Path, data: TrainingSet, *, catalog: Catalog | None = None, keep: bool = True) -> Palette:
    """The palette that all runs in a folder share: made once of everything in the project, and kept from then on.

    Pictures that come later find their colors in it or take the nearest: arms must not differ by their palettes.

    Args:
        runs: Folder of the runs.
        data: What is trained on; the palette is made of it where the catalog has no pictures.
        catalog: Of the project, where there is one.
        keep: Whether a palette that is made now is kept.

    Raises:
        UserError: The file that keeps it is damaged.
    """
    kept = stored_palette(runs)
    if kept is not None:
        return kept
    pictures: dict[str, list[NDArray[np.uint8]]] = {"original": [], "generated": []}
    for view in catalog.views() if catalog is not None else []:
        native = load_native(catalog, view.sha256, view.grid) if catalog is not None else None
        if native is not None:
            # Colors that noise made would take the place of some that were meant, whatever the builds leave of them.
            pictures[view.origin].append(native if view.origin == "original" else merge_colors(native))
    if not pictures["original"]:
        pictures = {"original": [*data.pictures[~data.generated]], "generated": [*data.pictures[data.generated]]}
    palette = make_palette(pictures["original"], pictures["generated"])
    if keep:
        runs.mkdir(parents=True, exist_ok=True)
        write_whole(runs / PALETTE, json.dumps([bytes(color).hex() for color in palette.colors]) + "\n")
    return palette


def stored_palette(runs: Path) -> Palette | None:
    """The palette that runs in this folder share; None where there is none yet."""
    path = runs / PALETTE
    if not path.is_file():
        return None
    try:
        return Palette.from_bytes(b"".join(bytes.fromhex(color) for color in _COLORS.validate_json(path.read_bytes())))
    except ValueError as error:
        raise UserError(
            f"The palette that all runs share cannot be read: {error}",
            field="palette",
            value=str(path),
            remedy="Put it back as it was: runs with another palette cannot be compared with those that are there",
        ) from error


def find_build(project: Project, name: str) -> Path:
    """The build of a project that a plan or a name stands for.

    Raises:
        UserError: There is none.
    """
    folder = project.builds / name
    if (folder / MANIFEST).is_file():
        return folder
    there = sorted(path.parent.name for path in project.builds.glob(f"[!.]*/{MANIFEST}"))
    of_plan = [other for other in there if _plan_of(project.builds / other) == name]
    if len(of_plan) == 1:
        return project.builds / of_plan[0]
    if of_plan:
        raise UserError(
            f"Several builds have this plan: {', '.join(of_plan)}",
            field="--plan",
            value=name,
            remedy="Name one of them with --build",
        )
    raise UserError(
        f"No build has this plan or name; there {'are' if len(there) > 1 else 'is'} {', '.join(there) or 'none'}",
        field="--plan",
        value=name,
        remedy=f"Build it first: graftset build --plan {name}",
    )


def _plan_of(folder: Path) -> str | None:
    try:
        return read_build(folder).plan.name
    except BuildError:
        return None


@dataclass(frozen=True, slots=True)
class OpenTraining:
    """A job with the settings it was made under."""

    job: TrainingJob
    settings: TrainSettings
    backend: str = "native"


def open_training(
    folder: Path,
    *,
    plan: str | None = None,
    build: Path | None = None,
    name: str | None = None,
    seed: int | None = None,
    steps: int | None = None,
    device: str | None = None,
    checkpoints: int | None = None,
    prompts: Sequence[SamplePrompt] | None = None,
    sample_seeds: Sequence[int] | None = None,
    keep: bool = True,
    watch: Callable[[Moment], None] = unwatched,
    backend: str | None = None,
) -> OpenTraining:
    """A run of a project, of the build that `plan` names or of another one; nothing is trained yet.

    A build alone, outside of any project, is trained under default settings, into `runs/` of `folder`.

    Args:
        folder: The project folder.
        plan: A plan, or the name of a build of the project.
        build: A build folder; then `plan` is not asked.
        name, seed, steps, device, checkpoints, prompts, sample_seeds, watch, backend: As in `training_job`.
        keep: Whether the palette is kept for the arms to come.

    Raises:
        UserError: No such build, or what `training_job` raises.
    """
    if build is not None and not (folder / FILE_NAME).exists():
        project = None
        settings, runs, chosen = TrainSettings(), folder / "runs", build
        data = training_set(chosen)
        needs_palette = (backend or settings.backend) == "native"
        palette = shared_palette(runs, data, keep=keep) if needs_palette else None
    else:
        with open_session(folder) as session:
            project = session.project
            settings, runs = project.settings.train, project.runs
            chosen = build or find_build(project, plan or "")
            data = training_set(chosen)
            needs_palette = (backend or settings.backend) == "native"
            palette = shared_palette(runs, data, catalog=session.catalog, keep=keep) if needs_palette else None
    job = training_job(
        chosen,
        replace(data, palette=palette),
        runs=runs,
        settings=settings,
        name=name,
        seed=seed,
        steps=steps,
        device=device,
        checkpoints=checkpoints,
        prompts=prompts,
        sample_seeds=sample_seeds,
        watch=watch,
        backend=backend,
        project=project,
    )
    return OpenTraining(job, settings, backend or settings.backend)


def write_training_script(training: OpenTraining, folder: Path) -> Path:
    """Write a folder to train a run on another machine with sd-scripts.

    Raises:
        ExistsError: Something is there.
        UserError: The backend is another one, or it cannot be written.
    """
    job = training.job
    if training.backend != "kohya" or job.build is None:
        raise UserError(
            "Only runs of sd-scripts are written as a script",
            field="--backend",
            value=training.backend,
            remedy="Use --backend kohya",
        )
    return write_script(job, folder, leave_out=set(verify(job.build.folder).extra))
