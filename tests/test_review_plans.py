"""A sampling plan from its draw to its closing sentence, and what may not be said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graftset.catalog import Catalog
from graftset.errors import UserError
from graftset.records import Drawn, ReviewPlan
from graftset.review import PLANS, Desk
from graftset.review.plans import advice, outcome
from graftset.review.standing import review_state
from graftset.statistics.finite_pool import needed_right
from review_room import catalog_of, named, review_sample, say, select, unique

ROOM = 203


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """203 admitted of 240; tests that write to it draw a plan of their own."""
    return catalog_of(tmp_path_factory.mktemp("room"), 240, admitted=ROOM)


@pytest.fixture
def desk(room: Catalog) -> Desk:
    return Desk(room)


# --- drawing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PLANS)
def test_every_plan_draws_from_the_admitted_only_and_the_same_for_the_same_seed(desk: Desk, kind: str) -> None:
    plan = desk.propose_plan(kind, seed=3)
    admitted = {view.path for view in desk.pool()}
    assert len(admitted) == plan.pool == ROOM
    assert {image.path for image in plan.drawn} <= admitted
    assert len({image.path for image in plan.drawn}) == plan.n
    assert desk.propose_plan(kind, seed=3) == plan
    assert desk.propose_plan(kind, seed=4).drawn != plan.drawn


@pytest.mark.parametrize("kind", PLANS)
def test_every_plan_says_what_it_is_and_gives_a_sentence_at_every_length(desk: Desk, kind: str) -> None:
    plan = desk.propose_plan(kind)
    assert PLANS[kind].title
    assert PLANS[kind].explanation.endswith(".")
    for reviewed in range(0, plan.n + 1, 9):
        found = outcome(plan, ["right"] * reviewed + ["pending"] * (plan.n - reviewed))
        assert found.sentence.startswith(f"{reviewed} of ")
        assert found.reviewed == reviewed


def test_every_image_is_drawn_as_often_as_any_other(desk: Desk) -> None:
    counts: dict[str, int] = {}
    for seed in range(150):
        for image in desk.propose_plan("fixed", allowed=2, seed=seed).drawn:
            counts[image.path] = counts.get(image.path, 0) + 1
    expected = 150 * 54 / ROOM
    chi_square = sum((counts.get(view.path, 0) - expected) ** 2 / expected for view in desk.pool())
    assert chi_square < 1.3 * ROOM  # less than its mean of about (1 - 54 / 203) * 202, were it not for chance


def test_a_plan_is_kept_as_it_was_drawn(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 60)
    plan = Desk(catalog).start_plan("fixed", allowed=1, by="Ann", seed=7)
    assert catalog.plans() == [plan]
    assert (plan.number, plan.by, plan.allowed) == (1, "Ann", 1)
    assert "admitted by the selection of" in plan.pool_definition
    second = Desk(catalog).start_plan("sequential", by="Bob")
    assert Desk(catalog).plan == second
    assert Desk(catalog).plans == (plan, second)


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        ({"kind": "guess"}, "--plan"),
        ({"allowed": 21}, "--allowed"),
        ({"target": 1.0}, "--target"),
        ({"confidence": 0.2}, "--target"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(desk: Desk, ask: dict[str, object], field: str) -> None:
    with pytest.raises(UserError) as error:
        desk.propose_plan(**{"kind": "fixed", **ask})  # type: ignore[arg-type]
    assert error.value.field == field


def test_without_a_selection_there_is_nothing_to_sample(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Nothing is admitted"):
        Desk(catalog_of(tmp_path, 5, admitted=0)).propose_plan()


def test_a_set_too_small_for_two_errors_allows_as_many_as_it_can(tmp_path: Path) -> None:
    plan = Desk(catalog_of(tmp_path, 12)).propose_plan("fixed")
    assert (plan.allowed, plan.n, plan.pool) == (1, 12, 12)


# --- the fixed plan ---------------------------------------------------------------------------------------------------


def test_the_sentence_that_the_review_is_for(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, ROOM))
    desk.start_plan("fixed", allowed=2, by="Ann")
    review_sample(desk, wrong=(3, 40), upto=53)
    found = desk.outcome()
    assert found is not None
    assert (found.state, found.lower, found.left) == ("running", None, 1)
    assert found.sentence == "53 of 54 reviewed, 2 wrong so far, 2 allowed: 1 to go, and nothing can be said before"
    say(desk, desk.items(scope="plan", queue="pending")[0], "approved")
    found = desk.outcome()
    assert found is not None
    assert found.state == "shown"
    assert found.sentence == "54 of 203 reviewed, 2 wrong: at least 90 % are right (95 % confidence)"
    assert found.lower == pytest.approx(183 / 203)


def test_a_fixed_plan_with_too_many_errors_says_so_at_once_and_gives_its_bound_at_the_end(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 100))
    desk.start_plan("fixed", allowed=1, by="Ann")
    review_sample(desk, wrong=(0, 1), upto=5)
    early = desk.outcome()
    assert early is not None
    assert (early.state, early.lower) == ("missed", None)
    assert "2 wrong where 1 are allowed: this plan cannot show 90 % any more" in early.sentence
    for item in desk.items(scope="plan", queue="pending"):
        say(desk, item, "approved")
    late = desk.outcome()
    assert late is not None
    assert late.state == "missed"
    assert late.lower is not None
    assert late.lower < 0.90
    assert late.sentence.endswith("less than the 90 % asked for")


def test_what_was_skipped_counts_as_wrong_at_the_end(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 100))
    plan = desk.start_plan("fixed", allowed=1, by="Ann")
    review_sample(desk, upto=plan.n - 2)
    for item in desk.items(scope="plan", queue="pending"):
        say(desk, item, "skipped")
    found = desk.outcome()
    assert found is not None
    assert (found.state, found.skipped, found.left) == ("missed", 2, 2)
    assert "2 skipped and counted as wrong" in found.sentence
    for item in desk.items(scope="plan", queue="skipped"):
        say(desk, item, "approved")
    assert desk.outcome().state == "shown"  # type: ignore[union-attr]


def test_a_plan_without_errors_warns_and_offers_two(desk: Desk) -> None:
    (note,) = advice(desk.propose_plan("fixed", allowed=0))
    assert "fails a set with 95 % right in 75 % of cases" in note
    assert "54 reviewed with 2 allowed passes it in 47 %" in note
    (note,) = advice(desk.propose_plan("fixed", allowed=2))
    assert note == "a set with 95 % right passes this plan with a probability of 47 %"


# --- the sequential plan ----------------------------------------------------------------------------------------------


def test_a_sequential_plan_may_be_watched_and_ends_when_it_is_shown(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, ROOM))
    desk.start_plan("sequential", by="Ann")
    states = []
    for item in desk.items(scope="plan")[:32]:
        found = desk.outcome()
        assert found is not None
        states.append((found.state, found.left))
        say(desk, item, "approved")
    assert states == [("running", 32 - i) for i in range(32)]
    found = desk.outcome()
    assert found is not None
    assert (found.state, found.left) == ("shown", 0)
    assert found.sentence == "32 of 203 reviewed, 0 wrong: at least 90 % are right (95 % confidence)"


def test_what_is_reviewed_out_of_order_waits_for_those_before_it(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 60))
    desk.start_plan("sequential", by="Ann")
    sample = desk.items(scope="plan")
    for item in sample[1:20]:
        say(desk, item, "approved")
    found = desk.outcome()
    assert found is not None
    assert found.reviewed == 0
    assert found.notes == ("19 were reviewed out of order and count once those before them are reviewed",)
    say(desk, sample[0], "approved")
    assert desk.outcome().reviewed == 20  # type: ignore[union-attr]


def test_a_sequential_plan_that_cannot_succeed_says_so(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 30))
    desk.start_plan("sequential", by="Ann")
    review_sample(desk, wrong=range(4), upto=6)
    found = desk.outcome()
    assert found is not None
    assert found.state == "missed"
    assert found.sentence == "6 of 30 reviewed, 4 wrong: fewer than 90 % are right"


# --- what counts ------------------------------------------------------------------------------------------------------


def test_free_browsing_gives_labels_and_no_bound(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 60))
    for number in range(60):
        say(desk, named(desk, number), "approved")
    assert desk.outcome() is None
    assert desk.numbers().labels == 60
    desk.start_plan("fixed", allowed=1, by="Ann")
    found = desk.outcome()
    assert found is not None
    assert found.reviewed == 0, "what was said before the draw does not count"
    item = desk.items(scope="plan", queue="pending")[0]
    say(desk, item, "approved", counts=False)
    assert desk.outcome().reviewed == 0  # type: ignore[union-attr]
    say(desk, item, "approved")
    say(desk, item, "rejected", counts=False)
    assert desk.outcome().wrong == 1, "who changes a verdict that counts changes what counts"  # type: ignore[union-attr]


def test_a_caption_that_a_person_mended_was_wrong_when_it_was_drawn(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 60))
    desk.start_plan("sequential", by="Ann")
    item = desk.items(scope="plan")[0]
    mended = desk.edit_caption(item.id, "portrait, navy background", reviewer="Ann", version=item.version)
    say(desk, mended, "approved")
    found = desk.outcome()
    assert found is not None
    assert (found.wrong, found.mended) == (1, 1)
    assert "1 wrong (1 of them mended since)" in found.sentence
    back = desk.revert_caption(item.id, reviewer="Ann", version=mended.version)
    say(desk, back, "approved")
    assert desk.outcome().wrong == 0  # type: ignore[union-attr]


def test_what_changed_since_it_was_reviewed_is_asked_again(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 60))
    desk.start_plan("fixed", allowed=1, by="Ann")
    item = say(desk, desk.items(scope="plan")[0], "approved")
    desk.edit_caption(item.id, "portrait, navy background", reviewer="Ann", version=item.version)
    found = desk.outcome()
    assert found is not None
    assert found.reviewed == 0
    assert "1 of the sample changed since they were reviewed and do not count: look again" in found.notes
    assert item.id in {one.id for one in desk.items(scope="plan", queue="pending")}


def test_a_conflict_counts_as_wrong_until_it_is_settled(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 60))
    desk.start_plan("fixed", allowed=1, by="Ann")
    item = desk.items(scope="plan")[0]
    say(desk, item, "rejected", "Ann")
    say(desk, item, "approved", "Bob")
    assert desk.outcome().wrong == 1  # type: ignore[union-attr]
    say(desk, item, "approved", "Bob", settles=True)
    assert desk.outcome().wrong == 0  # type: ignore[union-attr]


def test_undo_takes_back_what_counted(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 60))
    say(desk, named(desk, 0), "rejected")
    desk.start_plan("sequential", by="Ann")
    for item in desk.items(scope="plan")[:3]:
        say(desk, item, "rejected")
    for left in (2, 1, 0):
        desk.undo(reviewer="Ann", action=unique())
        assert desk.outcome().wrong == left  # type: ignore[union-attr]
    assert named(desk, 0).queue == "rejected", "the verdict from before the plan is back, and does not count"


# --- the set changes --------------------------------------------------------------------------------------------------


def state_of(catalog: Catalog):  # type: ignore[no-untyped-def]
    """What a build would say."""
    return review_state(catalog.views(), catalog.verdicts(), catalog.plans())


def test_a_build_says_what_was_shown_and_of_which_set(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 70, admitted=60)
    assert state_of(catalog) is None
    desk = Desk(catalog)
    say(desk, named(desk, 0), "approved")
    state = state_of(catalog)
    assert (state.plan, state.n, state.bound) == (None, 1, None)
    assert "without a sampling plan this says nothing of the others" in state.sentence
    desk.start_plan("fixed", allowed=1, by="Ann")
    review_sample(desk, wrong=(2,))
    state = state_of(catalog)
    assert (state.plan, state.n, state.wrong) == ("fixed", desk.plan.n, 1)  # type: ignore[union-attr]
    assert state.bound >= 0.90
    assert state.sentence == desk.outcome().sentence  # type: ignore[union-attr]
    assert set(state.as_dict()) == {"plan", "n", "wrong", "bound", "sentence"}

    rejected = {item.view.path for item in desk.items(queue="rejected")}
    select(catalog, [i for i in range(60) if f"/pool/{i:03d}.png" not in rejected])
    assert state_of(catalog).bound == state.bound, "taking out what was rejected lowers nothing"
    select(catalog, range(65))
    grown = state_of(catalog)
    assert grown.bound is None
    assert "5 were admitted: the bound does not cover the set as it is" in grown.sentence
    select(catalog, range(40))
    assert state_of(catalog).bound is None
    desk.refresh()
    assert any("left out" in note for note in desk.outcome().notes)  # type: ignore[union-attr]


def test_drawing_again_until_it_passes_is_told(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 60))
    desk.start_plan("sequential", by="Ann")
    desk.start_plan("sequential", by="Ann", seed=1)
    assert desk.outcome().notes == (), "nobody reviewed under the first"  # type: ignore[union-attr]
    say(desk, desk.items(scope="plan")[0], "rejected")
    desk.start_plan("sequential", by="Ann", seed=2)
    assert "an earlier plan sampled this set" in desk.outcome().notes[0]  # type: ignore[union-attr]


# --- simulated reviews ------------------------------------------------------------------------------------------------

PLANNED = [("fixed", 0), ("fixed", 1), ("fixed", 2), ("fixed", 3), ("sequential", None)]


@pytest.mark.parametrize(("kind", "allowed"), PLANNED)
def test_reviews_of_a_pool_just_under_90_percent_end_in_90_percent_at_most_once_in_twenty(
    kind: str, allowed: int | None
) -> None:
    """Played out by the same code that speaks to the reviewer, who stops as soon as the target is shown.

    test_bounds.py works the same probabilities out exactly.
    """
    pool, reviews = 60, 250
    too_bad = needed_right(pool, 0.90) - 1
    n = pool if allowed is None else {0: 20, 1: 31, 2: 40, 3: 48}[allowed]
    rng, shown = np.random.default_rng(11), 0
    drawn = tuple(Drawn(str(i), str(i), None) for i in range(n))
    plan = ReviewPlan(kind, n, allowed, 0.90, 0.95, 0, pool, "", drawn, "")
    for _ in range(reviews):
        labels = ["right" if right else "wrong" for right in rng.permutation(pool)[:n] < too_bad]
        lengths = range(20, n + 1) if kind == "sequential" else [n]  # no fewer than 20 show anything of 60
        shown += any(
            outcome(plan, [*labels[:t], *["pending"] * (n - t)]).state == "shown"  # type: ignore[list-item]
            for t in lengths
        )
    assert shown / reviews <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / reviews)
