"""The expansion page: the artist reads what came in, what was admitted and why, from one file."""

from __future__ import annotations

import base64
import io
import itertools
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graftset.errors import UserError
from graftset.quality import MEASURES
from graftset.records import (
    Background,
    CaptionChange,
    Choice,
    Claim,
    ColorShare,
    Grid,
    ImageView,
    Nearest,
    Region,
    Selection,
    Skip,
    Traits,
    TraitSeen,
)
from graftset.report import BuildSummary, ExpansionPage, expansion_page, render, write_report
from graftset.report.sheet import MAX_CARDS

HUES = {"gray": (128, 128, 132), "green": (60, 180, 90), "blue": (60, 110, 220), "orange": (225, 125, 60)}
VOID = {"meta", "br", "input", "path", "link", "img", "hr"}


_TRAIN = "MODEL=base.safetensors SD_SCRIPTS=~/sd-scripts bash"


def drawn_png(background: str, hair: int) -> bytes:
    """A head with hair in front of a plain background, 24 x 24 px."""
    picture = np.empty((24, 24, 3), dtype=np.uint8)
    picture[:] = HUES[background]
    picture[6:24, 7:17] = (225, 180, 150)
    picture[4:8, 6:18] = (hair, hair // 2, 30)
    picture[12, [9, 14]] = 0
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def sha(number: int) -> str:
    return f"{number:064x}"


def background(word: str) -> Background:
    red, green, blue = HUES[word]
    return Background("solid", word, (ColorShare(word, f"#{red:02x}{green:02x}{blue:02x}", 1.0),), 0.95)


def original(number: int, word: str) -> ImageView:
    return ImageView(
        path=f"/art/originals/lady_{number:03}.png",
        sha256=sha(number),
        origin="original",
        generation=0,
        width=24,
        height=24,
        caption=f"portrait of a lady, {word} background",
        grid=Grid(24, 24, 1, 1, 0, 0, 1.0),
        score=9.5,
        measures={"edge_width": 0.1, "made_up_measure": 3.0},
        traits=Traits(background(word), {"figure": TraitSeen("lady", 0.9)}, {"crown": TraitSeen("absent", 0.9)}),
    )


def candidate(number: int, asked: str, seen: str, score: float, **more: object) -> ImageView:
    prompt = f"pixel art, portrait of a lady, brown hair, a long unchanged stretch of words, {asked} background"
    span = (prompt.index(f"{asked} background"), prompt.index(f"{asked} background") + len(asked))
    wrong = asked != seen
    view = ImageView(
        path=f"/art/generated/new_{number:03}.png",
        sha256=sha(1000 + number),
        origin="generated",
        generation=1,
        width=512,
        height=512,
        prompt=prompt,
        proposed_caption=prompt.replace(f"{asked} background", f"{seen} background"),
        grid=Grid(24, 24, 512 / 24, 512 / 24, 0, 0, 0.9),
        score=score,
        score_parts={"grid_residual": min(score + 0.5, 10.0), "texture_noise": score - 0.5},
        measures={"edge_width": 2.0},
        traits=Traits(background(seen), {"figure": TraitSeen("lady", 0.9)}, {"crown": TraitSeen("present", 0.9)}),
        claims=(Claim("background", asked, seen, "contradicted" if wrong else "confirmed", span),),
        changes=(CaptionChange("background", span, asked, seen, "the picture shows another color"),) if wrong else (),
        nearest_original=Nearest("/art/originals/lady_001.png", 0.04, regions=(Region(2, 3, 8, 6, 11),)),
    )
    return replace(view, **more)  # type: ignore[arg-type]


ORIGINALS = [original(n, word) for n, word in enumerate(["gray", "gray", "green", "blue", "orange"])]
CANDIDATES = [
    candidate(0, "green", "gray", 8.6),
    candidate(1, "green", "green", 8.9),
    candidate(2, "blue", "blue", 6.1),
    candidate(3, "blue", "orange", 4.0),
    candidate(4, "gray", "gray", 8.3, copy_of="/art/originals/lady_001.png"),
    candidate(5, "gray", "gray", 8.2, repeat_of="/art/generated/new_001.png"),
    candidate(6, "blue", "blue", 8.4, prompt=None, proposed_caption="portrait, blue background", composed=True),
]
SELECTION = Selection(
    policy={"min_score": 8.0, "wrong_background": "recaption", "count": None, "seed": 0},
    choices=(
        Choice(CANDIDATES[1].path, sha(1001), True, ("kept: score 8.9",), 0),
        Choice(CANDIDATES[0].path, sha(1000), True, ("kept: score 8.6; caption corrected",), 1),
        Choice(CANDIDATES[6].path, sha(1006), True, ("kept: score 8.4",), 2),
        Choice(CANDIDATES[2].path, sha(1002), False, ("quality: score 6.1 is under 8.0",)),
        Choice(CANDIDATES[3].path, sha(1003), False, ("quality: score 4.0 is under 8.0", "claim: orange is seen")),
        Choice(CANDIDATES[4].path, sha(1004), False, ("copy: the same picture as lady_001.png",)),
        Choice(CANDIDATES[5].path, sha(1005), False, ("repeat: the same picture as new_001.png",)),
    ),
    notes=("count: all that pass are kept",),
    figures={"total_variation": 0.084, "acceptance": 0.43, "acceptance:gray": 0.33, "acceptance:blue": 0.5, "odd": 1.0},
    at="2025-01-02T03:04:05Z",
)
BUILDS = (
    BuildSummary("originals", "originals", 5, 500, 1.0, 576, "builds/originals", "none"),
    BuildSummary("mix", "weighted", 8, 500, 0.77, 576, "builds/my mix", "none"),
)
SKIPS = (
    Skip("/art/generated/broken.png", "the file ends too early"),
    Skip("/art/generated/lost.txt", "a caption without an image"),
    Skip("/art/originals/empty.png", "the file is empty"),
)
PNGS = {
    image.sha256: drawn_png(image.traits.background.value, n * 20)
    for n, image in enumerate([*ORIGINALS, *CANDIDATES])
    if image.traits.background
}


def page_of(images: list[ImageView], selection: Selection | None = SELECTION, **more: object) -> ExpansionPage:
    given: dict[str, object] = {
        "builds": BUILDS,
        "skips": SKIPS,
        "native_png": PNGS.get,
        "project": "portraits",
        "version": "1.2.3",
        **more,
    }
    return expansion_page(images, selection=selection, **given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def page() -> ExpansionPage:
    return page_of([*ORIGINALS, *CANDIDATES])


class Reader(HTMLParser):
    """Reads a page as a browser would: elements with their attributes, text apart from styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text, self.style, self.comments = "", "", 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        self.comments += 1

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text += data

    def values(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.elements if name in attrs]

    def tags(self) -> Counter[str]:
        return Counter(tag for tag, _ in self.elements)


def read(page: ExpansionPage) -> Reader:
    reader = Reader(render(page))
    assert reader.open == []
    return reader


def test_first_sentence_says_what_came_in_what_was_admitted_and_corrected(page: ExpansionPage) -> None:
    assert page.verdict == "8 candidates came in, 3 were admitted, 1 caption was corrected."
    assert "1 file could not be read." in page.lede
    assert "1 admitted picture came without a caption" in page.lede
    assert page.verdict in read(page).text


def test_next_steps_are_review_then_the_baseline_then_the_grown_set(page: ExpansionPage) -> None:
    commands = [step.command for step in page.next_steps]
    assert commands == [
        "graftset review",
        f"{_TRAIN} builds/originals/train.sh",
        f"{_TRAIN} 'builds/my mix/train.sh'",
    ]
    reviewed = page_of([*ORIGINALS, *CANDIDATES], reviewed="26 of 40, none wrong")
    assert reviewed.next_steps[0].command == f"{_TRAIN} builds/originals/train.sh"
    assert "26 of 40, none wrong" in reviewed.lede


def test_every_candidate_that_came_in_is_in_the_funnel_once(page: ExpansionPage) -> None:
    assert page.funnel is not None
    ends = {outcome.title: outcome.count for outcome in page.funnel.outcomes}
    assert ends == {
        "Admitted": 3,
        "Under the quality gate": 2,
        "Copies of an original": 1,
        "Repeats of another candidate": 1,
        "Could not be read": 1,
    }
    assert page.funnel.came_in == sum(ends.values()) == 8
    assert page.funnel.measured + page.funnel.unreadable == page.funnel.came_in
    assert sum(outcome.share for outcome in page.funnel.outcomes) == pytest.approx(100, abs=0.05)
    assert sum(outcome.row_units for outcome in page.funnel.outcomes) == pytest.approx(page.funnel.height_units, abs=1)


def test_every_link_on_the_page_leads_somewhere_and_ids_are_unique(page: ExpansionPage) -> None:
    reader = read(page)
    ids = reader.values("id")
    assert len(ids) == len(set(ids))
    assert {href.removeprefix("#") for href in reader.values("href")} <= set(ids)
    assert {*reader.values("for"), *reader.values("aria-labelledby")} <= set(ids)


def test_every_candidate_has_a_card_under_its_fate(page: ExpansionPage) -> None:
    shown = {group.title: [card.name for card in group.cards] for group in page.sheet.groups}
    assert shown == {
        "Admitted": ["new_001.png", "new_000.png", "new_006.png"],
        "Under the quality gate": ["new_002.png", "new_003.png"],
        "Copies of an original": ["new_004.png"],
        "Repeats of another candidate": ["new_005.png"],
    }
    text = read(page).text
    assert all(Path(image.path).name in text for image in CANDIDATES)


def test_a_card_shows_the_difference_the_score_what_was_asked_and_what_was_seen(page: ExpansionPage) -> None:
    card = page.sheet.groups[0].cards[1]
    assert card.companion is not None
    assert card.companion.name == "lady_001.png"
    assert card.outlines == "M2 3H8M2 6H8M2 3V6M8 3V6"
    assert card.difference == "11 cells differ"
    assert card.score == "8.6"
    assert [(part.name, part.value) for part in card.parts] == [("Texture noise", "8.1"), ("Grid residual", "9.1")]
    assert card.background is not None
    assert card.background.asked is not None
    assert (card.background.asked.word, card.background.asked.hex) == ("green", "#3cb45a")
    assert (card.background.seen_text, card.background.seen[0].hex) == ("gray, solid", "#808084")
    assert card.background.verdict == "contradicted"
    pieces = [(piece.kind, piece.text) for piece in card.caption.pieces]
    assert ("old", "green") in pieces
    assert ("new", "gray") in pieces
    assert ("gap", "") in pieces
    assert card.caption.whys == ("The picture shows another color",)
    assert card.reasons == ("Score 8.6; caption corrected",)


def test_copies_and_repeats_are_shown_beside_what_they_copy(page: ExpansionPage) -> None:
    cards = {card.name: card for group in page.sheet.groups for card in group.cards}
    companions = {name: card.companion for name, card in cards.items() if card.companion}
    assert (companions["new_004.png"].label, companions["new_004.png"].name) == ("Copy of", "lady_001.png")
    assert (companions["new_005.png"].label, companions["new_005.png"].name) == ("Repeats", "new_001.png")
    assert cards["new_005.png"].outlines == ""  # the regions were measured against an original, not against new_001


def test_where_a_candidate_came_from_is_told_apart_from_what_it_looks_like() -> None:
    source = ORIGINALS[2].path
    told = candidate(0, "gray", "gray", 8.0, source_original=source, source_basis="name")
    guessed = candidate(1, "gray", "gray", 8.0, source_original=source, source_basis="nearest")
    cards = page_of([*ORIGINALS, told, guessed], None).sheet.groups[0].cards
    labels = [card.companion.label for card in cards if card.companion]
    assert labels == ["Made from", "Likely made from"]


def test_a_candidate_without_a_prompt_asked_for_nothing(page: ExpansionPage) -> None:
    card = next(card for card in page.sheet.groups[0].cards if card.name == "new_006.png")
    assert card.background is not None
    assert (card.background.asked, card.background.verdict) == (None, None)
    assert card.caption.fate == "composed"


def test_a_candidate_that_differs_nearly_everywhere_is_not_covered_with_outlines() -> None:
    everywhere = Nearest(ORIGINALS[0].path, 0.4, flipped=True, regions=(Region(0, 0, 24, 22, 480),))
    page = page_of([*ORIGINALS, candidate(0, "gray", "gray", 8.0, nearest_original=everywhere)], None)
    card = page.sheet.groups[0].cards[0]
    assert (card.outlines, card.difference) == ("", "83 % of its cells differ")
    assert card.companion is not None
    assert card.companion.mirrored


def test_filters_count_what_they_show_and_need_no_script(page: ExpansionPage) -> None:
    sheet = page.sheet
    assert (sheet.total, sheet.admitted, sheet.dropped, sheet.changed) == (7, 3, 4, 3)
    reader = read(page)
    classes = Counter(word for value in reader.values("class") for word in value.split())
    assert classes["card"] == sheet.total
    cards = [value.split() for value in reader.values("class") if value.split()[:1] == ["card"]]
    assert sum("changed" in words for words in cards) == sheet.changed
    assert sum("admitted" in words for words in cards) == sheet.admitted
    assert all(f"#{name}:checked" in reader.style for name in ("show-admitted", "show-dropped", "show-changed"))


def test_balance_counts_originals_before_and_originals_with_admitted_after(page: ExpansionPage) -> None:
    balances = {balance.title: balance for balance in page.balances}
    counts = {row.word: (row.before, row.after) for row in balances["Background"].rows}
    assert counts == {"gray": (2, 3), "green": (1, 2), "blue": (1, 2), "orange": (1, 1)}
    assert balances["Background"].rows[0].before_percent == 40.0
    assert balances["Background"].shift == "The mix moved by 10.0 % (total variation 0.100)."
    assert {row.word: (row.before, row.after) for row in balances["Figure"].rows} == {"lady": (5, 8)}
    assert {row.word: (row.before, row.after) for row in balances["Accessories"].rows} == {"crown": (0, 3)}


def test_unknown_traits_are_said_to_be_unknown_and_not_counted() -> None:
    unread = replace(ORIGINALS[0], traits=Traits(None, {"figure": TraitSeen("unknown")}))
    balances = {balance.title: balance for balance in page_of([unread, *ORIGINALS[1:]], None).balances}
    assert sum(row.before for row in balances["Background"].rows) == 4
    assert balances["Background"].coverage.startswith("Read on 4 of 5 originals")


def test_histogram_holds_every_score_and_marks_the_gate(page: ExpansionPage) -> None:
    chart = page.scores
    assert chart is not None
    assert {(b.lower, b.admitted, b.dropped) for b in chart.bins if b.admitted or b.dropped} == {
        (4.0, 0, 1),
        (6.0, 0, 1),
        (8.0, 1, 2),
        (8.5, 2, 0),
    }
    assert (chart.gate, chart.gate_percent) == ("8", 80.0)
    assert chart.summary == "Half of the candidates score 8.3 or more; 5 reach the gate of 8."
    assert chart.originals_percent == 95.0


def test_figures_and_measures_are_explained_and_unknown_ones_are_still_shown(page: ExpansionPage) -> None:
    figures = {figure.title: figure for figure in page.figures}
    assert figures["Total variation"].value == "0.084"
    assert figures["Total variation"].meaning
    assert figures["Acceptance by background"].meaning == "gray 0.33, blue 0.5."
    assert figures["Odd"].value == "1"
    rows = {row.title: row for row in page.measures}
    described = next(measure for measure in MEASURES if measure.name == "edge_width")
    assert (rows["Edge width"].unit, rows["Edge width"].better) == (described.unit, "lower is better")
    assert described.meaning[1:] in read(page).text
    assert (rows["Edge width"].originals, rows["Edge width"].admitted, rows["Edge width"].dropped) == ("0.1", "2", "2")
    assert rows["Made up measure"].admitted == "–"


def test_builds_rules_and_skipped_files_are_listed(page: ExpansionPage) -> None:
    text = read(page).text
    for expected in ("77 %", "builds/my mix", "reviewed: none", "A candidate needs a score of 8 or more.", "1.2.3"):
        assert expected in text
    for skip in SKIPS:
        assert skip.reason in text


@pytest.mark.parametrize("number", range(40))
def test_hostile_text_stays_text(number: int) -> None:
    """Every text a stranger can set is, in turn, an attack; it must come out as the words it was."""
    attacks = (
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "'></style></title><iframe src=//evil.example>",
        "{{ page.project }}{% raw %}",
        "<!-- -->]]>&lt;b&gt;",
    )
    attack, place = attacks[number % 5], number // 5
    view, choice = CANDIDATES[0], SELECTION.choices[1]
    given: dict[str, object] = {}
    match place:
        case 0:
            view = replace(view, prompt=attack, changes=())
        case 1:
            view = replace(view, caption=attack)
        case 2:
            view = replace(view, path=f"/art/generated/{attack.replace('/', '|')}.png")
            attack = attack.replace("/", "|")
        case 3:
            view = replace(view, claims=(Claim("background", attack, attack, "contradicted"),))
        case 4:
            view = replace(view, traits=Traits(Background("solid", attack, (ColorShare(attack, attack, 1.0),), 1.0)))
        case 5:
            view = replace(view, measures={attack: 1.0}, score_parts={attack: 1.0})
        case 6:
            choice = replace(choice, reasons=(attack,))
        case _:
            given = {"project": attack, "version": attack, "notes": (attack,), "skips": (Skip("x", attack),)}
    choice = replace(choice, path=view.path)
    page = page_of([*ORIGINALS, view], replace(SELECTION, choices=(choice,)), **given)
    reader = read(page)
    shown = reader.text if place != 5 else reader.text.lower()
    assert attack in shown
    assert reader.tags()["script"] == reader.tags()["img"] == reader.tags()["iframe"] == reader.comments == 0
    assert reader.tags()["style"] == reader.tags()["title"] == 1
    names = {name for _, attrs in reader.elements for name in attrs}
    assert not [name for name in names if name.startswith("on")]
    assert "alert" not in reader.style
    assert all(re.fullmatch(r"[-a-z: 0-9.#%;/]*", style) for style in reader.values("style"))


def test_file_names_that_are_not_text_do_not_break_the_page(tmp_path: Path) -> None:
    odd = candidate(0, "gray", "gray", 8.0, path="/art/generated/new\n\x00\x1b\udcff\u202e.png")
    write_report(page_of([*ORIGINALS, odd], None), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "\x00" not in text
    assert "\x1b" not in text
    assert "\N{REPLACEMENT CHARACTER}" in text


def test_the_page_needs_nothing_but_itself(page: ExpansionPage) -> None:
    html = render(page)
    reader = Reader(html)
    assert not reader.values("src")
    assert all(href.startswith("#") for href in reader.values("href"))
    assert all(url.startswith("data:image/png;base64,") for url in re.findall(r"url\(([^)]*)\)", html))
    assert "@import" not in html
    assert "http:" not in html
    assert "https:" not in html
    assert reader.tags()["script"] == 0
    policy = next(attrs["content"] for _, attrs in reader.elements if "http-equiv" in attrs)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_every_picture_is_embedded_exactly_once_and_shown_as_it_is(page: ExpansionPage) -> None:
    html = render(page)
    for png in PNGS.values():
        assert html.count(base64.b64encode(png).decode()) <= 1
    keys = {value.split()[1] for value in Reader(html).values("class") if value.startswith("tile p")}
    assert keys == {picture.key for picture in page.pictures}
    assert {png for image in CANDIDATES for png in [PNGS[image.sha256]]} <= {
        base64.b64decode(picture.data_uri.split(",")[1]) for picture in page.pictures
    }
    assert "image-rendering: pixelated" in html


def test_pictures_have_words_for_those_who_cannot_see_them(page: ExpansionPage) -> None:
    tiles = [attrs for _, attrs in read(page).elements if (attrs.get("class") or "").split()[:1] == ["tile"]]
    assert tiles
    assert all(attrs.get("aria-label") or attrs.get("aria-hidden") == "true" for attrs in tiles)
    labels = [label for label in (attrs.get("aria-label") for attrs in tiles) if label]
    assert "candidate new_000.png, gray background" in labels
    tags = read(page).tags()
    assert (tags["main"], tags["nav"], tags["header"], tags["footer"], tags["h1"]) == (1, 1, 1, 1, 1)


def test_same_records_give_the_same_bytes_in_any_order_and_process(page: ExpansionPage) -> None:
    backwards = page_of([*ORIGINALS, *CANDIDATES][::-1], skips=SKIPS[::-1])
    assert render(backwards) == render(page)
    code = (
        "import hashlib, test_report_expansion as t; from graftset.report import render; "
        "print(hashlib.sha256(render(t.page_of([*t.ORIGINALS, *t.CANDIDATES])).encode()).hexdigest())"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    digests = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert digests[0] == digests[1]


def test_before_any_selection_the_page_says_so() -> None:
    page = page_of([*ORIGINALS, *CANDIDATES], None, builds=(), skips=())
    assert page.verdict == "7 candidates came in, and none has been selected yet."
    assert [step.command for step in page.next_steps] == ["graftset select"]
    assert [(group.title, group.total) for group in page.sheet.groups] == [("Not selected yet", 7)]
    assert "No selection has been made." in read(page).text
    assert "None: every file could be used." in read(page).text


def test_when_nothing_is_admitted_the_page_says_which_gate_would_let_the_best_in() -> None:
    choices = tuple(replace(choice, selected=False, reasons=("quality: too low",)) for choice in SELECTION.choices)
    selection = replace(SELECTION, policy={"min_score": 9.5}, choices=choices)
    page = page_of([*ORIGINALS, *CANDIDATES], selection)
    assert page.verdict == "8 candidates came in, none was admitted."
    assert [step.command for step in page.next_steps] == ["graftset select --min-score 8.5"]
    assert page.mosaic.admitted == ()
    read(page)


def test_an_empty_project_is_a_page_too() -> None:
    page = page_of([], None, builds=(), skips=())
    assert page.verdict == "No candidates have come in yet."
    assert page.funnel is None
    assert page.scores is None
    read(page)


def test_an_image_of_which_nothing_is_known_has_a_card() -> None:
    bare = ImageView("/art/generated/bare.png", sha(77), "generated", 1, 512, 512, score=float("nan"))
    choice = Choice(bare.path, bare.sha256, False, ())
    page = page_of([bare], replace(SELECTION, choices=(choice,), figures={}, notes=()))
    card = page.sheet.groups[0].cards[0]
    assert (card.score, card.companion, card.background, card.caption.fate) == (None, None, None, "missing")
    assert card.tile.key is None
    assert page.sheet.groups[0].title == "Dropped for other reasons"
    assert page.scores is None
    read(page)


def test_bytes_that_are_no_png_are_not_embedded() -> None:
    page = page_of(CANDIDATES, native_png=lambda _: b"<svg onload=alert(1)>")
    assert page.pictures == ()


def test_ten_thousand_candidates_stay_a_small_page_with_complete_figures() -> None:
    many = [replace(CANDIDATES[n % 4], path=f"/art/generated/{n:05}.png", sha256=sha(n)) for n in range(10_000)]
    outcomes = itertools.cycle([SELECTION.choices[0]] * 3 + [SELECTION.choices[3], SELECTION.choices[5]])
    choices = tuple(replace(next(outcomes), path=image.path, sha256=image.sha256) for image in many)
    picture = PNGS[sha(1000)]
    page = page_of([*ORIGINALS, *many], replace(SELECTION, choices=choices), native_png=lambda _: picture)
    cards = [len(group.cards) for group in page.sheet.groups]
    assert sum(cards) <= MAX_CARDS
    assert min(cards) >= MAX_CARDS // 3
    assert page.sheet.left_out.startswith(f"{sum(cards)} of 10,000 cards are shown")
    assert [group.total for group in page.sheet.groups] == [6000, 2000, 2000]
    assert page.funnel is not None
    assert page.funnel.came_in == 10_001
    assert page.scores is not None
    assert sum(b.admitted + b.dropped for b in page.scores.bins) == 10_000
    html = render(page)
    assert page.sheet.left_out in Reader(html).text
    assert len(html) < 1_500_000


def test_two_hundred_and_three_of_each_are_all_shown_in_under_one_and_a_half_megabytes() -> None:
    rng = np.random.default_rng(0)
    pngs = {}
    for n in range(406):
        stream = io.BytesIO()
        noisy = rng.integers(0, 40, (24, 24, 3), dtype=np.uint8) + 80  # worse to compress than any drawing
        Image.fromarray(noisy).save(stream, "PNG")
        pngs[sha(n)] = stream.getvalue()
    originals = [replace(ORIGINALS[n % 5], path=f"/art/originals/{n:03}.png", sha256=sha(n)) for n in range(203)]
    candidates = [
        replace(
            CANDIDATES[0],
            path=f"/art/generated/{n:03}.png",
            sha256=sha(203 + n),
            nearest_original=Nearest(originals[n].path, 0.1, regions=(Region(1, 1, 5, 5, 9),)),
        )
        for n in range(203)
    ]
    page = page_of([*originals, *candidates], None, native_png=pngs.get)
    assert (page.sheet.left_out, len(page.pictures)) == ("", 406)
    assert len(render(page)) < 1_500_000


def test_a_report_that_cannot_be_written_says_so(page: ExpansionPage, tmp_path: Path) -> None:
    with pytest.raises(UserError):
        write_report(page, tmp_path / "missing" / "report.html")
