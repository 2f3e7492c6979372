"""A user asks for fewer candidates than pass: which ones, in which order, and always the same ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graftset.config import default_toml, parse
from graftset.records import ImageView, Selection
from graftset.selection import Floors, Policy, policy_from_settings, select
from graftset.selection.gates import failed_gates, pool_of
from selection_views import candidate, original, random_features, selected_paths, verdict, wrong_background

WORDS = ("gray", "green", "blue", "unknown")


@st.composite
def views(draw: st.DrawFn) -> list[ImageView]:
    """Up to ten candidates with and without faults, some of the same bytes."""
    made: list[ImageView] = []
    for i in range(draw(st.integers(0, 10))):
        view = candidate(f"c{i}", draw(st.sampled_from(WORDS)), draw(st.sampled_from([None, 3.0, 7.9, 8.0, 8.5, 9.9])))
        fault = draw(
            st.sampled_from(["none"] * 6 + ["copy", "repeat", "rejected", "approved", "wrong", "twin", "mute"])
        )
        if fault == "copy":
            view = replace(view, copy_of="/originals/o0.png")
        elif fault == "repeat":
            view = replace(view, repeat_of="/pool/c0.png")
        elif fault in ("rejected", "approved"):
            view = replace(view, review=verdict(fault))
        elif fault == "wrong":
            view = wrong_background(f"c{i}", "pink", "gray", score=view.score, score_parts={})
        elif fault == "twin" and made:
            view = replace(view, sha256=made[0].sha256)
        elif fault == "mute":
            view = replace(view, proposed_caption=None)
        made.append(view)
    return made


policies = st.builds(
    Policy,
    count=st.none() | st.integers(1, 12),
    min_score=st.sampled_from([0.0, 7.5, 8.0, 9.0]),
    wrong_background=st.sampled_from(["recaption", "drop"]),
    seed=st.integers(0, 3),
)
ORIGINALS = [original(f"o{i}", word) for i, word in enumerate(["gray"] * 4 + ["green"] * 2 + ["blue"])]


def run(candidates: list[ImageView], policy: Policy) -> Selection:
    features = random_features([*candidates[1:], *ORIGINALS])  # the first candidate has none
    return select(candidates, ORIGINALS, features=features, policy=policy)


@given(views(), policies, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_arrival_does_not_matter(candidates: list[ImageView], policy: Policy, random: object) -> None:
    features = random_features([*candidates[1:], *ORIGINALS])
    expected = select(candidates, ORIGINALS, features=features, policy=policy)
    shuffled, originals = list(candidates), list(ORIGINALS)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    random.shuffle(originals)  # type: ignore[attr-defined]
    assert select(shuffled, originals, features=features, policy=policy) == expected


@given(views(), policies)
@settings(deadline=None)
def test_every_candidate_gets_a_verdict_with_a_reason_and_no_gate_is_passed_by(
    candidates: list[ImageView], policy: Policy
) -> None:
    selection = run(candidates, policy)
    assert sorted(choice.path for choice in selection.choices) == sorted(view.path for view in candidates)
    pool = pool_of(candidates, policy)
    failures = {view.path: failed_gates(view, pool) for view in candidates}
    for choice in selection.choices:
        assert choice.reasons
        assert all(": " in reason and "\n" not in reason for reason in choice.reasons)
        if choice.selected:
            assert not failures[choice.path]
        if failures[choice.path]:
            assert choice.reasons == failures[choice.path]
            assert choice.rank is None


@given(views(), policies)
@settings(deadline=None)
def test_as_many_are_kept_as_are_asked_for_or_pass(candidates: list[ImageView], policy: Policy) -> None:
    selection = run(candidates, policy)
    kept = [choice for choice in selection.choices if choice.selected]
    passing = int(selection.figures["passing"])
    assert len(kept) == (passing if policy.count is None else min(policy.count, passing))
    ranks = [choice.rank for choice in selection.choices if choice.rank is not None]
    assert ranks == list(range(passing))
    assert [choice.rank for choice in kept] == list(range(len(kept)))
    assert len({choice.sha256 for choice in kept}) == len(kept)


@given(views(), st.sampled_from([0.0, 5.0, 7.9, 8.2]), st.sampled_from([8.2, 9.0, 10.0]))
@settings(deadline=None)
def test_a_higher_min_score_only_takes_away(candidates: list[ImageView], low: float, high: float) -> None:
    loose, strict = (set(selected_paths(run(candidates, Policy(min_score=score)))) for score in (low, high))
    assert strict <= loose


def test_all_that_pass_come_best_first() -> None:
    pool = [candidate("a", score=8.5), candidate("b", score=9.5), candidate("c", score=9.0), candidate("d", score=7.0)]
    assert selected_paths(select(pool, [], features={}, policy=Policy())) == ["b", "c", "a"]


def test_fewer_pass_than_asked_and_all_of_them_are_kept() -> None:
    pool = [candidate("a"), candidate("b", score=5.0)]
    selection = select(pool, [], features={}, policy=Policy(count=50))
    assert selected_paths(selection) == ["a"]


def test_backgrounds_follow_the_square_root_of_the_originals() -> None:
    originals = [original(f"o{i}", word) for i, word in enumerate(["gray"] * 100 + ["green"] * 25)]
    pool = [candidate(f"c{i}", word) for i, word in enumerate(["gray"] * 80 + ["green"] * 15 + ["unknown"] * 30)]
    selection = select(pool, originals, features=random_features(pool), policy=Policy(count=30))
    seen = {view.path: view.traits.background.value for view in pool if view.traits.background}
    assert Counter(seen[c.path] for c in selection.choices if c.selected) == {"gray": 20, "green": 10}
    assert selection.figures["total_variation"] == 0.0


def test_near_twins_give_way_to_variety() -> None:
    rng = np.random.default_rng(0)
    originals = [original(f"o{i}") for i in range(7)]
    pool = [candidate(f"c{i}", score=9.9 if i < 30 else 8.1) for i in range(36)]
    looks = np.concatenate([np.zeros(30), np.arange(1, 7)])  # thirty of one picture, six of their own
    features = {
        view.sha256: (np.eye(7)[int(look)] + rng.normal(0, 0.01, 7)).astype(np.float32)
        for view, look in zip(pool, looks, strict=True)
    }
    features |= {view.sha256: row for view, row in zip(originals, np.eye(7, dtype=np.float32), strict=True)}
    selection = select(pool, originals, features=features, policy=Policy(count=7))
    kept = {int(name[1:]) for name in selected_paths(selection)}
    assert {int(looks[i]) for i in kept} == set(range(7))


def test_ties_go_to_the_better_score_and_then_to_the_content_hash() -> None:
    same = np.ones(5, dtype=np.float32)
    pool = [candidate(f"c{i}", score=9.0 if i % 2 else 8.5) for i in range(6)]
    features = {view.sha256: same for view in pool}
    kept = selected_paths(select(pool, [], features=features, policy=Policy(count=4)))
    better = sorted((v for v in pool if v.score == 9.0), key=lambda v: v.sha256)
    worse = sorted((v for v in pool if v.score == 8.5), key=lambda v: v.sha256)
    assert [f"/pool/{name}.png" for name in kept] == [v.path for v in [*better, worse[0]]]


def test_the_ones_not_picked_say_why_and_where_they_would_come() -> None:
    pool = [candidate(f"c{i}") for i in range(5)]
    selection = select(pool, [], features=random_features(pool), policy=Policy(count=2))
    kept, spare = selection.choices[:2], selection.choices[2:]
    assert [c.reasons[0] for c in kept] == [f"kept: score 9.0; number {i} of 2 picked for variety" for i in (1, 2)]
    assert [c.reasons for c in spare] == [
        (f"count: 2 asked, 5 pass; others add more variety (this would be number {i})",) for i in (3, 4, 5)
    ]


def test_pictures_without_features_still_fill_their_quota() -> None:
    originals = [original("o0", "gray"), original("o1", "green")]
    pool = [candidate(f"c{i}", "green" if i < 3 else "gray") for i in range(12)]
    features = random_features(pool[3:])
    features[pool[0].sha256] = np.full(8, np.nan, dtype=np.float32)
    features[pool[1].sha256] = np.zeros(3, dtype=np.float32)
    selection = select(pool, originals, features=features, policy=Policy(count=4))
    assert sum(int(name[1:]) < 3 for name in selected_paths(selection)) == 2
    assert any(note.startswith("features: 3 of 12") for note in selection.notes)
    assert len(selected_paths(select(pool, originals, features={}, policy=Policy(count=4)))) == 4


def test_the_policy_is_that_of_the_settings_file() -> None:
    text = default_toml("o", "c").replace("min_score = 8.0", "min_score = 7.5").replace("seed = 0", "seed = 4")
    policy = policy_from_settings(parse(text.encode()).select)
    assert policy == Policy(count=None, min_score=7.5, seed=4, floors=Floors(0.10, 0.90))
    assert policy_from_settings(parse(text.replace("count = 0", "count = 50").encode()).select).count == 50


def test_the_selection_records_its_policy() -> None:
    policy = Policy(count=3, seed=7)
    recorded = select([], [], features={}, policy=policy).policy
    assert recorded == {
        "count": 3,
        "min_score": 8.0,
        "wrong_background": "recaption",
        "wrong_accessory": "recaption",
        "seed": 7,
        "max_generation": 1,
        "floors": {"total_variation": 0.10, "vendi_ratio": 0.90},
    }
