"""What a generator is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from graftset.errors import UserError
from graftset.records import SamplePrompt

U8 = NDArray[np.uint8]


class WeightsError(UserError):
    """The weights of one checkpoint cannot be used; others may."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of one checkpoint."""

    checkpoint: str  # its name in the run folder
    file: Path
    name: str  # what a server of LoRAs would call them, without suffix


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """One picture to paint. It equals itself only, so that it can be a key whatever its prompt expects."""

    prompt: SamplePrompt
    seed: int  # of the noise


@dataclass(frozen=True, slots=True)
class How:
    """How pictures are painted. What a generator has no use for it leaves alone."""

    model: str = ""
    config: str = ""
    hub: bool = False
    device: str = "auto"
    precision: str = "auto"
    width: int = 0  # px; 0: what suits the model
    height: int = 0  # px
    steps: int = 28
    scale: float = 7.0  # classifier-free guidance; 1 is none
    negative: str = ""
    batch: int = 0  # pictures at once; 0: as many as memory holds
    lora_scale: float = 1.0
    sampler: str = ""
    url: str = ""
    timeout: float = 300.0  # seconds for one picture
    workflow: Path | None = None


class Generator(Protocol):
    """What paints, opened once for all checkpoints of a run."""

    @property
    def facts(self) -> Mapping[str, str]:
        """What decides how its pictures look, besides weights, prompts and seeds: samples of other facts differ."""

    @property
    def notes(self) -> Sequence[str]:
        """What its user should know, found out so far."""

    def check(self, weights: Weights) -> None:
        """Refuse weights that cannot be used, before anything expensive is done.

        Raises:
            WeightsError: They are damaged, of another kind, or made for another base model.
        """

    def paint(self, weights: Weights, wishes: Sequence[Wish]) -> Iterator[tuple[Wish, U8]]:
        """Paint every wish, in any order: pictures are `uint8 [height, width, 3]`, each given out as it is done.

        Raises:
            WeightsError: These weights cannot be used.
            UserError: Nothing more can be painted.
        """


class GeneratorModule(Protocol):
    """What the module of a generator holds."""

    def open_generator(self, how: How) -> AbstractContextManager[Generator]:
        """Check what is asked for and make ready; what is held is let go afterwards.

        Raises:
            UserError: The model or the server cannot be used.
        """
