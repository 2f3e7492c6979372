"""Bucket sizes, steps, balancing and splits against a second way of working them out, on drawn numbers."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from graftset.build.kohya.preflight.arguments import flat, settle
from graftset.build.kohya.preflight.buckets import Refusal, bucket_sizes, bucketing
from graftset.build.kohya.preflight.captions import token_limit
from graftset.build.kohya.preflight.counting import batches, regularization_repeats, schedule, split, split_sizes
from graftset.build.kohya.preflight.resizing import METHODS, interpolation, resize, seen

sides = st.integers(1, 40).map(lambda number: number * 64)
lengths = st.integers(1, 3000)


@given(width=sides, height=sides, smallest=st.integers(1, 10), steps=st.sampled_from([32, 64, 128]))
def test_buckets_are_the_largest_heights_that_fit(width: int, height: int, smallest: int, steps: int) -> None:
    low, high, area = smallest * steps, 4096, width * height
    sizes = set(bucket_sizes((width, height), low, high, steps))
    brute = {(side, side) for side in range(0, high, steps) if side * side <= area < (side + steps) ** 2}
    for wide in range(low, high + 1, steps):
        tall = max((side for side in range(0, high + 1, steps) if wide * side <= area), default=0)
        if tall >= low:
            brute |= {(wide, tall), (tall, wide)}
    assert sizes == brute
    assert all(wide * tall <= area for wide, tall in sizes)


@given(width=lengths, height=lengths, resolution=st.tuples(sides, sides))
def test_an_image_fills_the_bucket_of_the_nearest_shape(width: int, height: int, resolution: tuple[int, int]) -> None:
    low = min(min(resolution), 256)
    settled = bucketing(enabled=True, resolution=resolution, smallest=low, largest=4096)
    assume(settled.sizes)
    placement = settled.place((width, height))
    aspect = width / height
    if (width, height) not in settled.sizes:
        errors = {size: abs(size[0] / size[1] - aspect) for size in settled.sizes}
        assert errors[placement.bucket] == min(errors.values())
    # Within half a pixel the resized picture keeps its shape, covers the bucket, and touches it on one side.
    factor = max(Fraction(placement.bucket[0], width), Fraction(placement.bucket[1], height))
    for resized, side, needed in zip(placement.resized, (width, height), placement.bucket, strict=True):
        assert abs(resized - side * factor) <= Fraction(501, 1000)
        assert resized >= needed
    assert 0 in placement.cropped


@given(width=lengths, height=lengths, side=st.integers(1, 20).map(lambda number: number * 64))
def test_without_enlarging_nothing_grows_and_little_is_cropped(width: int, height: int, side: int) -> None:
    settled = bucketing(enabled=True, resolution=(side, side), smallest=64, largest=max(side, 1024), no_upscale=True)
    try:
        placement = settled.place((width, height))
    except Refusal:
        assert min(width, height) < 64 or width * height > side * side
        return
    assert placement.resized[0] <= width + 1
    assert placement.resized[1] <= height + 1
    assert all(0 <= lost < 64 for lost in placement.cropped)
    assert all(kept % 64 == 0 for kept in placement.bucket)
    if width * height <= side * side:
        assert placement.resized == (width, height)


@pytest.mark.parametrize(
    "settings",
    [
        {"resolution": (64, 64)},
        {"resolution": (2048, 2048)},
        {"resolution": (512, 512), "steps": 32},
        {"resolution": (512, 512), "steps": 0},
    ],
)
def test_settings_that_sd_scripts_refuses_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(Refusal):
        bucketing(enabled=True, **settings)  # type: ignore[arg-type]


@given(entries=st.lists(st.integers(0, 300), max_size=8), size=st.integers(1, 16))
def test_every_bucket_is_dealt_out_in_batches_of_its_own(entries: list[int], size: int) -> None:
    dealt = [
        list(itertools.islice(deck, size)) for count in entries for deck in [iter(range(count))] for _ in range(count)
    ]
    assert batches(entries, size) == sum(bool(hand) for hand in dealt)


@given(
    per_epoch=st.integers(1, 500),
    epochs=st.one_of(st.none(), st.integers(1, 50)),
    steps=st.integers(1, 3000),
    accumulation=st.integers(1, 8),
)
def test_steps_are_counted_as_a_loop_would(per_epoch: int, epochs: int | None, steps: int, accumulation: int) -> None:
    settled = schedule(per_epoch, max_train_epochs=epochs, max_train_steps=steps, accumulation=accumulation)
    done = begun = 0
    while (begun < epochs) if epochs is not None else (done < steps):
        begun += 1
        for batch in range(1, per_epoch + 1):
            if batch % accumulation == 0 or batch == per_epoch:
                done += 1
            if epochs is None and done == steps:
                break
    assert (settled.steps, settled.epochs) == (done, begun)


def test_hours_are_steps_times_seconds() -> None:
    assert schedule(114, max_train_epochs=10, max_train_steps=1600).hours(3.0) == pytest.approx(0.95)


@given(repeats=st.lists(st.integers(1, 5), max_size=12), entries=st.integers(0, 60))
def test_regularization_images_are_dealt_in_rounds(repeats: list[int], entries: int) -> None:
    shown = regularization_repeats(repeats, entries)
    deals = [(index, own) for index, own in enumerate(repeats)]
    deals += [(index, 1) for _ in range(entries) for index in range(len(repeats))]
    expected, total = [0] * len(repeats), 0
    for index, count in deals:
        if total >= entries:
            break
        expected[index] += count
        total += count
    assert shown == expected
    if repeats:
        assert entries <= sum(shown) < entries + max(repeats)


@given(count=st.integers(1, 60), share=st.floats(0.01, 1.0), seed=st.integers(0, 2**31))
def test_a_split_with_a_seed_leaves_no_image_out(count: int, share: float, seed: int) -> None:
    train, validation = (split(count, share, seed, training=training) for training in (True, False))
    assert (len(train), len(validation)) == split_sizes(count, share)
    assert set(train) | set(validation) == set(range(count))
    assert len(set(train) & set(validation)) in (0, 1)
    order = list(range(count))
    random.seed(seed)
    random.shuffle(order)
    assert train == order[: len(train)]


@given(given_length=st.integers(76, 1000))
def test_the_encoder_reads_whole_passes(given_length: int) -> None:
    limit = token_limit(given_length)
    assert limit % 75 == 0
    assert token_limit(limit) == limit
    assert limit - 75 < given_length + 2 <= limit + 76


@pytest.mark.parametrize(
    ("length", "read"), [(None, 75), (75, 75), (40, 40), (100, 75), (150, 150), (225, 225), (300, 300)]
)
def test_the_usual_token_limits(length: int | None, read: int) -> None:
    assert token_limit(length) == read


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    target=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    method=st.sampled_from(sorted(METHODS)),
    color=st.tuples(*[st.integers(0, 255)] * 3),
)
def test_a_plain_picture_stays_plain_however_it_is_resized(
    size: tuple[int, int], target: tuple[int, int], method: str, color: tuple[int, int, int]
) -> None:
    plain = np.full((size[1], size[0], 3), color, dtype=np.uint8)
    resized = resize(plain, target, method)
    assert resized.shape == (target[1], target[0], 3)
    assert np.abs(resized.astype(int) - color).max() <= 1


@given(width=st.integers(1, 64), height=st.integers(1, 64), factor=st.integers(1, 6), seed=st.integers(0, 99))
def test_nearest_by_a_whole_factor_repeats_every_pixel(width: int, height: int, factor: int, seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    grown = resize(rgb, (width * factor, height * factor), "nearest")
    assert np.array_equal(grown, rgb.repeat(factor, axis=0).repeat(factor, axis=1))


@given(seed=st.integers(0, 200), target=st.tuples(st.integers(1, 50), st.integers(1, 50)))
def test_nearest_takes_what_pillow_takes_where_no_middle_is_a_border(seed: int, target: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (rng.integers(1, 50), rng.integers(1, 50), 3), dtype=np.uint8)
    middles = [
        [Fraction(2 * index + 1, 2) * side / length for index in range(length)]
        for side, length in zip((rgb.shape[1], rgb.shape[0]), target, strict=True)
    ]
    assume(all(middle.denominator != 1 for line in middles for middle in line))
    theirs = np.asarray(Image.fromarray(rgb).resize(target, Image.Resampling.NEAREST))
    assert np.array_equal(resize(rgb, target, "nearest"), theirs)


def test_what_is_cropped_is_cropped_at_the_middle() -> None:
    settled = bucketing(enabled=False, resolution=(4, 4))
    rgb = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3)
    placement = settled.place((8, 4))
    assert (placement.resized, placement.cropped) == ((8, 4), (4, 0))
    assert np.array_equal(seen(rgb, placement, None), rgb[:, 2:6])


@pytest.mark.parametrize(
    ("given_method", "before", "after", "method"),
    [
        (None, (24, 24), (24, 24), None),
        ("nearest", (24, 24), (24, 24), None),
        (None, (24, 24), (576, 576), "lanczos"),
        (None, (576, 576), (24, 24), "area"),
        (None, (576, 24), (24, 24), "area"),
        (None, (576, 24), (512, 32), "lanczos"),
        ("nearest", (24, 24), (576, 576), "nearest"),
    ],
)
def test_the_way_of_resizing_is_chosen_as_there(
    given_method: str | None, before: tuple[int, int], after: tuple[int, int], method: str | None
) -> None:
    assert interpolation(given_method, before, after) == method


def test_sections_do_not_matter_and_the_command_line_wins() -> None:
    config = flat({"top": 1, "a": {"train_batch_size": 2}, "b": {"train_batch_size": 3, "nothing": 4}})
    settled = settle(config, {"max_train_epochs": 5})
    assert (settled.whole("train_batch_size"), settled.whole("max_train_epochs")) == (3, 5)
    assert settled.unknown.keys() == {"top", "nothing"}
    assert math.isclose(float(str(settled.values["prior_loss_weight"])), 1.0)
