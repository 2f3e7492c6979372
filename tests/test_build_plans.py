"""Mixing plans: how often each image is shown, and what is refused."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.build import PLANS, MixingPlan, PlanSpec, plan_mix
from graftset.build.kohya.balancing import adapt, balanced
from graftset.build.plans import StageSpec, Subset, Use, at_equal_exposures, batches, choose, describe, mix
from graftset.errors import BuildError, UserError
from graftset.records import ImageView, Traits, TraitSeen
from sample_builds import make_view, make_views, shuffled

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
    text = describe(plan_mix("sequential", originals=203, generated=50))
    for piece in ("203 original", "50 generated", "575 steps", "each generated image 5 times"):
        assert piece in text


@pytest.mark.parametrize("name", [name for name, kind in PLANS.items() if kind.uses_generated])
def test_mixing_without_generated_images_is_refused(name: str) -> None:
    with pytest.raises(BuildError, match="none are selected"):
        plan_mix(name, originals=203, generated=0)


def test_mostly_generated_images_need_an_override() -> None:
    with pytest.raises(BuildError, match="0\\.333 of the images shown would be originals"):
        plan_mix("equal", originals=203, generated=406)
    plan = plan_mix("equal", originals=203, generated=406, override="the pool was reviewed in full")
    assert plan.real_mass < 0.5
    assert "accepted because: the pool was reviewed in full" in describe(plan)
    assert plan_mix("equal", originals=203, generated=50, override="not needed").override == ""


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


# --- budgets ---------------------------------------------------------------------------------------------------------

ARMS = [("originals", 0), ("equal", 50), ("equal", 203), ("weighted", 203), ("sequential", 50), ("as-asked", 50)]


@pytest.mark.parametrize(("name", "generated"), ARMS)
@pytest.mark.parametrize("steps", [510, 1000, 2040])
def test_arms_of_any_size_take_equal_steps_with_ten_even_checkpoints(name: str, generated: int, steps: int) -> None:
    plan = plan_mix(name, originals=203, generated=generated, steps=steps)
    assert plan.steps == steps
    assert [point.step for point in plan.checkpoints()] == [steps // 10 * k for k in range(1, 11)]


def test_at_equal_steps_a_doubled_set_sees_each_original_half_as_often() -> None:
    baseline = plan_mix("originals", originals=203, generated=0, steps=510)
    doubled = plan_mix("equal", originals=203, generated=203, steps=510)
    assert (baseline.exposures("original"), doubled.exposures("original")) == (10, pytest.approx(5, abs=0.03))
    last = at_equal_exposures(doubled, baseline)[-1]
    assert last.baseline.number == 5
    assert last.baseline.exposures == pytest.approx(last.checkpoint.exposures, abs=0.03)


def test_a_budget_that_ten_does_not_divide_is_rounded_and_said() -> None:
    plan = plan_mix("equal", originals=203, generated=50, steps=513)
    assert plan.steps == 520
    assert "520 steps are taken, not 513" in " ".join(plan.notes)


def test_epochs_that_ten_does_not_divide_are_saved_one_by_one_and_said() -> None:
    plan = plan_mix("equal", originals=203, generated=50, epochs=12)
    assert len(list(plan.checkpoints())) == 12
    assert "12 epochs, saved one by one" in " ".join(plan.notes)
    assert len(list(plan_mix("equal", originals=203, generated=50, epochs=30).checkpoints())) == 10


@given(
    name=st.sampled_from([name for name in PLANS if name != "originals"]),
    originals=st.integers(1, 500),
    generated=st.integers(1, 500),
    batch_size=st.integers(1, 16),
    steps=st.one_of(st.none(), st.integers(10, 3000)),
)
def test_figures_add_up(name: str, originals: int, generated: int, batch_size: int, steps: int | None) -> None:
    plan = plan_mix(
        name, originals=originals, generated=generated, batch_size=batch_size, steps=steps, override="a test"
    )
    points = list(plan.checkpoints())
    assert points[-1].step == plan.steps
    assert points[-1].exposures == pytest.approx(plan.exposures("original"))
    assert [point.number for point in points] == list(range(1, len(points) + 1))
    shown = plan.exposures("original") * originals + plan.exposures("generated") * generated
    assert shown == pytest.approx(sum(stage.passes * stage.entries for stage in plan.stages))
    assert plan.real_mass == pytest.approx(plan.exposures("original") * originals / shown)
    assert all(stage.epochs - 1 < stage.passes <= stage.epochs for stage in plan.stages)
    if steps is not None:
        assert len(points) == 10
        assert {b.step - a.step for a, b in itertools.pairwise(points)} <= {points[0].step}


# --- plans of one's own ----------------------------------------------------------------------------------------------


def own(*uses: Use, **options: Any) -> PlanSpec:
    return PlanSpec("mine", (StageSpec("combined", uses, **options),))


def mixed(spec: PlanSpec, views: Sequence[ImageView], pool: Sequence[ImageView] = (), **options: Any) -> MixingPlan:
    ranks = {view.path: number for number, view in enumerate(v for v in views if v.origin == "generated")}
    chosen = choose("mine", spec, views, pool, ranks=ranks)
    return mix("mine", spec, chosen.classes(), notes=chosen.notes, **options)


def test_an_image_is_taken_by_the_first_use_that_wants_it() -> None:
    spec = own(Use("originals", repeats=4), Use("best", count=2, repeats=3), Use("admitted"))
    (stage,) = mixed(spec, make_views(5, 6)).stages
    assert [(s.folder, s.images, s.repeats) for s in stage.subsets] == [
        ("5_original", 5, 4),
        ("2_generated_x3", 2, 3),
        ("4_generated_x1", 4, 1),
    ]


def test_weights_become_exact_repeats_where_few_are_enough() -> None:
    spec = own(Use("originals", weight=Fraction("1.5")), Use("admitted", weight=Fraction(1)))
    plan = mixed(spec, make_views(5, 3))
    assert [subset.repeats for subset in plan.stages[0].subsets] == [3, 2]
    assert "weights 1.5 : 1 are exactly 3 : 2 repeats" in plan.notes[0]


def test_weights_that_need_many_repeats_are_approximated_and_the_achieved_value_is_said() -> None:
    spec = own(Use("originals", weight=Fraction("1.37")), Use("admitted", weight=Fraction(1)))
    plan = mixed(spec, make_views(5, 3))
    originals, generated = (subset.repeats for subset in plan.stages[0].subsets)
    assert max(originals, generated) <= 20
    assert originals / generated == pytest.approx(1.37, rel=0.01)
    assert f"weights {originals / generated:.4g} : 1" in plan.notes[0]
    assert "would need 137 : 100 repeats" in plan.notes[0]


@given(st.integers(1, 400), st.integers(1, 400))
def test_achieved_weights_are_as_good_as_said(first: int, second: int) -> None:
    weights = [Fraction(first, 20), Fraction(second, 20)]
    spec = own(Use("originals", weight=weights[0]), Use("admitted", weight=weights[1]))
    plan = mixed(spec, make_views(9, 2), override="a test")
    repeats = [subset.repeats for subset in plan.stages[0].subsets]
    off = (Fraction(*repeats) / (weights[0] / weights[1])) if weights[0] else Fraction(1)
    (note,) = plan.notes
    if "exactly" in note:
        assert off == 1
    else:
        said = float(re.search(r"([\d.]+)% off", note)[1]) / 100  # type: ignore[index]
        assert max(off, 1 / off) - 1 == pytest.approx(said, abs=0.0006)


def test_best_follows_the_ranking_and_random_the_seed() -> None:
    views, pool = make_views(3, 6), [make_view(f"dropped_{i}.png", "generated") for i in range(40)]
    best = choose(
        "mine", own(Use("originals"), Use("best", count=2)), views, ranks={views[5].path: 0, views[4].path: 1}
    )
    assert {one.view.path for one in best.images if one.view.origin == "generated"} == {views[5].path, views[4].path}
    draws = []
    for seed in (0, 0, 1):
        random = choose("random", PLANS["random"], shuffled(views, seed), shuffled(pool, seed + 9), ranks={}, seed=seed)
        draws.append({one.view.path for one in random.images if one.view.origin == "generated"})
        assert len(draws[-1]) == 6, "as many as are admitted"
    assert draws[0] == draws[1] != draws[2]
    assert any("dropped" in path for path in draws[0])


def test_a_trait_picks_what_was_seen_to_have_it() -> None:
    crowned = Traits(accessories={"crown": TraitSeen("present", 0.9)}, slots={"hair": TraitSeen("brown", 0.9)})
    views = [*make_views(3, 2), make_view("crowned.png", "generated", traits=crowned)]
    spec = own(Use("originals"), Use("admitted", where={"accessory:crown": "present", "hair": "brown"}))
    assert mixed(spec, views).images("generated") == 1


def test_everything_that_is_not_there_is_named_at_once() -> None:
    spec = own(
        Use("originals"), Use("best", count=50), Use("admitted", where={"hair": "green"}), Use("random", count=99)
    )
    with pytest.raises(BuildError) as caught:
        mixed(spec, make_views(3, 4))
    for part in ("uses 50 admitted candidates and there are 4", "with hair green and there are none", "99 random"):
        assert part in caught.value.message


def test_a_last_stage_without_originals_needs_a_reason_however_many_came_before() -> None:
    stages = (StageSpec("first", (Use("originals"),), share=9), StageSpec("last", (Use("admitted"),)))
    with pytest.raises(BuildError, match="in the stage last"):
        mixed(PlanSpec("mine", stages), make_views(50, 2))


def test_shares_divide_epochs_and_budget() -> None:
    stages = (
        StageSpec("a", (Use("originals"),), share=3),
        StageSpec("b", (Use("originals"), Use("admitted")), share=7),
    )
    plan = mixed(PlanSpec("mine", stages), make_views(8, 2))
    assert [stage.epochs for stage in plan.stages] == [3, 7]
    assert [stage.steps for stage in mixed(PlanSpec("mine", stages), make_views(8, 2), steps=200).stages] == [60, 140]


# --- loss weights on kohya -------------------------------------------------------------------------------------------


def as_sd_scripts_counts(groups: Sequence[tuple[int, int]], target: int) -> list[list[int]]:
    """Repeats of every regularization image: the loop of `DreamBoothDataset.__init__`, on numbers."""
    repeats = [[0] * images for images, _ in groups]
    order = [(group, number) for group, (images, _) in enumerate(groups) for number in range(images)]
    n, first_loop = 0, True
    while n < target:
        for group, number in order:
            if first_loop:
                repeats[group][number] = groups[group][1]
                n += groups[group][1]
            else:
                repeats[group][number] += 1
                n += 1
            if n >= target:
                break
        first_loop = False
    return repeats


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 5)), min_size=1, max_size=3), st.integers(1, 400))
def test_regularization_images_are_filled_up_as_sd_scripts_does(groups: list[tuple[int, int]], target: int) -> None:
    for uneven, (images, _), expected in zip(
        balanced(groups, target), groups, as_sd_scripts_counts(groups, target), strict=True
    ):
        subset = Subset("generated", images, 1, uneven=uneven)
        assert [subset.repeats_of(number) for number in range(images)] == expected
        assert subset.entries == sum(expected)


def test_a_loss_weight_on_kohya_has_its_consequence_computed_and_told() -> None:
    spec = own(Use("originals"), Use("admitted", loss_weight=0.5))
    plan = adapt(mixed(spec, make_views(203, 50)))
    assert (plan.stages[0].entries, plan.stages[0].steps_per_epoch) == (406, 102)
    (note,) = plan.notes
    for part in (
        "50 entries become 203 (3 images 5 times, 47 images 4 times)",
        "102 steps, not 64",
        "originals are 0.500 of what is shown, not 0.802",
        "0.667 of the weighted loss, not 0.890",
    ):
        assert part in note


@pytest.mark.parametrize(
    ("uses", "why"),
    [
        ((Use("originals", loss_weight=2.0), Use("admitted")), "originals are never those"),
        (
            (Use("originals"), Use("best", count=2, loss_weight=0.5), Use("admitted", loss_weight=0.2)),
            "share one weight",
        ),
    ],
)
def test_loss_weights_that_kohya_cannot_express_are_refused_with_the_reason(uses: tuple[Use, ...], why: str) -> None:
    with pytest.raises(BuildError, match=why):
        adapt(mixed(own(*uses), make_views(9, 5)))
