"""Writes the images and captions of a build: several at the same time, with memory for a few."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graftset.build.folder import write_file
from graftset.build.manifest import WrittenImage
from graftset.build.package import Entry, Format, Package
from graftset.engine import available_cores
from graftset.errors import BuildError
from graftset.imageio import encode_enlarged
from graftset.pixels.merging import merge_colors
from graftset.records import ImageView

_AHEAD = 4  # images for each thread that are read before they can be written


def write_images(
    staging: Path, package: Package, trainer: Format, load: Callable[[ImageView], NDArray[np.uint8]]
) -> Iterator[WrittenImage]:
    """Write every image at training size, and its caption, in the order of the entries.

    Native pixels are read in this thread, because a catalog is one connection. Packing, hashing and writing happen in
    others: they leave the interpreter free for most of their time. Few images are under way, however many there are.

    Raises:
        BuildError: Native pixels are not of the size that was measured.
        OSError: A file cannot be written.
    """
    workers = available_cores()
    with ThreadPoolExecutor(workers, thread_name_prefix="build") as pool:
        under_way: deque[Future[WrittenImage]] = deque()
        try:
            for entry in package.entries:
                native = _checked(package, entry, load(entry.source))
                under_way.append(pool.submit(_write, staging, package, trainer, entry, native))
                if len(under_way) > _AHEAD * workers:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:  # after a failure or Ctrl-C nothing more is written
            for waiting in under_way:
                waiting.cancel()


def _write(staging: Path, package: Package, trainer: Format, entry: Entry, native: NDArray[np.uint8]) -> WrittenImage:
    """Write one image and its caption, and hash both."""
    size = package.size
    if entry.origin == "generated" and package.colors == "merged":
        native = merge_colors(native)
    image_file = trainer.image_file(package, entry)
    image_hash = write_file(staging, image_file, encode_enlarged(native, size.width, size.height))
    caption_file = trainer.caption_file(package, entry)
    caption_hash = None if caption_file is None else write_file(staging, caption_file, entry.caption.encode())
    return WrittenImage(entry, image_file, image_hash, caption_file, caption_hash)


def _checked(package: Package, entry: Entry, native: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Native pixels, of the shape that was measured."""
    size = package.size
    if native.shape != (size.native_height, size.native_width, 3) or native.dtype != np.uint8:
        raise BuildError(
            f"Native pixels are {native.dtype} {list(native.shape)}, not uint8 "
            f"{[size.native_height, size.native_width, 3]} as measured before",
            field="image",
            value=entry.source_name,
            remedy="Assess the images again",
        )
    return native
