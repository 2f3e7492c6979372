"""Where to compute, in which precision, and how many pictures at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from graftset.errors import UserError

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
MOST = 32  # more at once paints no faster
MOST_ON_CPU = 4  # likewise, where every core is busy with one picture already
_SHARE = 0.8  # of the free memory that is used: the rest is for what the estimate leaves out
# Activations that live at once, counted in maps of the U-Net's first width at full size: the gated feed-forward alone
# holds twelve of them, skip connections and a decoder's concatenation another ten.
_MAPS = 40
_DECODER_MAPS = 10  # of 128 channels at full size in px, when the autoencoder decodes one picture
T = TypeVar("T")
U = TypeVar("U")


def choose_device(wanted: str) -> torch.device:
    """The device to compute on; "auto" is CUDA where it is, else MPS, else the CPU.

    Raises:
        UserError: There is no such device here.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name, here in there.items() if here))
    if not there.get(wanted, False):
        raise UserError(
            "This device is not there" if wanted in there else "There is no such kind of device",
            field="--device",
            value=wanted,
            remedy=f"Use one of: auto, {', '.join(name for name, here in there.items() if here)}",
        )
    return torch.device(wanted)


def choose_dtype(wanted: str, device: torch.device) -> torch.dtype:
    """What to compute in; "auto" is float16 on CUDA and float32 elsewhere."""
    if wanted == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    return DTYPES[wanted]


def free_memory(device: torch.device) -> int | None:
    """Bytes that could be had now; None where nobody says."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError, AttributeError):
        return None


def batch_size(
    *, free: int | None, width: int, height: int, channels: int, bytes_each: int, guided: bool, most: int = MOST
) -> int:
    """How many pictures fit into memory at once, by an estimate that errs on the safe side.

    Args:
        free: Bytes; None where they are not known.
        width: px.
        height: px.
        channels: Of the U-Net's first level, 320 for SD 1.5 and SDXL.
        bytes_each: Of one number.
        guided: Whether every picture is computed twice, with its prompt and without.
        most: Never more than these.
    """
    if free is None:
        return 1
    picture = (2 if guided else 1) * _MAPS * channels * (width // 8) * (height // 8) * bytes_each
    decoder = _DECODER_MAPS * 128 * width * height * bytes_each  # one picture at a time is decoded
    return max(1, min(most, int((_SHARE * free - decoder) / picture)))


def in_batches(items: Sequence[T], most: int, run: Callable[[list[T]], Sequence[U]]) -> Iterator[tuple[T, U]]:
    """Run over items in batches of nearly one size; where memory runs out, in smaller ones from there on.

    Raises:
        UserError: Memory does not hold a single item.
    """
    position = 0
    while position < len(items):
        left = len(items) - position
        size = -(-left // -(-left // most))  # as few batches as needed, as even as can be
        some = list(items[position : position + size])
        try:
            results = run(some)
        except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            if size == 1:
                raise UserError(
                    "Memory does not hold the painting of a single picture",
                    field="size",
                    remedy="Close other programs, set a smaller size in [sampling], or use --device cpu",
                ) from error
            most = size // 2
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            continue
        yield from zip(some, results, strict=True)
        position += size


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    known = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(part in text for part in known)
