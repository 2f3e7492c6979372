"""What was found -> findings: folders, configs, counts and validation.

Pure, but for resolving folders to see whether two names mean one.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from graftset.build.kohya.preflight.arguments import Arguments
from graftset.build.kohya.preflight.counting import expected_overlap
from graftset.build.kohya.preflight.findings import Finding, finding
from graftset.build.kohya.preflight.reading import DatasetRead, Reading, SubsetRead
from graftset.build.kohya.preflight.settings import DatasetSettings
from graftset.build.kohya.preflight.sources import Source
from graftset.build.kohya.schema import DATASET_KEYS, schema_faults
from graftset.phrases import counted

_TRAP = 20  # repeats from which on a number that equals the images is taken for their number
_CHECKED = frozenset({*DATASET_KEYS, "train_batch_size", "dataset_repeats", "max_token_length", "prior_loss_weight"})
_READ_AS_TEXT = frozenset({"resolution", "face_crop_aug_range"})
_RENAMED: Mapping[str, str] = {"train_batch_size": "batch_size"}


def config_findings(source: Source) -> Iterator[Finding]:
    """What is wrong with the configs themselves, before any folder is looked at."""
    where = source.name
    for fault in source.unreadable:
        yield finding("config-unreadable", fault)
    if source.elsewhere is not None:
        yield finding("starts-elsewhere", f"Paths lead somewhere only when training is started in {source.elsewhere}")
    if source.outside:
        yield finding("outside", source.outside)
    elif source.dataset_name:
        faults = [f"{source.disk.name(source.dataset_name)}: {fault}" for fault in schema_faults(source.dataset)]
        yield from (finding("key-refused", fault) for fault in faults)
    for key, meant in source.arguments.unknown.items():
        hint = f", {meant} is meant perhaps" if meant else ""
        yield finding("key-ignored", f"{where}: sd-scripts does not know {key}{hint}")
    for key, fault in source.arguments.mistyped.items():
        if key in _READ_AS_TEXT:
            continue  # settling the datasets fails at it
        refused = key in _CHECKED and "is none of" not in fault
        yield finding("value-refused" if refused else "value-mistyped", f"{where}: {key}: {fault}")
    yield from _folder_name_findings(source)


def _folder_name_findings(source: Source) -> Iterator[Finding]:
    if source.dataset_name or source.outside:
        return
    base = source.arguments.text("train_data_dir")
    if base is None:
        yield finding("nothing-to-train", "Neither dataset_config nor train_data_dir is set")
        return
    place = source.disk.at(base)
    if not place.is_dir():
        yield finding("folder-missing", f"train_data_dir is not there: {base}")
        return
    used = [folder for folder in source.folders if folder.repeats]
    for folder in source.folders:
        if folder.repeats is None and folder.pictures:
            yield finding("folder-ignored", f"The folder {folder.name} is ignored; pictures in it: {folder.pictures}")
        elif folder.repeats and folder.repeats == folder.pictures and folder.repeats >= _TRAP:
            entries = folder.repeats * folder.pictures
            yield finding(
                "folder-name-trap",
                f"The folder {folder.name} shows each of its {counted(folder.pictures, 'image')} "
                f"{counted(folder.repeats, 'time')} an epoch: "
                f"{entries:,} entries",
            )
    own = len(source.disk.list(base).images)
    if own and not any(not folder.is_reg for folder in used):
        yield finding(
            "image-folder-itself",
            f"The images lie in {place.name} itself, and no folder REPEATS_NAME is in it; images: {own}",
        )
    elif own:
        yield finding("image-loose", f"Images beside the image folders, in {place.name} itself: {own}")
    if source.kind == "folder":
        yield finding("defaults-assumed", "No config was given: what --set does not say has the default of sd-scripts")
    if used:
        listed = ", ".join(f"{folder.name} x {folder.repeats}" for folder in used)
        yield finding("repeats-from-names", f"Repeats come from the folders' names: {listed}")


def reading_findings(source: Source, reading: Reading) -> Iterator[Finding]:
    """What the folders, counts and lists come to."""
    for code, why in dict.fromkeys((stop.code, stop.why) for stop in reading.stops):
        paths = [path for stop in reading.stops if (stop.code, stop.why) == (code, why) for path in stop.paths]
        yield finding(code, f"sd-scripts stops: {why}", [source.disk.name(path) for path in dict.fromkeys(paths)])
    if not reading.batches and not reading.stops:
        yield finding("nothing-to-train", "sd-scripts finds 0 images and ends at once")
    for dataset in reading.datasets:
        for subset in dataset.subsets:
            yield from _subset_findings(source, subset)
        yield from _alias_findings(source, dataset)
        yield from _regularization_findings(reading.arguments, dataset)
        yield from _batch_findings(dataset)
    yield from _schedule_findings(reading)
    yield from _idle_findings(source, [dataset.settings for dataset in reading.datasets])
    yield from _validation_findings(reading)


def _subset_findings(source: Source, subset: SubsetRead) -> Iterator[Finding]:
    name, listing = subset.name, subset.listing
    if subset.outcome == "missing":
        yield finding("folder-missing", f"The image folder {name or '(no name)'} is not there")
    elif subset.outcome == "no repeats":
        yield finding("no-repeats", f"{name} has num_repeats {subset.settings.num_repeats} and is left out")
    elif subset.outcome == "duplicate":
        yield finding(
            "folder-twice",
            f"{name} stands twice; the second, with num_repeats {subset.settings.num_repeats}, is dropped",
        )
    elif subset.outcome == "empty" and not subset.split_away:
        yield finding("folder-empty", f"{name} holds no image that sd-scripts knows")
    unknown = [*listing.hidden, *listing.other_endings]
    if unknown:
        yield finding("image-ignored", f"Pictures that are not found in {name}: {len(unknown)}", unknown, where=name)
    if listing.folders:
        total = sum(listing.folders.values())
        yield finding(
            "nested-ignored",
            f"Pictures in folders inside {name}, never found: {total}",
            list(listing.folders),
            where=name,
        )


def _alias_findings(source: Source, dataset: DatasetRead) -> Iterator[Finding]:
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for subset in dataset.subsets:
        if subset.outcome == "read":
            spellings[str(source.disk.at(subset.settings.image_dir).resolve())].append(subset.settings.image_dir)
    for names in spellings.values():
        if len(names) > 1:
            yield finding("folder-alias", f"{' and '.join(names)} are one folder")


def _regularization_findings(arguments: Arguments, dataset: DatasetRead) -> Iterator[Finding]:
    if not dataset.reg_found:
        return
    settings = dataset.settings.subsets
    images = [image for image in dataset.images if settings[image.subset].is_reg]
    unused = [image.path for image in images if not image.repeats]
    shown = sum(image.repeats for image in images)
    if not dataset.train_entries:
        yield finding(
            "reg-nothing", f"There is no training image, so nothing is trained on; regularization images: {len(images)}"
        )
        return
    if unused:
        yield finding(
            "reg-unused",
            f"Regularization images that are never used: {len(unused)} of {len(images)}",
            [PurePath(p).name for p in unused],
        )
    if shown > dataset.reg_found:
        yield finding(
            "reg-repeated",
            f"{len(images)} regularization images become {shown} entries, as many as the {dataset.train_entries} of "
            "training: "
            f"an epoch has {dataset.train_entries + shown} entries instead of "
            f"{dataset.train_entries + dataset.reg_found}",
        )
    if arguments.values.get("prior_loss_weight") == 1:
        yield finding("reg-weight", "Regularization images count as much as others: prior_loss_weight is 1")


def _batch_findings(dataset: DatasetRead) -> Iterator[Finding]:
    size, entries = dataset.settings.batch_size, sum(dataset.buckets.values())
    if size > 0 and dataset.batches > -(-entries // size):
        yield finding(
            "batches-partial",
            f"{len(dataset.buckets)} buckets make {dataset.batches} batches of {entries} entries; one bucket would "
            "make "
            f"{-(-entries // size)}",
        )


def _schedule_findings(reading: Reading) -> Iterator[Finding]:
    plan, given = reading.schedule, reading.arguments.given
    if not reading.batches or plan.by_epochs:
        return
    seen = plan.steps / plan.steps_per_epoch
    if "max_train_steps" not in given:
        yield finding(
            "steps-by-default",
            f"Training stops after {counted(plan.steps, 'step')}, {seen:.2f} epochs: that is the default",
        )
    elif plan.steps % plan.steps_per_epoch:
        yield finding(
            "last-epoch-cut",
            f"{counted(plan.steps, 'step')} are {seen:.2f} epochs of {counted(plan.steps_per_epoch, 'step')}",
        )


def _idle_findings(source: Source, datasets: Sequence[DatasetSettings]) -> Iterator[Finding]:
    """Arguments that something else overrules."""
    arguments = source.arguments
    if arguments.given >= {"max_train_epochs", "max_train_steps"}:
        yield finding("key-without-effect", f"{source.name}: max_train_steps is overruled by max_train_epochs")
    if not source.dataset_name:
        return
    for name in ("train_data_dir", "reg_data_dir", "in_json"):
        if name in arguments.given:
            yield finding("key-without-effect", f"{source.name}: {name} is ignored, since dataset_config is set")
    fields = {field.name for field in dataclasses.fields(DatasetSettings)} - {"subsets", "resolution"}
    for name in sorted(arguments.given):
        field = _RENAMED.get(name, name)
        if field not in fields or not datasets:
            continue
        value = arguments.values[name]
        acting = {str(getattr(dataset, field)) for dataset in datasets}
        if str(value) not in acting:
            yield finding(
                "key-without-effect",
                f"{source.name}: {name} = {value} is overruled by the dataset's {field} = {', '.join(sorted(acting))}",
            )


def _validation_findings(reading: Reading) -> Iterator[Finding]:
    for dataset in reading.datasets:
        share = dataset.settings.validation_split
        if not 0 <= share <= 1:
            yield finding("validation-share", f"validation_split is {share:g}")
        elif dataset.settings.validation_seed is None and 0 < share < 1:
            counts = [
                subset.images + subset.split_away
                for subset in dataset.subsets
                if subset.outcome == "read" and not subset.settings.is_reg
            ]
            overlap = sum(expected_overlap(count, share) for count in counts)
            if overlap:
                yield finding(
                    "validation-overlap",
                    f"Without validation_seed both lists are drawn on their own: some {overlap:.0f} of "
                    f"{sum(round(count * share) for count in counts)} validation images are trained on as well",
                )
    if not reading.validation:
        return
    trained = {image.path for dataset in reading.datasets for image in dataset.images}
    seeded = [dataset for dataset in reading.validation if dataset.settings.validation_seed is not None]
    both = [image.path for dataset in seeded for image in dataset.images if image.path in trained]
    if both:
        yield finding(
            "validation-overlap",
            f"Validation images that are trained on as well: {len(both)}",
            [PurePath(path).name for path in both],
        )
    if reading.arguments.text("logging_dir") is None:
        yield finding("validation-silent", "Validation losses are written nowhere: logging_dir is not set")
