"""Each reason a candidate is dropped with, from the smallest input that earns it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from graftset.errors import UserError
from graftset.records import CaptionChange, Claim, ImageView
from graftset.selection import GATES, Policy, select
from graftset.selection.gates import category, shown_below
from selection_views import GRID, candidate, verdict, wrong_background

DROP = Policy(wrong_background="drop")


def reasons(view: ImageView, policy: Policy | None = None, *others: ImageView) -> tuple[str, ...]:
    """What selection says of one candidate among others."""
    selection = select([view, *others], [], features={}, policy=policy or Policy())
    (choice,) = (choice for choice in selection.choices if choice.path == view.path)
    assert choice.selected == choice.reasons[0].startswith("kept: ")
    return choice.reasons


def test_a_good_candidate_is_kept_and_says_so() -> None:
    assert reasons(candidate("a")) == ("kept: score 9.0",)


@pytest.mark.parametrize(
    ("changes", "policy", "expected"),
    [
        (
            {"score": None, "score_parts": {}},
            Policy(),
            "unreadable: no score; run `graftset assess`, then `graftset status` says why",
        ),
        ({"score": float("nan")}, Policy(), "unreadable: no score"),
        ({"grid": None}, Policy(), "unreadable: no native grid"),
        ({"generation": 2}, Policy(), "generation: 2 is over 1"),
        ({"review": verdict("rejected")}, Policy(), "rejected: by Ann"),
        ({"review": verdict("rejected", "melted")}, Policy(), "rejected: by Ann (melted)"),
        (
            {"copy_of": "/o/lady_001.png"},
            Policy(),
            "copy: the same picture as lady_001.png up to render noise",
        ),
        (
            {"score": 6.1, "score_parts": {"edges": 7.0, "texture_noise": 4.2}},
            Policy(),
            "quality: score 6.1 is under 8.0 (weakest part: texture_noise 4.2)",
        ),
        ({"score": 7.96, "score_parts": {}}, Policy(), "quality: score 7.96 is under 8.0"),
        ({"score": 7.2, "score_parts": {}}, Policy(min_score=7.25), "quality: score 7.2 is under 7.25"),
        (
            {"proposed_caption": None},
            Policy(),
            "caption: none came with it and none could be composed; write one in review",
        ),
        ({"proposed_caption": " \n"}, Policy(), "caption: none came with it"),
    ],
)
def test_each_fault_has_its_reason(changes: dict[str, Any], policy: Policy, expected: str) -> None:
    (reason,) = reasons(candidate("a", **changes), policy)
    assert reason.startswith(expected)


def test_a_repeat_names_the_better_picture() -> None:
    better = candidate("x", score=9.5)
    assert reasons(candidate("a", repeat_of=better.path), None, better) == (
        "repeat: the same picture as x.png, which scores higher",
    )
    assert reasons(candidate("a", score=9.7, repeat_of=better.path), None, better) == (
        "repeat: the same picture as x.png, which stands for both",
    )


def test_the_same_file_twice_is_admitted_once() -> None:
    first = candidate("a")
    second = replace(first, path="/pool/b.png")
    assert reasons(second, None, first) == ("repeat: the same file as a.png, which stands for both",)
    assert reasons(first, None, second) == ("kept: score 9.0",)
    marked = replace(first, repeat_of=second.path)
    assert reasons(second, None, marked) == ("kept: score 9.0",)


def test_all_failing_gates_are_listed_in_their_fixed_order() -> None:
    everything = wrong_background(
        "a",
        "green",
        "gray",
        score=3.0,
        grid=None,
        generation=3,
        review=verdict("rejected"),
        copy_of="/o/b.png",
        repeat_of="/pool/c.png",
        proposed_caption=None,
    )
    assert [category(reason) for reason in reasons(everything, DROP)] == list(GATES)


def test_an_approval_overrides_quality_and_nothing_else() -> None:
    approved = candidate("a", score=6.0, review=verdict("approved"))
    assert reasons(approved) == ("kept: score 6.0; approved by Ann",)
    for changes, gate in (
        ({"copy_of": "/o/b.png"}, "copy"),
        ({"repeat_of": "/pool/c.png"}, "repeat"),
        ({"generation": 2}, "generation"),
        ({"grid": None}, "unreadable"),
    ):
        (reason,) = reasons(replace(approved, **changes))
        assert category(reason) == gate


def test_a_skipped_review_changes_nothing() -> None:
    assert reasons(candidate("a", review=verdict("skipped"))) == ("kept: score 9.0",)
    (reason,) = reasons(candidate("a", score=5.0, review=verdict("skipped")))
    assert category(reason) == "quality"


def test_a_wrong_background_is_recaptioned_or_dropped_as_the_policy_says() -> None:
    view = wrong_background("a", "green", "gray")
    assert reasons(view) == ("kept: score 9.0; caption corrected (green -> gray background)",)
    assert reasons(view, DROP) == (
        "claim: green background was asked for, gray is seen; --wrong-background recaption admits it under a "
        "corrected caption",
    )


def test_a_wrong_background_without_a_correction_is_not_admitted_under_its_wrong_caption() -> None:
    view = wrong_background("a", "green", "gray", proposed_caption="portrait, green background", changes=())
    (reason,) = reasons(view)
    assert reason.startswith("caption: says green background, gray is seen, and no correction was proposed")
    assert category(reasons(replace(view, caption=view.prompt))[0]) == "caption"
    assert reasons(replace(view, review=verdict("approved"))) == ("kept: score 9.0; approved by Ann",)


def test_one_corrected_phrase_does_not_admit_a_caption_with_another_wrong_one() -> None:
    """A gray pattern asked for as "gradient background, green background": a pattern has no one name to put there."""
    layout = Claim("background", "gradient", "pattern", "contradicted", (0, 8))
    color = Claim("background", "green", "gray", "contradicted", (21, 26))
    view = candidate(
        "a",
        prompt="gradient background, green background",
        proposed_caption="gradient background, gray background",
        claims=(layout, color),
        changes=(CaptionChange("background", (21, 26), "green", "gray", "seen"),),
    )
    (reason,) = reasons(view)
    assert reason.startswith("caption: says gradient background, pattern is seen, and no correction was proposed")
    assert reasons(replace(view, caption="a tiled gray background"))[0].startswith("kept: ")  # someone wrote it since
    assert reasons(replace(view, review=verdict("approved")))[0].startswith("kept: ")


def test_a_thing_that_is_not_there_and_stays_in_the_caption_is_named() -> None:
    crown = Claim("accessory:crown", "present", "absent", "contradicted", (0, 5))
    (reason,) = reasons(candidate("a", claims=(crown,)))
    assert reason.startswith("caption: says crown, none is seen")
    cut = CaptionChange("accessory:crown", (0, 7), "crown, ", "", "no crown is seen")
    assert reasons(candidate("a", claims=(crown,), changes=(cut,)))[0].startswith("kept: ")


def test_corrected_claims_of_other_slots_and_unverifiable_ones_are_no_gate() -> None:
    claims = (Claim("hair", "red", "brown", "contradicted"), Claim("background", "mint", None, "unverifiable"))
    changes = (CaptionChange("hair", (0, 3), "red", "brown", "seen"),)
    assert reasons(candidate("a", claims=claims, changes=changes), DROP) == ("kept: score 9.0",)
    assert reasons(candidate("a", claims=claims[1:]), DROP) == ("kept: score 9.0",)


def test_every_corrected_slot_is_named() -> None:
    view = wrong_background(
        "a",
        "green",
        "gray",
    )
    view = replace(view, changes=(*view.changes, CaptionChange("hair", (0, 3), "red", "brown", "seen")))
    view = replace(view, claims=(*view.claims, Claim("hair", "red", "brown", "contradicted")))
    assert reasons(view) == ("kept: score 9.0; caption corrected (green -> gray background, red -> brown hair)",)


def test_a_composed_caption_is_said_to_be_one() -> None:
    view = candidate("a", prompt=None, composed=True)
    assert reasons(view) == ("kept: score 9.0; caption composed from what is seen",)


def test_a_name_with_a_line_break_stays_on_one_line() -> None:
    (reason,) = reasons(candidate("a", copy_of="/o/two\nlines: ü.png"))
    assert reason == r"copy: the same picture as two\nlines: \xfc.png up to render noise"


@pytest.mark.parametrize(("score", "shown"), [(7.94, "7.9"), (7.96, "7.96"), (7.999, "7.999"), (7.9999, "7.9999")])
def test_a_score_under_the_threshold_looks_under_it(score: float, shown: str) -> None:
    assert shown_below(score, 8.0) == shown


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", 0),
        ("count", -3),
        ("min_score", 11.0),
        ("min_score", float("nan")),
        ("wrong_background", "recolor"),
        ("seed", -1),
        ("max_generation", 0),
    ],
)
def test_a_policy_out_of_range_is_refused_with_its_field(field: str, value: object) -> None:
    with pytest.raises(UserError) as caught:
        Policy(**{field: value})  # type: ignore[arg-type]
    assert caught.value.field == field


def test_the_pure_room_loads_neither_torch_nor_a_server_nor_a_database() -> None:
    code = (
        "import sys, graftset.selection; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'fastapi', 'sqlalchemy', 'pydantic', 'PIL')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_grid_is_all_it_takes() -> None:
    assert reasons(candidate("a", grid=GRID)) == ("kept: score 9.0",)
