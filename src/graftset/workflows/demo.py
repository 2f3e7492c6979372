"""The sample set, drawn and expanded: what graftset does, without any picture of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from graftset.drawn import draw_sample_set
from graftset.errors import ExistsError
from graftset.workflows.starting import init_or_agree

SAMPLE = "sample"

Progress = Callable[[int, int], None]


def prepare(folder: Path, *, seed: int = 0, force: bool = False, progress: Progress | None = None) -> None:
    """Draw the sample set into `folder/sample` and write the project's settings; what is there already stays.

    Raises:
        ExistsError: The sample set that is there follows another seed, or something else lies there.
    """
    sample = folder / SAMPLE
    drawn = None if force else _drawn_seed(sample)
    if drawn is None:
        draw_sample_set(sample, seed=seed, force=force, progress=progress)
    elif drawn != seed:
        raise ExistsError(
            f"A sample set of seed {drawn} is there already",
            field="--seed",
            value=seed,
            remedy="Name another folder, or pass --force to draw it again.",
        )
    init_or_agree(folder, sample / "originals", [sample / "candidates"], None)


def _drawn_seed(sample: Path) -> int | None:
    """The seed of the sample set in a folder; None where there is none."""
    try:
        return int(json.loads((sample / "truth.json").read_text(encoding="utf-8"))["seed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
