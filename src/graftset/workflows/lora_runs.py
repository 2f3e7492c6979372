"""A folder of LoRA files as a run: which checkpoint each file is, and a run folder for them where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from graftset import __version__
from graftset.errors import UserError
from graftset.files import sha256_file, write_whole
from graftset.records import SamplePrompt
from graftset.runs import RUN, Checkpoint, Run, RunRecord, checkpoint_name, create_run, open_run, prompts_hash, to_json
from graftset.sampling import Fault, LoraFile, Weights, WeightsError, find_loras, read_lora
from graftset.sampling.loras import epoch_of

BACKEND = "lora-files"  # of runs that were made from a folder of them


def weights_of(run: Run, loras: Path | None) -> tuple[Weights, ...]:
    """The weights of every checkpoint of a run: those in its folder, or those of a folder of LoRA files.

    Raises:
        UserError: The files of the folder are not those of the run's checkpoints.
    """
    checkpoints = run.checkpoints()
    if loras is None:
        return tuple(Weights(c.name, run.weights_file(c.name), f"{run.record.name}-{c.name}") for c in checkpoints)
    files = find_loras(loras)
    if len(files) == len(checkpoints):
        return tuple(Weights(c.name, file, file.stem) for c, file in zip(checkpoints, files, strict=True))
    places = {key: c.name for c in checkpoints for key in (c.weights_sha256, c.step)}
    found = {places[key]: file for file in files for key in (sha256_file(file), _step(file)) if key in places}
    if not found:
        raise UserError(
            f"There are {len(files)} LoRA files and {len(checkpoints)} checkpoints, and nothing tells which is which",
            field="--loras",
            value=str(loras),
            remedy="Name the folder with the LoRA files of this run, one for each checkpoint",
        )
    return tuple(Weights(c.name, found[c.name], found[c.name].stem) for c in checkpoints if c.name in found)


def adopt(
    folder: Path, loras: Path, *, size: tuple[int, int], prompts: Sequence[SamplePrompt], seeds: Sequence[int]
) -> tuple[Run, tuple[Weights, ...], tuple[Fault, ...]]:
    """Make a run folder for LoRA files that were trained elsewhere, or add to one those that came since.

    The files stay where they are. What is not known of the training is left empty, never guessed.

    Args:
        folder: The run folder.
        loras: Folder of the LoRA files.
        size: Cells across and down.
        prompts: What will be painted.
        seeds: From which noise.

    Raises:
        WeightsError: None of the files can be used.
        UserError: There is no such folder, or it holds files of several trainings.
    """
    known: list[_Known] = []
    faults: list[Fault] = []
    for number, file in enumerate(find_loras(loras), start=1):
        try:
            known.append(_Known(file, read_lora(file), number))
        except WeightsError as error:
            faults.append(Fault(file.stem, error))
    if not known:
        raise faults[0].error
    checkpoints = _checkpoints(known)
    last = known[-1].lora
    created = datetime.now(UTC).isoformat(timespec="seconds")
    if (folder / RUN).is_file():
        created = open_run(folder).record.created
    record = RunRecord(
        name=folder.name,
        backend=BACKEND,
        build="",
        build_sha256="",
        plan="",
        width=size[0],
        height=size[1],
        originals=0,
        generated=0,
        seed=last.seed or 0,
        steps=checkpoints[-1].step,
        batch_size=last.batch_size or 0,
        device="",
        checkpoint_steps=tuple(checkpoint.step for checkpoint in checkpoints),
        sample_seeds=tuple(seeds),
        prompts_sha256=prompts_hash(prompts),
        prompts=len(prompts),
        settings={"loras": str(loras)},
        versions={"graftset": __version__},
        created=created,
    )
    run = create_run(folder, record)
    for checkpoint in checkpoints:
        write_whole(run.weights_file(checkpoint.name).with_suffix(".json"), to_json(asdict(checkpoint)))
    weights = [Weights(c.name, one.file, one.file.stem) for c, one in zip(checkpoints, known, strict=True)]
    return run, tuple(weights), tuple(faults)


@dataclass(frozen=True, slots=True)
class _Known:
    """A LoRA file that can be used, and its place among all files of the folder."""

    file: Path
    lora: LoraFile
    number: int


def _checkpoints(known: Sequence[_Known]) -> list[Checkpoint]:
    """Where each file stands: by images seen where every file says so, else by step, else by epoch or place."""
    seen = [one.lora.images_seen for one in known]
    steps = [one.lora.step for one in known]
    epochs = [one.lora.epoch or epoch_of(one.file) or one.number for one in known]
    images = _rising(seen) or _rising(steps) or _rising(epochs) or [one.number for one in known]
    taken = _rising(steps) or images
    return [
        Checkpoint(checkpoint_name(at), step, at, {}, None, None, sha256_file(one.file))
        for one, at, step in zip(known, images, taken, strict=True)
    ]


def _rising(numbers: Sequence[int | None]) -> list[int] | None:
    """Numbers that are all known and rise; None otherwise."""
    known = [number for number in numbers if number is not None]
    rises = all(one < other for one, other in pairwise(known))
    return known if len(known) == len(numbers) and rises else None


def _step(file: Path) -> int | None:
    try:
        return read_lora(file).step
    except WeightsError:
        return None
