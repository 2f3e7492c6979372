"""What sd-scripts would read: every image with its repeats, caption, tokens and bucket; batches and steps.

`simulate` walks through the folders as `DreamBoothDataset.__init__` and `make_buckets` in `library/train_util.py` of
kohya-ss/sd-scripts (commit 48d368fa) do. It reads names, captions and image headers; `looks.py` opens the pictures.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from graftset.build.kohya.preflight.arguments import Arguments
from graftset.build.kohya.preflight.buckets import Bucketing, Placement, Refusal, Size, bucketing
from graftset.build.kohya.preflight.caches import sizes_from_names
from graftset.build.kohya.preflight.captions import CaptionRead, read_caption, shown_texts, token_limit, tokens_of
from graftset.build.kohya.preflight.counting import Schedule, batches, regularization_repeats, schedule, split
from graftset.build.kohya.preflight.disk import Disk, Listing
from graftset.build.kohya.preflight.resizing import METHODS, interpolation
from graftset.build.kohya.preflight.settings import DatasetSettings, SubsetSettings
from graftset.imageio import BrokenImageError, plain_size

Outcome = Literal["read", "missing", "empty", "no repeats", "duplicate"]
CACHED_INFO = "metadata_cache.json"


@dataclass(frozen=True, slots=True)
class ImageRead:
    """One image as the trainer has it.

    Attributes:
        path: The trainer's path text.
        subset: Index of its subset in the dataset's settings.
        repeats: Entries of an epoch; for regularization images after balancing, 0 where never used.
        caption: What was read for it.
        text: What the text encoder is shown, chance left aside; of several wildcard lines the longest.
        tokens: Content tokens of `text`.
        lost: The words of `text` that are cut off; "" where none.
        size: Of the file, or what the name of a latent cache says; None where no size can be read. It decides on the
            bucket.
        stored: Of the file; None where it cannot be read. It decides on the resize.
        placement: Bucket and resized size; None where the trainer stops at it.
        method: How it is resized; None where it is not.
    """

    path: str
    subset: int
    repeats: int
    caption: CaptionRead
    text: str
    tokens: int
    lost: str
    size: Size | None
    stored: Size | None
    placement: Placement | None
    method: str | None


@dataclass(frozen=True, slots=True)
class SubsetRead:
    """What became of one subset: `found` counts its images, `images` and `entries` what is trained on of them."""

    settings: SubsetSettings
    name: str  # of the folder, to tell a person
    outcome: Outcome
    listing: Listing
    found: int = 0
    images: int = 0
    entries: int = 0
    split_away: int = 0  # images that a validation split takes out


@dataclass(frozen=True, slots=True)
class DatasetRead:
    """One `[[datasets]]`, for training or for validation."""

    settings: DatasetSettings
    subsets: tuple[SubsetRead, ...]
    images: tuple[ImageRead, ...]
    train_entries: int  # as the trainer counts them: an alias counts twice
    reg_found: int  # regularization entries before balancing
    buckets: Mapping[Size, int]  # entries of each bucket
    batches: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Where and why the trainer would stop: the code of the finding, a phrase, and the path texts it concerns."""

    code: str
    why: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one run would read."""

    arguments: Arguments
    datasets: tuple[DatasetRead, ...]
    validation: tuple[DatasetRead, ...]
    schedule: Schedule
    token_limit: int
    stops: tuple[Stop, ...]

    @property
    def batches(self) -> int:
        """Batches of one epoch."""
        return sum(dataset.batches for dataset in self.datasets)

    @property
    def entries(self) -> int:
        """Entries of one epoch."""
        return sum(image.repeats for dataset in self.datasets for image in dataset.images)


@dataclass(slots=True)
class _Found:
    """An image before balancing and buckets."""

    subset: int
    repeats: int
    caption: CaptionRead
    size: Size | None


@dataclass(slots=True)
class _Walk:
    """One run through the folders; collects what stops the trainer."""

    disk: Disk
    arguments: Arguments
    sdxl: bool
    limit: int
    tell: Callable[[int], None]
    stops: list[Stop] = field(default_factory=list)
    sizes: dict[str, Size | None] = field(default_factory=dict)
    seen: int = 0

    def resizes(self, settings: DatasetSettings) -> bool:
        """Whether images are resized at all: without buckets and cached latents they have to have their size."""
        return settings.enable_bucket or self.arguments.on("cache_latents")


def simulate(
    datasets: Sequence[DatasetSettings],
    arguments: Arguments,
    disk: Disk,
    *,
    sdxl: bool = False,
    tell: Callable[[int], None] = lambda seen: None,
) -> Reading:
    """Read what the trainer would read.

    Args:
        datasets: Every dataset with its settings settled.
        arguments: The arguments of the run.
        disk: Where the trainer's paths lead.
        sdxl: `sdxl_train_network.py` trains.
        tell: Called with the number of images read so far.
    """
    limit = token_limit(arguments.whole("max_token_length"))
    walk = _Walk(disk, arguments, sdxl, limit, tell)
    train = tuple(_dataset(walk, dataset, training=True) for dataset in datasets)
    validation = tuple(
        _dataset(walk, dataset, training=False) for dataset in datasets if 0 < dataset.validation_split <= 1
    )
    accumulation = arguments.whole("gradient_accumulation_steps") or 1
    return Reading(
        arguments=arguments,
        datasets=train,
        validation=validation,
        schedule=schedule(
            sum(dataset.batches for dataset in train),
            max_train_epochs=arguments.whole("max_train_epochs"),
            max_train_steps=arguments.whole("max_train_steps") or 0,
            accumulation=accumulation,
        ),
        token_limit=limit,
        stops=tuple(walk.stops),
    )


def _dataset(walk: _Walk, settings: DatasetSettings, *, training: bool) -> DatasetRead:
    images: dict[str, _Found] = {}
    regularization: list[tuple[str, _Found]] = []
    subsets: list[SubsetRead] = []
    taken: set[str] = set()
    train_entries = reg_entries = 0
    for index, subset in enumerate(settings.subsets):
        repeats = subset.num_repeats if training else 1
        if repeats < 1 or subset.image_dir in taken:
            outcome: Outcome = "no repeats" if repeats < 1 else "duplicate"
            name = walk.disk.name(subset.image_dir)
            subsets.append(SubsetRead(subset, name, outcome, walk.disk.list(subset.image_dir)))
            continue
        read, own = _subset(walk, settings, index, training=training)
        subsets.append(read)
        if not own:
            continue
        taken.add(subset.image_dir)
        if subset.is_reg:
            reg_entries += repeats * len(own)
            regularization += own
        else:
            train_entries += repeats * len(own)
            images.update(own)
    shown = regularization_repeats([found.repeats for _, found in regularization], train_entries)
    unused = {path: found for (path, found), count in zip(regularization, shown, strict=True) if not count}
    for (path, found), count in zip(regularization, shown, strict=True):
        if count:
            found.repeats = count
            images[path] = found
    placed = _placed(walk, settings, images)
    entries: Counter[Size] = Counter()
    for image in placed:
        if image.placement is not None:
            entries[image.placement.bucket] += image.repeats
    for found in unused.values():
        found.repeats = 0
    chosen = settings.resize_interpolation
    if chosen is not None and chosen not in METHODS:  # of a subset it is looked at only where it is used
        walk.stops.append(Stop("value-refused", f"resize_interpolation is {chosen!r}"))
    if settings.batch_size < 1:
        walk.stops.append(Stop("value-refused", f"batch_size is {settings.batch_size}"))
    return DatasetRead(
        settings=settings,
        subsets=tuple(_counted(each, index, placed) for index, each in enumerate(subsets)),
        images=(*placed, *_placed(walk, settings, unused)),
        train_entries=train_entries,
        reg_found=reg_entries,
        buckets=dict(sorted(entries.items())),
        batches=batches(entries.values(), max(1, settings.batch_size)),
    )


def _counted(subset: SubsetRead, index: int, images: Sequence[ImageRead]) -> SubsetRead:
    own = [image.repeats for image in images if image.subset == index]
    return dataclasses.replace(subset, images=len(own), entries=sum(own))


def _subset(
    walk: _Walk, dataset: DatasetSettings, index: int, *, training: bool
) -> tuple[SubsetRead, list[tuple[str, _Found]]]:
    """The images of one folder, with captions, before balancing."""
    subset = dataset.subsets[index]
    name, listing = walk.disk.name(subset.image_dir), walk.disk.list(subset.image_dir)
    if not walk.disk.at(subset.image_dir).is_dir() or not subset.image_dir:
        return SubsetRead(subset, name, "missing", listing), []
    cached = _cached_info(walk, subset)
    paths = list(listing.images) if cached is None else list(cached)
    sizes = sizes_from_names(walk.disk, subset.image_dir, paths, sdxl=walk.sdxl) if cached is None else {}
    before = len(paths)
    if dataset.validation_split > 0:
        paths = _split(walk, dataset, subset, paths, training=training)
    repeats = subset.num_repeats if training else 1
    found = []
    for path in paths:
        if cached is None:
            caption, size = read_caption(walk.disk, path, subset), sizes.get(path)
            if caption.fault and training:
                why = "is empty" if caption.fault == "empty" else "is not UTF-8"
                walk.stops.append(Stop("caption-refused", f"a caption file {why}", (caption.file or path,)))
        else:
            caption, size = cached[path]
        found.append((path, _Found(index, repeats, caption, size)))
        walk.seen += 1
        walk.tell(walk.seen)
    read = SubsetRead(subset, name, "read" if found else "empty", listing, len(found), split_away=before - len(paths))
    return read, found


def _split(
    walk: _Walk, dataset: DatasetSettings, subset: SubsetSettings, paths: list[str], *, training: bool
) -> list[str]:
    if subset.is_reg:
        return paths if training else []
    if not paths:
        walk.stops.append(Stop("value-refused", "a validation split of a folder without images", (subset.image_dir,)))
        return []
    if dataset.validation_seed is None:
        # The lists come from the global generator; which images it draws cannot be said, how many can.
        kept = split(len(paths), dataset.validation_split, 0, training=training)
    else:
        kept = split(len(paths), dataset.validation_split, dataset.validation_seed, training=training)
    return [paths[index] for index in kept]


def _cached_info(walk: _Walk, subset: SubsetSettings) -> dict[str, tuple[CaptionRead, Size | None]] | None:
    """Captions and sizes of `metadata_cache.json`, which `cache_info` trusts without looking at the files again."""
    file = os.path.join(subset.image_dir, CACHED_INFO)
    place = walk.disk.at(file)
    if not subset.cache_info or not place.is_file():
        return None
    try:
        listed = json.loads(place.read_text(encoding="utf-8"))
        return {
            path: (CaptionRead(each["caption"] or "", file), (int(each["resolution"][0]), int(each["resolution"][1])))
            for path, each in listed.items()
        }
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        walk.stops.append(Stop("value-refused", "the cache of captions and sizes cannot be read", (file,)))
        return {}


def _placed(walk: _Walk, settings: DatasetSettings, images: Mapping[str, _Found]) -> list[ImageRead]:
    """Every image with its size, bucket and tokens."""
    buckets = _bucketing(walk, settings)
    placements: dict[Size, Placement | None] = {}
    result = []
    for path, found in images.items():
        subset = settings.subsets[found.subset]
        stored = _size(walk, path)
        size = found.size or stored
        if size is not None and buckets is not None and size not in placements:
            placements[size] = _place(walk, buckets, size, path)
        placement = None if size is None else placements.get(size)
        given = subset.resize_interpolation or settings.resize_interpolation
        texts = shown_texts(found.caption.caption, subset)
        text, cut = max(((text, tokens_of(text, walk.limit)) for text in texts), key=lambda pair: pair[1].tokens)
        method = None
        if stored is not None and placement is not None and walk.resizes(settings):
            method = interpolation(given, stored, placement.resized)
            if method not in METHODS and method not in (None, settings.resize_interpolation):
                walk.stops.append(Stop("value-refused", f"resize_interpolation is {method!r}", (path,)))
        result.append(
            ImageRead(
                path,
                found.subset,
                found.repeats,
                found.caption,
                text,
                cut.tokens,
                cut.lost,
                size,
                stored,
                placement,
                method,
            )
        )
    return result


def _bucketing(walk: _Walk, settings: DatasetSettings) -> Bucketing | None:
    if settings.resolution is None:
        walk.stops.append(Stop("resolution-missing", "no resolution is set"))
        return None
    try:
        return bucketing(
            enabled=settings.enable_bucket,
            resolution=settings.resolution,
            smallest=settings.min_bucket_reso,
            largest=settings.max_bucket_reso,
            steps=settings.bucket_reso_steps,
            no_upscale=settings.bucket_no_upscale,
            step_unit=32 if walk.sdxl else 64,
        )
    except Refusal as refusal:
        stop = Stop("value-refused", str(refusal))
        if stop not in walk.stops:
            walk.stops.append(stop)
        return None


def _place(walk: _Walk, buckets: Bucketing, size: Size, path: str) -> Placement | None:
    try:
        return buckets.place(size)
    except Refusal as refusal:
        walk.stops.append(Stop("image-refused", str(refusal), (path,)))
        return None


def _size(walk: _Walk, path: str) -> Size | None:
    if path not in walk.sizes:
        try:
            walk.sizes[path] = plain_size(walk.disk.at(path))
        except BrokenImageError as error:
            walk.stops.append(Stop("image-refused", f"an image {error}", (path,)))
            walk.sizes[path] = None
    return walk.sizes[path]
