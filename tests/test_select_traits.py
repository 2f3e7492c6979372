"""Selection by everything that was read of a picture: accessories that are not there, quotas, distances, alarms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graftset.errors import UserError
from graftset.records import CaptionChange, Claim, ImageView, Traits, TraitSeen
from graftset.selection import Policy, select
from graftset.selection.shown import trait_quotas
from selection_views import candidate, original, random_features, selected_paths


def showing(view: ImageView, *worn: str, absent: tuple[str, ...] = (), **slots: str) -> ImageView:
    """The view with traits that were read."""
    accessories = {term: TraitSeen("present", 0.9) for term in worn} | {t: TraitSeen("absent", 0.9) for t in absent}
    seen = {slot: TraitSeen(value, 0.9) for slot, value in slots.items()}
    return replace(view, traits=Traits(view.traits.background, seen, accessories))


def crownless(name: str, *, corrected: bool = True) -> ImageView:
    """A candidate asked for with a crown that it does not wear."""
    changes = (CaptionChange("accessory:crown", (9, 23), ", wearing crown", "", "no crown is seen"),)
    return candidate(
        name,
        prompt="portrait, wearing crown",
        proposed_caption="portrait" if corrected else "portrait, wearing crown",
        claims=(Claim("accessory:crown", "present", "absent", "contradicted", (10, 23)),),
        changes=changes if corrected else (),
    )


def test_a_missing_accessory_is_recaptioned_or_dropped_as_the_policy_says() -> None:
    pool = [crownless("a"), candidate("b")]
    assert set(selected_paths(select(pool, [], features={}, policy=Policy()))) == {"a", "b"}
    strict = select(pool, [], features={}, policy=Policy(wrong_accessory="drop"))
    assert selected_paths(strict) == ["b"]
    reason = next(choice.reasons[0] for choice in strict.choices if not choice.selected)
    assert reason.startswith("claim: crown was asked for and is not seen; --wrong-accessory recaption")


def test_a_missing_accessory_that_was_not_corrected_is_never_admitted() -> None:
    for policy in (Policy(), Policy(wrong_accessory="drop")):
        assert selected_paths(select([crownless("a", corrected=False)], [], features={}, policy=policy)) == []


def test_an_unknown_way_with_wrong_accessories_is_refused() -> None:
    with pytest.raises(UserError, match="wrong accessories"):
        Policy(wrong_accessory="keep")  # type: ignore[arg-type]


def test_quotas_reach_beyond_backgrounds() -> None:
    """One background for all: hair and crowns alone decide who is picked."""
    originals = [
        showing(original(f"o{i}"), "crown" if i % 4 == 0 else "cap", hair="red" if i < 6 else "black")
        for i in range(12)
    ]
    pool = [showing(candidate(f"plain{i}", score=9.5), absent=("crown", "cap"), hair="black") for i in range(20)]
    pool += [showing(candidate(f"rare{i}", score=8.1), "crown", hair="red") for i in range(2)]
    features = random_features([*originals, *pool])
    picked = selected_paths(select(pool, originals, features=features, policy=Policy(count=4)))
    assert {"rare0", "rare1"} <= set(picked)


def test_a_picture_belongs_to_a_group_in_every_slot_that_was_read() -> None:
    originals = [showing(original("o0"), "crown", hair="red"), showing(original("o1"), absent=("crown",), hair="black")]
    passing = [showing(candidate("a"), "crown", hair="red"), showing(candidate("b"), absent=("crown",))]
    quotas = trait_quotas(passing, originals, 2)
    groups = quotas.memberships
    assert (groups[0] >= 0).sum() == 3
    assert (groups[1] >= 0).sum() == 1  # its hair was not read, and nobody needs a quota of bare heads
    assert len(quotas.targets) == groups.max() + 1


def test_every_trait_has_its_distance_and_its_acceptance() -> None:
    originals = [showing(original(f"o{i}"), hair="red" if i % 2 else "black") for i in range(20)]
    pool = [showing(candidate(f"c{i}"), hair="black") for i in range(10)]
    pool += [showing(candidate(f"d{i}", score=3.0), hair="red") for i in range(10)]
    selection = select(pool, originals, features={}, policy=Policy())
    assert selection.figures["total_variation:hair"] == pytest.approx(0.5)
    assert selection.figures["acceptance:hair:red"] == 0.0
    assert selection.figures["acceptance:hair:black"] == 1.0
    notes = " ".join(selection.notes)
    assert "traits: total variation to their target is over 0.10 for hair (0.50)" in notes
    assert "these traits pass the gates less than half as often" in notes
    assert "red hair (0 of 10)" in notes


def test_what_five_or_fewer_originals_have_is_for_a_person_to_judge() -> None:
    originals = [showing(original(f"o{i}"), hair="red" if i < 5 else "black") for i in range(20)]
    pool = [showing(candidate("a"), hair="red"), showing(candidate("b"), hair="black")]
    notes = [n for n in select(pool, originals, features={}, policy=Policy()).notes if n.startswith("rare: ")]
    assert len(notes) == 1
    assert notes[0].endswith("look at them: red hair (1)")
