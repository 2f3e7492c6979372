"""The cards of one run in a row, cards as files, and which of them may be compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from graftset.errors import UserError
from graftset.scorecards import BY_NAME, MEASURES, Criteria, comparable, follow, read_scorecard, write_scorecard
from scored_runs import LEARNS, PROMPTS, card, cards


def test_the_windows_are_those_of_ten_checkpoints() -> None:
    windows = {w.measure: w for w in follow(cards(LEARNS)).windows}
    accuracy = windows["original_accuracy"]
    assert (accuracy.first, accuracy.last, accuracy.checkpoints) == (1, 3, 3)
    assert accuracy.point == pytest.approx(0.3)
    assert (windows["overall"].first, windows["overall"].last) == (7, 10)
    assert windows["variation_accuracy"].point is None
    assert (windows["variation_accuracy"].first, windows["variation_accuracy"].last) == (4, 6)


def test_the_windows_keep_their_share_of_a_longer_run() -> None:
    windows = {w.measure: (w.first, w.last) for w in follow(cards([0.5] * 20, planned=20)).windows}
    assert windows == {"original_accuracy": (1, 6), "variation_accuracy": (7, 12), "overall": (13, 20)}


def test_criteria_are_judged_at_checkpoint_seven_by_point_and_bound() -> None:
    accuracy, style, quality = follow(cards(LEARNS)).criteria
    assert (accuracy.checkpoint, accuracy.point, accuracy.met) == ("0000007", 1.0, True)
    # 40 right of 40 is no proof of 95 %: 0.05 ** (1 / 40) = 0.928.
    assert accuracy.bound == pytest.approx(0.05 ** (1 / PROMPTS))
    assert not accuracy.certain
    assert quality.met
    assert quality.certain
    assert style.met


def test_what_comes_late_is_missed() -> None:
    late = follow(cards((0, 0, 0, 0, 0, 0.5, 0.9, 0.95, 1.0, 1.0)))
    assert late.criteria[0].met is False
    lower = follow(cards((0, 0, 0, 0, 0, 0.5, 0.9, 0.95, 1.0, 1.0)), Criteria(original_accuracy=0.9))
    assert lower.criteria[0].met is True
    later = follow(cards((0, 0, 0, 0, 0, 0.5, 0.9, 0.95, 1.0, 1.0)), Criteria(by_checkpoint=9))
    assert later.criteria[0].met is True


def test_a_run_that_goes_on_is_not_judged_before_its_time() -> None:
    course = follow(cards(LEARNS[:5]))
    assert not course.finished
    assert [c.met for c in course.criteria] == [None, None, None]
    assert course.criteria[0].why_not == "checkpoint 7 is not there"
    assert all(series.convergence is None for series in course.series)
    assert follow(cards(LEARNS)).finished


def test_a_style_measure_that_cannot_tell_faults_is_no_criterion() -> None:
    style = follow(cards(LEARNS, usable=False)).criteria[1]
    assert style.met is None
    assert not style.certain
    assert style.point == 0.95
    assert "cannot tell" in style.why_not


def test_convergence_stability_and_the_best_checkpoint_are_told() -> None:
    course = follow(cards(LEARNS))
    series = {s.measure: s for s in course.series}
    found = series["original_accuracy"]
    assert found.convergence is not None
    assert found.convergence.at == 5
    assert found.oscillates is False
    assert course.best_checkpoint == "0000007"  # the earliest of those that are equally good
    assert course.best is not None
    assert 0 < course.best.reported.n < PROMPTS
    swinging = follow(cards((1, 0.4, 1, 0.4, 1, 0.4, 1, 0.4, 1, 0.4)))
    assert swinging.series[0].oscillates


@pytest.mark.parametrize("field", ["evaluator", "prompts_sha256", "originals_sha256"])
def test_cards_of_unequal_evaluators_prompts_or_originals_are_never_compared(field: str) -> None:
    made = cards(LEARNS)
    other = replace(made[0], **{field: "another"})
    assert comparable(made[0], made[1]) is None
    assert comparable(other, made[1]) is not None
    course = follow([other, *made[1:]])
    assert [c.place.number for c in course.cards] == list(range(2, 11))
    assert len(course.left_out) == 1


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "scorecards" / "0000001.json"
    made = card(1, 0.5)
    write_scorecard(made, path)
    assert read_scorecard(path) == made


@pytest.mark.parametrize("content", ["", "[]", '{"run": "arm"}', '{"format_version": 99}'])
def test_what_is_no_card_is_refused_in_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "card.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError):
        read_scorecard(path)


def test_every_measure_describes_itself() -> None:
    assert len(BY_NAME) == len(MEASURES)
    for measure in MEASURES:
        assert measure.title
        assert measure.meaning
        assert measure.source
        if measure.is_share:
            assert (measure.low, measure.high) == (0, 1)
