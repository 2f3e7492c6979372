"""Paints prompts with a checkpoint of the embedded trainer; steps and guidance are those of its run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from graftset.diffusion.checkpoint import load_painter
from graftset.diffusion.painting import BATCH, Painter, paint
from graftset.diffusion.painting import Wish as Drawing
from graftset.errors import UserError
from graftset.sampling.job import U8, How, Weights, WeightsError, Wish


@contextmanager
def open_generator(how: How) -> Iterator[Embedded]:
    """Make ready; nothing is held between checkpoints."""
    yield Embedded("cpu" if how.device == "auto" else how.device)


class Embedded:
    """The embedded model at native size."""

    notes: Sequence[str] = ()

    def __init__(self, device: str) -> None:
        self._device = device

    @property
    def facts(self) -> Mapping[str, str]:
        """A checkpoint says everything itself."""
        return {}

    def check(self, weights: Weights) -> None:
        """Refuse a checkpoint that is none of the embedded trainer."""
        self._load(weights)

    def paint(self, weights: Weights, wishes: Sequence[Wish]) -> Iterator[tuple[Wish, U8]]:
        """Paint every wish; a prompt's id and the seed decide the noise."""
        painter = self._load(weights)
        for start in range(0, len(wishes), BATCH):
            some = wishes[start : start + BATCH]
            pictures = paint(painter, [Drawing(wish.prompt.text, wish.prompt.id, wish.seed) for wish in some])
            yield from zip(some, pictures, strict=True)

    def _load(self, weights: Weights) -> Painter:
        try:
            return load_painter(weights.file, self._device)
        except UserError as error:
            raise WeightsError(error.message, field=error.field, value=error.value, remedy=error.remedy) from error
