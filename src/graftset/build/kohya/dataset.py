"""The dataset TOML of kohya sd-scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from graftset.build.kohya import toml
from graftset.build.kohya.balancing import is_reg
from graftset.build.package import Entry, Package, ranked_captions
from graftset.build.plans import Stage, Subset

CAPTION_EXTENSION = ".txt"


def image_file(package: Package, entry: Entry) -> str:
    """Where an image lies: in a folder named for its real count and origin, such as `203_original`."""
    return f"{entry.folder}/{entry.stem}.png"


def caption_file(package: Package, entry: Entry) -> str:
    """Where its caption lies: beside it, so that the fallback of names with five `_` parts never acts."""
    return f"{entry.folder}/{entry.stem}{CAPTION_EXTENSION}"


def dataset_toml(package: Package, stage: Stage) -> str:
    """The `--dataset_config` of one stage."""
    size = package.size
    resolution = size.width if size.width == size.height else [size.width, size.height]
    trap = stage.subsets[0]
    lines = [
        *toml.comment(
            "Dataset of kohya sd-scripts (--dataset_config), written by graftset. Its parser refuses unknown keys."
        ),
        *toml.comment(
            "The number in a folder's name is its number of images. Never point --train_data_dir at this folder: that "
            f"would read the number as repeats and show {trap.folder} {trap.images} times an epoch. "
            "Repeats are set below."
        ),
        *toml.comment("Relative folders count from where training is started; train.sh enters its own folder first."),
        *toml.comment(
            f"One epoch: {stage.entries} entries = {stage.steps_per_epoch} steps at batch {stage.batch_size}; "
            f"{stage.real_mass:.3f} of them originals."
        ),
        *(line for note in package.plan.notes for line in toml.comment(f"Note: {note}.")),
        "",
        "[general]",
        *toml.comment("Must be written: the default is .caption, and a caption that is not found is empty, silently."),
        f"caption_extension = {toml.value(CAPTION_EXTENSION)}",
        *toml.comment("Captions stay as they are written; shuffling would tear sentences apart at their commas."),
        "shuffle_caption = false",
        *toml.comment(
            "Leading comma parts that at least half of the originals' captions share, such as the style and the "
            "trigger. Acts only with shuffling, tag dropout or token warmup."
        ),
        f"keep_tokens = {shared_leading_parts(ranked_captions(package))}",
        *toml.comment(
            "Mirrored pictures too, as was asked for: each is cached and shown both ways."
            if package.flip
            else "Pictures are not mirrored: light, parting and jewelry have a side, and captions may name it."
        ),
        f"flip_aug = {toml.value(package.flip)}",
        "",
        "[[datasets]]",
        *toml.comment(f"The images were exported at this size, so nothing is resized. {size.reason}"),
        f"resolution = {toml.value(resolution)}",
        f"batch_size = {stage.batch_size}",
        *toml.comment("All images have one size; buckets would crop a size that is no multiple of 64 px."),
        "enable_bucket = false",
        *toml.comment(
            "For images you add at another size: the default, Lanczos or area, makes thousands of new colors."
        ),
        'resize_interpolation = "nearest"',
    ]
    for subset in stage.subsets:
        lines += ["", *_subset_lines(package, subset)]
    return "\n".join(lines) + "\n"


def _subset_lines(package: Package, subset: Subset) -> list[str]:
    """The table of one image folder."""
    lines = ["  [[datasets.subsets]]"]
    if is_reg(subset):
        lines += toml.comment(
            f"Weighted loss. sd-scripts fills up or cuts these {subset.images} images x {subset.repeats} to "
            f"{subset.entries} entries an epoch, as many as all others; see the note above. The weight is "
            "prior_loss_weight in train.toml.",
            indent="  ",
        )
        lines.append("  is_reg = true")
    else:
        told = f"{subset.images} images x {subset.repeats} = {subset.entries} entries an epoch"
        lines += toml.comment(told, indent="  ")
    place = toml.value(package.place(subset.folder))
    return [*lines, f"  image_dir = {place}", f"  num_repeats = {subset.repeats}"]


def shared_leading_parts(captions: Sequence[str]) -> int:
    """How many leading comma parts most captions share, such as a style and a trigger: the value of `keep_tokens`.

    A position counts while its commonest part stands there in at least half of all captions.
    """
    split = [[part.strip() for part in caption.split(",")] for caption in captions]
    count = 0
    while True:
        here = Counter(parts[count] for parts in split if len(parts) > count)
        if not here or 2 * here.most_common(1)[0][1] < len(captions):
            return count
        count += 1
