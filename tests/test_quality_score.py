"""The quality score means what it says: 10 is an original, and what is worse scores lower."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from assess_helpers import enlarged, painted, portraits
from graftset.measuring import Picture, Reference, fit_detectors, measure_pixels
from graftset.quality import (
    FAULTY,
    LEAST,
    MEASURES,
    ONE_SIDED,
    OUTSIDE,
    RENDER,
    Scale,
    faults,
    interpolate,
    total,
    weakest,
)

U8 = NDArray[np.uint8]
PARTS = (*RENDER, *sorted(ONE_SIDED), "structure_novelty")

part = st.floats(0, 10)
some_parts = st.dictionaries(st.sampled_from(PARTS), part, min_size=1)
amount = st.floats(0, 1e6)


def usual(count: int = 25, novelty: float = 0.1) -> list[dict[str, float]]:
    """Measures of that many originals, a little different from each other."""
    return [
        {
            "color_count": 20.0 + i,
            "off_palette": 0.02 + 0.001 * i,
            "orphan_cells": 0.04 + 0.001 * i,
            "structure_novelty": novelty * (1 + 0.02 * i),
        }
        for i in range(count)
    ]


# --- the sum of the parts --------------------------------------------------------------------------------------------


def test_nothing_lacking_is_a_ten_and_everything_lacking_is_a_zero() -> None:
    assert total(dict.fromkeys(PARTS, 10.0)) == 10
    assert total(dict.fromkeys(PARTS, 0.0)) == 0


@given(some_parts)
def test_the_score_is_never_above_its_weakest_part_nor_below_zero(parts: dict[str, float]) -> None:
    low = min(parts.values())
    assert 0 <= total(parts) <= low + 0.00501  # rounded to two places; a half is not exact in binary
    # The 3-norm of n equal lacks is n^(1/3) of one.
    assert total(parts) >= 10 - (10 - low) * len(parts) ** (1 / 3) - 0.005


@given(part)
def test_a_single_part_is_the_score(value: float) -> None:
    assert total({"edge_width": value}) == pytest.approx(value, abs=0.00501)


@given(some_parts, st.randoms())
def test_the_order_of_the_parts_does_not_matter(parts: dict[str, float], random: Random) -> None:
    names = list(parts)
    random.shuffle(names)
    assert total({name: parts[name] for name in names}) == total(parts)


@given(some_parts, st.data())
def test_a_better_part_never_costs(parts: dict[str, float], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(parts)))
    better = data.draw(st.floats(parts[name], 10))
    assert total({**parts, name: better}) >= total(parts)


@given(some_parts)
def test_a_part_that_lacks_nothing_changes_nothing(parts: dict[str, float]) -> None:
    full = {**dict.fromkeys(PARTS, 10.0), **parts}
    assert total(full) == pytest.approx(total(parts), abs=0.011)


def test_one_bad_part_decides_and_several_middling_ones_add_up() -> None:
    assert total({"a": 3.0, "b": 9.0, "c": 9.0}) == pytest.approx(2.99, abs=0.01)
    assert total({"a": 8.0, "b": 8.0, "c": 8.0}) == pytest.approx(10 - 2 * 3 ** (1 / 3), abs=0.01)


def test_the_weakest_part_is_named() -> None:
    assert weakest({"edge_width": 7.0, "render_noise": 6.0}) == ("render_noise", 6.0)
    assert weakest({"texture_noise": 6.0, "render_noise": 6.0}) == ("render_noise", 6.0)
    assert weakest({}) is None


# --- from measures to parts ------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(RENDER)), amount, amount)
def test_more_of_a_render_fault_is_never_better(name: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 10 >= interpolate(RENDER[name], low) >= interpolate(RENDER[name], high) >= 0


@given(st.sampled_from([*sorted(ONE_SIDED), "structure_novelty"]), amount, amount)
def test_further_from_the_originals_is_never_better(name: str, one: float, other: float) -> None:
    scale = Scale.fit(usual())
    low, high = sorted((one, other))
    assert 10 >= scale.parts({name: low})[name] >= scale.parts({name: high})[name] >= 0


def test_interpolation_is_linear_between_knots_and_constant_outside() -> None:
    knots = ((1.0, 10.0), (2.0, 4.0))
    assert [interpolate(knots, x) for x in (-5, 1, 1.5, 2, 99, float("inf"))] == [10, 10, 7, 4, 4, 4]


@pytest.mark.parametrize("knots", [*RENDER.values(), OUTSIDE])
def test_every_map_to_the_scale_starts_at_ten_and_falls(knots: tuple[tuple[float, float], ...]) -> None:
    xs, ys = zip(*knots, strict=True)
    assert ys[0] == 10
    assert all(a < b for a, b in pairwise(xs))
    assert all(a > b for a, b in pairwise(ys))


def test_every_part_is_a_measure_that_describes_itself() -> None:
    assert {measure.name for measure in MEASURES} == set(PARTS)


def test_a_plainer_picture_than_any_original_is_not_worse_for_it() -> None:
    parts = Scale.fit(usual()).parts({"color_count": 1, "off_palette": 0, "orphan_cells": 0})
    assert parts == dict.fromkeys(ONE_SIDED, 10)


def test_only_too_much_of_a_measure_is_ever_a_fault_and_the_measures_say_so() -> None:
    assert {measure.better for measure in MEASURES} == {"lower"}
    assert Scale.fit(usual()).highest["color_count"] == pytest.approx(43.88)


def test_originals_of_four_colors_do_not_forbid_sixteen() -> None:
    plain = [{"color_count": 4.0, "off_palette": 0.0, "orphan_cells": 0.0}] * 30
    assert Scale.fit(plain).parts(dict(LEAST)) == dict.fromkeys(LEAST, 10)


def test_too_few_originals_say_nothing_of_structure() -> None:
    assert Scale.fit(usual(19)).novelty is None
    assert "structure_novelty" not in Scale.fit(usual(19)).parts({"structure_novelty": 5.0})
    assert Scale.fit(usual(20)).novelty is not None


def test_no_originals_leave_the_render_parts() -> None:
    parts = Scale.fit([]).parts(dict.fromkeys(PARTS, 0.0))
    assert set(parts) == set(RENDER)


@pytest.mark.parametrize("name", PARTS)
def test_what_could_not_be_measured_is_no_part(name: str) -> None:
    parts = Scale.fit(usual()).parts({**dict.fromkeys(PARTS, 0.0), name: float("nan")})
    assert set(parts) == set(PARTS) - {name}


def test_originals_that_could_not_be_measured_do_not_spoil_the_scale() -> None:
    spoilt = [*usual(), dict.fromkeys(PARTS, float("nan")), {}]
    assert Scale.fit(spoilt) == Scale.fit(usual())


def test_originals_that_share_one_face_do_not_make_every_render_of_it_useless() -> None:
    """Where all originals have the very same face, their novelty is nil; render noise of 0.02 OKLab is still none."""
    scale = Scale.fit(usual(novelty=1e-4))
    assert scale.parts({"structure_novelty": 0.015})["structure_novelty"] > 8.5
    assert scale.parts({"structure_novelty": 0.3})["structure_novelty"] < 3


def test_faults_are_the_render_parts_a_person_sees_the_worst_first() -> None:
    parts = {**dict.fromkeys(PARTS, 10.0), "edge_width": FAULTY - 1, "texture_noise": FAULTY - 2, "color_count": 0.0}
    assert faults(parts) == ("texture_noise", "edge_width")
    assert faults(dict.fromkeys(PARTS, FAULTY)) == ()


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference() -> Reference:
    """What 40 drawn originals say."""
    originals = [Picture(f"o{i}", native, measure_pixels(native)[0]) for i, native in enumerate(portraits(40))]
    return Reference(originals, fit_detectors(originals))


def score(reference: Reference, picture: U8) -> float:
    """The score of a stored picture."""
    data, native = measure_pixels(picture, (24, 24))
    assert native is not None
    return reference.assess([Picture("candidate", native, data)])[0].score or 0.0


def test_the_originals_themselves_score_ten(reference: Reference) -> None:
    scores = [a.score for a in reference.assess(reference.originals, members=True)]
    assert min(s for s in scores if s is not None) >= 9.9


@pytest.mark.parametrize("factor", [2, 4, 16, 24])
def test_a_clean_enlargement_of_an_original_scores_as_the_original(reference: Reference, factor: int) -> None:
    assert score(reference, enlarged(portraits(40)[7], factor)) >= 9.9


def blurred(picture: U8, sigma: float) -> U8:
    """Gaussian blur, sigma in px."""
    return np.asarray(ndimage.gaussian_filter(picture, (sigma, sigma, 0)), dtype=np.uint8)


def noisy(picture: U8, sigma: float) -> U8:
    """Gaussian noise, sigma in 8-bit levels."""
    noise = np.random.default_rng(5).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def warped(picture: U8, cells: float) -> U8:
    """A sine warp of this amplitude in cells, along both axes."""
    wave = cells * picture.shape[0] / 24 * np.sin(np.linspace(0, 5 * np.pi, picture.shape[0]))
    rows, columns = np.indices(picture.shape[:2], dtype=np.float64)
    where = (rows + wave[None, :], columns + wave[:, None])
    planes = [ndimage.map_coordinates(picture[..., c], where, order=1, mode="nearest") for c in range(3)]
    return np.stack(planes, axis=-1).astype(np.uint8)


def jpeg(picture: U8, damage: float) -> U8:
    """Through a JPEG of quality 100 - damage."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=int(100 - damage))
    return np.asarray(Image.open(stream).convert("RGB"))


Damage = Callable[[U8, float], U8]
LADDERS: dict[Damage, tuple[float, ...]] = {
    blurred: (1.0, 2.0, 3.0, 4.5, 6.0),
    noisy: (2.0, 5.0, 10.0, 20.0),
    warped: (0.04, 0.08, 0.15, 0.3),
    jpeg: (50.0, 80.0, 92.0, 97.0),
}


@pytest.mark.parametrize("damage", LADDERS)
def test_a_ladder_of_damage_scores_in_descending_order(reference: Reference, damage: Damage) -> None:
    natives = portraits(40)
    clean = [painted(natives[i], i, size=512) for i in (3, 17)]
    pictures = [clean, *([damage(picture, step) for picture in clean] for step in LADDERS[damage])]
    scores = [sum(score(reference, picture) for picture in step) / len(step) for step in pictures]
    assert scores[0] >= 8.5
    assert all(better > worse + 0.1 for better, worse in pairwise(scores)), scores
    assert scores[-1] < 5
