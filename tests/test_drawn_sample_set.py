"""The sample set is drawn: its truth is what the pixels and the texts say, and its planted faults are there."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from graftset import drawn
from graftset.drawn import (
    CandidateTruth,
    PortraitSpec,
    SampleTruth,
    draw_candidate,
    draw_original,
    draw_sample_set,
    plan_sample_set,
    render,
)
from graftset.drawn.palette import BACKGROUND, HAIR, clearly_differs, rgb_of
from graftset.drawn.specs import RenderFault, Style
from graftset.drawn.sprites import SPRITES
from graftset.errors import ExistsError, UserError

STYLES: tuple[Style, ...] = get_args(Style)
RENDER_FAULTS: tuple[RenderFault, ...] = get_args(RenderFault)
SMALL = {"originals": 24, "candidates": 40, "size": 192}
VISIBLE = 24  # 8-bit levels in some channel
CELL = 512 / 24


@pytest.fixture(scope="module", params=STYLES)
def plan(request: pytest.FixtureRequest) -> SampleTruth:
    """The truth of a whole set in each style."""
    return plan_sample_set(style=request.param, seed=7, originals=203, candidates=203)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set on disk."""
    path = tmp_path_factory.mktemp("set") / "sample"
    draw_sample_set(path, seed=3, **SMALL)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def visible_cells(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """How many cells a person sees to differ."""
    return int((np.abs(one.astype(int) - other).max(-1) >= VISIBLE).sum())


def cell_medians(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The native picture read back from the middle of each cell, [24, 24, 3]."""
    edges = np.rint(np.arange(25) * picture.shape[0] / 24).astype(int)
    cells = [
        [np.median(picture[top + 4 : bottom - 4, left + 4 : right - 4], axis=(0, 1)) for left, right in pairwise(edges)]
        for top, bottom in pairwise(edges)
    ]
    return np.array(cells)


def within_cell_deviation(picture: NDArray[np.uint8]) -> float:
    """Mean deviation from the median inside the cells, in levels; high where the picture is off its grid."""
    edges = np.rint(np.arange(25) * picture.shape[0] / 24).astype(int)
    deviations = []
    for top, bottom in pairwise(edges):
        for left, right in pairwise(edges):
            block = picture[top + 2 : bottom - 2, left + 2 : right - 2].astype(float)
            deviations.append(np.abs(block - np.median(block, axis=(0, 1))).mean())
    return float(np.mean(deviations))


def steepest(picture: NDArray[np.uint8]) -> float:
    """The 99th percentile of the difference between neighboring pixels; low where the picture is blurred."""
    return float(np.percentile(np.abs(np.diff(picture.astype(float), axis=1)), 99.5))


def flat_roughness(picture: NDArray[np.uint8]) -> float:
    """Standard deviation of neighboring pixels' differences inside the top left cells, in levels."""
    corner = picture[4:38:1, 4:38].astype(float)
    return float(np.diff(corner, axis=1)[:, :12].std())


# --- drawing into a folder ------------------------------------------------------------------------------------------


def test_the_same_seed_draws_the_same_bytes_wherever_the_folder_is(folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere" / "with a longer name"
    draw_sample_set(again, seed=3, **SMALL)
    assert tree(again) == tree(folder)


def test_another_seed_draws_other_people(folder: Path, tmp_path: Path) -> None:
    draw_sample_set(tmp_path / "other", seed=4, **SMALL)
    pictures = {data for name, data in tree(folder).items() if name.endswith(".png")}
    others = {data for name, data in tree(tmp_path / "other").items() if name.endswith(".png")}
    assert not pictures & others


def test_the_folder_holds_what_the_truth_says(folder: Path) -> None:
    truth = SampleTruth.from_json((folder / "truth.json").read_text(encoding="utf-8"))
    expected = {"truth.json"}
    for original in truth.originals:
        expected |= {f"originals/{original.name}.png", f"originals/{original.name}.txt"}
        assert (folder / "originals" / f"{original.name}.txt").read_text(encoding="utf-8") == original.caption
        pixels = np.asarray(Image.open(folder / "originals" / f"{original.name}.png"))
        assert np.array_equal(pixels, draw_original(original.spec, truth.style))
    for candidate in truth.candidates:
        expected.add(f"candidates/{candidate.name}.png")
        image = Image.open(folder / "candidates" / f"{candidate.name}.png")
        assert np.array_equal(np.asarray(image), draw_candidate(candidate, truth.style, truth.size))
        if candidate.text == "sidecar":
            expected.add(f"candidates/{candidate.name}.txt")
            assert (folder / "candidates" / f"{candidate.name}.txt").read_text(encoding="utf-8") == candidate.prompt
        assert ("parameters" in image.info) == (candidate.text == "parameters")
    assert set(tree(folder)) == expected


def test_generation_settings_are_in_the_png_as_webui_writes_them(folder: Path) -> None:
    truth = SampleTruth.from_json((folder / "truth.json").read_text(encoding="utf-8"))
    carriers = [candidate for candidate in truth.candidates if candidate.text == "parameters"]
    assert carriers
    for candidate in carriers:
        prompt, negative, last = (
            Image.open(folder / "candidates" / f"{candidate.name}.png").info["parameters"].split("\n")
        )
        made = candidate.provenance
        assert prompt == f"{candidate.prompt} <lora:{made.loras[0]}:0.8>"
        assert negative == f"Negative prompt: {made.negative_prompt}"
        told = dict(part.split(": ") for part in last.split(", "))
        assert told["Seed"] == str(made.seed)
        assert told["Steps"] == str(made.steps)
        assert float(told["CFG scale"]) == made.cfg_scale
        assert (told["Sampler"], told["Model"]) == (made.sampler, made.model)


def test_the_truth_survives_json(plan: SampleTruth) -> None:
    assert SampleTruth.from_json(plan.to_json()) == plan


def test_a_folder_with_anything_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    for force in (False, True):
        with pytest.raises(ExistsError, match=re.escape("mine.txt")):
            draw_sample_set(tmp_path, force=force, **SMALL)
    assert tree(tmp_path) == {"mine.txt": b"keep me"}


def test_a_set_is_drawn_over_another_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "set"
    draw_sample_set(path, originals=3, candidates=2, size=96)
    before = tree(path)
    with pytest.raises(ExistsError, match="--force"):
        draw_sample_set(path, seed=1, originals=3, candidates=2, size=96)
    assert tree(path) == before
    draw_sample_set(path, seed=1, originals=3, candidates=2, size=96, force=True)
    assert tree(path) != before


def test_an_interrupted_drawing_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("graftset.drawn.sample_set.draw_candidate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw_sample_set(tmp_path / "set", originals=3, candidates=2, size=96)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"originals": 0}, {"candidates": -1}, {"size": 20}])
def test_numbers_out_of_range_are_refused_by_name(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        draw_sample_set(tmp_path / "set", **wrong)


@settings(max_examples=12, deadline=None)
@given(
    style=st.sampled_from(STYLES),
    seed=st.integers(0, 10**6),
    originals=st.integers(1, 12),
    candidates=st.integers(0, 40),
)
def test_any_number_of_portraits_can_be_planned(style: Style, seed: int, originals: int, candidates: int) -> None:
    truth = plan_sample_set(style=style, seed=seed, originals=originals, candidates=candidates)
    assert (len(truth.originals), len(truth.candidates)) == (originals, candidates)
    names = [item.name for item in (*truth.originals, *truth.candidates)]
    assert len(set(names)) == len(names)


# --- originals ------------------------------------------------------------------------------------------------------


def test_no_two_originals_are_the_same_picture(plan: SampleTruth) -> None:
    pictures = {draw_original(original.spec, plan.style).tobytes() for original in plan.originals}
    assert len(pictures) == 203


def test_every_accessory_and_hair_style_has_enough_positives(plan: SampleTruth) -> None:
    accessories = Counter(term for original in plan.originals for term in original.spec.accessories)
    assert set(accessories) == {
        "cap", "top hat", "beanie", "crown", "bow", "headband", "glasses", "sunglasses", "earring", "necklace",
        "stubble", "beard",
    }  # fmt: skip
    hair = Counter(original.spec.hair for original in plan.originals)
    colors = Counter(original.spec.hair_tint.word for original in plan.originals)
    assert min(accessories.values()) >= 12
    assert min(hair.values()) >= 10
    assert min(colors[word] for word in HAIR[plan.style]) >= 12
    solid = sum(original.spec.backdrop.layout == "solid" for original in plan.originals)
    assert 0.65 <= solid / 203 <= 0.75
    assert len({original.spec.backdrop.layout for original in plan.originals}) == 7


def test_the_background_in_the_corners_is_the_one_in_the_truth(plan: SampleTruth) -> None:
    for original in plan.originals:
        corners = draw_original(original.spec, plan.style)[0, [0, -1]]
        backdrop = original.spec.backdrop
        ends = {"horizontal": -1, "split": -1, "checker": -1, "stripes": -1}
        assert np.array_equal(corners[0], rgb_of(backdrop.tints[0])), original.name
        assert np.array_equal(corners[1], rgb_of(backdrop.tints[ends.get(backdrop.layout, 0)])), original.name


def test_everything_worn_is_seen(plan: SampleTruth) -> None:
    for original in plan.originals:
        spec = original.spec
        pieces = [*spec.worn, *(["facial_hair"] if spec.facial_hair else [])]
        for piece in pieces:
            without: PortraitSpec = replace(spec, **{piece: None})
            cells = visible_cells(draw_original(spec, plan.style), draw_original(without, plan.style))
            assert cells >= 2, f"{original.name}: {piece}"


def test_captions_name_what_is_worn_and_nothing_else(plan: SampleTruth) -> None:
    terms = {term for original in plan.originals for term in original.spec.accessories}
    for original in plan.originals:
        parts = original.caption.split(", ")
        named = {
            term for term in terms for part in parts[1:] if re.search(rf"\b{term}\b", part) and "t-shirt" not in part
        }
        assert named == set(original.spec.accessories), original.caption
        assert parts[:2] == ["pixel art", "24x24"]
        assert parts[2].endswith(f"punk {original.spec.figure}")
        if original.spec.hair != "bald":
            assert any(
                part.startswith("wearing") is False and original.spec.hair_tint.word in part and "hair" in part
                for part in parts
            )
        background = next(part for part in parts if part.endswith("background"))
        if "background" in original.claims:
            assert all(tint.word in background for tint in original.spec.backdrop.tints)
        else:
            assert not any(word in background.split() for word in BACKGROUND[plan.style])


def test_near_twins_are_declared_and_differ_in_one_layer(plan: SampleTruth) -> None:
    by_name = {original.name: original for original in plan.originals}
    twins = [original for original in plan.originals if original.twin_of is not None]
    assert len(twins) == 12
    for twin in twins:
        other = by_name[str(twin.twin_of)]
        differing = [f.name for f in fields(PortraitSpec) if getattr(twin.spec, f.name) != getattr(other.spec, f.name)]
        assert differing == [twin.twin_change]
        assert visible_cells(draw_original(twin.spec, plan.style), draw_original(other.spec, plan.style)) >= 2
    assert {"backdrop"} < {str(twin.twin_change) for twin in twins}


def test_unrelated_originals_are_nowhere_near_each_other(plan: SampleTruth) -> None:
    related = {frozenset((original.name, original.twin_of)) for original in plan.originals if original.twin_of}
    by_twin = Counter(original.twin_of for original in plan.originals if original.twin_of)
    pictures = [draw_original(original.spec, plan.style).astype(np.int16) for original in plan.originals]
    stack = np.stack(pictures)
    for i, original in enumerate(plan.originals):
        cells = (np.abs(stack - pictures[i]).max(-1) >= VISIBLE).sum((1, 2))
        for j in np.nonzero(cells < 40)[0]:
            other = plan.originals[j]
            siblings = (
                original.twin_of is not None and original.twin_of == other.twin_of and by_twin[original.twin_of] > 1
            )
            assert i == j or siblings or frozenset((original.name, other.name)) in related


def test_the_styles_draw_the_same_person_differently() -> None:
    plan = plan_sample_set(style="classic", seed=1, originals=20, candidates=0)
    plain = [original for original in plan.originals if original.spec.backdrop.layout == "solid"]
    for original in plain:
        classic, soft = (draw_original(original.spec, style) for style in STYLES)
        figure = np.any(classic != classic[0, 0], axis=-1) | np.any(soft != soft[0, 0], axis=-1)
        differs = np.any(classic != soft, axis=-1)
        assert differs.sum() > 0.6 * figure.sum()


@pytest.mark.parametrize("style", STYLES)
def test_sprites_stay_inside_the_grid_and_use_known_codes(style: Style) -> None:
    for name, text in SPRITES[style].items():
        lines = text.strip("\n").splitlines()
        rows = [int(line[:2]) for line in lines]
        assert rows == sorted(set(rows)), name
        assert max(rows) < 24, name
        assert all(len(line[3:].rstrip()) <= 24 for line in lines), name
        assert set("".join(line[3:] for line in lines)) <= set(".oslkr#?cCdwWipebmMg+="), name


# --- candidates -----------------------------------------------------------------------------------------------------


def test_faults_are_planted_in_the_promised_numbers(plan: SampleTruth) -> None:
    faults = Counter(fault for candidate in plan.candidates for fault in candidate.faults)
    assert {fault: faults[fault] for fault in (*RENDER_FAULTS, "copy", "repeat")} == dict.fromkeys(
        (*RENDER_FAULTS, "copy", "repeat"), 8
    )
    assert 0.17 <= faults["wrong_background"] / 203 <= 0.23
    assert 0.55 <= sum(not candidate.faults for candidate in plan.candidates) / 203 <= 0.60
    for candidate in plan.candidates:
        rendered = [fault for fault in candidate.faults if fault in RENDER_FAULTS]
        assert len(rendered) <= 1
        assert not rendered or candidate.faults == tuple(rendered)
        assert (candidate.severity is not None) == bool(rendered)
    assert Counter(candidate.text for candidate in plan.candidates) == {"sidecar": 178, "parameters": 20, "none": 5}


def test_a_prompt_names_the_background_that_is_there_unless_that_is_the_fault(plan: SampleTruth) -> None:
    for candidate in plan.candidates:
        shown = [tint.word for tint in candidate.spec.backdrop.tints]
        asked = candidate.claims.get("background")
        if "wrong_background" in candidate.faults:
            assert asked is not None
            if "copy" not in candidate.faults:
                assert all(clearly_differs(one, other) for one in asked.split(", ") for other in shown)
                assert np.linalg.norm(rgb_of(candidate.spec.backdrop.tints[0]) - _color(plan.style, asked)) > 45
        elif asked is not None:
            assert asked.split(", ") == shown
        if asked is not None:
            assert candidate.prompt is not None
            part = next(part for part in candidate.prompt.split(", ") if part.endswith("background"))
            assert all(word in part for word in asked.split(", "))


def _color(style: Style, asked: str) -> NDArray[np.float64]:
    return np.mean([rgb_of(text) for text in BACKGROUND[style][asked.split(", ")[0]]], axis=0)


def test_wrong_backgrounds_are_wrong_in_the_picture(plan: SampleTruth) -> None:
    wrong = [c for c in plan.candidates if c.faults == ("wrong_background",)]
    for candidate in wrong[:8]:
        corner = cell_medians(draw_candidate(candidate, plan.style))[0, 0]
        assert np.abs(corner - rgb_of(candidate.spec.backdrop.tints[0])).max() < 8
        assert np.linalg.norm(corner - _color(plan.style, candidate.claims["background"])) > 45


def test_the_region_is_where_a_variation_differs_from_its_source(plan: SampleTruth) -> None:
    by_name = {original.name: original for original in plan.originals}
    for candidate in plan.candidates:
        if candidate.source_original is None:
            assert candidate.region is None
            assert candidate.region_rows == ()
            continue
        source = by_name[candidate.source_original]
        differs = np.any(draw_original(source.spec, plan.style) != draw_original(candidate.spec, plan.style), axis=-1)
        assert ["".join("#" if cell else "." for cell in row) for row in differs] == list(candidate.region_rows)
        if "copy" in candidate.faults:
            assert candidate.region is None
            assert candidate.change == ()
        else:
            region = candidate.region
            assert region is not None
            assert region.cells == differs.sum() >= 2
            assert differs[region.y0 : region.y1, region.x0 : region.x1].sum() == region.cells
            assert candidate.change
        assert candidate.source_in_name == candidate.name.startswith(candidate.source_original + "_var")


def test_only_copies_look_like_an_original_and_only_repeats_like_a_candidate(plan: SampleTruth) -> None:
    seen = [draw_original(original.spec, plan.style) for original in plan.originals]
    for candidate in plan.candidates:
        native = draw_original(candidate.spec, plan.style)
        if "copy" in candidate.faults or "repeat" in candidate.faults:
            continue
        assert min(visible_cells(native, other) for other in seen) >= 2, candidate.name
        seen.append(native)


def test_copies_read_back_as_their_original(plan: SampleTruth) -> None:
    by_name = {original.name: original for original in plan.originals}
    copies = [candidate for candidate in plan.candidates if "copy" in candidate.faults]
    assert any(by_name[str(candidate.source_original)].twin_of for candidate in copies)
    for candidate in copies:
        native = draw_original(by_name[str(candidate.source_original)].spec, plan.style)
        assert np.abs(cell_medians(draw_candidate(candidate, plan.style)) - native).max() < 16


def test_repeats_are_another_candidate_painted_again(plan: SampleTruth) -> None:
    by_name = {candidate.name: candidate for candidate in plan.candidates}
    for candidate in plan.candidates:
        assert (candidate.repeat_of is not None) == ("repeat" in candidate.faults)
        if candidate.repeat_of is not None:
            first = by_name[candidate.repeat_of]
            assert first.faults == ()
            assert candidate.spec == first.spec
            one, other = (draw_candidate(c, plan.style) for c in (candidate, first))
            assert not np.array_equal(one, other)
            assert np.abs(cell_medians(one) - cell_medians(other)).max() < 24


# --- rendering ------------------------------------------------------------------------------------------------------


def _clean(plan: SampleTruth, count: int) -> list[CandidateTruth]:
    return [c for c in plan.candidates if not c.faults and c.spec.backdrop.layout == "solid"][:count]


def test_a_clean_render_is_as_clean_as_real_ones(plan: SampleTruth) -> None:
    """The figures were measured on the clean ones among 25 real generated portraits."""
    for candidate in _clean(plan, 6):
        picture = draw_candidate(candidate, plan.style)
        assert picture.shape == (512, 512, 3)
        native = draw_original(candidate.spec, plan.style)
        assert np.abs(cell_medians(picture) - native).max() < 16
        corner = picture[:40, :40].astype(float)
        assert corner.std(axis=(0, 1)).mean() < 1.6
        assert _edge_width(picture, native) == pytest.approx(1.0, abs=0.35)


def _edge_width(picture: NDArray[np.uint8], native: NDArray[np.uint8]) -> float:
    """Median 10-90 % width in px of strong transitions between cells of a row."""
    edges = np.rint(np.arange(25) * CELL).astype(int)
    light, meant = picture.mean(-1), native.astype(float).mean(-1)
    widths = []
    for row in range(24):
        profile = light[edges[row] + 6 : edges[row + 1] - 6].mean(0)
        for column in range(1, 24):
            step = meant[row, column] - meant[row, column - 1]
            if abs(step) < 60:
                continue
            share = (profile[edges[column] - 8 : edges[column] + 8] - meant[row, column - 1]) / step
            fine = np.interp(np.arange(0, 15, 0.1), np.arange(16), share)
            above = int(np.argmax(fine > 0.5))
            start = above - int(np.argmax(fine[above::-1] < 0.1))
            stop = above + int(np.argmax(fine[above:] > 0.9))
            widths.append((stop - start) / 10)
    return float(np.median(widths))


@pytest.mark.parametrize("fault", RENDER_FAULTS)
def test_a_planted_fault_shows_and_grows_with_its_severity(plan: SampleTruth, fault: RenderFault) -> None:
    measure = {
        "off_grid": within_cell_deviation,
        "blur": lambda picture: 1 / steepest(picture),
        "texture_noise": flat_roughness,
        "melted_face": within_cell_deviation,
    }[fault]
    for candidate in _clean(plan, 3):
        native = draw_original(candidate.spec, plan.style)
        face = drawn.FACE[plan.style]
        clean = measure(render(native, rng=np.random.default_rng(5)))
        mild, strong = (
            np.mean([
                measure(render(native, rng=np.random.default_rng(k), fault=fault, severity=severity, face=face))
                for k in range(3)
            ])
            for severity in (0.0, 1.0)
        )  # fmt: skip
        assert clean < 0.9 * min(mild, strong)
        # How far off the grid a picture is cannot be read from one cell once that is more than half a cell.
        assert mild < strong or fault == "off_grid"


def test_a_melted_face_melts_only_the_face(plan: SampleTruth) -> None:
    candidate = next(c for c in plan.candidates if c.faults == ("melted_face",))
    native = draw_original(candidate.spec, plan.style)
    away = np.abs(cell_medians(draw_candidate(candidate, plan.style)) - native).max(-1) >= VISIBLE
    top, bottom, left, right = drawn.FACE[plan.style]
    assert away[top:bottom, left:right].sum() >= 4
    away[top - 1 : bottom + 1, left - 1 : right + 1] = False
    assert not away.any()


def test_rendering_leaves_its_input_alone_and_fits_any_size() -> None:
    native = draw_original(plan_sample_set(style="soft", seed=0, originals=1, candidates=0).originals[0].spec, "soft")
    before = native.copy()
    for size in (96, 250, 384):
        assert render(native, size=size, rng=np.random.default_rng(0), fault="melted_face").shape == (size, size, 3)
    assert np.array_equal(native, before)
