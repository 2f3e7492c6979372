"""The run folder: where training writes and evaluation reads, as typed values.

    runs/<name>/
      run.json                          what is trained and how (`RunRecord`); written once, before the first step
      metrics.jsonl                     one line a logged step (`MetricsLine`), appended while training goes on
      checkpoints/<images seen>.safetensors  the weights that paint (the moving average of those that train)
      checkpoints/<images seen>.json    where in the run they stand (`Checkpoint`); written last, so it marks them whole
      samples/<images seen>/            PNGs and samples.jsonl, one line a picture (`Sample`): at native size, or as
                                        large as a pipeline paints, and native/ holds them reduced
      scorecards/<images seen>.json     what an evaluator says of those pictures
      resume.safetensors                everything that training needs to go on from where it stood
      trainer/                          what a trainer of its own process keeps there: logs, states

A checkpoint is called by the images seen until then, with leading zeros, so that names sort. Every file is written
whole or not at all, but for metrics.jsonl, which grows by lines: whoever reads it leaves out a line cut short, and a
resumed run first takes back the lines beyond its position. Samples are there only as a complete set. Of runs that were
trained elsewhere less may be known: figures are None, weights may be missing, and checkpoints go by their epoch.

The folder is the interface: an evaluator needs nothing but samples.jsonl, whoever wrote it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from graftset.errors import UserError
from graftset.files import copy_whole, sha256_file, staged_folder, write_whole
from graftset.imageio import encode_png
from graftset.records import PromptKind, SamplePrompt

RUN, METRICS, SAMPLES, RESUME = "run.json", "metrics.jsonl", "samples.jsonl", "resume.safetensors"
NATIVE = "native"  # below a folder of samples: the same pictures at native size, where they were painted larger
FORMAT_VERSION = 1
CHECKPOINTS = 10  # of a run, evenly spaced in images seen
_DIGITS = 7  # of a checkpoint's name
_PLAIN_ID = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,80}")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run trains and how: everything that decides its weights, and what it was made from."""

    name: str
    backend: str  # a key of `graftset.train.BACKENDS`, or "imported": trained before graftset knew of it
    build: str  # name of the build folder; empty where an imported run is of none
    build_sha256: str
    plan: str  # the mixing plan's name
    width: int  # cells of the native grid
    height: int  # cells
    originals: int  # different originals trained on
    generated: int  # different generated images trained on
    seed: int
    steps: int  # optimizer steps of the whole run
    batch_size: int
    device: str  # "cpu", "cuda" or "mps"
    checkpoint_steps: tuple[int, ...]  # after which steps checkpoints are planned, the last one being `steps`
    sample_seeds: tuple[int, ...]  # of the noise that every prompt is painted from at every checkpoint
    prompts_sha256: str  # of the prompts painted, so that two runs can be told to paint the same ones
    prompts: int  # how many
    settings: dict[str, bool | int | float | str] = field(default_factory=dict)  # of the backend
    versions: dict[str, str] = field(default_factory=dict)  # graftset, torch, ...
    created: str = ""  # ISO 8601 UTC
    format_version: int = FORMAT_VERSION
    unit: Literal["step", "epoch", "checkpoint"] = "step"  # what `steps` counts; imported runs may not tell their steps
    notes: tuple[str, ...] = ()  # sentences on what is not known or not believed of an imported run


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where in a run some weights stand."""

    name: str  # images seen, with leading zeros
    step: int  # optimizer steps taken, or what the run's `unit` says
    images_seen: int  # 0 where it is not known
    exposures: dict[str, float]  # "original", "generated" -> mean times each such image was shown until then
    loss: float | None  # mean since the checkpoint before; of kohya, the running mean that it prints
    seconds: float | None  # of training until then, without sampling where that can be told apart
    weights_sha256: str  # of the safetensors file; empty where there is none
    epoch: int | None = None  # that ended here


@dataclass(frozen=True, slots=True)
class MetricsLine:
    """One logged step."""

    step: int
    images_seen: int
    exposures: float | None  # mean times each original was shown until then
    loss: float  # mean since the line before; of kohya, the running mean that it prints
    lr: float | None
    seconds: float  # of training until then, without sampling where that can be told apart


@dataclass(frozen=True, slots=True)
class Sample:
    """One painted picture: a line of samples.jsonl."""

    file: str  # relative to the folder of samples.jsonl
    prompt_id: str
    prompt: str  # the text painted
    kind: PromptKind
    seed: int  # of the noise it was painted from
    expects: dict[str, str] = field(default_factory=dict)  # slot -> word, as in `SamplePrompt`
    reference: str | None = None  # sha256 of the original that has this caption

    @property
    def sample_prompt(self) -> SamplePrompt:
        """The prompt as every arm of an experiment shares it."""
        return SamplePrompt(self.prompt_id, self.kind, self.prompt, self.expects, self.reference)


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder and what it says of itself."""

    folder: Path
    record: RunRecord

    @property
    def resume_file(self) -> Path:
        """Everything that training needs to go on."""
        return self.folder / RESUME

    @property
    def finished(self) -> bool:
        """Whether the last planned checkpoint is there."""
        done = self.checkpoints()
        return bool(done) and done[-1].step >= self.record.steps

    def weights_file(self, checkpoint: str) -> Path:
        """The weights of a checkpoint."""
        return self.folder / "checkpoints" / f"{checkpoint}.safetensors"

    def samples_folder(self, checkpoint: str) -> Path:
        """Where the pictures of a checkpoint lie; absent until all of them are painted."""
        return self.folder / "samples" / checkpoint

    def scorecard_file(self, checkpoint: str) -> Path:
        """Where an evaluator puts what it says of a checkpoint."""
        return self.folder / "scorecards" / f"{checkpoint}.json"

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The whole checkpoints that are there, in the order they were reached.

        Raises:
            UserError: The JSON of one is damaged.
        """
        files = sorted((self.folder / "checkpoints").glob("[!.]*.json"))
        found = [_parsed(_CHECKPOINT, file.read_bytes(), file) for file in files]
        return tuple(sorted(found, key=lambda checkpoint: checkpoint.step))

    def sampled(self) -> tuple[Checkpoint, ...]:
        """The checkpoints whose pictures are all painted."""
        return tuple(c for c in self.checkpoints() if (self.samples_folder(c.name) / SAMPLES).is_file())

    def metrics(self) -> tuple[MetricsLine, ...]:
        """Every logged step so far; a last line cut short by a kill is left out.

        Raises:
            UserError: A whole line is damaged.
        """
        file = self.folder / METRICS
        try:
            lines = file.read_bytes().split(b"\n")
        except FileNotFoundError:
            return ()
        return tuple(_parsed(_METRICS, line, file) for line in lines[:-1])


_RUN = TypeAdapter(RunRecord)
_CHECKPOINT = TypeAdapter(Checkpoint)
_METRICS = TypeAdapter(MetricsLine)
_SAMPLE = TypeAdapter(Sample)
T = TypeVar("T")


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of some bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def prompts_hash(prompts: Sequence[SamplePrompt]) -> str:
    """The SHA-256 of prompts in their order: runs that have it in common paint the same ones."""
    return sha256_hex(json.dumps([asdict(prompt) for prompt in prompts], sort_keys=True).encode())


def checkpoint_name(images_seen: int) -> str:
    """The name of the checkpoint after so many images."""
    return f"{images_seen:0{_DIGITS}d}"


def spaced_steps(steps: int, count: int = CHECKPOINTS) -> tuple[int, ...]:
    """The steps after which checkpoints are written: evenly spaced, the last one at the end.

    >>> spaced_steps(1000)
    (100, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
    >>> spaced_steps(4)
    (1, 2, 3, 4)
    """
    count = min(count, steps)
    return tuple(round(steps * (i + 1) / count) for i in range(count))


def open_run(folder: Path) -> Run:
    """Open a run folder.

    Raises:
        UserError: There is no run, or its run.json is damaged or of a later version.
    """
    path = folder / RUN
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(
            "This folder is not a run: it has no run.json",
            field="run",
            value=str(folder),
            remedy="Give the folder that `graftset train` wrote",
        ) from error
    record = _parsed(_RUN, content, path)
    if record.format_version > FORMAT_VERSION:
        raise UserError(
            "This run was written by a later graftset",
            field="format_version",
            value=record.format_version,
            remedy="Update graftset",
        )
    return Run(folder, record)


def known_runs(runs: Path) -> tuple[list[Run], list[str]]:
    """The runs in a folder by name, and a note on every folder there that is none."""
    found, notes = [], []
    for folder in sorted(runs.iterdir()) if runs.is_dir() else []:
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        try:
            found.append(open_run(folder))
        except UserError as error:
            notes.append(f"The folder runs/{folder.name} is left out: {error.message}")
    return found, notes


def create_run(folder: Path, record: RunRecord) -> Run:
    """Make a run folder with its run.json; whether something may be there already is the caller's decision.

    Raises:
        UserError: It cannot be written.
    """
    try:
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The run folder cannot be made: {error.strerror or error}",
            field="run",
            value=str(folder),
            remedy="Check that the folder may be written to and has space left",
        ) from error
    write_whole(folder / RUN, to_json(asdict(record)))
    return Run(folder, record)


def write_checkpoint(run: Run, checkpoint: Checkpoint, weights: bytes) -> None:
    """Write the weights of a checkpoint, then its JSON.

    Raises:
        UserError: They cannot be written; checkpoints before it are untouched.
    """
    file = run.weights_file(checkpoint.name)
    write_whole(file, weights)
    write_whole(file.with_suffix(".json"), to_json(asdict(checkpoint)))


def record_checkpoint(run: Run, checkpoint: Checkpoint, weights: Path) -> None:
    """Take in weights that another program wrote, then write the checkpoint's JSON with their hash.

    Raises:
        UserError: They cannot be read or written; checkpoints before it are untouched.
    """
    file = run.weights_file(checkpoint.name)
    copy_whole(weights, file)
    write_whole(file.with_suffix(".json"), to_json(asdict(replace(checkpoint, weights_sha256=sha256_file(file)))))


def record_place(run: Run, checkpoint: Checkpoint) -> None:
    """Write the JSON of a checkpoint whose weights are not there: of an imported run that kept its pictures only."""
    write_whole(run.weights_file(checkpoint.name).with_suffix(".json"), to_json(asdict(checkpoint)))


def take_samples(folder: Path, pictures: Iterable[tuple[SamplePrompt, int, Path]]) -> tuple[Sample, ...]:
    """Copy pictures that another program painted into a complete folder of samples, as they are.

    Args:
        folder: Where they go.
        pictures: Prompt, seed of the noise, file.

    Raises:
        UserError: They cannot be read or written; what was there is untouched.
    """
    samples = []
    with staged_folder(folder) as staging:
        for number, (prompt, seed, source) in enumerate(pictures):
            plain = _PLAIN_ID.fullmatch(prompt.id)
            file = f"{prompt.id}_{seed}" if plain else f"{number:05d}"
            file += source.suffix.lower()
            copy_whole(source, staging / file)
            samples.append(
                Sample(file, prompt.id, prompt.text, prompt.kind, seed, dict(prompt.expects), prompt.reference)
            )
        write_whole(staging / SAMPLES, "".join(_json_line(asdict(sample)) for sample in samples))
    return tuple(samples)


def write_samples(
    folder: Path,
    pictures: Iterable[tuple[SamplePrompt, int, NDArray[np.uint8]]],
    *,
    note: Mapping[str, str] | None = None,
    reduce: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
    extra: Mapping[str, str] | None = None,
) -> tuple[Sample, ...]:
    """Write painted pictures with their prompts as a complete folder, in place of one that is there.

    Args:
        folder: Where they go.
        pictures: Prompt, seed of the noise, pixels `uint8 [H, W, 3]`, native ones or larger.
        note: Texts to put inside every PNG, by keyword; the prompt and seed are always there.
        reduce: Makes native pixels of them; those are written too, under the same names below `native/`.
        extra: More files of text to put beside them, by name.

    Raises:
        UserError: They cannot be written; what was there is untouched.
    """
    samples = []
    with staged_folder(folder) as staging:
        for number, (prompt, seed, rgb) in enumerate(pictures):
            # Ids may come from a file of the user's; only plain ones become file names.
            file = f"{prompt.id}_{seed}.png" if _PLAIN_ID.fullmatch(prompt.id) else f"{number:05d}.png"
            text = {**(note or {}), "prompt": prompt.text, "seed": str(seed)}
            write_whole(staging / file, encode_png(rgb, text=text))
            if reduce is not None:
                (staging / NATIVE).mkdir(exist_ok=True)
                write_whole(staging / NATIVE / file, encode_png(reduce(rgb), text=text))
            samples.append(
                Sample(file, prompt.id, prompt.text, prompt.kind, seed, dict(prompt.expects), prompt.reference)
            )
        for name, content in (extra or {}).items():
            write_whole(staging / name, content)
        write_whole(staging / SAMPLES, "".join(_json_line(asdict(sample)) for sample in samples))
    return tuple(samples)


def read_samples(folder: Path) -> tuple[Sample, ...]:
    """The pictures of a folder with their prompts, whoever painted them.

    Raises:
        UserError: There is no samples.jsonl, or a line of it is damaged.
    """
    path = folder / SAMPLES
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError as error:
        raise UserError(
            "This folder holds no painted pictures: it has no samples.jsonl",
            field="samples",
            value=str(folder),
            remedy="Give a folder below samples/ of a run, or name the prompts",
        ) from error
    return tuple(_parsed(_SAMPLE, line, path) for line in lines if line.strip())


def append_metrics(run: Run, line: MetricsLine) -> None:
    """Add a line to metrics.jsonl.

    Raises:
        UserError: It cannot be written.
    """
    path = run.folder / METRICS
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(_json_line(asdict(line)))
    except OSError as error:
        raise UserError(
            f"Cannot write {METRICS!r}: {error.strerror or error}",
            field="path",
            value=str(path),
            remedy="Check that it may be written to and that there is space left",
        ) from error


def forget_metrics(run: Run, after: int) -> None:
    """Take back the lines beyond step `after`, and one cut short, so that a resumed run writes them again.

    Raises:
        UserError: metrics.jsonl is damaged or cannot be written.
    """
    kept = [line for line in run.metrics() if line.step <= after]
    write_whole(run.folder / METRICS, "".join(_json_line(asdict(line)) for line in kept))


def _parsed(kind: TypeAdapter[T], content: bytes, path: Path) -> T:
    try:
        return kind.validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(
            f"{path.name} cannot be read: {f'{where}: ' if where else ''}{first['msg']}",
            field="run",
            value=str(path),
            remedy="Move it away and make it again",
        ) from error


def to_json(content: Any) -> str:
    """A record as the text of its JSON file."""
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _json_line(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"
