"""The experiment folder: what is compared with what, written down before anything is trained, as typed values.

    experiments/<name>/
      experiment.json   the definition (`Experiment`): arms, seeds, steps, endpoints; written before the first step
      prompts.json      the prompts that every run of it paints
      comparisons.json  each arm against the baseline, see `graftset.compare`

Its runs lie in runs/ like all others, as <experiment>-<arm>-s<seed>.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from graftset.compare.records import PRIMARY, Endpoint
from graftset.errors import UserError
from graftset.files import write_whole
from graftset.records import SamplePrompt

EXPERIMENT, PROMPTS, COMPARISONS = "experiment.json", "prompts.json", "comparisons.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class ExperimentArm:
    """One training set of an experiment; `build_sha256` holds it fast."""

    name: str
    plan: str
    build: str  # name of the folder in builds/
    build_sha256: str
    originals: int  # different originals in it
    generated: int


@dataclass(frozen=True, slots=True)
class ArmLeftOut:
    """An arm that was asked for and cannot be had."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Experiment:
    """What an experiment asks and how; nothing in it follows from a result.

    Attributes:
        arms: The baseline first.
        left_out: Arms that could not be built, with the reason.
        seeds: Training seeds; every arm is trained once with each.
        steps: Optimizer steps of every run.
        checkpoints: Of every run, evenly spaced.
        primary: The endpoints that get verdicts which count.
        settings: Of the training backend.
        settings_sha256: Of `backend` and `settings`.
        prompts: How many prompts every checkpoint paints, by kind.
        sample_seeds: Of the noise that each of them is painted from.
    """

    name: str
    arms: tuple[ExperimentArm, ...]
    left_out: tuple[ArmLeftOut, ...]
    seeds: tuple[int, ...]
    steps: int
    checkpoints: int
    backend: str
    device: str
    settings: dict[str, bool | int | float | str | list[str]]
    settings_sha256: str
    prompts: dict[str, int]
    prompts_sha256: str
    sample_seeds: tuple[int, ...]
    primary: tuple[Endpoint, ...] = PRIMARY
    versions: dict[str, str] = field(default_factory=dict)
    created: str = ""  # ISO 8601 UTC
    format_version: int = FORMAT_VERSION

    @property
    def baseline(self) -> ExperimentArm:
        """The arm that the others are compared with."""
        return self.arms[0]

    def run_name(self, arm: ExperimentArm, seed: int) -> str:
        """The name of a run's folder in runs/."""
        return f"{self.name}-{arm.name}-s{seed}"

    def runs(self) -> tuple[tuple[ExperimentArm, int], ...]:
        """Every run, seed by seed: whoever stops early has whole sets of arms."""
        return tuple((arm, seed) for seed in self.seeds for arm in self.arms)


_EXPERIMENT = TypeAdapter(Experiment)
_PROMPTS = TypeAdapter(tuple[SamplePrompt, ...])


def write_experiment(folder: Path, experiment: Experiment, prompts: Sequence[SamplePrompt]) -> None:
    """Write the prompts, then the definition, which marks them whole.

    Raises:
        UserError: They cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder of the experiment cannot be made: {error.strerror or error}",
            field="experiment",
            value=str(folder),
            remedy="Check that the project folder may be written to and has space left",
        ) from error
    write_whole(folder / PROMPTS, _json([asdict(prompt) for prompt in prompts]))
    write_whole(folder / EXPERIMENT, _json(asdict(experiment)))


def read_experiment(folder: Path) -> Experiment:
    """The definition of an experiment.

    Raises:
        UserError: There is none, or it is damaged or of a later version.
    """
    path = folder / EXPERIMENT
    try:
        document = json.loads(path.read_bytes())
        if isinstance(document, dict) and document.get("format_version", 0) > FORMAT_VERSION:
            raise UserError(
                "This experiment was written by a later graftset",
                field="format_version",
                value=document["format_version"],
                remedy="Update graftset",
            )
        return _EXPERIMENT.validate_python(document)
    except FileNotFoundError as error:
        raise UserError(
            "There is no such experiment",
            field="experiment",
            value=folder.name,
            remedy="Plan one: graftset experiment NAME",
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise _damaged(path, error) from error


def read_experiment_prompts(folder: Path) -> tuple[SamplePrompt, ...]:
    """The prompts that every run of an experiment paints.

    Raises:
        UserError: They are not there, or damaged.
    """
    path = folder / PROMPTS
    try:
        return _PROMPTS.validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error


def known_experiments(folder: Path) -> tuple[list[Experiment], list[str]]:
    """The experiments in a project's folder `experiments/` by name, and a note on every folder there that is none."""
    found, notes = [], []
    for one in sorted(folder.iterdir()) if folder.is_dir() else []:
        if one.name.startswith(".") or not one.is_dir():
            continue
        try:
            found.append(read_experiment(one))
        except UserError as error:
            notes.append(f"The folder experiments/{one.name} is left out: {error.message}")
    return found, notes


def _damaged(path: Path, error: Exception) -> UserError:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    else:
        why = str(error)
    return UserError(
        f"{path.name} cannot be read: {why}",
        field="experiment",
        value=str(path),
        remedy="Move the folder away and plan the experiment again",
    )


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
