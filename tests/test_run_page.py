"""The page of one run: what it says, that everything drawn lies inside its chart, and that no text can break it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from graftset.imageio import encode_png
from graftset.records import Skip
from graftset.report import RunPage, render_run, run_page
from graftset.report.plots import HEIGHT, WIDTH, Value, line_chart
from graftset.report.run_sheet import asked_in_words
from graftset.scorecards import PromptAsked, Scorecard, follow
from scored_runs import LEARNS, card, cards

PNG = encode_png(np.zeros((24, 24, 3), dtype=np.uint8))


def page_of(made: list[Scorecard], *, live: bool = False, notes: tuple[str, ...] = ()) -> RunPage:
    """The page of some cards; every picture is black."""
    return run_page(
        follow(made),
        facts=(("Plan", "originals"),),
        native_png=lambda checkpoint, sha256: PNG,
        reference_png=lambda sha256: PNG,
        project="portraits",
        version="0.0",
        live=live,
        notes=notes,
    )


def test_the_page_says_whether_the_goals_are_met() -> None:
    page = page_of(cards(LEARNS))
    assert page.verdict == "All goals are met by checkpoint 7 (0000007)."
    assert [c.state for c in page.criteria] == ["likely", "met", "met"]
    assert "100 %, at least 93 % with 95 % confidence" in page.criteria[0].found
    assert "best overall" in page.best
    assert [w.checkpoints for w in page.windows] == ["Checkpoints 1 to 3", "Checkpoints 4 to 6", "Checkpoints 7 to 10"]
    late = page_of(cards([0.2] * 10))
    assert late.criteria[0].state == "missed"
    assert late.verdict.startswith("Original accuracy falls short")
    early = page_of(cards(LEARNS[:2]))
    assert "nothing can be judged yet" in early.verdict
    assert {c.state for c in early.criteria} == {"open"}


def test_a_live_page_loads_itself_again_and_a_finished_one_does_not() -> None:
    assert 'http-equiv="refresh"' in render_run(page_of(cards(LEARNS[:4]), live=True))
    assert 'http-equiv="refresh"' not in render_run(page_of(cards(LEARNS)))
    assert "4 of 10 checkpoints, training goes on" in render_run(page_of(cards(LEARNS[:4]), live=True))


def test_one_checkpoint_is_enough_for_a_page() -> None:
    html = render_run(page_of([card(1, 0.5, planned=1)]))
    assert "1 of 1 checkpoint" in html
    assert not re.search(r"\bnan\b", html)


def test_the_same_cards_give_the_same_page() -> None:
    assert render_run(page_of(cards(LEARNS))) == render_run(page_of(cards(LEARNS)[::-1]))


def test_hostile_texts_are_shown_and_do_nothing() -> None:
    evil = "</style><script>alert(1)</script>\x00"
    made = [
        replace(
            one,
            run=evil,
            notes=(evil,),
            skipped=(Skip(f"/{evil}", evil),),
            prompts=(PromptAsked("training-000", "training", evil, "abc"),),
        )
        for one in cards(LEARNS)
    ]
    html = render_run(page_of(made, notes=(evil,)))
    assert "<script" not in html
    assert "\x00" not in html
    assert "&lt;script&gt;" in html


class Tags(HTMLParser):
    """Collects what is open, to see that everything closes in order."""

    VOID = frozenset({"meta", "input", "br", "img", "path", "rect", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID or tag == "circle":
            self.open.append(tag)
        if dict(attrs).get("role") == "img":
            self.images += 1
            assert dict(attrs).get("aria-label")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass


def test_every_tag_closes_and_every_picture_and_chart_says_what_it_shows() -> None:
    tags = Tags()
    tags.feed(render_run(page_of(cards(LEARNS))))
    assert tags.open == []
    assert tags.images > 10


def test_pictures_that_are_gone_leave_an_empty_tile() -> None:
    page = run_page(
        follow(cards(LEARNS)), facts=(), native_png=lambda c, s: None, reference_png=lambda s: None,
        project="p", version="0", live=False,
    )  # fmt: skip
    assert page.pictures == ()
    assert "empty" in render_run(page)


@pytest.mark.parametrize("count", [1, 2, 10, 37])
def test_everything_drawn_lies_inside_the_chart(count: int) -> None:
    values = [Value(n, n / count, n / count - 0.3, n / count + 0.3) for n in range(1, count + 1)]
    chart = line_chart(
        [("recall", values)], low=0, high=1, count=count, text="percent", wanted=0.95, wanted_at=7, window=(1, 3)
    )
    (line,) = chart.lines
    drawn = re.findall(r"[\d.]+ [\d.]+", line.path + line.band)
    points = [tuple(map(float, point.split())) for point in drawn]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert len(line.dots) == count
    assert len(chart.x_ticks) <= 11
    assert chart.x_ticks[-1].text == str(count)
    assert [tick.text for tick in chart.y_ticks] == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    heights = [dot.y for dot in line.dots]
    assert heights == sorted(heights, reverse=True)
    assert "recall: " in chart.spoken


def test_what_a_prompt_asks_for_is_said_as_people_say_it() -> None:
    asked = {"background": "green", "hair": "blue", "figure": "lady", "accessory:crown": "present",
             "accessory:earring": "absent"}  # fmt: skip
    assert asked_in_words(asked) == "lady, blue hair, crown, no earring, green background"
    assert asked_in_words({}) == ""
