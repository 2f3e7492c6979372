"""The sample set, drawn and expanded: what graftset does, without any picture of one's own."""

from __future__ import annotations

from pathlib import Path

from graftset.drawn import draw_sample_set
from graftset.workflows import steps

SAMPLE = "sample"


def prepare(folder: Path, *, seed: int = 0, force: bool = False) -> None:
    """Draw the sample set into `folder/sample` and write the project's settings; what is there already stays."""
    sample = folder / SAMPLE
    if force or not (sample / "truth.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        draw_sample_set(sample, seed=seed, force=force)
    steps.init(folder, sample / "originals", [sample / "candidates"], None, force=False)
