"""The page of an experiment: verdict first, everything in its place, nothing that a text can break."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graftset.compare.records import ChangedPrompt, Comparison, TraitDifference
from graftset.decide import Thresholds, decide, overridden
from graftset.imageio import encode_png
from graftset.report import ExperimentPage, NextTry, experiment_page, render_experiment
from graftset.report.experiment_forest import forests
from graftset.scorecards import follow
from sample_comparisons import comparison
from scored_runs import LEARNS, cards
from test_run_page import Tags

PNG = encode_png(np.zeros((24, 24, 3), dtype=np.uint8))
CHANGED = (
    ChangedPrompt("candidate-001", "candidate", "a lady, gray background", "background_obeyed", 0.0, 1.0,
                  (("a/1.png", "b/1.png"),)),
    ChangedPrompt("candidate-002", "candidate", "a lad, red background", "background_obeyed", 1.0, 0.0,
                  (("a/2.png", "b/1.png"),)),
)  # fmt: skip


def page_of(comparisons: Sequence[Comparison], **given: Any) -> ExperimentPage:
    """The page of some comparisons; every picture is black."""
    decision = given.pop("decision", None) or decide(comparisons, thresholds=Thresholds())
    courses = {one.arm.name: [follow(cards(LEARNS)), follow(cards(LEARNS[:5]))] for one in comparisons}
    courses[comparisons[0].baseline.name] = [follow(cards(LEARNS))]
    options: dict[str, Any] = {
        "name": "mix", "courses": courses, "native_png": lambda path: PNG, "project": "portraits", "version": "0",
    }  # fmt: skip
    return experiment_page(comparisons, decision, **options | given)


def html_of(*comparisons: Comparison, **given: Any) -> str:
    """The page rendered."""
    return render_experiment(page_of(comparisons, **given))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "Use them: “weighted” holds in every respect, and the images were reviewed."),
        ({"reviewed": None}, "Promising, but not yet: “weighted” paints 20 more of 100 backgrounds as asked."),
        ({"variation": -0.3}, "Do not use them: “weighted” paints 30 fewer of 100 backgrounds as asked."),
        (
            {"originals": -0.2},
            "Do not use them: “weighted” remembers the colors of 20 fewer of 100 originals and paints",
        ),
        ({"seeds": 2, "variation": -0.3}, "Not yet, and not like this: “weighted” seems to paint 30 fewer of 100"),
        (
            {"seeds": 2, "half": 9.0},
            "Not yet: “weighted” may paint 20 more of 100 backgrounds as asked, or it is chance",
        ),
        ({"half": 9.0}, "Not yet: “weighted” shows no difference that can be told from chance."),
    ],
)
def test_the_first_sentence_says_what_to_do(change: dict[str, Any], said: str) -> None:
    page = page_of([comparison(**change)])
    assert page.verdict.startswith(said)
    html = render_experiment(page)
    assert html.index('id="verdict"') < html.index('id="timeline"') < html.index('id="differences"')
    assert html.index('id="matrix"') < html.index('id="method"')


def test_few_seeds_are_marked_on_every_part_that_could_be_taken_for_proof() -> None:
    html = html_of(comparison(seeds=2))
    assert html.lower().count("directional only") >= 4
    assert "directional only" not in html_of(comparison()).lower().replace("are directional only", "")


def test_an_override_is_told_with_its_reason_beside_the_rules() -> None:
    decision = overridden(
        decide([comparison(reviewed=None)], thresholds=Thresholds()), "adopt", reason="ten customers liked it", by="Ada"
    )
    html = html_of(comparison(reviewed=None), decision=replace(decision, number=3))
    assert "Ada decided “adopt”" in html
    assert "ten customers liked it" in html
    assert "Decision 3" in html


def test_the_statistician_finds_every_figure() -> None:
    found = comparison(changed=CHANGED)
    page = page_of([found])
    (primary, secondary, by_run, traits) = page.tables
    assert [row[1] for row in primary.rows] == [one.endpoint.name for one in found.primary]
    assert primary.rows[0][4] == "+0.0 points (-3.0 to +3.0)"
    assert len(secondary.rows) == 1
    assert [row[1].split(",")[0] for row in by_run.rows] == ["convergence", "stability", "variety"]
    assert traits.rows[0][1] == "background gray"
    assert [row.title for row in page.metrics] == [
        "Quality",
        "Convergence",
        "Variety",
        "Stability",
        "Original accuracy",
    ]
    assert [row.title for row in page.matrix] == [
        "Use all", "High-quality subset", "Originals first", "Do not use yet",
    ]  # fmt: skip
    html = render_experiment(page)
    assert all(sha[:16] in html for sha in found.inputs.values())


@settings(deadline=None, max_examples=20)
@given(
    point=st.floats(-1, 1, allow_nan=False), half=st.floats(0.01, 30), quality=st.floats(-9, 9), seeds=st.integers(2, 9)
)
def test_everything_drawn_lies_inside_its_strip(point: float, half: float, quality: float, seeds: int) -> None:
    found = comparison(variation=point, half=half, quality=quality, seeds=seeds)
    for forest in forests([found, comparison("other")]):
        assert forest.margin_at >= 0
        assert forest.margin_at + forest.margin_width <= 100.01
        for row in forest.rows:
            assert 0 <= row.low_at <= row.low_at + row.width <= 100.01
            assert 0 <= row.point_at <= 100


def test_long_tables_are_folded() -> None:
    many = tuple(TraitDifference(f"hair:{n}", 3, 0.5, 0.6, 0.1, -5.0, 5.0) for n in range(20))
    html = html_of(replace(comparison(), traits=many))
    assert "20 rows" in html
    assert "+10 points (-100 to +100)" in html
    tags = Tags()
    tags.feed(html)
    assert tags.open == []


def test_every_tag_closes_and_every_picture_says_what_it_shows() -> None:
    tags = Tags()
    tags.feed(html_of(comparison(changed=CHANGED), comparison("as-asked", "as-asked", variation=-0.4, changed=CHANGED)))
    assert tags.open == []
    assert tags.images >= 8


def test_a_picture_is_embedded_once_and_one_that_is_gone_leaves_an_empty_tile() -> None:
    assert len(page_of([comparison(changed=CHANGED)]).pictures) == 3
    gone = page_of([comparison(changed=CHANGED)], native_png=lambda path: None)
    assert gone.pictures == ()
    assert "empty" in render_experiment(gone)


def test_hostile_texts_are_shown_and_do_nothing() -> None:
    evil = "</style><script>alert(1)</script>\x00"
    changed = tuple(replace(one, text=evil, prompt_id=evil) for one in CHANGED)
    found = comparison(evil, changed=changed, notes=(evil,))
    html = html_of(
        found, name=evil, project=evil, notes=(evil,), next_tries=[NextTry(evil, evil, evil, evil, evil, evil)]
    )
    assert "<script" not in html
    assert "\x00" not in html
    assert "&lt;script&gt;" in html


def test_the_page_needs_nothing_from_outside() -> None:
    html = html_of(comparison(changed=CHANGED), run_pages={"weighted-s0": "run-weighted-s0.html"})
    assert "default-src 'none'" in html
    assert re.findall(r'(?:src|href)="(?!#)([^"]+)"', html) == ["run-weighted-s0.html"]
    assert "<script" not in html


def test_many_arms_share_their_charts_two_at_a_time_beside_the_baseline() -> None:
    arms = [comparison(f"arm-{n}") for n in range(5)]
    charts = [chart for chart in page_of(arms).charts if chart.title == "Original accuracy"]
    assert [len(chart.chart.lines) for chart in charts] == [3, 3, 2]
    assert {chart.chart.lines[0].name for chart in charts} == {"originals"}


def test_one_run_of_an_arm_has_a_line_without_a_band() -> None:
    page = page_of([comparison()], courses={"originals": [follow(cards(LEARNS))], "weighted": []})
    (line,) = page.charts[0].chart.lines
    assert line.band == ""
    assert not re.search(r"\bnan\b", render_experiment(page))
    assert "no longer here" in html_of(comparison(), courses={"originals": [], "weighted": []})


def test_the_same_comparisons_give_the_same_page() -> None:
    assert html_of(comparison(changed=CHANGED)) == html_of(comparison(changed=CHANGED))
