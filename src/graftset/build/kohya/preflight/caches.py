"""Caches (`.npz`) of latents and texts beside the images: which sd-scripts takes, and whether they are still true.

Source: `SdSdxlLatentsCachingStrategy` in `library/strategy_sd.py`, `SdxlTextEncoderOutputsCachingStrategy` in
`library/strategy_sdxl.py`, `LatentsCachingStrategy` in `library/strategy_base.py` and `load_dreambooth_dir` in
`library/train_util.py` of kohya-ss/sd-scripts at commit 48d368fa.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graftset.build.kohya.preflight.buckets import Size
from graftset.build.kohya.preflight.disk import Disk

_LATENT_PX = 8  # image px of one latent cell
TEXTS_SUFFIX = "_te_outputs.npz"  # of what SDXL's text encoders made of a caption
_TEXT_KEYS = ("hidden_state1", "hidden_state2", "pool2")
_SIZE = re.compile(r"(\d+)x(\d+)\Z")


def latents_suffix(*, sdxl: bool) -> str:
    """How the trainer's cache files end."""
    return "_sdxl.npz" if sdxl else "_sd.npz"


def sizes_from_names(disk: Disk, folder: str, images: Sequence[str], *, sdxl: bool) -> dict[str, Size]:
    """The sizes that the trainer takes from the names of caches instead of from the images, used or not.

    A cache belongs to the first image whose path, without its ending, it begins with: `lad.png` takes the size of
    `lad_2_0512x0512_sd.npz` where it has no cache of its own.
    """
    suffix = latents_suffix(sdxl=sdxl)
    prefix = os.path.split(os.path.join(folder, "*"))[0]
    place = disk.at(folder)
    names = [name for name in os.listdir(place) if name.endswith(suffix) and not name.startswith(".")]
    caches = sorted((os.path.join(prefix, name) for name in names), key=lambda each: each.rsplit("_", maxsplit=2)[0])
    sizes: dict[str, Size] = {}
    position = 0
    for image in images:
        length = len(os.path.splitext(image)[0])
        while position < len(caches) and caches[position][:length] < image[:length]:
            position += 1
        if position < len(caches) and caches[position][:length] == image[:length]:
            said = _SIZE.search(os.path.splitext(caches[position])[0].rsplit("_", maxsplit=2)[-2])
            if said:
                sizes[image] = int(said[1]), int(said[2])
    return sizes


@dataclass(frozen=True, slots=True)
class StaleCache:
    """A cache that no longer is what its image or caption is; `why` is a phrase."""

    file: str
    image: str
    why: str


def stale_cache(disk: Disk, image: str, size: Size, bucket: Size, *, sdxl: bool) -> StaleCache | None:
    """The cache the trainer would take for an image, where it is older, of another size, or cannot be read.

    Args:
        size: Of the image, px: it is part of the cache's name.
        bucket: Of the image, px; the trainer checks that there are latents, not that they are of this size.
    """
    stem = os.path.splitext(image)[0]
    named = f"{stem}_{size[0]:04d}x{size[1]:04d}{latents_suffix(sdxl=sdxl)}"
    file = next((name for name in (f"{stem}.npz", named) if disk.at(name).exists()), None)
    if file is None:
        return None
    if disk.at(image).stat().st_mtime_ns > disk.at(file).stat().st_mtime_ns:
        return StaleCache(file, image, "the image was changed after it was made")
    try:
        with np.load(disk.at(file)) as stored:
            shape = stored["latents"].shape if "latents" in stored else None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return StaleCache(file, image, "it cannot be read")
    if shape is None:
        return None  # the trainer makes it anew
    wanted = bucket[1] // _LATENT_PX, bucket[0] // _LATENT_PX
    if tuple(shape[1:3]) != wanted:
        return StaleCache(
            file,
            image,
            f"it holds {shape[2] * _LATENT_PX} x {shape[1] * _LATENT_PX} px, the bucket is {bucket[0]} x {bucket[1]}",
        )
    return None


def stale_text_cache(disk: Disk, image: str, caption_file: str | None) -> StaleCache | None:
    """The cache that SDXL training would take in place of a caption, where that is older or cannot be read.

    The trainer compares it with nothing: whatever texts it holds are trained on.
    """
    file = os.path.splitext(image)[0] + TEXTS_SUFFIX
    if not disk.at(file).exists():
        return None
    try:
        with np.load(disk.at(file)) as stored:
            whole = all(key in stored for key in _TEXT_KEYS)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return StaleCache(file, image, "it cannot be read")
    if not whole:
        return None  # the trainer makes it anew
    if caption_file is not None and disk.at(caption_file).stat().st_mtime_ns > disk.at(file).stat().st_mtime_ns:
        return StaleCache(file, image, f"{os.path.basename(caption_file)} was changed after it was made")
    return None
