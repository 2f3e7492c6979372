"""What run folders say, as typed values: runs, checkpoints, logged steps and painted pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from graftset.records import PromptKind, SamplePrompt

FORMAT_VERSION = 1
CHECKPOINTS = 10  # of a run, evenly spaced in images seen
_DIGITS = 7  # of a checkpoint's name


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
