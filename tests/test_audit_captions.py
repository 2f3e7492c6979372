"""The audit says what is wrong with captions: every fault is planted, and a clean set stays without findings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graftset.audit import RULES, AuditReport, Finding, audit, fixed_captions
from graftset.audit.findings import finding_id
from graftset.errors import UserError
from graftset.records import Background, ColorShare, ImageView, Traits, TraitSeen

HAIR = ("brown wavy hair", "black short hair", "red curly hair", "blonde long hair", "gray short hair")
CLOTHING = ("green shirt", "dark blue shirt", "wearing red jacket", "white collared shirt", "wearing black hoodie")
GRAY = Traits(
    background=Background("solid", "gray", (ColorShare("gray", "#808080", 1.0, ("gray",)),), 0.95),
    accessories={"crown": TraitSeen("absent", 0.99)},
)


def view(number: int, caption: str | None, **changes: Any) -> ImageView:
    """An original before a gray wall."""
    plain = ImageView(
        path=f"/pool/lad_{number:03}.png",
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        origin="original",
        generation=0,
        width=24,
        height=24,
        caption=caption,
        traits=GRAY,
    )
    return replace(plain, **changes)


def good_caption(number: int) -> str:
    """A caption in order; five kinds of hair and of clothing in turn."""
    hair, clothing = HAIR[number % 5], CLOTHING[number // 5 % 5]
    smile = ("slight smile", "neutral expression")[number % 2]
    return f"tiny portrait, 24x24, drawing of a lad, {hair}, lips, {smile}, gray background, {clothing}, hard edges"


def good_views() -> list[ImageView]:
    return [view(number, good_caption(number)) for number in range(25)]


def audited(caption: str, rule: str, **how: Any) -> tuple[Finding, ...]:
    """What a rule says of one caption among 25 that are in order."""
    changes = how.pop("view", {})
    return tuple(
        finding
        for finding in audit([*good_views(), view(99, caption, **changes)], rules=[rule], **how).findings
        if finding.path is not None and finding.path.endswith("099.png")
    )


def test_a_clean_set_has_only_remarks_about_the_set() -> None:
    report = audit(good_views())
    assert {finding.rule for finding in report.findings} <= {"boilerplate"}
    assert report.captions == 25
    assert report.notes == ()


LAST = "tiny portrait, 24x24, drawing of a lad, {}, lips, slight smile, gray background, green shirt, hard edges"
# rule -> planted caption, evidence, and the words of the fixed caption where there is a fix
PLANTED: Mapping[str, tuple[str, str, str | None]] = {
    "contradicted": (LAST.replace("gray back", "green back").format("red hair"), "green", "gray background"),
    "empty": ("", "", None),
    "no-trigger": ("red hair, green shirt", "tiny portrait, 24x24, drawing of a lad", "24x24, drawing of a lad, red"),
    "interrupted": (LAST.format("dirty blonde to lips, slight smile, medium hair"), "dirty blonde to lips", None),
    "truncated": (LAST.format("brown hair and"), "brown hair and", ", brown hair, lips"),
    "glued": (LAST.format("redcurly hair, whiteshirt"), "redcurly", "red curly hair, white shirt"),
    "misspelled": (LAST.format("brown wavy hari, emdium face"), "emdium", None),
    "doubled": (LAST.format("golden stud stud earring"), "stud stud", ", golden stud earring,"),
    "repeated": (
        LAST.format("long hair with a center part, blue eyes, long hair with a center part"),
        "long hair with a center part",
        "center part, blue eyes, lips",
    ),
    "unclosed": (LAST.format("curly hair (from the roots"), "curly hair (from the roots", "hair from the roots"),
    "code-shared": (LAST.format("red hair #aa3311, red eyes #A31"), "#aa3311", None),
    "code-absent": (LAST.format("red hair #00ff00"), "#00ff00", None),
    "too-long": (LAST.format("very long hair with a bow, " * 20), "", None),
    "further-lines": (LAST.format("red hair"), "a second line", None),
    "duplicate": (good_caption(0), "lad_000.png", None),
    "unlikely": (LAST.format("red hair, wearing crown"), "wearing crown", None),
    "doubtful": (LAST.replace("gray back", "light blue back").format("red hair"), "light blue", None),
    "image-id": ("one, two of a kind, three in a boat", "one, two of a kind, three in a boat", None),
}
OF_THE_SET = {"one-off-tags", "boilerplate"}


def _picture(of: ImageView) -> np.ndarray[Any, Any]:
    return np.random.default_rng(int(of.sha256[:8], 16)).integers(100, 140, (24, 24, 3)).astype(np.uint8)


def test_every_rule_has_its_planted_fault() -> None:
    assert {rule.name for rule in RULES} == PLANTED.keys() | OF_THE_SET


@pytest.mark.parametrize("rule", [rule.name for rule in RULES if rule.name not in OF_THE_SET])
def test_a_planted_fault_is_found_with_its_evidence(rule: str) -> None:
    caption, evidence, fixed = PLANTED[rule]
    found = audited(caption, rule, native=_picture, sidecar=lambda v: "first\n\na second line\n")
    assert found, rule
    assert any(evidence in finding.words for finding in found)
    assert all(finding.rule == rule and finding.message for finding in found)
    texts = fixed_captions(found)
    if fixed is None:
        assert rule == "misspelled" or not texts
    else:
        assert fixed in next(iter(texts.values()))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_keeps_the_contract_of_the_table(rule: Any) -> None:
    assert rule.severity in ("error", "warning", "info")
    assert rule.name == rule.name.lower().replace(" ", "-")
    assert rule.meaning
    assert rule.check.__doc__
    views = [*good_views(), *(view(100 + i, caption) for i, (caption, _, _) in enumerate(PLANTED.values()))]
    report = audit(views, rules=[rule.name], native=_picture, sidecar=lambda v: "one\ntwo")
    again = audit(views, rules=[rule.name], native=_picture, sidecar=lambda v: "one\ntwo")
    assert report == again
    assert report.findings
    assert len({finding.id for finding in report.findings}) == len(report.findings)
    for finding in report.findings:
        assert finding.severity == rule.severity
        assert (finding.path is None) == (rule.name in OF_THE_SET)
        assert rule.fixable or finding.fix is None
        if finding.span is not None and finding.caption is not None:
            assert finding.caption[slice(*finding.span)].strip()
        if finding.fix is not None:
            assert finding.fix != finding.caption
    assert any(finding.fix for finding in report.findings) == rule.fixable


def test_rules_find_nothing_where_there_is_nothing() -> None:
    for views in ([], [view(0, None)], [view(0, good_caption(0))]):
        report = audit(views)
        assert {finding.rule for finding in report.findings} <= {"empty"}


def test_no_image_and_no_caption_are_said_in_a_note() -> None:
    assert "graftset ingest" in audit([]).notes[0]
    assert "No image has a caption" in audit([view(0, None)]).notes[0]
    unseen = replace(view(0, "a"), traits=Traits())
    assert any("graftset assess" in note for note in audit([unseen]).notes)


def test_captions_in_another_language_are_not_spelt() -> None:
    lines = ["jasne włosy, zielona koszula", "czarne włosy, niebieska kurtka", "赤い髪, 緑のシャツ", "ещё один портрет"]
    report = audit([view(i, line) for i, line in enumerate(lines)])
    assert not {"misspelled", "glued"} & report.counts.keys()
    assert any("spelling was not judged" in note for note in report.notes)


@pytest.mark.parametrize("word", ["emdium", "meduim", "mediumm", "medum"])
def test_a_slip_of_the_fingers_is_mended_where_the_captions_know_the_word(word: str) -> None:
    views = [view(i, f"{shade} medium hair, portrait {i}") for i, shade in enumerate(("red", "blue", "gray", "long"))]
    (found,) = audit([*views, view(9, f"{word} hair")], rules=["misspelled"]).findings
    assert found.fix == "medium hair"


@pytest.mark.parametrize(
    "phrase",
    [
        "dark dark brown hair",  # emphasis
        "wearing overcoat and turtleneck with pinstripes",  # listed words
        "fluffed bouffant, brownish tint, chunkier rims",  # derived ones
        "portrait in the style of Zbigniew Qwertyuiop",  # names
        "1940s hair, 18th century #aabbcc, 24x24",  # digits
        "hair (long, straight) and (a little) wild",
    ],
)
def test_what_is_in_order_is_left_alone(phrase: str) -> None:
    rules = ["misspelled", "glued", "doubled", "repeated", "unclosed", "truncated", "interrupted"]
    assert audit([*good_views(), view(99, LAST.format(phrase))], rules=rules).findings == ()


def test_an_invented_trigger_word_is_a_word() -> None:
    views = [view(i, good_caption(i).replace("tiny portrait", "inkqline portrait")) for i in range(25)]
    assert audit(views, rules=["misspelled", "glued"]).findings == ()
    assert audit(views[:4], rules=["misspelled", "glued"]).findings == ()


def test_candidates_of_one_prompt_may_share_a_caption_but_not_with_an_unlike_original() -> None:
    made = [view(i, None, origin="generated", generation=1, prompt="one prompt") for i in (1, 2)]
    assert audit(made, rules=["duplicate"], native=_picture).findings == ()
    (one, two) = audit([*made, view(0, "one prompt")], rules=["duplicate"], native=_picture).findings
    assert one.words == two.words == "lad_000.png"


def test_a_lost_comma_comes_back_before_what_begins_a_phrase() -> None:
    (found,) = audited(LAST.format("grayhoodie, baldwearing stubble"), "glued")[-1:]
    assert found.fix is not None
    assert "bald, wearing stubble" in found.fix


def test_what_was_pushed_in_behind_a_preposition_is_not_guessed_at() -> None:
    (found,) = audited(LAST.format("glasses withlips"), "glued")
    assert found.words == "withlips"
    assert found.fix is None


def test_the_words_that_clip_does_not_read_are_named() -> None:
    filler = "curly " * 70
    (found,) = audited(LAST.format(filler + "hair"), "too-long")
    assert found.caption is not None
    assert found.span is not None
    assert found.words.endswith("green shirt, hard edges")
    assert found.caption[slice(*found.span)] == found.words
    assert "75 cut" in found.message
    assert "150 cut" not in found.message


def test_a_caption_over_150_tokens_says_what_each_limit_cuts() -> None:
    (found,) = audited(LAST.format("curly " * 150 + "hair"), "too-long")
    assert "75 cut" in found.message
    assert "150 cut" in found.message
    assert "225 cut" not in found.message


def test_the_text_around_a_contradicted_word_stays() -> None:
    (found,) = audited(LAST.replace("gray back", "bright green back").format("red hair"), "contradicted")
    assert found.caption is not None
    assert found.fix == found.caption.replace("bright green background", "gray background")


def test_a_garbled_background_is_found_but_not_rewritten() -> None:
    caption = LAST.replace("gray background", "bright green background baseball cap").format("red hair")
    (found,) = audited(caption, "contradicted")
    assert found.fix is None


def prompted(caption: str, traits: Traits) -> tuple[ImageView, ...]:
    """A candidate with a prompt, beside originals that are in order."""
    made = view(99, None, origin="generated", generation=1, prompt=caption, traits=traits)
    return (*good_views(), made)


def test_a_term_that_only_the_originals_captions_teach_is_held_against_the_picture() -> None:
    """Nobody listed a snorkel: it is a thing to wear because other captions say it is worn."""
    caption = LAST.format("red hair, wearing snorkel")
    views = [*good_views(), *(view(n, caption) for n in range(30, 34))]
    seen = replace(GRAY, accessories={"snorkel": TraitSeen("absent", 0.999)})
    assert audit(views, rules=["contradicted"]).findings == ()
    (found,) = audit([*views, *prompted(caption, seen)[-1:]], rules=["contradicted"]).findings
    assert found.message == "The caption says snorkel; the picture shows none"
    assert found.fix == LAST.format("red hair")


def test_hair_that_the_picture_clearly_contradicts_is_found_and_other_slots_nobody_saw_are_not() -> None:
    seen = replace(GRAY, slots={"hair": TraitSeen("green", 0.95), "eyes": TraitSeen("unknown", None)}, accessories={})
    caption = LAST.format("red hair, blue eyes, wearing crown")
    (found,) = audit(prompted(caption, seen), rules=["contradicted"]).findings
    assert (found.words, found.fix) == ("red", caption.replace("red hair", "green hair"))
    doubtful = replace(GRAY, slots={"hair": TraitSeen("green", 0.5)}, accessories={"crown": TraitSeen("absent", 0.5)})
    for rule in ("contradicted", "doubtful"):
        assert audit(prompted(caption, doubtful), rules=[rule]).findings == ()


@pytest.mark.parametrize(
    ("phrase", "traits", "found"),
    [
        ("red hair", {"hair": TraitSeen("green", 0.75)}, ["red"]),
        ("red hair", {"hair": TraitSeen("green", 0.65)}, []),
        ("blonde hair", {"hair": TraitSeen("brown", 0.95)}, []),  # no clear border
        ("blue eyes", {"eyes": TraitSeen("brown", 0.85)}, []),  # detectors of eyes are seldom right against an owner
        ("wearing crown, red hair, a crown of gold", {}, ["wearing crown"]),  # once, however often it is said
    ],
)
def test_a_detector_against_an_owner_is_worth_a_look_and_no_contradiction(
    phrase: str, traits: dict[str, TraitSeen], found: list[str]
) -> None:
    original = {"traits": replace(GRAY, slots=traits)}
    caption = LAST.format(phrase)
    assert audited(caption, "contradicted", view=original) == ()
    assert [finding.words for finding in audited(caption, "unlikely", view=original)] == found
    assert all(finding.fix is None for finding in audited(caption, "unlikely", view=original))


def test_a_very_dark_color_may_be_called_dark() -> None:
    night = Traits(
        background=Background("solid", "black", (ColorShare("black", "#1d2740", 1.0, ("black", "blue")),), 0.9)
    )
    for words, found in (("dark blue", 0), ("blue", 1)):
        caption = LAST.replace("gray background", f"{words} background").format("red hair")
        assert len(audited(caption, "doubtful", view={"traits": night})) == found


def test_what_is_rare_among_the_originals_is_not_doubted_for_being_rare() -> None:
    """A detector calls absent what few originals have; against an owner who names it only the picture counts."""
    caption = LAST.format("red hair, wearing crown")
    for confidence, found in ((0.99, 1), (0.95, 0)):
        seen = replace(GRAY, accessories={"crown": TraitSeen("absent", confidence)})
        assert len(audited(caption, "unlikely", view={"traits": seen})) == found


def test_a_layout_that_is_not_there_beside_the_right_color_is_no_finding() -> None:
    caption = LAST.replace("gray back", "gray gradient back").format("red hair")
    assert audited(caption, "contradicted") == ()


def test_a_candidate_is_audited_under_the_caption_it_would_be_trained_with() -> None:
    prompt, proposal = LAST.replace("gray back", "green back").format("red hair"), LAST.format("red hair")
    candidate = view(50, None, origin="generated", generation=1, prompt=prompt)
    assert [f.words for f in audit([candidate], rules=["contradicted"]).findings] == ["green"]
    assert audit([replace(candidate, proposed_caption=proposal)], rules=["contradicted"]).findings == ()


def test_a_code_that_the_picture_holds_is_no_finding() -> None:
    native = np.full((24, 24, 3), (0, 255, 0), dtype=np.uint8)
    assert audited(LAST.format("hair #00ff00 and #02fd01"), "code-absent", native=lambda v: native) == ()


def test_a_duplicate_caption_on_like_pictures_is_no_finding() -> None:
    native = np.zeros((24, 24, 3), dtype=np.uint8)
    assert audited(good_caption(0), "duplicate", native=lambda v: native) == ()


def test_a_configured_trigger_goes_before_the_learned_one() -> None:
    (found,) = audited(good_caption(3), "no-trigger", trigger="bespoke punk")
    assert found.fix == "bespoke punk, " + good_caption(3)
    assert audited(good_caption(3), "no-trigger") == ()


def test_a_rule_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(UserError, match="too-long"):
        audit(good_views(), rules=["grammar"])


def test_a_dismissed_finding_stays_dismissed_while_picture_and_evidence_do() -> None:
    caption = LAST.format("golden stud stud earring")
    (found,) = audited(caption, "doubled")

    def left(changed: ImageView) -> AuditReport:
        return audit([*good_views(), changed], rules=["doubled"], dismissed={found.id})

    assert left(view(99, caption)).findings == ()
    assert [finding.id for finding in left(view(99, caption)).dismissed] == [found.id]
    assert left(view(99, "an edit elsewhere, " + caption)).findings == ()
    assert len(left(view(99, caption, sha256="f" * 64)).findings) == 1
    assert len(left(view(99, caption.replace("stud stud", "gold gold"))).findings) == 1


def test_equal_findings_of_one_picture_have_names_of_their_own() -> None:
    found = audited(LAST.format("stud stud earring, red stud stud"), "doubled")
    assert len({finding.id for finding in found}) == 2
    assert finding_id("a", "b", "c") != finding_id("a", "bc", "")


def test_two_fixes_of_one_caption_are_both_carried_out() -> None:
    caption = LAST.format("golden stud stud earring (left, eyes and")
    found = audit([*good_views(), view(99, caption)]).findings
    (text,) = fixed_captions(tuple(f for f in found if f.path)).values()
    assert text == LAST.format("golden stud earring left, eyes")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_no_text_breaks_the_audit(captions: list[str]) -> None:
    report = audit([view(i, text) for i, text in enumerate(captions)], native=_picture, sidecar=lambda v: v.caption)
    for finding in report.findings:
        assert finding.span is None or finding.caption is None or finding.span[1] <= len(finding.caption)
    fixed_captions(report.findings)
