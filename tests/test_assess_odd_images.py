"""Odd originals and candidates: one clear sentence, or a stated reason while the rest goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from assess_helpers import Pool, enlarged, painted, portraits
from graftset.errors import EmptyInputError, UserError
from graftset.ingest import ingest

U8 = NDArray[np.uint8]


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    """22 originals and one ordinary candidate, on disk."""
    natives = portraits(24)
    return Pool(tmp_path).fill(natives[:22], [painted(natives[23])])


def white_noise(size: int, seed: int = 0) -> U8:
    """A picture without any grid."""
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def photo(size: int = 300) -> U8:
    """Soft blobs with sensor noise."""
    rng = np.random.default_rng(1)
    blobs = ndimage.gaussian_filter(rng.normal(size=(size, size, 3)), (9, 9, 0))
    blobs = (blobs - blobs.min()) / np.ptp(blobs) * 255 + rng.normal(0, 6, blobs.shape)
    return np.asarray(np.clip(blobs, 0, 255), dtype=np.uint8)


def native_of(cells: int) -> U8:
    """A patchwork of so many cells per side."""
    return np.random.default_rng(3).integers(0, 256, (cells, cells, 3), dtype=np.uint8)


def coarse(native: U8) -> U8:
    """The same picture drawn in blocks of two by two cells."""
    return enlarged(native[::2, ::2], 2)


# --- originals -------------------------------------------------------------------------------------------------------


def test_no_originals_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EmptyInputError, match=r"There are no originals.*Run `graftset ingest` first"):
        Pool(tmp_path).assess()


def test_originals_of_two_native_sizes_are_one_sentence_with_sizes_counts_and_examples(pool: Pool) -> None:
    pool.original("z16", native_of(16))
    pool.original("z32", native_of(32))
    pool.original("y32", native_of(32)[:, ::-1])
    pool.ingest()
    with pytest.raises(UserError) as caught:
        pool.assess()
    message = str(caught.value)
    assert "3 different native sizes: 24x24: 22 (such as o00.png), 32x32: 2 (such as y32.png), 16x16: 1" in message
    assert message.endswith("move the others to a folder and project of their own.")
    assert "\n" not in message


def test_an_original_drawn_in_coarse_blocks_has_the_size_of_the_others(pool: Pool) -> None:
    pool.original("coarse", coarse(portraits(24)[22]))
    report = pool.take()
    grid = pool.views()["coarse"].grid
    assert report.refused == ()
    assert grid is not None
    assert (grid.width, grid.height) == (24, 24)


def test_one_original_works_and_says_what_it_cannot_tell(tmp_path: Path) -> None:
    natives = portraits(2)
    pool = Pool(tmp_path).fill(natives[:1], [painted(natives[0]), painted(natives[1])])
    report = pool.take()
    views = pool.views()
    (note,) = report.notes
    assert "too few to learn what is normal" in note
    assert views["o00"].nearest_original is None
    assert views["o00"].score == 10
    assert views["c00"].copy_of == str(pool.originals / "o00.png")
    assert views["c01"].copy_of is None
    assert "structure_novelty" not in views["c01"].score_parts


def test_twenty_originals_are_enough_for_no_note(pool: Pool) -> None:
    assert pool.take().notes == ()


def test_originals_of_one_flat_color_work(tmp_path: Path) -> None:
    flat = [np.full((24, 24, 3), level, dtype=np.uint8) for level in (0, 90, 255)]
    pool = Pool(tmp_path).fill(flat, [painted(portraits(2)[1])])
    assert pool.take().refused == ()
    assert [pool.views()[f"o0{i}"].score for i in range(3)] == [10, 10, 10]


def test_an_original_without_a_grid_is_refused_and_the_rest_goes_on(pool: Pool) -> None:
    lost = pool.original("noise", white_noise(300))
    report = pool.take()
    assert report.refused == ((str(lost), "no pixel grid was found in this original"),)
    views = pool.views()
    assert views["noise"].score is None
    assert views["noise"].reasons == ("unreadable: no pixel grid was found in this original",)
    assert views["c00"].score is not None
    with pytest.raises(UserError, match=r"noise\.png could not be measured"):
        pool.assess(strict=True)


def test_originals_that_all_lack_a_grid_are_one_sentence(tmp_path: Path) -> None:
    pool = Pool(tmp_path).fill([white_noise(300, 0), photo()], [painted(portraits(1)[0])])
    pool.ingest()
    with pytest.raises(EmptyInputError, match="No pixel grid was found in any original"):
        pool.assess()


# --- candidates ------------------------------------------------------------------------------------------------------


def test_no_candidates_leave_the_originals_assessed(tmp_path: Path) -> None:
    pool = Pool(tmp_path).fill(portraits(22))
    ingest(pool.catalog, originals=pool.originals, candidates=[], prompts=None)
    assert pool.assess().assessed == 22
    assert pool.assess().assessed == 0


def test_a_candidate_that_is_the_very_file_of_an_original_is_a_copy(pool: Pool) -> None:
    pool.candidate("same", portraits(24)[7])
    pool.take()
    view = pool.views()["same"]
    assert view.copy_of == view.source_original == str(pool.originals / "o07.png")
    assert view.nearest_original is not None
    assert view.nearest_original.distance == 0
    assert view.nearest_original.regions == ()


@pytest.mark.parametrize("factor", [1, 2, 5, 16, 24])
def test_a_clean_candidate_is_reduced_to_its_native_size(pool: Pool, factor: int) -> None:
    pool.candidate("clean", enlarged(portraits(24)[22], factor))
    pool.take()
    grid = pool.views()["clean"].grid
    assert grid is not None
    assert (grid.width, grid.height, grid.cell_w, grid.cell_h) == (24, 24, factor, factor)


@pytest.mark.parametrize("factor", [1, 2, 3, 20])
def test_a_candidate_drawn_in_coarse_blocks_is_of_the_originals_size(pool: Pool, factor: int) -> None:
    pool.candidate("coarse", enlarged(coarse(portraits(24)[22]), factor))
    assert pool.take().refused == ()
    grid = pool.views()["coarse"].grid
    assert grid is not None
    assert (grid.width, grid.height, grid.cell_w) == (24, 24, factor)


@pytest.mark.parametrize("picture", [native_of(32), enlarged(native_of(32), 16), painted(native_of(32), size=512)])
def test_a_candidate_of_another_native_size_is_refused_with_both_sizes(pool: Pool, picture: U8) -> None:
    other = pool.candidate("other", picture)
    report = pool.take()
    assert report.refused == ((str(other), "its native size is 32x32, the originals' is 24x24"),)
    assert pool.views()["other"].grid is None
    assert pool.views()["c00"].score is not None


def test_a_flat_candidate_has_no_grid(pool: Pool) -> None:
    flat = pool.candidate("flat", np.full((300, 300, 3), 90, dtype=np.uint8))
    assert pool.take().refused == ((str(flat), "no pixel grid was found"),)


@pytest.mark.parametrize("picture", [white_noise(300), photo(), photo(512)])
def test_a_candidate_without_a_grid_is_measured_on_the_originals_grid_and_scores_next_to_nothing(
    pool: Pool, picture: U8
) -> None:
    """Blurred and warped renders have no grid either: both are useless, and the score says so."""
    pool.candidate("photo", picture)
    pool.take()
    views = pool.views()
    assert (views["photo"].score or 0) < 1
    assert views["photo"].copy_of is None
    assert views["photo"].source_original is None
    assert (views["c00"].score or 0) > 5


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (24, 23), (7, 7)])
def test_tiny_and_narrow_candidates_are_refused_with_a_reason(pool: Pool, shape: tuple[int, int]) -> None:
    odd = pool.candidate("odd", np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8))
    ((path, reason),) = pool.take().refused
    assert path == str(odd)
    assert "native size" in reason or "no pixel grid" in reason


def test_candidates_of_one_file_are_repeats_of_one_of_them(pool: Pool) -> None:
    for name in "abc":
        pool.candidate(name, painted(portraits(24)[22], 5))
    report = pool.take()
    views = pool.views()
    assert report.measured == 22 + 1 + 1  # one content, opened once
    assert views["a"].repeat_of is None
    assert views["b"].repeat_of == views["c"].repeat_of == views["a"].path
