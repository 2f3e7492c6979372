"""Colors are converted and compared as published, and named as people name them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from graftset.pixels.color import (
    BASIC_TERMS,
    TERMS,
    ColorWords,
    acceptable,
    from_hex,
    oklab_to_srgb,
    srgb_to_cielab,
    srgb_to_oklab,
    survey_votes,
    to_hex,
    word_terms,
)
from graftset.pixels.difference import ciede2000

# Sharma, Wu and Dalal 2005, table 1: two CIELAB colors and their CIEDE2000. Pairs 9-15 lie on both sides of the jump
# where the mean hue changes by 180 degrees.
SHARMA = np.array(
    [
        [50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425],
        [50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615],
        [50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412],
        [50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669],
        [50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461],
        [50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065],
        [50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492],
        [50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977],
        [50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030],
        [50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ]
)
ON_THE_JUMP = slice(8, 15)

colors = arrays(np.uint8, (3,))


def random_colors(seed: int, count: int = 20_000) -> np.ndarray:
    """Colors of the whole cube, half of them on its faces and edges, where formulas go wrong first."""
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (count, 3))
    extreme = rng.random((count // 2, 3)) < 0.5
    rgb[: count // 2] = np.where(extreme, rng.choice([0, 255], extreme.shape), rgb[: count // 2])
    return rgb.astype(np.uint8)


def pairs_on_one_side_of_the_jump(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of CIELAB colors, far and near, whose hues do not lie opposite each other to within a rounding error."""
    first, other = random_colors(seed), random_colors(seed + 1)
    near = np.clip(first + np.random.default_rng(seed).integers(-6, 7, first.shape), 0, 255).astype(np.uint8)
    a = srgb_to_cielab(np.concatenate([first, first]))
    b = srgb_to_cielab(np.concatenate([other, near]))
    angle = np.degrees(np.arctan2(b[:, 2], b[:, 1]) - np.arctan2(a[:, 2], a[:, 1])) % 360
    apart = np.abs(angle - 180) > 5
    return a[apart], b[apart]


# --- numbers ---------------------------------------------------------------------------------------------------------


def test_ciede2000_gives_the_published_differences() -> None:
    found = ciede2000(SHARMA[:, :3], SHARMA[:, 3:6])
    np.testing.assert_allclose(found, SHARMA[:, 6], atol=5e-5)
    np.testing.assert_allclose(ciede2000(SHARMA[:, 3:6], SHARMA[:, :3]), found, atol=1e-12)


def test_ciede2000_in_single_precision_gives_them_too() -> None:
    first, second = SHARMA[:, :3].astype(np.float32), SHARMA[:, 3:6].astype(np.float32)
    found = ciede2000(first, second)
    assert found.dtype == np.float32
    plain = np.delete(np.arange(len(SHARMA)), ON_THE_JUMP)
    np.testing.assert_allclose(found[plain], SHARMA[plain, 6], atol=2e-3)
    np.testing.assert_allclose(found[ON_THE_JUMP], SHARMA[ON_THE_JUMP, 6], atol=0.07)  # either side of the jump


def test_ciede2000_agrees_with_scikit_image() -> None:
    reference = pytest.importorskip("skimage.color")
    first, second = pairs_on_one_side_of_the_jump(0)
    expected = reference.deltaE_ciede2000(first.astype(np.float64), second.astype(np.float64))
    np.testing.assert_allclose(ciede2000(first.astype(np.float64), second.astype(np.float64)), expected, atol=1e-6)
    np.testing.assert_allclose(ciede2000(first, second), expected, atol=2e-3)


@pytest.mark.parametrize("reach", [1, 3, 10, 40, 255])
def test_single_precision_is_never_far_from_double(reach: int) -> None:
    rng = np.random.default_rng(reach)
    codes = rng.integers(0, 256, (50_000, 3))
    codes[:10_000] = codes[:10_000, :1]  # grays have no hue
    others = np.clip(codes + rng.integers(-reach, reach + 1, codes.shape), 0, 255)
    first, second = srgb_to_cielab(codes.astype(np.uint8)), srgb_to_cielab(others.astype(np.uint8))
    exact = ciede2000(first.astype(np.float64), second.astype(np.float64))
    np.testing.assert_allclose(ciede2000(first, second), exact, atol=1e-3)
    np.testing.assert_array_equal(ciede2000(second, first), ciede2000(first, second))


@given(first=colors, second=colors)
def test_differences_are_symmetric_and_zero_for_the_same_color(first: np.ndarray, second: np.ndarray) -> None:
    a, b = srgb_to_cielab(first).astype(np.float64), srgb_to_cielab(second).astype(np.float64)
    assert ciede2000(a, a) == 0
    assert ciede2000(a, b) == pytest.approx(float(ciede2000(b, a)), abs=1e-9)
    assert (ciede2000(a, b) > 0) == (first != second).any()


def test_cielab_agrees_with_scikit_image() -> None:
    reference = pytest.importorskip("skimage.color")
    rgb = random_colors(4)
    np.testing.assert_allclose(srgb_to_cielab(rgb), reference.rgb2lab(rgb[None])[0], atol=5e-3)


def test_cielab_gives_the_known_values_of_the_primaries() -> None:
    # Lindbloom's CIE calculator, sRGB under D65
    known = {
        "#ffffff": (100.0, 0.0, 0.0),
        "#000000": (0.0, 0.0, 0.0),
        "#ff0000": (53.24, 80.09, 67.20),
        "#00ff00": (87.73, -86.18, 83.18),
        "#0000ff": (32.30, 79.19, -107.86),
        "#808080": (53.59, 0.0, 0.0),
    }
    for code, lab in known.items():
        assert srgb_to_cielab(from_hex(code)) == pytest.approx(lab, abs=0.02), code


# Ottosson 2020: the matrices as published, and his table of XYZ (D65) against OKLab.
OTTOSSON_M1 = np.array(
    [
        [0.8189330101, 0.3618667424, -0.1288597137],
        [0.0329845436, 0.9293118715, 0.0361456387],
        [0.0482003018, 0.2643662691, 0.6338517070],
    ]
)
OTTOSSON_M2 = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
OTTOSSON_PAIRS = [
    ((0.950, 1.000, 1.089), (1.000, 0.000, 0.000)),
    ((1.000, 0.000, 0.000), (0.450, 1.236, -0.019)),
    ((0.000, 1.000, 0.000), (0.922, -0.671, 0.263)),
    ((0.000, 0.000, 1.000), (0.153, -1.415, -0.449)),
]


def oklab_by_way_of_xyz(xyz: np.ndarray) -> np.ndarray:
    """OKLab [N, 3] by the definition: XYZ, cone responses, their cube roots."""
    return np.asarray(np.cbrt(xyz @ OTTOSSON_M1.T) @ OTTOSSON_M2.T)


def test_oklab_follows_its_definition_by_way_of_xyz() -> None:
    xyz, lab = (np.array(column) for column in zip(*OTTOSSON_PAIRS, strict=True))
    np.testing.assert_allclose(oklab_by_way_of_xyz(xyz), lab, atol=6e-4)  # the reference itself
    rgb = random_colors(5)
    linear = np.where(rgb <= 10, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    np.testing.assert_allclose(srgb_to_oklab(rgb), oklab_by_way_of_xyz(linear @ to_xyz.T), atol=2e-3)


def test_oklab_gives_the_known_values_of_the_primaries() -> None:
    # CSS Color Module Level 4, examples and conversion code
    known = {
        "#ffffff": (1.0, 0.0, 0.0),
        "#ff0000": (0.62796, 0.22486, 0.12585),
        "#00ff00": (0.86644, -0.23389, 0.17950),
        "#0000ff": (0.45201, -0.03246, -0.31153),
        "#008000": (0.51975, -0.14030, 0.10768),
    }
    for code, lab in known.items():
        assert srgb_to_oklab(from_hex(code)) == pytest.approx(lab, abs=2e-4), code


def test_every_color_comes_back_from_oklab() -> None:
    steps = np.unique(np.r_[np.arange(0, 256, 5), 255]).astype(np.uint8)
    rgb = np.stack(np.meshgrid(steps, steps, steps), axis=-1)
    assert (oklab_to_srgb(srgb_to_oklab(rgb)) == rgb).all()


def test_colors_outside_the_gamut_are_clipped() -> None:
    assert oklab_to_srgb([1.4, 0.0, 0.0]).tolist() == [255, 255, 255]
    assert oklab_to_srgb([-0.2, 0.0, 0.0]).tolist() == [0, 0, 0]


@given(color=colors)
def test_hex_codes_come_back(color: np.ndarray) -> None:
    assert from_hex(to_hex(color)).tolist() == color.tolist()
    assert to_hex(from_hex(to_hex(color).upper())) == to_hex(color)


# --- words -----------------------------------------------------------------------------------------------------------


def best_word(code: str) -> str:
    return ColorWords({}).rank(srgb_to_oklab(from_hex(code)))[0][0]


def words_for(code: str, words: ColorWords | None = None) -> tuple[str, ...]:
    return acceptable((words or ColorWords({})).votes(srgb_to_oklab(from_hex(code))[None])[0])


@pytest.mark.parametrize(
    ("word", "codes"),
    [
        ("black", ("#000000", "#0a0a0a", "#14100c", "#1a1a22", "#201810")),
        ("white", ("#ffffff", "#fafafa", "#f4f2f0", "#f2f2ff", "#fff8f0")),
        ("gray", ("#808080", "#a0a0a2", "#bebebe", "#5e5e5e", "#6c727c")),
        ("red", ("#ff0000", "#d01818", "#e02430")),
        ("orange", ("#ffa500", "#ff8000", "#f08a1e")),
        ("yellow", ("#ffff00", "#f5dd2a", "#fff060")),
        ("green", ("#008000", "#00ff00", "#2fae4a", "#0a4a18")),
        ("blue", ("#0000ff", "#2456d8", "#5aa0f0", "#1a3fb4")),
        ("purple", ("#800080", "#7a35c4", "#5a2a94")),
        ("pink", ("#ffc0cb", "#ff69b4", "#f58ac0")),
        ("brown", ("#964b00", "#6b4426", "#7a4e2d")),
    ],
)
def test_textbook_colors_get_their_basic_word(word: str, codes: tuple[str, ...]) -> None:
    assert [best_word(code) for code in codes] == [word] * len(codes)


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("beige", "#e6daa6"),
        ("tan", "#d1b26f"),
        ("teal", "#008080"),
        ("cyan", "#00ffff"),
        ("mint", "#98ff98"),
        ("olive", "#808000"),
        ("navy", "#000080"),
        ("lavender", "#c79fef"),
        ("maroon", "#800000"),
        ("gold", "#ffd700"),
    ],
)
def test_a_caption_may_call_a_color_by_its_own_further_word(word: str, code: str) -> None:
    assert word in words_for(code)


def test_further_words_do_not_spread_over_other_colors() -> None:
    further = set(TERMS) - set(BASIC_TERMS)
    plain = (
        "#000000",
        "#ffffff",
        "#808080",
        "#a0a0a2",
        "#ff0000",
        "#00a020",
        "#0000ff",
        "#2456d8",
        "#7a35c4",
        "#ff69b4",
    )
    for code in plain:
        assert not further & set(words_for(code)), f"{code}: {words_for(code)}"


def test_every_term_is_the_word_or_a_word_of_some_color() -> None:
    steps = np.arange(0, 256, 15).astype(np.uint8)
    rgb = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    votes = ColorWords({}).votes(srgb_to_oklab(rgb))
    best = {TERMS[i] for i in np.unique(votes.argmax(axis=1))}
    assert set(BASIC_TERMS) <= best
    assert {word for vote in votes for word in acceptable(vote)} == set(TERMS)


def test_votes_are_shares() -> None:
    lab = srgb_to_oklab(random_colors(7, 500))
    prototypes = {"gray": lab[:5], "olive": lab[5:6]}
    for votes in (survey_votes(lab), ColorWords({}).votes(lab), ColorWords(prototypes).votes(lab)):
        assert votes.shape == (len(lab), len(TERMS))
        assert (votes >= 0).all()
        np.testing.assert_allclose(votes.sum(axis=1), 1)


def test_colors_far_from_all_survey_names_are_named_all_the_same() -> None:
    for lab in ([2.0, 0.0, 0.0], [0.5, 0.6, 0.6], [-1.0, -0.5, 0.3]):
        votes = survey_votes(lab)
        assert np.isfinite(votes).all()
        assert votes.sum() == pytest.approx(1)


def test_words_are_ranked_by_votes_and_accepted_near_the_best() -> None:
    ranked = ColorWords({}).rank(srgb_to_oklab(from_hex("#847362")))
    assert [vote for _, vote in ranked] == sorted((vote for _, vote in ranked), reverse=True)
    assert {word for word, _ in ranked} == set(TERMS)
    assert words_for("#847362")[:2] == ("gray", "brown")  # the readers of such pictures accept both
    votes = np.zeros(len(TERMS))
    votes[TERMS.index("red")], votes[TERMS.index("pink")], votes[TERMS.index("blue")] = 0.6, 0.25, 0.15
    assert acceptable(votes) == ("red", "pink")
    assert acceptable(votes, accept=0.2) == ("red", "pink", "blue")


def test_the_owners_use_of_a_word_decides_ties_and_nothing_else() -> None:
    undecided = srgb_to_oklab(from_hex("#847362"))
    assert best_word("#847362") == "gray"
    loose = ColorWords({"brown": np.repeat(undecided[None], 5, axis=0)})
    assert loose.rank(undecided)[0][0] == "brown"
    clear = srgb_to_oklab(from_hex("#808080"))
    for often in (1, 50):
        assert ColorWords({"brown": np.repeat(clear[None], often, axis=0)}).rank(clear)[0][0] == "gray"


def test_the_owners_words_reach_only_colors_like_theirs() -> None:
    owner = ColorWords({"teal": srgb_to_oklab(from_hex("#38636b"))[None]})
    for code in ("#808080", "#d0b79f", "#c6757f"):
        lab = srgb_to_oklab(from_hex(code))
        assert dict(owner.rank(lab)) == pytest.approx(dict(ColorWords({}).rank(lab)), abs=1e-3)


def test_words_of_captions_count_for_terms() -> None:
    assert word_terms("grey") == ("gray",)
    assert word_terms("turquoise")[0] == "teal"
    assert word_terms("background") == ()
    for term in TERMS:
        assert word_terms(term) == (term,)
