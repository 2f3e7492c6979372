"""What a selection says about itself: figures, floors that were missed, alarms, and why fewer came out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.records import ImageView
from graftset.selection import Floors, Policy, select
from graftset.statistics import total_variation
from selection_views import candidate, original, random_features, selected_paths


def note(pool: list[ImageView], policy: Policy, start: str, originals: list[ImageView] | None = None) -> str | None:
    """The note of a selection that starts with a word, if there is one."""
    selection = select(pool, originals or [], features={}, policy=policy)
    found = [text for text in selection.notes if text.startswith(f"{start}: ")]
    assert len(found) <= 1
    return found[0] if found else None


def test_fewer_than_asked_names_the_gate_and_the_score_that_would_do() -> None:
    pool = [candidate(f"c{i}", score=9.0 if i < 3 else 7.7 - 0.1 * i) for i in range(10)]
    pool.append(candidate("copy", copy_of="/o/a.png"))
    text = note(pool, Policy(count=6), "count")
    assert text == (
        "count: 6 asked, all 3 of 11 that pass are kept; the gate that drops most is quality (7); "
        "min_score 7.2 would give 6"
    )
    assert len(selected_paths(select(pool, [], features={}, policy=Policy(min_score=7.2)))) == 6


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.integers(1, 30))
def test_the_advised_min_score_gives_at_least_what_was_asked(scores: list[float], count: int) -> None:
    pool = [candidate(f"c{i}", score=score) for i, score in enumerate(scores)]
    text = note(pool, Policy(count=count, min_score=10.0), "count")
    if text is not None and "would give" in text:
        advised = float(text.split("min_score ")[1].split(" ")[0])
        passing = select(pool, [], features={}, policy=Policy(min_score=advised)).figures["passing"]
        assert passing >= count
        higher = select(pool, [], features={}, policy=Policy(min_score=round(advised + 0.1, 1)))
        assert higher.figures["passing"] < count


def test_fewer_than_asked_says_when_no_score_would_do() -> None:
    pool = [candidate("a"), candidate("b", score=4.0), candidate("c", copy_of="/o/a.png")]
    text = note(pool, Policy(count=50), "count")
    assert text is not None
    assert text.endswith("no min_score gives 50: 2 pass the other gates, generate more candidates")


def test_an_empty_pool_and_one_without_passing_candidates_say_so() -> None:
    assert note([], Policy(), "count") == "count: none of 0 candidates passes; generate more candidates"
    text = note([candidate("a", score=6.05)], Policy(), "count")
    assert text is not None
    assert text.startswith("count: none of 1 candidates passes; the gate that drops most is quality (1)")
    assert text.endswith("min_score 6.0 would give 1")


def test_enough_candidates_need_no_note() -> None:
    assert note([candidate("a"), candidate("b")], Policy(count=2), "count") is None
    assert note([candidate("a"), candidate("b", score=1.0)], Policy(), "count") is None


def test_backgrounds_far_from_their_target_are_a_note_that_names_the_lacking() -> None:
    originals = [original(f"o{i}", word) for i, word in enumerate(["gray"] * 4 + ["green"] * 4 + ["pink"])]
    pool = [candidate(f"c{i}", "gray") for i in range(10)]
    selection = select(pool, originals, features={}, policy=Policy())
    assert selection.figures["total_variation"] == pytest.approx(0.6)
    together = total_variation([14, 4, 1], [2, 2, 1])
    assert selection.figures["total_variation_with_originals"] == pytest.approx(together)
    assert note(pool, Policy(), "backgrounds", originals) == (
        "backgrounds: total variation 0.60 to their target is over 0.10; most lacking are green (0 of 4.0 "
        "due), pink (0 of 2.0 due): add candidates with them"
    )
    assert note(pool, Policy(floors=Floors(total_variation=0.7)), "backgrounds", originals) is None


def test_new_backgrounds_count_as_straying_from_the_target() -> None:
    originals = [original("o", "gray")]
    pool = [candidate("a", "gray"), candidate("b", "teal")]
    assert select(pool, originals, features={}, policy=Policy()).figures["total_variation"] == pytest.approx(0.5)


def test_without_originals_or_admitted_there_is_no_distance() -> None:
    for pool, originals in (
        ([candidate("a")], []),
        ([], [original("o")]),
        ([candidate("a", "unknown")], [original("o")]),
    ):
        figures = select(pool, originals, features={}, policy=Policy()).figures
        assert "total_variation" not in figures


def test_a_collapsed_set_misses_the_floor_of_variety() -> None:
    originals = [original(f"o{i}") for i in range(60)]
    pool = [candidate(f"c{i}") for i in range(40)]
    features = random_features([*originals, *pool], size=30)
    varied = select(pool, originals, features=features, policy=Policy())
    assert varied.figures["vendi_n"] == 40
    assert varied.figures["vendi_ratio"] == pytest.approx(1, abs=0.1)
    assert not [text for text in varied.notes if text.startswith("variety: ")]
    collapsed = features | {view.sha256: features[pool[i % 4].sha256] for i, view in enumerate(pool)}
    selection = select(pool, originals, features=collapsed, policy=Policy())
    assert selection.figures["vendi"] <= 4.01
    assert selection.figures["vendi_ratio"] < 0.3
    assert any(text.startswith("variety: Vendi score") for text in selection.notes)


def test_vendi_is_left_out_where_there_is_nothing_to_compare() -> None:
    pool, originals = [candidate("a"), candidate("b")], [original("o"), original("p")]
    for features in ({}, random_features(pool), random_features(originals), random_features([pool[0], *originals])):
        assert "vendi" not in select(pool, originals, features=features, policy=Policy()).figures


def test_a_background_the_gates_prune_raises_an_alarm() -> None:
    pool = [candidate(f"gray{i}") for i in range(20)]
    pool += [candidate(f"pink{i}", "pink", score=9.0 if i == 0 else 6.0) for i in range(6)]
    pool += [candidate(f"teal{i}", "teal", score=6.0) for i in range(4)]  # too few to say
    pool += [candidate(f"navy{i}", "navy", score=9.0 if i < 4 else 6.0) for i in range(10)]  # 0.40 of 0.625: over half
    selection = select(pool, [], features={}, policy=Policy())
    assert selection.figures["acceptance"] == pytest.approx(25 / 40)
    assert selection.figures["acceptance:pink"] == pytest.approx(1 / 6)
    assert selection.figures["acceptance:teal"] == 0.0
    (alarm,) = (text for text in selection.notes if text.startswith("acceptance: "))
    assert "(25 of 40): pink (1 of 6);" in alarm
    assert "teal" not in alarm
    assert "navy" not in alarm


def test_asking_for_few_is_no_reason_for_an_acceptance_alarm() -> None:
    pool = [candidate(f"c{i}", "pink" if i < 10 else "gray") for i in range(40)]
    originals = [original(f"o{i}", "gray") for i in range(10)]
    assert note(pool, Policy(count=5), "acceptance", originals) is None


def test_counts_are_among_the_figures() -> None:
    pool = [candidate(f"c{i}", score=9.0 if i < 6 else 5.0) for i in range(9)]
    figures = select(pool, [], features={}, policy=Policy(count=4)).figures
    assert {key: figures[key] for key in ("pool", "passing", "asked", "selected")} == {
        "pool": 9.0,
        "passing": 6.0,
        "asked": 4.0,
        "selected": 4.0,
    }
    assert "asked" not in select(pool, [], features={}, policy=Policy()).figures
    assert all(np.isfinite(value) for value in figures.values())


def test_total_variation_is_the_share_that_would_have_to_move() -> None:
    assert total_variation([1, 1], [10, 10]) == 0.0
    assert total_variation([1, 0], [0, 3]) == 1.0
    assert total_variation([3, 1], [1, 1]) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="weight"):
        total_variation([0, 0], [1, 0])
