"""Mixing plans: how often each image is shown, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.build import PLANS, plan_mix
from graftset.build.plans import batches
from graftset.errors import BuildError, UserError

COUNTS = st.integers(min_value=1, max_value=3000)


def test_originals_alone_are_the_baseline() -> None:
    plan = plan_mix("originals", originals=203, generated=50)
    assert (plan.epochs, plan.steps, plan.images_seen) == (10, 510, 2030)  # ceil(203 / 4) = 51 steps an epoch
    assert plan.exposures("original") == 10
    assert plan.exposures("generated") == plan.images("generated") == 0
    assert plan.real_mass == 1.0


def test_equal_shows_every_image_once_an_epoch() -> None:
    plan = plan_mix("equal", originals=203, generated=50)
    assert plan.steps == 640  # ceil(253 / 4) = 64
    assert plan.exposures("original") == plan.exposures("generated") == 10
    assert plan.real_mass == pytest.approx(203 / 253)


def test_weighted_shows_originals_twice_as_often() -> None:
    plan = plan_mix("weighted", originals=203, generated=50)
    assert plan.exposures("original") == 2 * plan.exposures("generated") == 20
    assert plan.steps == 10 * 114
    assert plan.real_mass == pytest.approx(406 / 456)


@pytest.mark.parametrize(("generated", "repeats"), [(203, 2), (204, 3), (304, 3), (305, 4), (406, 4), (407, 5)])
def test_weighted_repeats_originals_more_where_two_thirds_would_be_missed(generated: int, repeats: int) -> None:
    (stage,) = plan_mix("weighted", originals=203, generated=generated).stages
    assert stage.repeats("original") == repeats


@given(originals=COUNTS, generated=COUNTS)
def test_weighted_keeps_its_promise_with_the_fewest_repeats(originals: int, generated: int) -> None:
    (stage,) = plan_mix("weighted", originals=originals, generated=generated).stages
    repeats = stage.repeats("original")
    assert stage.repeats("generated") == 1
    assert Fraction(repeats * originals, repeats * originals + generated) >= Fraction(2, 3)
    fewer = repeats - 1
    assert fewer < 2 or Fraction(fewer * originals, fewer * originals + generated) < Fraction(2, 3)


@given(originals=COUNTS, generated=COUNTS, epochs=st.integers(2, 40))
def test_sequential_shows_originals_first_and_keeps_half_of_the_second_stage(
    originals: int, generated: int, epochs: int
) -> None:
    first, second = plan_mix("sequential", originals=originals, generated=generated, epochs=epochs).stages
    assert first.repeats("generated") == 0
    assert first.epochs + second.epochs == epochs
    assert first.epochs == epochs // 2
    assert second.real_mass >= 0.5


def test_sequential_takes_five_epochs_each_by_default() -> None:
    plan = plan_mix("sequential", originals=203, generated=50)
    assert [(stage.name, stage.epochs, stage.steps_per_epoch) for stage in plan.stages] == [
        ("originals", 5, 51),
        ("combined", 5, 64),
    ]
    assert plan.exposures("original") == 10
    assert plan.exposures("generated") == 5


def test_every_bucket_is_filled_up_on_its_own() -> None:
    assert batches([203, 50], 4) == 51 + 13
    assert batches([253], 4) == 64


def test_a_plan_prints_before_anything_is_written() -> None:
    text = plan_mix("sequential", originals=203, generated=50).describe()
    for piece in ("203 original x 1", "50 generated x 1", "51 steps", "575 steps", "each generated image 5 times"):
        assert piece in text


@pytest.mark.parametrize("name", [name for name, kind in PLANS.items() if kind.uses_generated])
def test_mixing_without_generated_images_is_refused(name: str) -> None:
    with pytest.raises(BuildError, match="none are selected"):
        plan_mix(name, originals=203, generated=0)


def test_mostly_generated_images_need_an_override() -> None:
    with pytest.raises(BuildError, match="0\\.333 of the images shown would be originals"):
        plan_mix("equal", originals=203, generated=406)
    assert plan_mix("equal", originals=203, generated=406, least_real_mass=0.3).real_mass < 0.5


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"originals": 0, "generated": 5}, "originals"),
        ({"originals": 5, "generated": -1}, "generated"),
        ({"originals": 5, "generated": 5, "batch_size": 0}, "batch_size"),
        ({"originals": 5, "generated": 5, "epochs": 1}, "epochs"),
    ],
)
def test_numbers_out_of_range_name_their_field(options: dict[str, int], field: str) -> None:
    with pytest.raises(UserError) as caught:
        plan_mix("sequential", **options)  # type: ignore[arg-type]  # the values are ints, mypy sees every option
    assert caught.value.field == field


def test_an_unknown_plan_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match="originals, equal, weighted, sequential"):
        plan_mix("mixed", originals=5, generated=5)
