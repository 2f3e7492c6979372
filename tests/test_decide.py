"""Deciding: what adopts, what rejects, what leaves a thing open, and what a person may say against it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graftset.compare.records import Comparison
from graftset.decide import (
    ALL,
    FIRST,
    NOT_YET,
    SCENARIOS,
    SUBSET,
    Decision,
    Thresholds,
    as_json,
    decide,
    history,
    keep,
    latest,
    leading,
    overridden,
)
from graftset.decide.success import METRICS
from graftset.errors import UserError
from graftset.files import write_new
from sample_comparisons import comparison


def decided(*comparisons: Comparison, **options: Any) -> Decision:
    """A decision under the default thresholds."""
    return decide(comparisons, thresholds=options.pop("thresholds", Thresholds()), **options)


def test_a_success_that_was_reviewed_is_adopted() -> None:
    found = decided(comparison())
    assert (found.scenario, found.verdict) == (ALL, "adopt")
    assert [metric.state for metric in found.arms[0].metrics] == ["held"] * 5
    assert [metric.name for metric in found.arms[0].metrics] == list(METRICS)
    assert [row.scenario for row in found.rows] == list(SCENARIOS)
    assert found.row(NOT_YET).verdict == "reject"
    assert found.row(SUBSET).verdict == found.row(FIRST).verdict == "undecided"
    assert "experiment" in found.row(SUBSET).missing[0]


@pytest.mark.parametrize(
    ("change", "metric"),
    [
        ({"quality": -2.0}, "quality"),
        ({"later": 5000.0}, "convergence"),
        ({"variety": -0.2}, "variety"),
        ({"swing": 0.9}, "stability"),
        ({"originals": -0.15}, "original accuracy"),
        ({"accuracy": 0.85, "originals": -0.11}, "original accuracy"),
    ],
)
def test_any_metric_that_fails_for_certain_rejects(change: dict[str, float], metric: str) -> None:
    found = decided(comparison(**change))  # type: ignore[arg-type]
    assert found.arms[0].metric(metric).state == "failed"
    assert found.row(ALL).verdict == "reject"
    assert (found.scenario, found.verdict) == (NOT_YET, "adopt")
    assert any(metric in one for one in found.row(ALL).missing)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"reviewed": None}, "review: nobody"),
        ({"reviewed": 0.89}, "review: the review shows 89.0%"),
        ({"later": None}, "convergence: cannot be told"),
        ({"half": 3.0}, "original accuracy"),
        ({"seeds": 3}, "seeds: 3 of the 5"),
    ],
)
def test_what_is_not_certain_is_not_adopted_and_says_what_is_missing(change: dict[str, Any], missing: str) -> None:
    found = decided(comparison(**change))
    assert found.row(ALL).verdict in ("try next", "undecided")
    assert any(one.startswith(missing) for one in found.row(ALL).missing)
    assert found.scenario == NOT_YET


def test_the_review_up_to_now_counts_more_than_what_the_build_says() -> None:
    assert decided(comparison(reviewed=None), reviewed={"weighted": 0.95}).verdict == "adopt"
    assert decided(comparison(reviewed=0.95), reviewed={"weighted": 0.85}).scenario == NOT_YET


@settings(deadline=None, max_examples=50)
@given(
    originals=st.floats(-0.4, 0.4), variation=st.floats(-0.5, 0.5), quality=st.floats(-3, 1), half=st.floats(0.1, 4),
    variety=st.floats(-0.4, 0.4), swing=st.floats(-1, 2), seeds=st.integers(2, 4), bound=st.floats(0, 1),
)  # fmt: skip
def test_few_seeds_neither_adopt_nor_reject(seeds: int, bound: float, **figures: float) -> None:
    found = decided(comparison(seeds=seeds, **figures), reviewed={"weighted": bound})  # type: ignore[arg-type]
    assert found.directional
    assert found.row(ALL).verdict in ("try next", "undecided")
    assert (found.scenario, found.verdict) == (NOT_YET, "adopt")


@settings(deadline=None, max_examples=50)
@given(
    originals=st.floats(-0.4, 0.4), variation=st.floats(-0.5, 0.5), quality=st.floats(-3, 1), half=st.floats(0.1, 4),
    variety=st.floats(-0.4, 0.4), swing=st.floats(-1, 2), seeds=st.integers(5, 8), bound=st.floats(0, 1),
)  # fmt: skip
def test_adopted_is_only_what_holds_in_every_respect(seeds: int, bound: float, **figures: float) -> None:
    found = decided(comparison(seeds=seeds, **figures), reviewed={"weighted": bound})  # type: ignore[arg-type]
    adopted = found.row(ALL).verdict == "adopt"
    held = all(metric.state == "held" for metric in found.arms[0].metrics)
    assert adopted == (held and bound >= 0.9 and not found.arms[0].harms)
    assert (found.scenario == NOT_YET) == (not adopted)


@pytest.mark.parametrize("state", ["absent", "unfinished"])
def test_without_a_finished_baseline_nothing_else_is_decided(state: Any) -> None:
    found = decided(comparison(), baseline=state)
    assert (found.scenario, found.verdict) == (NOT_YET, "adopt")
    assert {row.verdict for row in found.rows[:3]} == {"undecided"}
    assert ("nobody trained" if state == "absent" else "not finished") in found.sentence
    assert state in found.row(ALL).missing[0]
    assert decided().baseline_state == "absent"
    with pytest.raises(UserError, match="Train the originals alone"):
        overridden(found, "adopt", reason="I know", by="Ada", scenario=ALL)


def test_what_the_originals_alone_do_not_reach_either_rejects_nothing() -> None:
    short = decided(comparison(accuracy=0.6))
    assert short.arms[0].metric("original accuracy").state == "missed"
    assert "train longer" in short.arms[0].metric("original accuracy").why
    assert short.row(ALL).verdict == "try next"
    assert decided(comparison(accuracy=0.6, originals=-0.2)).row(ALL).verdict == "reject"


def test_a_harm_within_the_margin_is_a_cost_and_no_harm() -> None:
    small = decided(comparison(originals=-0.02, half=0.5))
    assert small.arms[0].harms == ()
    assert small.verdict == "adopt"


def test_arms_stand_for_their_scenarios_and_controls_for_none() -> None:
    found = decided(
        comparison("best", "equal", generated=50),
        comparison("weighted", "weighted", generated=120),
        comparison("first", "sequential", generated=120),
        comparison("asked", "as-asked", generated=120, variation=-0.3),
    )
    assert [row.arm for row in found.rows] == ["weighted", "best", "first", "originals"]
    assert [arm.scenario for arm in found.arms] == [SUBSET, ALL, FIRST, None]
    assert "weighted" not in decided(comparison(), admitted=203).row(ALL).evidence
    assert decided(comparison(), admitted=203).row(SUBSET).arm == "weighted"


def test_thresholds_are_the_users() -> None:
    lax = Thresholds(review_bound=0.5, original_accuracy=0.5, quality=5.0, certainty="point")
    assert decided(comparison(reviewed=0.6, half=1.5, accuracy=0.9), thresholds=lax).verdict == "adopt"
    assert decided(comparison(), thresholds=Thresholds(quality=9.0)).row(ALL).verdict == "try next"


def test_an_override_needs_a_reason_and_a_name_and_is_kept_beside_the_rules() -> None:
    found = decided(comparison(reviewed=None))
    for reason, by, field in (("", "Ada", "--reason"), ("we looked at all", " ", "--by")):
        with pytest.raises(UserError) as caught:
            overridden(found, "adopt", reason=reason, by=by)
        assert caught.value.field == field
    held = overridden(found, "adopt", reason="we looked at all", by="Ada")
    assert (held.scenario, held.verdict) == (ALL, "adopt")
    assert held.rows == found.rows
    assert held.override is not None
    assert (held.override.before, held.override.by) == ("try next", "Ada")
    back = overridden(decided(comparison()), "reject", reason="I dislike them", by="Ada")
    assert (back.scenario, back.verdict) == (NOT_YET, "adopt")
    with pytest.raises(UserError, match="no such scenario"):
        overridden(found, "adopt", reason="x", by="y", scenario="z")


def test_the_leading_row_is_the_one_that_most_speaks_for() -> None:
    found = decided(comparison("best", "equal", generated=50, quality=-3.0), comparison(reviewed=None))
    assert leading(found).arm == "weighted"


def test_decisions_are_numbered_and_never_written_over(tmp_path: Path) -> None:
    first = keep(decided(comparison(), at="2026-01-01"), tmp_path / "decisions")
    again = keep(decided(comparison(), at="2026-01-02"), tmp_path / "decisions")
    assert (first.number, again) == (1, first)
    second = keep(overridden(first, "reject", reason="no", by="Ada"), tmp_path / "decisions")
    assert second.number == 2
    assert [one.number for one in history(tmp_path / "decisions")] == [1, 2]
    assert latest(tmp_path / "decisions") == second
    assert as_json(second)["override"]["reason"] == "no"
    (tmp_path / "decisions" / "3.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be read"):
        latest(tmp_path / "decisions")
    assert latest(tmp_path / "nowhere") is None


def test_two_that_write_the_same_number_at_once_both_keep_theirs(tmp_path: Path) -> None:
    assert write_new(tmp_path / "1.json", "mine")
    assert not write_new(tmp_path / "1.json", "yours")
    assert (tmp_path / "1.json").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["1.json"]


def test_several_baselines_are_refused() -> None:
    other = comparison()
    other = replace(other, baseline=replace(other.baseline, build_sha256="f" * 64))
    with pytest.raises(UserError, match="different baselines"):
        decided(comparison(), other)
