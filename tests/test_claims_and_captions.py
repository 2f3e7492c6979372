"""What a caption claims against what is seen, the correction, and the history of both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assess_helpers import U8, Pool, cast, painted
from graftset.caption import apply_proposals, outdated
from graftset.claims import SHOWN, background_words, compose, correct, describe, judge
from graftset.drawn import draw_original
from graftset.drawn.specs import Backdrop, Tint
from graftset.pixels.color import TERMS, ColorWords
from graftset.records import Background, BackgroundKind, ColorShare, ImageView, Traits, Verdict
from graftset.traits import learn_words, name_background
from graftset.vocabulary import Vocabulary, read_phrases

Color = tuple[str, float] | tuple[str, float, tuple[str, ...]]  # word, share, all acceptable words


def seen(kind: BackgroundKind, *colors: Color, confidence: float = 0.9) -> Traits:
    """Traits with a background of these colors, the largest first."""
    shares = tuple(
        ColorShare(word=c[0], hex="#808080", share=c[1], words=c[2] if len(c) == 3 else (c[0],)) for c in colors
    )
    return Traits(background=Background(kind, shares[0].word, shares, confidence))


GRAY = seen("solid", ("gray", 1.0))
TEAL = seen("solid", ("teal", 1.0, ("teal", "cyan", "blue")))
CHECKERS = seen("pattern", ("red", 0.55), ("white", 0.45))
DUSK = seen("gradient", ("purple", 0.6, ("purple", "lavender")), ("orange", 0.4))
HALVES = seen("split", ("black", 0.5), ("white", 0.5))


def solid(code: str, share: float = 1.0) -> dict[str, object]:
    """A background reading."""
    return {"kind": "solid", "coverage": 1.0, "colors": [[code, share]]}


def verdicts(caption: str, traits: Traits) -> list[Verdict]:
    """The verdicts of a caption's claims."""
    return [claim.verdict for _, claim in judge(caption, traits)]


# --- verdicts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "traits", "verdict"),
    [
        ("gray background", GRAY, "confirmed"),
        ("slate grey background", GRAY, "confirmed"),
        ("green background", GRAY, "contradicted"),
        # Of several claimed colors one is there and one is not.
        ("green and gray background", GRAY, "unverifiable"),
        ("green to gray gradient background", GRAY, "unverifiable"),
        ("red and white background", CHECKERS, "confirmed"),
        ("blue and teal background", TEAL, "confirmed"),
        ("green and pink background", GRAY, "contradicted"),
        ("blue background", TEAL, "confirmed"),  # the border between teal and blue is not ours to draw
        ("turquoise background", TEAL, "confirmed"),
        ("green background", TEAL, "contradicted"),
        ("white checkered background", CHECKERS, "confirmed"),
        ("checkered background", CHECKERS, "confirmed"),
        ("solid background", CHECKERS, "contradicted"),
        ("gradient background", DUSK, "confirmed"),
        ("lavender to orange gradient background", DUSK, "confirmed"),
        ("lavender to pink gradient background", DUSK, "unverifiable"),
        ("split background", HALVES, "confirmed"),
        # The right color does not make a wrong layout right.
        ("gray gradient background", GRAY, "unverifiable"),
        ("gray checkered background", GRAY, "unverifiable"),
        ("plain gray background", GRAY, "confirmed"),
        ("gray gradient background", seen("solid", ("gray", 1.0), confidence=0.79), "confirmed"),
        ("gray gradient background", seen("noisy", ("gray", 1.0)), "confirmed"),
        ("green gradient background", GRAY, "contradicted"),
        ("green background", Traits(), "unverifiable"),
        # A color that holds a little of it is neither shown nor absent.
        ("green background", seen("solid", ("gray", 0.8), ("green", 0.2)), "unverifiable"),
        ("green background", seen("solid", ("gray", 0.95), ("green", 0.05)), "contradicted"),
        ("green background", seen("split", ("gray", 1 - SHOWN), ("green", SHOWN)), "confirmed"),
        # Readings nobody should rely on contradict nothing.
        ("green background", seen("solid", ("gray", 1.0), confidence=0.29), "unverifiable"),
        ("solid background", seen("split", ("gray", 0.5), ("red", 0.5), confidence=0.79), "unverifiable"),
        ("solid background", seen("noisy", ("gray", 1.0), confidence=1.0), "unverifiable"),
    ],
)
def test_a_claim_is_confirmed_contradicted_or_unverifiable(caption: str, traits: Traits, verdict: Verdict) -> None:
    assert verdicts(caption, traits) == [verdict]


def test_a_claim_says_what_was_claimed_what_was_seen_and_where() -> None:
    caption = "a lad, dark green background, hat"
    ((phrase, claim),) = [pair for pair in judge(caption, GRAY) if pair[1].slot == "background"]
    assert (claim.slot, claim.claimed, claim.seen) == ("background", "green", "gray")
    assert claim.span == phrase.span == (7, 17)
    ((_, layout),) = judge("solid background", CHECKERS)
    assert (layout.claimed, layout.seen) == ("solid", "pattern")


def test_a_caption_that_claims_nothing_has_no_claims() -> None:
    assert verdicts("a tree with leaves", GRAY) == []


@pytest.mark.parametrize(
    "caption",
    ["no green background", "a lad without a green background", "not the dark green background", "No green_background"],
)
def test_a_background_that_is_denied_is_not_claimed(caption: str) -> None:
    assert [claim for _, claim in judge(caption, GRAY) if claim.slot == "background"] == []


def test_a_denial_of_something_else_leaves_the_background_claimed() -> None:
    assert verdicts("no frame on a green background", GRAY) == ["contradicted"]
    assert verdicts("no, green background", GRAY) == ["contradicted"]


def test_a_claim_of_what_nobody_looked_at_is_unverifiable() -> None:
    judged = judge("a lad, gray background, wearing hat", GRAY)
    assert [(claim.slot, claim.verdict) for _, claim in judged] == [
        ("figure", "unverifiable"),
        ("background", "confirmed"),
        ("accessory:hat", "unverifiable"),
    ]


def test_between_teal_and_blue_no_acceptable_word_is_ever_contradicted() -> None:
    border = [f"#00{green:02x}{blue:02x}" for green in range(96, 200, 8) for blue in range(96, 200, 8)]
    named = [name_background(solid(code), ColorWords({})) for code in border]
    assert {"teal", "blue"} <= {background.value for background in named}
    for background in named:
        for word in background.colors[0].words:
            assert verdicts(f"{word} background", Traits(background=background)) == ["confirmed"]


# --- corrections -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "traits", "corrected"),
    [
        ("green background", GRAY, "gray background"),
        ("a lad,  green   background ,hat", GRAY, "a lad,  gray   background ,hat"),
        ("a lad, dark dark green background", GRAY, "a lad, gray background"),
        ("bright limegreen background", GRAY, "gray background"),
        ("green background #00ff00, x", GRAY, "gray background #00ff00, x"),
        ("(green background:1.3)", GRAY, "(gray background:1.3)"),
        ("green_background", GRAY, "gray_background"),
        ("plain greenbackground", GRAY, "plain gray background"),
        ("greenbackground", GRAY, "gray background"),
        ("a lad, light greenbackgrounds", GRAY, "a lad, gray backgrounds"),
        ("no green background, tan background", GRAY, "no green background, gray background"),
        ("GREEN BACKGROUND", GRAY, "gray BACKGROUND"),
        ("background: green", GRAY, "background: gray"),
        ("background - dark green", GRAY, "background - gray"),
        ("solid green background", GRAY, "solid gray background"),
        ("plain dark green background", GRAY, "plain gray background"),
        ("green to blue gradient background", GRAY, "gray background"),
        ("green background, hat, tan background", GRAY, "gray background, hat, gray background"),
        ("green background, hat, gray background", GRAY, "gray background, hat, gray background"),
        ("green background", CHECKERS, "red background"),
        ("green checkered background", CHECKERS, "white and red checkered background"),
        ("green and blue striped background", CHECKERS, "white and red striped background"),
        ("green background", DUSK, "orange to purple gradient background"),
        ("green gradient background", DUSK, "orange to purple gradient background"),
        ("green background", HALVES, "white and black split background"),
        ("solid background", HALVES, "split background"),
        ("checkered background", GRAY, "solid background"),
        ("solid background", DUSK, "gradient background"),
        ("gradient background", CHECKERS, "gradient background"),  # a pattern has too many names to choose one
    ],
)
def test_only_the_contradicted_phrase_changes(caption: str, traits: Traits, corrected: str) -> None:
    proposal = correct(caption, traits)
    assert proposal.text == corrected
    assert not proposal.composed
    assert bool(proposal.changes) == (corrected != caption)


@pytest.mark.parametrize(
    "caption", ["gray background", "gray and green background", "a lad", "", "gray background, green hat"]
)
def test_a_caption_that_contradicts_nothing_stays_byte_for_byte(caption: str) -> None:
    proposal = correct(caption, GRAY)
    assert (proposal.text, proposal.changes) == (caption, ())


def test_a_change_says_what_moved_and_why() -> None:
    (change,) = correct("a lad, green background", GRAY).changes
    assert (change.slot, change.span, change.old, change.new) == ("background", (7, 12), "green", "gray")
    assert change.why == "the picture shows a solid gray background (gray #808080)"


_TEXT = st.lists(
    st.sampled_from(["background", "green", "navy", "dark", "solid", "split", "checkered", "and", "to", ",", " ", "-"])
    | st.text(max_size=4),
    max_size=16,
).map(" ".join)


@st.composite
def backgrounds(draw: st.DrawFn) -> Traits:
    """Anything a background reading may say."""
    kinds: tuple[BackgroundKind, ...] = get_args(BackgroundKind)
    kind = draw(st.sampled_from(kinds))
    words = draw(st.lists(st.sampled_from(TERMS), min_size=1, max_size=6))
    weights = sorted((draw(st.floats(0.05, 1)) for _ in words), reverse=True)
    colors = [
        (word, weight / sum(weights), (word, *draw(st.lists(st.sampled_from(TERMS), max_size=3))))
        for word, weight in zip(words, weights, strict=True)
    ]
    return seen(kind, *colors, confidence=draw(st.floats(0, 1)))


@given(_TEXT, backgrounds())
def test_what_lies_outside_the_phrases_never_moves(caption: str, traits: Traits) -> None:
    proposal = correct(caption, traits)
    rest, at = [], 0
    for change in proposal.changes:
        assert caption[slice(*change.span)] == change.old != change.new
        rest += [caption[at : change.span[0]], change.new]
        at = change.span[1]
    assert proposal.text == "".join([*rest, caption[at:]])


@given(_TEXT, backgrounds())
def test_correcting_what_was_corrected_changes_nothing(caption: str, traits: Traits) -> None:
    once = correct(caption, traits)
    assert correct(once.text, traits).text == once.text


@given(backgrounds())
def test_what_is_written_of_a_background_reads_back_as_true(traits: Traits) -> None:
    assert traits.background is not None
    caption = f"{background_words(traits.background)} background"
    assert read_phrases(caption)[0].terms[-1] == traits.background.value
    assert "contradicted" not in verdicts(caption, traits) or traits.background.colors[0].share <= 0.1


# --- composing -------------------------------------------------------------------------------------------------------


def test_a_caption_is_composed_between_the_originals_boilerplate() -> None:
    learned = Vocabulary.learn([f"ink, 24x24, {c} hair, {c} background, hard edges" for c in ("red", "blue", "tan")])
    proposal = compose(GRAY, learned)
    assert proposal is not None
    assert (proposal.text, proposal.composed) == ("ink, 24x24, gray background, hard edges", True)
    assert (proposal.claims, proposal.changes) == ((), ())


def test_where_all_originals_are_white_a_gray_candidate_is_called_gray_alone() -> None:
    proposal = compose(GRAY, Vocabulary.learn(["ink, a lad, white background", "ink, a lady, white background"]))
    assert proposal is not None
    assert proposal.text == "ink, gray background"


def test_nothing_seen_composes_nothing() -> None:
    assert compose(Traits(), Vocabulary()) is None
    assert describe(None) == "no readable background"


def test_a_composed_caption_without_any_wording_of_the_owner() -> None:
    proposal = compose(DUSK, Vocabulary())
    assert proposal is not None
    assert proposal.text == "orange to purple gradient background"


# --- words from the originals' captions ------------------------------------------------------------------------------


def test_captions_teach_how_their_owner_uses_a_word() -> None:
    learned = learn_words(["teal background"] * 3, [solid("#1e90a0")] * 3)
    assert {word: len(points) for word, points in learned.prototypes.items()} == {"teal": 3}


def test_captions_that_are_absurd_or_of_many_colors_teach_nothing() -> None:
    readings = [solid("#00a000"), solid("#00a000", 0.7), solid("#00a000")]
    texts = ["pink background", "green background", "green to blue gradient background"]
    assert learn_words(texts, readings).prototypes == {}


def test_shades_of_one_word_outweigh_a_larger_single_color() -> None:
    reading = {"kind": "pattern", "coverage": 1.0, "colors": [["#d03030", 0.4], ["#108010", 0.3], ["#30a030", 0.3]]}
    named = name_background(reading, ColorWords({}))
    assert named.value == "green"
    assert [color.word for color in named.colors] == ["red", "green", "green"]


# --- the stage and its history ---------------------------------------------------------------------------------------

HEAD = "ink portrait, 24x24"


def person_on(code: str, number: int) -> U8:
    """One of 24 drawn people on a plain background of this color, uint8 [24, 24, 3]."""
    spec = cast(24)[number].spec
    return draw_original(replace(spec, backdrop=Backdrop("solid", "solid", (Tint("any", code),))), "classic")


GRAY_CODE, GREEN_CODE = "#8a8a8c", "#2f9e44"


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    """People on gray; candidates on gray too, of which one claims green and two say nothing."""
    pool = Pool(tmp_path)
    for i in range(21):
        pool.original(f"lad_{i:03d}", person_on(GRAY_CODE, i), f"{HEAD}, {TERMS[i % 5]} hair, gray background, ink")
    pool.original("lad_021", person_on(GRAY_CODE, 21), f"{HEAD}, red hair, green background, ink")
    pool.candidate("told", painted(person_on(GRAY_CODE, 22), 1), "a lad, green background, hat")
    pool.candidate("true", painted(person_on(GRAY_CODE, 22), 2), "a lad, gray background, hat")
    pool.candidate("silent", painted(person_on(GRAY_CODE, 23), 3))
    pool.candidate("lad_007_var1", painted(person_on(GREEN_CODE, 7), 4))
    pool.take()
    return pool


def history(pool: Pool, name: str) -> list[tuple[str, str | None]]:
    """Kind and text of every entry of an image, the oldest first."""
    return [(e["kind"], e["text"]) for e in pool.catalog.caption_history(pool.views()[name].path)]


def test_the_stage_keeps_proposals_beside_the_captions_as_they_came(pool: Pool) -> None:
    report = pool.caption()
    told, true = pool.views()["told"], pool.views()["true"]
    assert told.prompt == "a lad, green background, hat"
    assert told.caption is None
    assert told.proposed_caption == told.training_caption == "a lad, gray background, hat"
    assert {c.slot: c.verdict for c in told.claims} == {
        "figure": "unverifiable",
        "background": "contradicted",
        "accessory:hat": "unverifiable",
    }
    assert [(c.old, c.new) for c in told.changes] == [("green", "gray")]
    assert true.proposed_caption == true.prompt
    assert (report.corrected, report.composed, report.without) == (1, 2, 0)
    assert (report.claims["contradicted"], report.claims["confirmed"]) == (1, 1)
    assert report.notes == ("2 candidates came without text; their captions are composed and marked so.",)


def test_originals_are_checked_and_never_rewritten(pool: Pool) -> None:
    report = pool.caption()
    apply_proposals(pool.catalog)
    wrong = pool.views()["lad_021"]
    assert report.original_contradictions == 1
    assert [c.slot for c in wrong.claims if c.verdict == "contradicted"] == ["background"]
    assert wrong.caption == f"{HEAD}, red hair, green background, ink"
    assert (wrong.proposed_caption, wrong.changes) == (None, ())
    assert (pool.originals / "lad_021.txt").read_text(encoding="utf-8") == wrong.caption


def test_a_silent_candidate_gets_what_is_seen_in_the_originals_grammar(pool: Pool) -> None:
    pool.caption()
    view = pool.views()["silent"]
    assert view.proposed_caption == f"{HEAD}, gray background, ink"
    assert (view.prompt, view.composed, view.claims, view.changes) == (None, True, (), ())


def test_a_silent_variation_of_a_named_original_borrows_its_caption_corrected(pool: Pool) -> None:
    pool.caption()
    view = pool.views()["lad_007_var1"]
    assert (view.source_basis, view.composed) == ("name", True)
    assert view.proposed_caption == f"{HEAD}, {TERMS[7 % 5]} hair, green background, ink"


def test_a_source_that_is_only_guessed_lends_no_words(pool: Pool) -> None:
    (pool.candidates / "lad_007_var1.png").rename(pool.candidates / "unnamed.png")
    pool.take()
    pool.caption()
    view = pool.views()["unnamed"]
    assert view.source_basis == "nearest"
    assert Path(view.source_original or "").stem == "lad_007"
    assert view.proposed_caption == f"{HEAD}, green background, ink"


def test_running_it_again_appends_nothing(pool: Pool) -> None:
    assert outdated(pool.catalog.views()) == 26
    assert pool.caption().appended == 26
    before = history(pool, "told")
    assert outdated(pool.catalog.views()) == 0
    assert pool.caption().appended == 0
    assert history(pool, "told") == before == [("proposed", "a lad, gray background, hat")]


def test_another_prompt_renews_the_proposal_and_the_history_keeps_both(pool: Pool) -> None:
    pool.caption()
    (pool.candidates / "told.txt").write_text("a lady, tan background", encoding="utf-8")
    pool.ingest()
    assert pool.views()["told"].proposed_caption is None  # what was said of another text does not hold
    pool.assess()
    assert pool.caption().appended == 1
    assert pool.views()["told"].proposed_caption == "a lady, gray background"
    assert history(pool, "told") == [
        ("proposed", "a lad, gray background, hat"),
        ("proposed", "a lady, gray background"),
    ]


def test_applying_makes_the_proposals_the_captions_once(pool: Pool) -> None:
    pool.caption()
    assert apply_proposals(pool.catalog, "Ada") == 4
    assert apply_proposals(pool.catalog, "Ada") == 0
    assert pool.views()["told"].caption == "a lad, gray background, hat"
    entries = pool.catalog.caption_history(pool.views()["told"].path)
    assert [(e["kind"], e["author"]) for e in entries][1] == ("current", "Ada")
    assert entries[0]["author"].startswith("graftset ")


def test_applied_captions_survive_every_rerun(pool: Pool) -> None:
    pool.caption()
    apply_proposals(pool.catalog)
    pool.take()
    assert pool.caption().appended == 0
    assert pool.views()["told"].caption == "a lad, gray background, hat"
    assert len(history(pool, "told")) == 2


def test_applied_captions_stop_holding_when_the_picture_at_that_path_changes(pool: Pool) -> None:
    pool.caption()
    apply_proposals(pool.catalog)
    pool.candidate("told", painted(person_on(GREEN_CODE, 22), 1))
    pool.take()
    assert pool.views()["told"].caption is None
    pool.caption()
    view = pool.views()["told"]
    assert view.training_caption == view.prompt == "a lad, green background, hat"
    assert ("current", "a lad, gray background, hat") in history(pool, "told")


def test_what_could_not_be_measured_is_judged_by_nobody(pool: Pool) -> None:
    lost = pool.candidate("lost", painted(person_on(GRAY_CODE, 3), 9), "a lad, green background")
    pool.ingest()
    lost.unlink()
    pool.assess()
    pool.caption()
    view = pool.views()["lost"]
    assert (view.claims, view.proposed_caption, view.training_caption) == ((), None, None)


def test_originals_without_captions_are_said_so_and_words_come_from_the_survey(tmp_path: Path) -> None:
    pool = Pool(tmp_path)
    for i in range(3):
        pool.original(f"o{i}", person_on(GRAY_CODE, i))
    pool.candidate("c", painted(person_on(GREEN_CODE, 5), 1))
    pool.take()
    report = pool.caption()
    assert report.notes[0] == "No original has a caption: captions are composed without the owner's wording."
    assert pool.views()["c"].proposed_caption == "green background"


def test_originals_whose_captions_share_nothing_are_said_so(tmp_path: Path) -> None:
    pool = Pool(tmp_path)
    for i, caption in enumerate(["a lad in gray", "eine Dame", "портрет, серый фон"]):
        pool.original(f"o{i}", person_on(GRAY_CODE, i), caption)
    pool.candidate("c", painted(person_on(GREEN_CODE, 5), 1))
    pool.take()
    assert pool.caption().notes[0].startswith("The originals' captions share no part")


def test_claims_are_of_the_text_that_came_in_even_after_it_was_corrected(pool: Pool) -> None:
    pool.caption()
    apply_proposals(pool.catalog)
    pool.caption()
    view: ImageView = pool.views()["told"]
    (claim,) = [claim for claim in view.claims if claim.slot == "background"]
    assert (claim.claimed, claim.seen, claim.verdict) == ("green", "gray", "contradicted")
