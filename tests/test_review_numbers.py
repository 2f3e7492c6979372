"""The numbers that grow with the verdicts, the ways to go through candidates, and captions edited on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from graftset.errors import UserError
from graftset.review import ORDERS, Desk
from graftset.tokens import token_count
from review_room import catalog_of, named, say

PROMPT = "portrait, green background, crown"
PROPOSED = "portrait, gray background"

# --- numbers ----------------------------------------------------------------------------------------------------------


def test_the_chance_of_approval_needs_verdicts_of_both_kinds_and_then_follows_the_score(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 20, scores={i: i / 2 for i in range(20)}))
    for i in range(3):
        say(desk, named(desk, 19 - i), "approved")
    assert desk.probability(named(desk, 10)) is None
    assert desk.numbers().curve_note == "needs 3 approved and 3 rejected with a score; there are 3 and 0"
    for i in range(5):
        say(desk, named(desk, i), "rejected")
    low, middle, high = (desk.probability(named(desk, i)) for i in (1, 10, 18))
    assert low is not None
    assert middle is not None
    assert high is not None
    assert low[0] < 0.3 < middle[0] < high[0]
    assert all(chance[1] < chance[0] < chance[2] for chance in (low, middle, high))
    numbers = desk.numbers()
    assert numbers.curve_note == "from 3 approved and 5 rejected"
    assert [point.score for point in numbers.curve][::20] == [0, 5, 10]


def test_where_score_and_person_disagree_the_strangest_comes_first(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 20, scores={i: i / 2 for i in range(20)}))
    for i in (14, 16, 17, 18):
        say(desk, named(desk, i), "approved")
    for i in (0, 2, 3, 5):
        say(desk, named(desk, i), "rejected")
    assert desk.numbers().disagreements == ()
    say(desk, named(desk, 19), "rejected")
    say(desk, named(desk, 6), "approved")
    found = desk.numbers().disagreements
    assert [one.path for one in found] == ["/pool/019.png", "/pool/006.png"]
    assert all(one.probability is not None for one in found)


def test_a_trait_that_is_approved_less_than_half_as_often_as_all_alarms(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 24, colors=("gray", "gray", "gray", "red")))
    for i in range(24):
        say(desk, named(desk, i), "rejected" if i % 4 == 3 and i > 3 else "approved")
    (red, gray) = desk.numbers().acceptance
    assert (red.slot, red.value, red.approved, red.decided, red.alarm) == ("background", "red", 1, 6, True)
    assert red.low < red.share < red.high
    assert (gray.value, gray.share, gray.alarm) == ("gray", 1.0, False)


def test_few_verdicts_on_a_trait_do_not_alarm(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 12, colors=("gray", "gray", "gray", "red")))
    for i in range(12):
        say(desk, named(desk, i), "rejected" if i % 4 == 3 else "approved")
    assert not any(trait.alarm for trait in desk.numbers().acceptance)


# --- going through ----------------------------------------------------------------------------------------------------


def test_orders_put_first_what_they_say(tmp_path: Path) -> None:
    scores = {0: 3.0, 1: 9.0, 2: 7.9, 3: 6.0}
    desk = Desk(catalog_of(tmp_path, 4, scores=scores, colors=("red", "blue", "gray", "blue")))

    def numbers(order: str) -> list[int]:
        return [int(item.view.path[-7:-4]) for item in desk.items(order=order)]

    assert numbers("best") == [1, 2, 3, 0]
    assert numbers("worst") == [0, 3, 2, 1]
    assert numbers("background") == [1, 3, 2, 0]
    assert numbers("path") == [0, 1, 2, 3]
    assert numbers("uncertain") == [2, 1, 3, 0], "nearest to 8 first while nothing is calibrated"
    with pytest.raises(UserError, match="no such order"):
        desk.items(order="size")


def test_the_most_uncertain_are_those_near_an_even_chance(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 30, scores={i: i / 3 for i in range(30)}))
    for i in (0, 3, 6, 8, 9, 11, 13, 17, 20):
        say(desk, named(desk, i), "approved" if i > 10 else "rejected")
    first = desk.items(order="uncertain")[0]
    chances = [abs(desk.probability(item)[0] - 0.5) for item in desk.items()]  # type: ignore[index]
    assert abs(desk.probability(first)[0] - 0.5) == min(chances)  # type: ignore[index]


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_holds_every_candidate_once(tmp_path: Path, order: str) -> None:
    desk = Desk(catalog_of(tmp_path, 12, admitted=7, scores={3: None}))  # type: ignore[dict-item]
    assert {item.id for item in desk.items(order=order)} == {item.id for item in desk.items()}
    assert len(desk.items(order=order, scope="pool")) == 7
    assert ORDERS[order].title


def test_neighbours_in_a_queue(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 3))
    first, second, third = desk.items()
    around = desk.around(second.id, desk.items())
    assert (around.previous, around.next, around.position, around.of) == (first.id, third.id, 1, 3)
    assert desk.around(None, desk.items()).next == first.id
    assert desk.around(third.id, desk.items()).next is None
    assert desk.around(first.id, ()).next is None


def test_files_of_the_same_bytes_are_told_apart(tmp_path: Path) -> None:
    from review_room import candidate

    catalog = catalog_of(tmp_path, 2)
    catalog.save_images([candidate("000-again", data="000")])
    desk = Desk(catalog)
    ids = [item.id for item in desk.items()]
    assert len(set(ids)) == 3
    assert sorted(len(name) for name in ids) == [64, 64, 66]
    assert desk.by_sha256(named(desk, 0).view.sha256) is not None


# --- captions ---------------------------------------------------------------------------------------------------------


def test_a_chip_for_each_change_can_be_taken_back_and_made_again(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 1))
    item = named(desk, 0)
    state = desk.caption(item.id)
    assert (state.text, state.prompt, state.edited) == (PROPOSED, PROMPT, False)
    assert [(chip.change.slot, chip.accepted) for chip in state.chips] == [
        ("background", True),
        ("accessory:crown", True),
    ]
    assert state.cut.tokens == token_count(PROPOSED)

    item = desk.set_change(item.id, 0, False, reviewer="Ann", version=item.version)
    assert item.view.training_caption == "portrait, green background"
    assert [chip.accepted for chip in desk.caption(item.id).chips] == [False, True]
    item = desk.set_change(item.id, 1, False, reviewer="Ann", version=item.version)
    assert item.view.training_caption == PROMPT
    item = desk.set_change(item.id, 0, True, reviewer="Ann", version=item.version)
    item = desk.set_change(item.id, 1, True, reviewer="Ann", version=item.version)
    assert item.view.training_caption == PROPOSED


def test_an_edited_caption_has_its_author_and_can_be_reverted(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 1)
    desk = Desk(catalog)
    item = named(desk, 0)
    item = desk.edit_caption(item.id, "  a lady\nin gray ", reviewer="Ann", version=item.version)
    assert item.view.training_caption == "a lady in gray"
    assert (desk.caption(item.id).author, desk.caption(item.id).edited) == ("Ann", True)
    item = desk.revert_caption(item.id, reviewer="Ann", version=item.version)
    assert item.view.training_caption == PROPOSED
    history = [entry["text"] for entry in catalog.caption_history("/pool/000.png") if entry["kind"] == "current"]
    assert history == ["a lady in gray", PROPOSED], "nothing of it is lost"


def test_a_chip_still_works_on_a_caption_that_was_edited_elsewhere(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 1))
    item = named(desk, 0)
    item = desk.edit_caption(item.id, "a lady, gray background", reviewer="Ann", version=item.version)
    item = desk.set_change(item.id, 0, False, reviewer="Ann", version=item.version)
    assert item.view.training_caption == "a lady, green background"
    item = desk.edit_caption(item.id, "a lady", reviewer="Ann", version=item.version)
    with pytest.raises(UserError, match="rewritten where this change belongs"):
        desk.set_change(item.id, 0, True, reviewer="Ann", version=item.version)
    item = desk.accept_proposal(item.id, reviewer="Ann", version=item.version)
    assert item.view.training_caption == PROPOSED


def test_a_person_called_graftset_is_still_a_person(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 1)
    desk = Desk(catalog)
    item = named(desk, 0)
    desk.edit_caption(item.id, "a lady", reviewer="graftset", version=item.version)
    assert catalog.views()[0].caption_author == "reviewer graftset"


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 4001])
def test_an_empty_or_endless_caption_is_refused(tmp_path: Path, text: str) -> None:
    desk = Desk(catalog_of(tmp_path, 1))
    item = named(desk, 0)
    with pytest.raises(UserError) as error:
        desk.edit_caption(item.id, text, reviewer="Ann", version=item.version)
    assert error.value.field == "caption"
