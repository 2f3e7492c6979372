"""Safetensors files: whether one is whole, what it holds, and whether that is finite.

Source: the format as huggingface/safetensors documents it: eight bytes, little-endian, that tell how long the JSON
header is; the header, name -> dtype, shape and where the data lies; then the data without gaps. The header is read here
and not by that library, because a file is looked at while it grows, and because the library is not in every install.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_LONGEST_HEADER = 100 << 20  # bytes; the format's own limit
_BLOCK = 16 << 20  # bytes looked at together
# The bits of the exponent: all of them are set in infinities and in what is no number, and in nothing else.
_EXPONENTS = {"F16": (np.uint16, 0x7C00), "BF16": (np.uint16, 0x7F80), "F32": (np.uint32, 0x7F80_0000)}
_LORA_ENDS = (".lora_down.weight", ".lora_up.weight", ".lora_A.weight", ".lora_B.weight", ".hada_w1_a", ".lokr_w1")


class NotWholeError(Exception):
    """The file is cut short, still being written, or no safetensors file; the message says which."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file."""

    dtype: str  # "F16", "BF16", "F32", ...
    shape: tuple[int, ...]
    begin: int  # bytes into the file
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a safetensors file says of itself."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]


def read_header(path: Path) -> Header:
    """The header of a whole file.

    Raises:
        NotWholeError: The file is cut short or of another format.
        OSError: It cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or not 0 < length <= _LONGEST_HEADER:
            raise NotWholeError("it is no safetensors file" if size >= 8 else f"it is cut short after {size} bytes")
        if 8 + length > size:
            # A file of another format begins with any bytes at all; one that is cut short still begins with a brace.
            cut = stream.read(1) in (b"{", b"")
            raise NotWholeError(f"it is cut short after {size} bytes" if cut else "it is no safetensors file")
        text = stream.read(length)
    try:
        table = json.loads(text)
        metadata = table.pop("__metadata__", None) or {}
        tensors = {
            name: Tensor(
                entry["dtype"],
                tuple(int(side) for side in entry["shape"]),
                8 + length + int(entry["data_offsets"][0]),
                8 + length + int(entry["data_offsets"][1]),
            )
            for name, entry in table.items()
        }
        strings = {str(key): str(value) for key, value in metadata.items()}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise NotWholeError("it is no safetensors file: its header cannot be read") from error
    needed = max((tensor.end for tensor in tensors.values()), default=8 + length)
    if needed > size:
        raise NotWholeError(f"it is cut short: {size:,} of {needed:,} bytes are there")
    return Header(tensors, strings)


def lora_fault(header: Header) -> str | None:
    """Why a file is no LoRA; None where it is one."""
    if any(name.endswith(_LORA_ENDS) for name in header.tensors):
        return None
    if not header.tensors:
        return "it holds no tensors"
    return f"it is no LoRA: it holds tensors such as {next(iter(header.tensors))}"


def first_unfinite(path: Path, header: Header) -> str | None:
    """The name of the first tensor that holds a number that is not finite; None where all are.

    Tensors of other types than 16 or 32 bit floats are passed over.
    """
    with path.open("rb") as stream:
        for name, tensor in header.tensors.items():
            if tensor.dtype not in _EXPONENTS:
                continue
            kind, exponent = _EXPONENTS[tensor.dtype]
            stream.seek(tensor.begin)
            left = tensor.end - tensor.begin
            while left > 0:
                block = stream.read(min(_BLOCK, left))
                if not block:
                    break
                left -= len(block)
                bits = np.frombuffer(block[: len(block) // np.dtype(kind).itemsize * np.dtype(kind).itemsize], kind)
                if ((bits & exponent) == exponent).any():
                    return name
    return None
