"""A run folder: opened, made, and filled with checkpoints and logged steps."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from graftset.errors import UserError
from graftset.files import copy_whole, sha256_file, write_whole
from graftset.runs.lines import json_line, parsed, to_json
from graftset.runs.records import FORMAT_VERSION, Checkpoint, MetricsLine, RunRecord
from graftset.runs.samples import SAMPLES

RUN, METRICS, RESUME = "run.json", "metrics.jsonl", "resume.safetensors"
_RUN = TypeAdapter(RunRecord)
_CHECKPOINT = TypeAdapter(Checkpoint)
_METRICS = TypeAdapter(MetricsLine)


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

    @property
    def complete(self) -> bool:
        """Whether every planned checkpoint is there, with its pictures where prompts are painted: nothing is left."""
        there = self.checkpoints()
        painted = not self.record.prompts or len(self.sampled()) == len(there)
        return self.finished and painted and len(there) == len(self.record.checkpoint_steps)

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
        found = [parsed(_CHECKPOINT, file.read_bytes(), file) for file in files]
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
        return tuple(parsed(_METRICS, line, file) for line in lines[:-1])


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
    record = parsed(_RUN, content, path)
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


def append_metrics(run: Run, line: MetricsLine) -> None:
    """Add a line to metrics.jsonl.

    Raises:
        UserError: It cannot be written.
    """
    path = run.folder / METRICS
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json_line(asdict(line)))
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
    write_whole(run.folder / METRICS, "".join(json_line(asdict(line)) for line in kept))
