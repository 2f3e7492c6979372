"""The training size: cells stay whole where that is possible, and the user hears of it where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.build import choose_size
from graftset.errors import BuildError
from graftset.pixels.grid import from_native

CELLS = st.integers(min_value=1, max_value=700)


@pytest.mark.parametrize(
    ("native", "size"),
    [
        ((24, 24), (576, 576)),
        ((32, 32), (512, 512)),
        ((64, 64), (512, 512)),
        ((16, 16), (512, 512)),
        ((48, 48), (768, 768)),
        ((24, 32), (576, 768)),
        ((50, 50), (600, 600)),
        ((100, 100), (600, 600)),
        ((128, 128), (512, 512)),
    ],
)
def test_native_cells_stay_whole(native: tuple[int, int], size: tuple[int, int]) -> None:
    chosen = choose_size(*native)
    assert (chosen.width, chosen.height) == size
    assert chosen.whole_cells
    assert chosen.warning is None


def test_the_reason_names_cells_and_grids() -> None:
    reason = choose_size(24, 24).reason
    assert "every cell of the native 24 x 24 becomes exactly 24 x 24 px" in reason
    assert "8 px grid" in reason


def test_512_on_request_warns_of_uneven_cells() -> None:
    chosen = choose_size(24, 24, requested=512)
    assert (chosen.width, chosen.height) == (512, 512)
    assert chosen.warning is not None
    assert "512 / 24 = 21.33, so cells become 21 or 22 px" in chosen.warning
    assert chosen.reason.startswith("As requested.")


@pytest.mark.parametrize("width", [384, 576, 768])
def test_whole_sizes_on_request_do_not_warn(width: int) -> None:
    assert choose_size(24, 24, requested=width).warning is None


def test_a_requested_width_keeps_the_shape() -> None:
    chosen = choose_size(24, 32, requested=384)
    assert (chosen.width, chosen.height) == (384, 512)


@pytest.mark.parametrize("width", [0, -8, 16, 500, 4096])
def test_a_width_that_cannot_be_trained_is_refused(width: int) -> None:
    with pytest.raises(BuildError) as caught:
        choose_size(24, 24, requested=width)
    assert caught.value.field == "size"
    assert "576" in caught.value.remedy


def test_a_native_size_without_a_whole_size_says_so() -> None:
    chosen = choose_size(125, 125)
    assert (chosen.width % 8, chosen.height % 8) == (0, 0)
    assert "5 or 6 px" in chosen.reason
    assert chosen.warning is not None


def test_pictures_larger_than_the_model_trains_at_are_pointed_out() -> None:
    warning = choose_size(2000, 1500).warning
    assert warning is not None
    assert "give a size" in warning


@given(width=CELLS, height=CELLS)
def test_any_size_suits_the_vae_and_holds_every_cell(width: int, height: int) -> None:
    chosen = choose_size(width, height)
    assert chosen.width % 8 == chosen.height % 8 == 0
    assert chosen.width >= width
    assert chosen.height >= height
    assert chosen.reason.endswith(".")


@given(cells=st.integers(1, 64), seed=st.integers(0, 99), small=st.booleans())
def test_every_native_pixel_comes_back_from_the_enlargement(cells: int, seed: int, small: bool) -> None:
    native = np.random.default_rng(seed).integers(0, 256, (cells, cells, 3), dtype=np.uint8)
    chosen = choose_size(cells, cells, requested=512 if small else None)
    enlarged = from_native(native, chosen.width, chosen.height)
    centers = ((np.arange(cells) + 0.5) * chosen.width / cells).astype(int)
    assert np.array_equal(enlarged[centers][:, centers], native)
