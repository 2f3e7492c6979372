"""What kohya sd-scripts would read in a build folder: its configs as they are now, not as they were written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from graftset.build.kohya.preflight import ImageRead, Options, Run, run_preflight, stage_source
from graftset.build.package import StageRead, SubsetRead


def preflight_stages(folder: Path, stages: int, root: str | None, options: Options) -> list[Run]:
    """Every stage of a build folder as its `train.sh` would start it.

    Args:
        folder: The build folder.
        stages: How many stages its plan has.
        root: The absolute path that its configs were written for; None where their paths are relative.
        options: How closely to look.
    """
    prefixes = [""] if stages == 1 else [f"stage{number}/" for number in range(1, stages + 1)]
    return [run_preflight(stage_source(folder, f"{prefix}train.toml", root), options) for prefix in prefixes]


def read_stages(folder: Path, stages: int, root: str | None) -> list[StageRead]:
    """Every stage of a build folder in the terms that all formats share."""
    runs = preflight_stages(folder, stages, root, Options(pictures=0))
    return [stage_read(run) for run in runs]


def stage_read(run: Run) -> StageRead:
    """One simulated run in the terms that all formats share."""
    reading, disk = run.reading, run.source.disk
    faults = tuple(each.message for each in run.findings if each.kind.code in ("config-unreadable", "key-refused"))
    config = disk.name(run.source.dataset_name) or run.source.name
    if reading is None:
        return StageRead(config, 0, 0, (), faults, 0)
    subsets = []
    for dataset in reading.datasets:
        captions = _captioned(dataset.images, len(dataset.subsets))
        for index, subset in enumerate(dataset.subsets):
            repeats = 0 if subset.outcome in ("duplicate", "no repeats") else subset.settings.num_repeats
            subsets.append(SubsetRead(subset.name, subset.found, captions[index], repeats))
    return StageRead(
        config=config,
        epochs=reading.schedule.epochs,
        batch_size=reading.datasets[0].settings.batch_size if reading.datasets else 0,
        subsets=tuple(subsets),
        faults=faults,
        steps=reading.schedule.steps,
    )


def _captioned(images: Sequence[ImageRead], subsets: int) -> list[int]:
    """Images of each subset that have a caption file of their own with words in its first line."""
    counts = [0] * subsets
    for image in images:
        counts[image.subset] += bool(image.caption.file and image.caption.caption and not image.caption.borrowed)
    return counts
