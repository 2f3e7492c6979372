"""What becomes of the pictures -> findings: sizes, colors, transparency, caches."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from graftset.build.kohya.preflight.caches import stale_cache, stale_text_cache
from graftset.build.kohya.preflight.disk import Disk
from graftset.build.kohya.preflight.findings import Finding, finding
from graftset.build.kohya.preflight.looks import Look
from graftset.build.kohya.preflight.reading import DatasetRead, ImageRead, Reading
from graftset.build.kohya.preflight.resizing import whole_factor
from graftset.build.kohya.preflight.settings import SubsetSettings

FEW_COLORS = 256  # a picture with as few has none between its cells
_MULTIPLIED = 2  # times the colors
_CROPPED = 0.05  # share of a side that is worth a warning
_FACE_PARTS = 5


def picture_findings(disk: Disk, reading: Reading, looks: Mapping[str, Look], *, sdxl: bool) -> Iterator[Finding]:
    """Everything about the pictures of the training images."""
    cached = reading.arguments.on("cache_latents")
    for dataset in reading.datasets:
        subsets = dataset.settings.subsets
        if cached and any(subset.color_aug or subset.random_crop for subset in subsets):
            yield finding("augmentation-refused", "color_aug or random_crop is on, and so is cache_latents")
        if not cached:
            yield from _unresized(dataset)
            yield from _faces(dataset)
            if any(subset.color_aug for subset in subsets):
                yield finding("color-aug", "color_aug shifts hue or gamma of a third of the pictures")
        used = [image for image in dataset.images if image.repeats]
        yield from _shapes(used)
        yield from _looked_at(used, subsets, looks)
        yield from _caches(disk, reading, dataset, sdxl=sdxl)


def _unresized(dataset: DatasetRead) -> Iterator[Finding]:
    """Images of another size than the one that is needed where nothing is resized."""
    wanted = dataset.settings.resolution
    if dataset.settings.enable_bucket or wanted is None:
        return
    wrong = []
    for image in dataset.images:
        subset = dataset.settings.subsets[image.subset]
        if image.size is None or image.size == wanted or (subset.face_crop_aug_range and _face(image) is not None):
            continue
        larger = all(side >= needed for side, needed in zip(image.size, wanted, strict=True))
        if not (subset.random_crop and larger):
            wrong.append(f"{_name(image)} is {image.size[0]} x {image.size[1]}")
    if wrong:
        yield finding(
            "size-refused",
            f"Images that are not {wanted[0]} x {wanted[1]} px: {len(wrong)} of {len(dataset.images)}",
            wrong,
        )


def _faces(dataset: DatasetRead) -> Iterator[Finding]:
    subsets = dataset.settings.subsets
    cut = [image for image in dataset.images if subsets[image.subset].face_crop_aug_range]
    bad = [_name(image) for image in cut if len(_parts(image)) >= _FACE_PARTS and _face(image) is None]
    if bad:
        yield finding("face-name-refused", f"Names that end in four parts that are no numbers: {len(bad)}", bad)
    elif cut and not dataset.settings.enable_bucket:
        yield finding("face-crop", f"Images that are cut around a face where their names give its place: {len(cut)}")


def _parts(image: ImageRead) -> list[str]:
    return os.path.splitext(_name(image))[0].split("_")


def _face(image: ImageRead) -> tuple[int, ...] | None:
    """Middle, width and height of a face, from the last four parts of a name."""
    parts = _parts(image)
    if len(parts) < _FACE_PARTS:
        return None
    try:
        return tuple(int(part) for part in parts[-4:])
    except ValueError:
        return None


def _shapes(images: Sequence[ImageRead]) -> Iterator[Finding]:
    cropped = [image for image in images if _cropped_share(image) > _CROPPED]
    if cropped:
        worst = max(cropped, key=_cropped_share)
        lost = worst.placement.cropped if worst.placement else (0, 0)
        yield finding(
            "cropped",
            f"Images that lose more than {_CROPPED:.0%} of a side: {len(cropped)} of {len(images)}, up to "
            f"{_cropped_share(worst):.0%}",
            [
                f"{_name(worst)} loses {lost[0]} columns and {lost[1]} rows",
                *(_name(image) for image in cropped if image is not worst),
            ],
        )
    uneven = [
        image
        for image in images
        if image.method == "nearest"
        and image.size
        and image.placement
        and not whole_factor(image.size, image.placement.resized)
    ]
    if uneven:
        yield finding(
            "cells-uneven",
            f"Images resized by nearest and no whole factor: {len(uneven)} of {len(images)}",
            [_resized(uneven[0])],
        )


def _cropped_share(image: ImageRead) -> float:
    if image.placement is None:
        return 0.0
    return max(lost / side for lost, side in zip(image.placement.cropped, image.placement.resized, strict=True))


def _looked_at(
    images: Sequence[ImageRead], subsets: Sequence[SubsetSettings], looks: Mapping[str, Look]
) -> Iterator[Finding]:
    seen = [(image, looks[image.path]) for image in images if image.path in looks]
    broken = [(image, look) for image, look in seen if look.fault]
    if broken:
        shown = [f"{_name(image)} {look.fault}" for image, look in broken]
        yield finding("image-refused", f"Images that cannot be opened: {len(broken)}", shown)
    soft = [
        (image, look)
        for image, look in seen
        if 0 < look.colors <= FEW_COLORS and look.colors_seen > _MULTIPLIED * look.colors
    ]
    if soft:
        worst, look = max(soft, key=lambda pair: pair[1].colors_seen)
        yield finding(
            "colors-multiplied",
            f"Pictures with few colors that get more: {len(soft)} of {len(seen)}; {look.colors} colors become "
            f"{look.colors_seen:,} by {worst.method}",
            [_resized(worst), *(_name(image) for image, _ in soft if image is not worst)],
        )
    clear = [(i, look) for i, look in seen if look.transparent and not subsets[i.subset].alpha_mask]
    if clear:
        most = max(look.transparent for _, look in clear)
        hidden = sum(look.hidden_colors > 0 for _, look in clear)
        yield finding(
            "alpha-dropped",
            f"Pictures that are transparent: {len(clear)} of {len(seen)}, up to {most:.0%} of their pixels; with "
            f"colors hidden there: {hidden}",
            [_name(image) for image, _ in clear],
        )
    turned = [_name(image) for image, look in seen if look.orientation != 1]
    if turned:
        yield finding("orientation-ignored", f"Pictures that are stored turned: {len(turned)}", turned)


def _caches(disk: Disk, reading: Reading, dataset: DatasetRead, *, sdxl: bool) -> Iterator[Finding]:
    to_disk = reading.arguments.on("cache_latents_to_disk")
    texts = reading.arguments.on("cache_text_encoder_outputs_to_disk")
    for index, subset in enumerate(dataset.subsets):
        if not any(name.endswith(".npz") for name in subset.listing.names):
            continue
        stale, named, told, idle = [], [], [], 0
        for image in (image for image in dataset.images if image.subset == index):
            if image.size is None or image.placement is None:
                continue
            if sdxl and texts:
                old = stale_text_cache(disk, image.path, image.caption.file)
                told += [f"{os.path.basename(old.file)}: {old.why}"] if old is not None else []
            true = image.stored
            if true is not None and true != image.size:
                named.append(f"{_name(image)} is {true[0]} x {true[1]}, taken for {image.size[0]} x {image.size[1]}")
            if not to_disk:
                idle = sum(name.endswith(".npz") for name in subset.listing.names)
                continue
            found = stale_cache(disk, image.path, image.size, image.placement.bucket, sdxl=sdxl)
            if found is not None:
                stale.append(f"{os.path.basename(found.file)}: {found.why}")
        name = subset.name
        if stale:
            yield finding(
                "cache-stale",
                f"Latent caches in {name} that no longer show their image: {len(stale)}",
                stale,
                where=name,
            )
        if told:
            yield finding(
                "text-cache-stale",
                f"Caches in {name} that no longer hold the caption of their image: {len(told)}",
                told,
                where=name,
            )
        if named:
            yield finding(
                "size-from-cache",
                f"Images of {name} that get their size from the name of a cache: {len(named)}",
                named,
                where=name,
            )
        if idle:
            yield finding("cache-idle", f".npz files in {name} that are not used: {idle}", where=name)


def _resized(image: ImageRead) -> str:
    before, after = image.size or (0, 0), image.placement.resized if image.placement else (0, 0)
    return f"{_name(image)} from {before[0]} x {before[1]} to {after[0]} x {after[1]}"


def _name(image: ImageRead) -> str:
    return os.path.basename(image.path)
