"""What was read for captions -> findings. Pure."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from graftset.build.kohya.dataset import shared_leading_parts
from graftset.build.kohya.preflight.captions import read_caption
from graftset.build.kohya.preflight.disk import Disk
from graftset.build.kohya.preflight.findings import Finding, finding
from graftset.build.kohya.preflight.reading import CACHED_INFO, DatasetRead, ImageRead, Reading, SubsetRead

LARGEST_LIMIT = 225  # content tokens
_SHOWN = 40  # characters of what a caption loses
_CAPTION_ENDINGS = frozenset({".txt", ".caption", ".cap", ".tags", ".text"})
_SIDES = re.compile(r"\b(left|right)\b", re.IGNORECASE)
_COMMON_SEPARATOR = "|||"


def caption_findings(disk: Disk, reading: Reading) -> Iterator[Finding]:
    """Everything about the captions of the training images, folder by folder."""
    for dataset in reading.datasets:
        images: defaultdict[int, list[ImageRead]] = defaultdict(list)
        for image in dataset.images:
            images[image.subset].append(image)
        for index, subset in enumerate(dataset.subsets):
            if images[index]:
                yield from _missing(subset, images[index])
                yield from _odd(subset, images[index])
                yield from _cut(subset, images[index], reading.token_limit)
                yield from _arranged(subset, images[index])
                yield from _without_image(subset)
        yield from _from_cache(disk, dataset)


def _missing(subset: SubsetRead, images: Sequence[ImageRead]) -> Iterator[Finding]:
    settings, name = subset.settings, subset.name
    bare = [image for image in images if image.caption.file is None]
    if not bare:
        return
    endings: Counter[str] = Counter()
    lost = []
    for image in bare:
        stem = os.path.splitext(os.path.basename(image.path))[0]
        other = next((end for end in _endings(subset) if f"{stem}{end}" in subset.listing.names), None)
        if other is None:
            lost.append(image)
        else:
            endings[other] += 1
    for ending, count in endings.items():
        yield finding(
            "caption-extension",
            f"Captions in {name} that are {ending} files, while {settings.caption_extension} is looked for: {count} of "
            f"{len(images)}",
            where=name,
        )
    if not lost:
        return
    shown = f"the words {settings.class_tokens!r}" if settings.class_tokens else "no words at all"
    if len(lost) == len(images) and settings.class_tokens:
        yield finding("caption-from-name", f"No image of {name} has a caption file; all train with {shown}", where=name)
    else:
        yield finding(
            "caption-missing",
            f"Images of {name} that train with {shown}: {len(lost)} of {len(images)}",
            _names(lost),
            where=name,
        )


def _endings(subset: SubsetRead) -> list[str]:
    """Endings under which captions lie that are not looked for, in the letters they are written in."""
    wanted = subset.settings.caption_extension
    return [ending for ending in subset.listing.endings if ending.lower() in _CAPTION_ENDINGS and ending != wanted]


def _odd(subset: SubsetRead, images: Sequence[ImageRead]) -> Iterator[Finding]:
    name = subset.name
    borrowed = [image for image in images if image.caption.borrowed]
    if borrowed:
        pairs = [f"{_name(image)} takes {os.path.basename(image.caption.file or '')}" for image in borrowed]
        yield finding(
            "caption-borrowed", f"Images of {name} that take another's caption: {len(borrowed)}", pairs, where=name
        )
    blank = [image for image in images if image.caption.file and not image.caption.caption and not image.caption.fault]
    if blank:
        yield finding("caption-blank", f"Blank captions in {name}: {len(blank)}", _names(blank), where=name)
    long = [image for image in images if image.caption.lines_lost]
    if long:
        yield finding(
            "caption-lines",
            f"Captions in {name} that lose all but their first line: {len(long)}",
            _names(long),
            where=name,
        )
    marked = [image for image in images if image.caption.bom]
    if marked:
        yield finding(
            "caption-mark",
            f"Captions in {name} that begin with a byte order mark: {len(marked)}",
            _names(marked),
            where=name,
        )


def _cut(subset: SubsetRead, images: Sequence[ImageRead], limit: int) -> Iterator[Finding]:
    cut = [image for image in images if image.lost]
    if not cut:
        return
    longest = max(image.tokens for image in cut)
    yield finding(
        "caption-cut" if limit < LARGEST_LIMIT else "caption-cut-anyway",
        f"Captions in {subset.name} that are cut after {limit} tokens: {len(cut)} of {len(images)}, the longest has "
        f"{longest}",
        [f"{_name(image)} loses {_beginning(image.lost)!r}" for image in cut],
        where=subset.name,
    )


def _arranged(subset: SubsetRead, images: Sequence[ImageRead]) -> Iterator[Finding]:
    settings, name = subset.settings, subset.name
    separator = settings.keep_tokens_separator
    if settings.shuffle_caption and not separator:
        shared = shared_leading_parts([image.caption.caption for image in images])
        if settings.keep_tokens < shared:
            yield finding(
                "shuffle-moves-trigger",
                f"Captions in {name} share {shared} leading parts and keep_tokens is {settings.keep_tokens}",
                where=name,
            )
    if settings.keep_tokens and not settings.reorders:
        yield finding("keep-tokens-idle", f"keep_tokens = {settings.keep_tokens} does nothing for {name}", where=name)
    prefix = settings.caption_prefix
    if prefix and not prefix.rstrip().endswith(settings.caption_separator):
        yield finding(
            "prefix-glued", f"{prefix!r} becomes one part with the first words of each caption in {name}", where=name
        )
    marks = {separator, _COMMON_SEPARATOR} - {"", separator if settings.reorders else ""}
    shown = [image for image in images if any(mark in image.text for mark in marks)]
    if shown:
        yield finding(
            "separator-shown",
            f"Captions in {name} that show the encoder a separator: {len(shown)}",
            _names(shown),
            where=name,
        )
    if settings.caption_dropout_rate > 0 or settings.caption_dropout_every_n_epochs > 0:
        share = (
            f"{settings.caption_dropout_rate:.0%} of the captions" if settings.caption_dropout_rate else "All captions"
        )
        every = settings.caption_dropout_every_n_epochs
        when = f" and all of every {every}th epoch" if every else ""
        yield finding("caption-dropout", f"{share}{when} in {name} are blanked, trigger word included", where=name)
    if settings.enable_wildcard and any("\n" in i.caption.caption or "{" in i.caption.caption for i in images):
        yield finding("caption-drawn", f"Captions in {name} are drawn from lines or wildcards", where=name)
    if settings.flip_aug:
        sided = [image for image in images if _SIDES.search(image.text)]
        if sided:
            yield finding(
                "flip",
                f"flip_aug mirrors {name}, and captions say left or right: {len(sided)}",
                _names(sided),
                where=name,
            )


def _without_image(subset: SubsetRead) -> Iterator[Finding]:
    stems = {os.path.splitext(os.path.basename(path))[0] for path in subset.listing.images}
    ending = subset.settings.caption_extension
    alone = sorted(
        name
        for name in subset.listing.names
        if name.endswith(ending) and not name.startswith(".") and name.removesuffix(ending) not in stems
    )
    if alone and ending:
        yield finding(
            "caption-without-image",
            f"Caption files in {subset.name} that belong to no image: {len(alone)}",
            alone,
            where=subset.name,
        )


def _from_cache(disk: Disk, dataset: DatasetRead) -> Iterator[Finding]:
    """Captions of `metadata_cache.json` that the files contradict, and images it does not list."""
    for index, subset in enumerate(dataset.subsets):
        listed = [image for image in dataset.images if image.subset == index]
        if not any((image.caption.file or "").endswith(CACHED_INFO) for image in listed):
            continue
        differing = [
            _name(image)
            for image in listed
            if read_caption(disk, image.path, subset.settings).caption != image.caption.caption
        ]
        unlisted = [PurePath(path).name for path in set(subset.listing.images) - {image.path for image in listed}]
        if differing or unlisted:
            yield finding(
                "caption-cache",
                f"{CACHED_INFO} in {subset.name} has other captions for {len(differing)} images and "
                f"lacks {len(unlisted)}",
                [*differing, *sorted(unlisted)],
            )


def _name(image: ImageRead) -> str:
    return os.path.basename(image.path)


def _names(images: Sequence[ImageRead]) -> list[str]:
    return [_name(image) for image in images]


def _beginning(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN].rstrip()} ..."
