"""Which size sd-scripts gives an image: its bucket, the size it is resized to, and what is cropped.

Pure. Sizes are (width, height) in px.

Source: `BucketManager` and `BaseDataset.make_buckets` in `library/train_util.py`, and `make_bucket_resolutions` in
`library/model_util.py`, of kohya-ss/sd-scripts at commit 48d368fa.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Size = tuple[int, int]


class Refusal(Exception):  # noqa: N818  sd-scripts refuses; here it is a result that is caught and reported
    """Sd-scripts would stop here; the message says why, as a phrase."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image goes: it is resized to `resized`, then cropped at its middle to `bucket`."""

    bucket: Size
    resized: Size

    @property
    def cropped(self) -> Size:
        """Columns and rows that are lost, in px of the resized image."""
        return self.resized[0] - self.bucket[0], self.resized[1] - self.bucket[1]


@dataclass(frozen=True, slots=True)
class Bucketing:
    """The settings of one dataset that decide on sizes.

    Attributes:
        enabled: `enable_bucket`; without it every image goes to one bucket of `resolution`.
        smallest: `min_bucket_reso`, adjusted to a multiple of `steps`.
        largest: `max_bucket_reso`, adjusted to a multiple of `steps`.
        sizes: The buckets to choose from, sorted; empty with `no_upscale`, which makes a bucket for each image.
    """

    enabled: bool
    resolution: Size
    smallest: int
    largest: int
    steps: int
    no_upscale: bool
    sizes: tuple[Size, ...]

    def place(self, size: Size) -> Placement:
        """Bucket and resized size of one image.

        Raises:
            Refusal: sd-scripts would divide by zero or fail an assertion.
        """
        if min(size) < 1:
            raise Refusal("the size of the image cannot be read, and sd-scripts divides by it")
        if self.enabled and self.no_upscale:
            return self._without_upscale(size)
        return _nearest_shape(size, self.sizes)

    def _without_upscale(self, size: Size) -> Placement:
        width, height = size
        aspect = width / height
        area = self.resolution[0] * self.resolution[1]
        resized = size
        if width * height > area:
            resized_width = math.sqrt(area * aspect)
            resized_height = area / resized_width
            by_width = _rounded(resized_width, self.steps)
            height_in_width = _rounded(by_width / aspect, self.steps)
            by_height = _rounded(resized_height, self.steps)
            width_in_height = _rounded(by_height * aspect, self.steps)
            if not height_in_width or not by_height:
                raise Refusal(f"{width} x {height} px is too narrow for buckets in steps of {self.steps}")
            if abs(by_width / height_in_width - aspect) < abs(width_in_height / by_height - aspect):
                resized = by_width, int(by_width / aspect + 0.5)
            else:
                resized = int(by_height * aspect + 0.5), by_height
        bucket = resized[0] - resized[0] % self.steps, resized[1] - resized[1] % self.steps
        if min(bucket) < 1:
            raise Refusal(
                f"{width} x {height} px is smaller than one step of {self.steps} px, and bucket_no_upscale never "
                "enlarges"
            )
        return Placement(bucket, resized)


def bucketing(
    *,
    enabled: bool,
    resolution: Size,
    smallest: int = 256,
    largest: int = 1024,
    steps: int = 64,
    no_upscale: bool = False,
    step_unit: int = 64,
) -> Bucketing:
    """Settle the settings of one dataset.

    Args:
        step_unit: What `bucket_reso_steps` must be a multiple of: 64 for SD 1.5 and 2, 32 for SDXL.

    Raises:
        Refusal: sd-scripts would refuse these settings.
    """
    if not enabled:
        return Bucketing(False, resolution, 0, 0, 0, False, (resolution,))
    if steps < 1:
        raise Refusal(f"bucket_reso_steps is {steps}")
    smallest -= smallest % steps
    largest += -largest % steps
    if min(resolution) < smallest:
        raise Refusal(f"min_bucket_reso ({smallest}) is larger than the resolution's smaller side ({min(resolution)})")
    if max(resolution) > largest:
        raise Refusal(f"max_bucket_reso ({largest}) is smaller than the resolution's larger side ({max(resolution)})")
    if steps % step_unit:
        raise Refusal(f"bucket_reso_steps ({steps}) is no multiple of {step_unit}")
    sizes = () if no_upscale else bucket_sizes(resolution, smallest, largest, steps)
    return Bucketing(True, resolution, smallest, largest, steps, no_upscale, sizes)


def bucket_sizes(resolution: Size, smallest: int, largest: int, steps: int) -> tuple[Size, ...]:
    """Every bucket whose area does not exceed the resolution's, sorted.

    Widths run from `smallest` to `largest`; each gets the greatest height in steps that the area allows, and the square
    of the largest side is added.
    """
    area = resolution[0] * resolution[1]
    side = int(math.sqrt(area) // steps) * steps
    sizes = {(side, side)}
    for width in range(smallest, largest + 1, steps):
        if width == 0:
            raise Refusal("min_bucket_reso is 0, and sd-scripts divides by it")
        height = min(largest, area // width // steps * steps)
        if height >= smallest:
            sizes |= {(width, height), (height, width)}
    return tuple(sorted(sizes))


def _nearest_shape(size: Size, sizes: Sequence[Size]) -> Placement:
    """The bucket of the nearest aspect ratio (the first in order where two are), filled by the image."""
    width, height = size
    aspect = width / height
    bucket = size if size in sizes else min(sizes, key=lambda each: abs(each[0] / each[1] - aspect))
    scale = bucket[1] / height if aspect > bucket[0] / bucket[1] else bucket[0] / width
    return Placement(bucket, (int(width * scale + 0.5), int(height * scale + 0.5)))


def _rounded(length: float, steps: int) -> int:
    whole = int(length + 0.5)
    return whole - whole % steps
