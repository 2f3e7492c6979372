"""Where to compute, in which precision, and how memory is asked for."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator

import torch

from graftset.errors import UserError

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_LARGE = 1 << 30  # bytes


def choose_device(wanted: str) -> torch.device:
    """The device to compute on; "auto" is a CUDA device where there is one, else the CPU.

    Raises:
        UserError: There is no such device here.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return torch.device("cuda" if there["cuda"] else "cpu")
    if not there.get(wanted, False):
        raise UserError(
            "This device is not there" if wanted in there else "There is no such kind of device",
            field="--device",
            value=wanted,
            remedy=f"Use one of: auto, {', '.join(name for name, here in there.items() if here)}",
        )
    return torch.device(wanted)


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """The type activations are computed in; "auto" is bfloat16 where the processor multiplies it natively.

    Weights, their average and the optimizer are float32 in any case.

    Raises:
        UserError: There is no such precision.
    """
    if wanted != "auto":
        if wanted not in PRECISIONS:
            raise UserError(
                "There is no such precision",
                field="train.native.precision",
                value=wanted,
                remedy=f"Use one of: auto, {', '.join(PRECISIONS)}",
            )
        return PRECISIONS[wanted]
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu":
        # Elsewhere oneDNN emulates it, slower than float32.
        abilities = torch.cpu.get_capabilities()
        native = bool(abilities.get("avx512_bf16") or abilities.get("amx_bf16"))
    else:
        native = False
    return torch.bfloat16 if native else torch.float32


@contextlib.contextmanager
def computing(threads: int) -> Iterator[None]:
    """Compute on so many threads, and let the memory of one step serve the next one.

    glibc hands blocks over 32 MiB at most back to the system at once; a step asks for the same ones again, and the
    system fills them with zeros first. Keeping them saves a tenth of the time. Elsewhere nothing is changed.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            libc = ctypes.CDLL(None)
            libc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
            libc.mallopt(_M_TRIM_THRESHOLD, _LARGE)
    try:
        yield
    finally:
        torch.set_num_threads(before)
