"""One run of the trainer, from its source to its findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from graftset.build.kohya.preflight.buckets import Refusal
from graftset.build.kohya.preflight.findings import Finding, finding, in_order
from graftset.build.kohya.preflight.judging import config_findings, reading_findings
from graftset.build.kohya.preflight.judging_captions import caption_findings
from graftset.build.kohya.preflight.judging_pictures import picture_findings
from graftset.build.kohya.preflight.looks import Look, Task, look_at, spread
from graftset.build.kohya.preflight.reading import Reading, simulate
from graftset.build.kohya.preflight.settings import settle_datasets
from graftset.build.kohya.preflight.sources import Source

Meter = Callable[[str], Callable[[int, int], None]]
PICTURES = 1000  # opened at most unless more are asked for


def _silent(label: str) -> Callable[[int, int], None]:
    return lambda done, total: None


@dataclass(frozen=True, slots=True)
class Options:
    """How the preflight looks.

    Attributes:
        pictures: Pictures that are opened at most, evenly spread; sizes and captions are read of all.
        sdxl: `sdxl_train_network.py` trains.
        seconds_per_step: For the duration; None where it is not known.
        meter: Label -> progress.
    """

    pictures: int = PICTURES
    sdxl: bool = False
    seconds_per_step: float | None = None
    meter: Meter = _silent


@dataclass(frozen=True, slots=True)
class Run:
    """What one run would read, and what is to be said of it.

    Attributes:
        reading: None where a config is refused, so that nothing is read.
        looks: The pictures that were opened, by the trainer's path text.
    """

    source: Source
    reading: Reading | None
    looks: Mapping[str, Look]
    findings: tuple[Finding, ...]


def run_preflight(source: Source, options: Options) -> Run:
    """Read what the trainer would read, open the pictures, and judge both."""
    findings = list(config_findings(source))
    if source.outside or any(each.kind.stops for each in findings):
        return Run(source, None, {}, in_order(findings))
    try:
        datasets = settle_datasets(source.dataset, source.arguments)
    except Refusal as refusal:
        return Run(source, None, {}, in_order([*findings, finding("value-refused", f"sd-scripts stops: {refusal}")]))
    move = options.meter("reading")
    total = sum(len(source.disk.list(each.image_dir).images) for dataset in datasets for each in dataset.subsets)
    reading = simulate(datasets, source.arguments, source.disk, sdxl=options.sdxl, tell=lambda seen: move(seen, total))
    looks, images = _looks(source, reading, options)
    findings += reading_findings(source, reading)
    findings += caption_findings(source.disk, reading)
    findings += picture_findings(source.disk, reading, looks, sdxl=options.sdxl)
    if len(looks) < images:
        findings.append(finding("pixels-sampled", f"{len(looks):,} of {images:,} pictures were opened"))
    return Run(source, reading, looks, in_order(findings))


def _looks(source: Source, reading: Reading, options: Options) -> tuple[dict[str, Look], int]:
    """The pictures that are opened, by path text, and how many there are."""
    images = {
        image.path: image for dataset in reading.datasets for image in dataset.images if image.repeats and image.stored
    }
    paths = list(images)
    chosen = [paths[index] for index in spread(len(paths), options.pictures)]
    tasks = [Task(source.disk.at(path), images[path].placement, images[path].method) for path in chosen]
    return dict(zip(chosen, look_at(tasks, options.meter("pictures")), strict=True)), len(paths)
