"""The dataset TOML and the sample prompts of kohya sd-scripts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from graftset.build.kohya import toml
from graftset.build.package import Entry, Package, ranked_captions
from graftset.build.plans import Stage
from graftset.records import Origin

CAPTION_EXTENSION = ".txt"
SAMPLE_PROMPTS = 6  # a few seconds each, for every epoch
FIRST_SAMPLE_SEED = 1000
SAMPLE_STEPS = 28
SAMPLE_SCALE = 7.0
# A word like "w 12" or "n foo" is an option to sd-scripts wherever it begins a part of the line, even the first.
_READ_AS_OPTION = re.compile(r"(?:w|h|d|s) \d|(?:l|g) [\d.]|(?:n|ss|cn|ctr|rcfg|fs) .", re.IGNORECASE)


def image_folder(package: Package, origin: Origin) -> str:
    """Folder of one origin: the real count, then the origin, such as `203_original`."""
    return f"{package.plan.images(origin)}_{origin}"


def image_file(package: Package, entry: Entry) -> str:
    """Where an image lies."""
    return f"{image_folder(package, entry.origin)}/{entry.stem}.png"


def caption_file(package: Package, entry: Entry) -> str:
    """Where its caption lies: beside it, so that the fallback of names with five `_` parts never acts."""
    return f"{image_folder(package, entry.origin)}/{entry.stem}{CAPTION_EXTENSION}"


def dataset_toml(package: Package, stage: Stage) -> str:
    """The `--dataset_config` of one stage."""
    size = package.size
    resolution = size.width if size.width == size.height else [size.width, size.height]
    originals = image_folder(package, "original")
    lines = [
        *toml.comment(
            "Dataset of kohya sd-scripts (--dataset_config), written by graftset. Its parser refuses unknown keys."
        ),
        *toml.comment(
            "The number in a folder's name is its number of images. Never point --train_data_dir at this folder: that "
            f"would read the number as repeats and show {originals} {package.plan.images('original')} times an epoch. "
            "Repeats are set below."
        ),
        *toml.comment("Relative folders count from where training is started; train.sh enters its own folder first."),
        *toml.comment(
            f"One epoch: {stage.entries} entries = {stage.steps_per_epoch} steps at batch {stage.batch_size}; "
            f"{stage.real_mass:.3f} of them originals."
        ),
        "",
        "[general]",
        *toml.comment("Must be written: the default is .caption, and a caption that is not found is empty, silently."),
        f"caption_extension = {toml.value(CAPTION_EXTENSION)}",
        *toml.comment("Captions stay as they are written; shuffling would tear sentences apart at their commas."),
        "shuffle_caption = false",
        *toml.comment("Leading comma parts that most captions share. Acts only with shuffling or tag dropout."),
        f"keep_tokens = {shared_leading_parts(ranked_captions(package))}",
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
        lines += [
            "",
            "  [[datasets.subsets]]",
            *toml.comment(
                f"{subset.images} images x {subset.repeats} = {subset.entries} entries an epoch", indent="  "
            ),
            f"  image_dir = {toml.value(package.place(image_folder(package, subset.origin)))}",
            f"  num_repeats = {subset.repeats}",
        ]
    return "\n".join(lines) + "\n"


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


def sample_prompts(package: Package) -> str:
    """The `--sample_prompts` file: one prompt a line with its size, seed, steps and scale."""
    chosen = [caption for caption in ranked_captions(package) if not _READ_AS_OPTION.match(caption)][:SAMPLE_PROMPTS]
    options = f"--w {package.size.width} --h {package.size.height} --s {SAMPLE_STEPS} --l {SAMPLE_SCALE:g}"
    lines = [
        "# Sample prompts of kohya sd-scripts (--sample_prompts): --w --h size, --d seed, --s steps, --l scale.",
        "# Brackets are escaped: sampling reads (word) as an emphasis, training does not.",
    ]
    lines += [f"{_escape(caption)} --d {FIRST_SAMPLE_SEED + number} {options}" for number, caption in enumerate(chosen)]
    return "\n".join(lines) + "\n"


def _escape(caption: str) -> str:
    # " --" would begin an option, and a leading # makes the line a comment.
    plain = re.sub(r" -{2,}", " -", caption).lstrip("# ")
    return re.sub(r"([\\()\[\]])", r"\\\1", plain)
