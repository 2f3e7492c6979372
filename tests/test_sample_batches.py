"""How many pictures are painted at once, and what happens when memory does not hold them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graftset.errors import UserError
from graftset.sampling.devices import MOST, batch_size, in_batches

SD15 = {"width": 512, "height": 512, "channels": 320, "bytes_each": 2, "guided": True}


@given(st.lists(st.integers(), max_size=40), st.integers(1, 12), st.integers(1, 12))
def test_every_item_is_run_once_in_order_in_batches_that_fit(items: list[int], most: int, holds: int) -> None:
    sizes: list[int] = []

    def run(some: list[int]) -> list[int]:
        if len(some) > holds:
            raise torch.OutOfMemoryError("CUDA out of memory")
        sizes.append(len(some))
        return [-item for item in some]

    assert list(in_batches(items, most, run)) == [(item, -item) for item in items]
    assert all(size <= min(most, holds) for size in sizes)
    if holds >= most and items:
        assert max(sizes) - min(sizes) <= 1 + max(sizes) // 2
        assert len(sizes) == -(-len(items) // most)


def test_memory_that_holds_no_picture_is_one_sentence_and_other_failures_come_through() -> None:
    def full(some: list[int]) -> list[int]:
        raise RuntimeError("MPS backend out of memory")

    with pytest.raises(UserError, match="does not hold the painting of a single picture"):
        list(in_batches([1, 2, 3], 3, full))

    def broken(some: list[int]) -> list[int]:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        list(in_batches([1], 1, broken))


@given(st.integers(0, 200), st.integers(1, 4), st.sampled_from([512, 576, 768, 1024]))
def test_more_memory_never_means_fewer_pictures(gigabytes: int, bytes_each: int, side: int) -> None:
    shape = SD15 | {"width": side, "height": side, "bytes_each": bytes_each}
    one, two = (batch_size(free=free << 30, **shape) for free in (gigabytes, gigabytes + 1))  # type: ignore[arg-type]
    assert 1 <= one <= two <= MOST


def test_small_cards_paint_few_and_large_ones_many() -> None:
    assert batch_size(free=None, **SD15) == 1  # type: ignore[arg-type]
    assert batch_size(free=1 << 30, **SD15) == 1  # type: ignore[arg-type]
    assert 4 <= batch_size(free=5 << 30, **SD15) <= 20  # type: ignore[arg-type]
    assert batch_size(free=70 << 30, **SD15) == MOST  # type: ignore[arg-type]
