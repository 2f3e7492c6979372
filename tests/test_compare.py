"""Comparing an arm with the baseline: planted differences are found, and nothing is averaged over that must not be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compared_arms import arm, without
from graftset.compare import PRIMARY, Endpoint, compare, read_comparisons, write_comparisons
from graftset.compare.tables import of_measure, pair
from graftset.errors import UserError
from graftset.scorecards import BY_NAME, follow


def test_planted_differences_get_their_words() -> None:
    found = compare(
        arm("mixed", skill={"candidate": 0.1, "training": 0.9}, quality=8.0),
        arm("originals"),
        experiment="one",
        at="now",
    )
    said = {one.endpoint.name: one.verdict for one in found.primary}
    assert said["variation accuracy"] == "HURT"
    assert said["quality"] == "HURT"
    assert said["original accuracy"] not in ("HURT", "HELPED")
    assert not found.directional
    assert not any(one.directional for one in found.primary)
    first = found.difference("variation accuracy")
    assert first is not None
    assert first.point == pytest.approx(-0.4, abs=0.1)
    assert (first.seeds, first.prompts) == (5, 40)
    assert first.point == pytest.approx(first.arm - first.baseline)
    assert first.needed is None


def test_the_same_arm_twice_is_equivalent_and_its_differences_are_nothing() -> None:
    one = arm("originals")
    found = compare(one, one, primary=[replace(endpoint, align="steps") for endpoint in PRIMARY])
    assert [(d.verdict, d.point, d.p) for d in found.primary] == [("EQUIVALENT", 0.0, 1.0)] * 3
    assert found.changed == ()
    assert (found.convergence.point, found.variety.point, found.variety.worse) == (0.0, 0.0, False)


def test_levels_are_holms_over_the_primary_endpoints_only() -> None:
    found = compare(arm("mixed", skill={"candidate": 0.1}), arm("originals"))
    levels = sorted(one.level for one in found.primary)
    assert levels[-1] == pytest.approx(1 - 0.05 / 3)
    assert all(level >= 0.95 - 1e-9 for level in levels)
    assert {one.level for one in found.secondary} == {0.95}


def test_original_accuracy_is_held_against_the_checkpoint_of_as_many_exposures() -> None:
    """The mixed arm shows each original 36 times; the baseline has at its third checkpoint of five."""
    found = compare(arm("mixed", exposures=36.0), arm("originals"))
    assert "originals-s0/0000003" in found.inputs
    assert "held against the baseline at step 300 (36.0)" in " ".join(found.notes)
    uneven = compare(arm("mixed", exposures=40.0), arm("originals"))
    assert "(40.0 showings of each original) is held against the baseline at step 300 (36.0)" in " ".join(uneven.notes)
    names = [one.endpoint.name for one in found.secondary]
    assert "original accuracy at equal steps" in names


def test_without_exposures_everything_is_at_equal_steps_and_that_is_said() -> None:
    found = compare(arm("mixed", exposures=None), arm("originals", exposures=None))
    assert {one.endpoint.align for one in found.primary} == {"steps"}
    assert "How often each original was shown is not known" in " ".join(found.notes)


def test_without_candidates_wordings_all_obedience_counts_and_that_is_said() -> None:
    counts = {"training": 30, "generic": 30}
    found = compare(arm("mixed", counts=counts), arm("originals", counts=counts))
    difference = found.difference("variation accuracy")
    assert difference is not None
    assert difference.endpoint.group == "obedience"
    assert "no prompt has a candidate's wording" in " ".join(found.notes)


def test_an_endpoint_that_nothing_measures_is_named_not_guessed() -> None:
    counts = {"candidate": 30}
    found = compare(arm("mixed", counts=counts), arm("originals", counts=counts))
    assert found.difference("original accuracy") is None
    assert "original accuracy cannot be told" in " ".join(found.notes)


def test_four_seeds_are_directional_only() -> None:
    found = compare(arm("mixed", seeds=4, skill={"candidate": 0.1}), arm("originals", seeds=4))
    assert found.directional
    assert all(one.directional for one in found.primary)
    assert "directional only" in " ".join(found.notes)


def test_an_open_question_says_what_would_settle_it() -> None:
    found = compare(arm("mixed", seed_sd=0.12, skill={"candidate": 0.4}), arm("originals", seed_sd=0.12))
    difference = found.difference("variation accuracy")
    assert difference is not None
    assert difference.verdict == "INCONCLUSIVE"
    assert difference.needed is not None
    assert difference.needed.seeds is None or difference.needed.seeds > 5
    assert difference.detectable > abs(difference.point)


def test_no_interval_goes_beyond_what_can_be() -> None:
    two: dict[str, Any] = {"seeds": 2, "seed_sd": 0.3}
    found = compare(arm("mixed", **two), arm("originals", **two))
    wide = [one for one in found.primary if one.high - one.low > 0.5]
    assert wide
    for one in wide:
        reach = BY_NAME[one.endpoint.measure].reach
        assert -reach <= one.low <= one.point <= one.high <= reach


class TestWhatMustNotBeAveraged:
    def test_missing_seeds_are_left_out_of_both_arms_and_named(self) -> None:
        found = compare(without(arm("mixed", seeds=6), 2), arm("originals", seeds=6), planned=range(7))
        assert found.arm.seeds == found.baseline.seeds == (0, 1, 3, 4, 5)
        notes = " ".join(found.notes)
        assert "Seed 2 is left out of both arms: mixed has no run" in notes
        assert "Seed 6 is left out of both arms: originals has no run and mixed has no run" in notes

    def test_an_unfinished_baseline_is_refused(self) -> None:
        with pytest.raises(UserError, match="originals-s0 is not finished"):
            compare(arm("mixed"), arm("originals", reached=4))

    def test_one_unfinished_run_is_left_out_and_marked(self) -> None:
        mixed, short = arm("mixed", seeds=6), arm("mixed", seeds=6, reached=3)
        mixed = replace(mixed, courses={**mixed.courses, 1: short.courses[1]})
        found = compare(mixed, arm("originals", seeds=6))
        assert found.arm.seeds == (0, 2, 3, 4, 5)
        assert found.unfinished == ("mixed-s1",)

    def test_a_run_that_was_not_evaluated_is_left_out_and_named(self) -> None:
        mixed = arm("mixed", seeds=6)
        mixed = replace(mixed, courses={seed: course for seed, course in mixed.courses.items() if seed != 3})
        assert "mixed-s3 is not evaluated" in " ".join(compare(mixed, arm("originals", seeds=6)).notes)

    def test_one_seed_in_common_is_refused(self) -> None:
        with pytest.raises(UserError, match="one finished training seed in common"):
            compare(without(arm("mixed"), 1, 2, 3, 4), arm("originals"))

    def test_unequal_steps_are_refused(self) -> None:
        with pytest.raises(UserError, match="mixed for 400 steps, originals for 500"):
            compare(arm("mixed", steps=400), arm("originals"))

    @pytest.mark.parametrize(
        ("field", "sentence"),
        [
            ("prompts_sha256", "different prompts"),
            ("evaluator", "different evaluators"),
            ("originals_sha256", "different originals"),
        ],
    )
    def test_other_prompts_evaluators_or_originals_are_refused(self, field: str, sentence: str) -> None:
        mixed = arm("mixed")
        cards = [replace(card, **{field: "other"}) for card in mixed.courses[3].cards]
        mixed = replace(mixed, courses={**mixed.courses, 3: follow(cards)})
        with pytest.raises(UserError, match=sentence):
            compare(mixed, arm("originals"))

    def test_other_training_settings_are_marked(self) -> None:
        found = compare(replace(arm("mixed"), settings={"learning_rate": 0.001}), arm("originals"))
        assert "learning_rate (0.002 and 0.001)" in " ".join(found.notes)

    def test_four_primary_endpoints_are_refused(self) -> None:
        with pytest.raises(UserError, match="At most 3"):
            compare(arm("a"), arm("b"), primary=[*PRIMARY, Endpoint("more", "overall", "all", 0.05)])


def test_pairs_hold_the_same_prompt_seed_and_noise() -> None:
    """A noise that one arm lacks does not count in the other."""
    first = arm("a", seeds=1, noises=(0, 1)).courses[0].cards[-1]
    second = arm("b", seeds=1, noises=(0,)).courses[0].cards[-1]
    table = pair([(first, second)], "candidate", of_measure("background_obeyed"))
    own = [picture for picture in first.pictures if picture.group == "candidate" and picture.seed == 0]
    theirs = {picture.prompt_id: picture.values["background_obeyed"] for picture in own}
    assert table.baseline[0].tolist() == [theirs[prompt] for prompt in table.prompts]
    assert len(table.prompts) == 40


def test_figures_that_runs_have_one_of() -> None:
    found = compare(arm("mixed", variety=0.7), arm("originals", variety=0.9))
    assert found.variety.point == pytest.approx(-0.2)
    assert found.variety.worse
    assert found.baseline.converged_at == (9600.0,) * 5
    assert found.convergence.point == 0
    # Three settled checkpoints are too few to swing.
    assert (found.stability.point, found.stability.worse) == (None, None)
    assert "told in 0 of 5 seeds in the arm" in found.stability.note
    assert found.arm.figures["quality_preservation/all"] == pytest.approx(9.0, abs=0.05)
    assert found.arm.exposures == pytest.approx(60)


def test_traits_and_the_prompts_that_changed_most() -> None:
    found = compare(arm("mixed", skill={"candidate": 0.1, "generic": 0.1}), arm("originals"))
    traits = {one.trait: one for one in found.traits}
    assert set(traits) == {"hair:brown", *(f"background:{word}" for word in ("red", "green", "blue", "gray"))}
    assert traits["hair:brown"].point == 0
    assert traits["background:red"].point < -0.2
    changes = [abs(one.arm - one.baseline) for one in found.changed]
    assert changes == sorted(changes, reverse=True)
    assert len(changes) == 12
    for one in found.changed:
        ((theirs, ours),) = one.pictures
        assert theirs.startswith("originals-s")
        assert ours == theirs.replace("originals-s", "mixed-s")


def test_comparisons_come_back_from_their_file_as_they_were(tmp_path: Path) -> None:
    found = compare(arm("mixed", seeds=3), arm("originals", seeds=3), experiment="one", at="2026-01-01T00:00:00+00:00")
    write_comparisons(tmp_path / "comparisons.json", [found])
    assert read_comparisons(tmp_path / "comparisons.json") == (found,)
    (tmp_path / "comparisons.json").write_text('{"comparisons": [{"format_version": 9}]}')
    with pytest.raises(UserError, match="later graftset"):
        read_comparisons(tmp_path / "comparisons.json")
    (tmp_path / "comparisons.json").write_text("[")
    with pytest.raises(UserError, match="cannot be read"):
        read_comparisons(tmp_path / "comparisons.json")


def test_the_same_cards_give_the_same_comparison() -> None:
    one, other = (compare(arm("mixed"), arm("originals")) for _ in range(2))
    assert one == other
    assert np.isfinite([d.low for d in one.primary]).all()
