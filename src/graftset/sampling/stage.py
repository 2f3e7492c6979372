"""The stage: the checkpoints of a run -> their folders of samples.

A checkpoint's samples are there completely or not at all. Pictures that were painted before a stop wait in a hidden
folder beside them, each under the hash of all that decides it, and are not painted again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from graftset.errors import ExistsError, UserError
from graftset.files import sha256_file, write_whole
from graftset.imageio import decode_png, encode_png
from graftset.records import SamplePrompt
from graftset.runs import SAMPLES, Run, prompts_hash, write_samples
from graftset.sampling.job import U8, Generator, Weights, WeightsError, Wish
from graftset.sampling.reducing import reduced

FACTS = "sampling.json"  # beside samples.jsonl: how they were painted


@dataclass(frozen=True, slots=True)
class SamplingJob:
    """What is to be painted."""

    run: Run
    weights: tuple[Weights, ...]  # of every checkpoint, in order
    prompts: tuple[SamplePrompt, ...]
    seeds: tuple[int, ...]  # the same for every prompt
    force: bool = False  # paint again what was painted otherwise
    progress: Callable[[int, int], None] | None = None  # pictures painted, pictures to paint


@dataclass(frozen=True, slots=True)
class Fault:
    """A checkpoint that could not be painted, and why."""

    checkpoint: str
    error: WeightsError


@dataclass(frozen=True, slots=True)
class Sampling:
    """What one call did."""

    painted: tuple[str, ...]  # checkpoints
    unchanged: tuple[str, ...]
    faults: tuple[Fault, ...]
    pictures: int  # painted in this call
    seconds: float  # of painting
    notes: tuple[str, ...]


def sample(job: SamplingJob, generator_name: str, opened: AbstractContextManager[Generator]) -> Sampling:
    """Paint every prompt from every seed with every checkpoint that has no samples yet.

    Weights that cannot be used are left out, each with its reason; the other checkpoints are painted.

    Raises:
        ExistsError: A checkpoint has samples that were painted otherwise, and nothing allows to replace them.
        UserError: The generator fails; what is finished is kept, and the next call goes on from there.
    """
    faults: list[Fault] = []
    painted: list[str] = []
    pictures, begun = 0, monotonic()
    with opened as generator:
        facts = {
            "generator": generator_name,
            **generator.facts,
            "prompts_sha256": prompts_hash(job.prompts),
            "seeds": ",".join(map(str, job.seeds)),
        }
        known: list[tuple[Weights, Mapping[str, str]]] = []
        for weights in job.weights:
            try:
                generator.check(weights)
                known.append((weights, facts | {"weights_sha256": sha256_file(weights.file)}))
            except WeightsError as error:
                faults.append(Fault(weights.checkpoint, error))
        todo = [pair for pair in known if not _is_done(job, *pair)]
        wishes = [Wish(prompt, seed) for prompt in job.prompts for seed in job.seeds]
        done, whole = 0, len(todo) * len(wishes)
        for weights, own in todo:
            try:
                for fresh in _paint(job, generator, weights, own, wishes):
                    done, pictures = done + 1, pictures + fresh
                    if job.progress is not None:
                        job.progress(done, whole)
                painted.append(weights.checkpoint)
            except WeightsError as error:
                faults.append(Fault(weights.checkpoint, error))
        notes = tuple(generator.notes)
    unchanged = [w.checkpoint for w, own in known if (w, own) not in todo]
    return Sampling(tuple(painted), tuple(unchanged), tuple(faults), pictures, monotonic() - begun, notes)


def _is_done(job: SamplingJob, weights: Weights, facts: Mapping[str, str]) -> bool:
    """Whether a checkpoint has the samples asked for.

    Raises:
        ExistsError: It has others.
    """
    folder = job.run.samples_folder(weights.checkpoint)
    if not (folder / SAMPLES).is_file():
        return False
    there = _facts_of(folder)
    if there == dict(facts):
        return True
    if job.force:
        return False
    different = sorted(key for key in facts.keys() | there.keys() if facts.get(key) != there.get(key))
    how = f"its {', '.join(different)} differ" if there else "whoever painted them left no sampling.json"
    raise ExistsError(
        f"Checkpoint {weights.checkpoint} has samples that were painted otherwise: {how}",
        field="--force",
        value=str(folder),
        remedy="Keep them, or paint them again with --force",
    )


def _facts_of(folder: Path) -> dict[str, str]:
    try:
        document = json.loads((folder / FACTS).read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _paint(
    job: SamplingJob, generator: Generator, weights: Weights, facts: Mapping[str, str], wishes: Sequence[Wish]
) -> Iterator[bool]:
    """Paint one checkpoint: gives for every picture whether it is a new one, then publishes all."""
    folder = job.run.samples_folder(weights.checkpoint)
    waiting = folder.parent / f".painted-{weights.checkpoint}"
    places = {wish: waiting / f"{_key(facts, wish)}.png" for wish in wishes}
    _make_folder(waiting)
    missing = []
    for wish, place in places.items():
        if place.is_file():
            yield False
        else:
            missing.append(wish)
    for wish, rgb in generator.paint(weights, missing) if missing else ():
        write_whole(places[wish], encode_png(rgb))
        yield True
    note = {key: facts[key] for key in facts if key not in ("prompts_sha256", "seeds")}
    record = job.run.record
    write_samples(
        folder,
        ((wish.prompt, wish.seed, _read(place)) for wish, place in places.items()),
        note=note,
        reduce=lambda rgb: reduced(rgb, record.width, record.height),
        extra={FACTS: json.dumps(dict(facts), ensure_ascii=False, indent=1, sort_keys=True) + "\n"},
    )
    shutil.rmtree(waiting, ignore_errors=True)


def _read(place: Path) -> U8:
    try:
        return decode_png(place.read_bytes())
    except (OSError, ValueError) as error:
        with suppress(OSError):
            place.unlink()  # a file system that lost it: the next call paints it again
        raise UserError(
            f"A picture that was painted before cannot be read any more: {error}",
            field="samples",
            value=str(place),
            remedy="Run the same command again: it is painted anew",
        ) from error


def _key(facts: Mapping[str, str], wish: Wish) -> str:
    """The name of a picture until its checkpoint is complete: changes with all that decides what it looks like."""
    own = {key: value for key, value in facts.items() if key not in ("prompts_sha256", "seeds")}
    text = json.dumps([own, wish.prompt.id, wish.prompt.text, wish.seed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder of the samples cannot be made: {error.strerror or error}",
            field="samples",
            value=str(folder),
            remedy="Check that the run folder may be written to and has space left",
        ) from error
