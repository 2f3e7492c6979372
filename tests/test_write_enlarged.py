"""Native pictures are written enlarged: exactly these pixels, the same bytes every time."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from graftset.imageio import decode_png, encode_enlarged
from graftset.pixels.grid import from_native


@given(
    cells=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    more=st.tuples(st.integers(0, 90), st.integers(0, 90)),
    colors=st.integers(1, 256),
    seed=st.integers(0, 2**32 - 1),
)
def test_an_enlarged_picture_has_the_pixels_of_nearest_neighbor(
    cells: tuple[int, int], more: tuple[int, int], colors: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    native = rng.integers(0, 256, (colors, 3), dtype=np.uint8)[rng.integers(0, colors, cells)]
    width, height = cells[1] + more[1], cells[0] + more[0]
    data = encode_enlarged(native, width, height)
    expected = from_native(native, width, height)
    with Image.open(io.BytesIO(data)) as picture:  # checks the checksums of all chunks
        assert (picture.mode, picture.size) == ("RGB", (width, height))
        assert np.array_equal(np.asarray(picture), expected)
    assert np.array_equal(decode_png(data), expected), "our own strict reader takes it too"
    assert encode_enlarged(native.copy(), width, height) == data


def test_nothing_but_pixels_is_in_the_file() -> None:
    data = encode_enlarged(np.zeros((4, 4, 3), dtype=np.uint8), 64, 64)
    kinds, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kinds.append(data[at + 4 : at + 8])
        at += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


@pytest.mark.parametrize("side", [576, 512])
def test_repeated_rows_cost_nearly_nothing(side: int) -> None:
    rng = np.random.default_rng(1)
    palette = rng.integers(0, 256, (14, 3), dtype=np.uint8)
    native = palette[np.repeat(np.repeat(rng.integers(0, 14, (8, 8)), 3, axis=0), 3, axis=1)]  # patches of 3 x 3 cells
    assert len(encode_enlarged(native, side, side)) < side * side * 3 / 200
