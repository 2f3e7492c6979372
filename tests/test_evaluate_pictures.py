"""What a painted picture is worth: perfect, recolored, shuffled, spoiled and copied pictures, with known answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assess_helpers import enlarged, painted
from graftset.evaluate import Batch, Holdout, Originals, evaluate, read_batch, understand
from graftset.evaluate.faults import CELL_FAULTS, RENDER_FAULTS
from graftset.evaluate.style import auc
from graftset.imageio import encode_png
from graftset.measuring import measure_pixels
from graftset.records import SamplePrompt
from graftset.runs import write_samples
from graftset.scorecards import Place, Scorecard
from painted_runs import drawn_originals, noisy, recolored

U8 = NDArray[np.uint8]
COUNT, PROMPTS = 40, 12


@pytest.fixture(scope="module")
def originals() -> Originals:
    """Forty drawn originals, fitted once."""
    return Originals(drawn_originals(COUNT))


@pytest.fixture(scope="module")
def prompts(originals: Originals) -> list[SamplePrompt]:
    """The captions of the first originals."""
    entries = [{"prompt": o.picture.caption} for o in originals.originals[:PROMPTS]]
    return understand(entries, originals.originals, originals.vocabulary)


def card_of(
    folder: Path,
    originals: Originals,
    prompts: Sequence[SamplePrompt],
    pictures: Sequence[U8],
    *,
    auc: float | None = 0.97,
    seeds: Sequence[int] = (0,),
    holdout: Holdout | None = None,
) -> Scorecard:
    """The card of pictures, one for each prompt and seed in that order."""
    keys = [(prompt, seed) for prompt in prompts for seed in seeds]
    write_samples(folder, [(p, s, rgb) for (p, s), rgb in zip(keys, pictures, strict=True)])
    batch = read_batch(folder, Place("0000100", 1, 10))
    return evaluate("arm", batch, originals, sample_set_auc=auc, holdout=holdout)


def point(card: Scorecard, measure: str, group: str = "training") -> float:
    """The point of one figure."""
    figure = card.figure(measure, group)
    assert figure is not None, measure
    return figure.point


def test_the_originals_themselves_are_perfect(
    tmp_path: Path, originals: Originals, prompts: list[SamplePrompt]
) -> None:
    card = card_of(tmp_path / "s", originals, prompts, list(originals.natives[:PROMPTS]))
    for measure in (
        "original_accuracy", "background_exact_match", "background_word_match", "background_near",
        "hair_color_exact_match", "overall_similarity", "pixel_exact", "nearest_is_own", "copy_rate",
    ):  # fmt: skip
        assert point(card, measure) == 1.0, measure
    assert point(card, "background_distance") == 0.0
    assert point(card, "quality_preservation") == 10.0
    assert point(card, "variety") == pytest.approx(1.0, abs=0.25)
    assert point(card, "style_consistency") > 0.9
    assert card.skipped == ()
    assert card.distances[0].p > 0.5
    accuracy = card.figure("original_accuracy", "training")
    assert accuracy is not None
    assert (accuracy.n, accuracy.prompts, accuracy.method) == (PROMPTS, PROMPTS, "wilson")
    assert accuracy.low is not None
    assert accuracy.low < 1.0


def test_another_background_costs_the_background_alone(
    tmp_path: Path, originals: Originals, prompts: list[SamplePrompt]
) -> None:
    pictures = [recolored(o, (255, 0, 255)) for o in originals.originals[:PROMPTS]]
    card = card_of(tmp_path / "s", originals, prompts, pictures)
    assert point(card, "background_exact_match") == 0.0
    assert point(card, "background_near") == 0.0
    assert point(card, "hair_color_exact_match") >= 0.9
    assert point(card, "copy_rate") == 0.0
    assert point(card, "nearest_is_own") >= 0.9
    assert 0.4 <= point(card, "original_accuracy") <= 0.6


def test_strangers_pictures_are_wrong_and_yet_copies(
    tmp_path: Path, originals: Originals, prompts: list[SamplePrompt]
) -> None:
    pictures = list(np.roll(originals.natives[:PROMPTS], 1, axis=0))
    card = card_of(tmp_path / "s", originals, prompts, pictures)
    assert point(card, "original_accuracy") < 0.4
    assert point(card, "overall_similarity") < 0.6
    assert point(card, "nearest_is_own") == 0.0
    assert point(card, "copy_rate") == 1.0
    assert point(card, "quality_preservation") == 10.0
    # As a set they are the same pictures: variety and distance do not care who is who.
    assert card.distances[0].p > 0.5


def test_spoiled_pictures_lose_quality_style_and_likeness(
    tmp_path: Path, originals: Originals, prompts: list[SamplePrompt]
) -> None:
    last = (11.0, 1.1, 1.1)
    for level in (4, 12, 40):
        pictures = [noisy(native, level, i) for i, native in enumerate(originals.natives[:PROMPTS])]
        card = card_of(tmp_path / str(level), originals, prompts, pictures)
        measured = tuple(
            point(card, name) for name in ("quality_preservation", "style_consistency", "overall_similarity")
        )
        assert all(now < before + 0.01 for now, before in zip(measured, last, strict=True)), level
        last = measured
    assert last[0] < 4
    assert last[1] < 0.3


def test_one_picture_for_every_prompt_has_no_variety(
    tmp_path: Path, originals: Originals, prompts: list[SamplePrompt]
) -> None:
    same = [originals.natives[0]] * (2 * PROMPTS)
    card = card_of(tmp_path / "s", originals, prompts, same, seeds=(0, 1))
    assert point(card, "vendi") == pytest.approx(1.0, abs=1e-3)
    assert point(card, "distinct_outputs") == 0.0
    assert card.distances[0].p < 0.05
    pictures = [originals.natives[i] for i in range(2 * PROMPTS)]
    varied = card_of(tmp_path / "v", originals, prompts, pictures, seeds=(0, 1))
    assert point(varied, "distinct_outputs") == 1.0


def test_painted_at_another_size_the_originals_are_still_right(
    tmp_path: Path, originals: Originals, prompts: list[SamplePrompt]
) -> None:
    folder = tmp_path / "s"
    write_samples(folder, [(p, 0, n) for p, n in zip(prompts, originals.natives, strict=False)])
    for i, sample in enumerate(sorted(folder.glob("*.png"))):
        native = originals.natives[i]
        sample.write_bytes(encode_png(painted(native, i, size=512) if i % 2 else enlarged(native, 16)))
    card = evaluate("arm", read_batch(folder, Place("1", 1)), originals, sample_set_auc=0.97)
    assert point(card, "background_exact_match") == 1.0
    assert point(card, "original_accuracy") >= 0.9
    assert point(card, "overall_similarity") > 0.95
    assert point(card, "quality_preservation") > 8


def test_pictures_that_cannot_be_read_are_left_out_with_a_reason(
    tmp_path: Path, originals: Originals, prompts: list[SamplePrompt]
) -> None:
    folder = tmp_path / "s"
    samples = write_samples(folder, [(p, 0, n) for p, n in zip(prompts, originals.natives, strict=False)])
    (folder / samples[0].file).write_bytes(b"no picture")
    (folder / samples[1].file).unlink()
    (folder / samples[2].file).write_bytes(encode_png(enlarged(originals.natives[2][:20, :20], 8)))
    card = evaluate("arm", read_batch(folder, Place("1", 1)), originals, sample_set_auc=0.97)
    assert len(card.pictures) == PROMPTS - 3
    assert {Path(skip.path).name for skip in card.skipped} == {s.file for s in samples[:3]}
    reasons = " ".join(skip.reason for skip in card.skipped)
    assert "is not there" in reasons
    assert "native size is 20x20, the originals' is 24x24" in reasons
    assert card.notes == (f"3 of {PROMPTS} pictures could not be looked at.",)
    assert point(card, "original_accuracy") == 1.0


def test_without_a_single_readable_picture_there_is_a_card_without_figures(
    tmp_path: Path, originals: Originals, prompts: list[SamplePrompt]
) -> None:
    folder = tmp_path / "s"
    for sample in write_samples(folder, [(prompts[0], 0, originals.natives[0])]):
        (folder / sample.file).write_bytes(b"")
    card = evaluate("arm", read_batch(folder, Place("1", 1)), originals, sample_set_auc=0.97)
    assert card.figures == ()
    assert "No picture" in card.notes[0]
    empty = evaluate("arm", Batch(Place("1", 1), folder, ()), originals, sample_set_auc=0.97)
    assert empty.pictures == ()


def test_recall_obedience_and_held_out_prompts_are_told_apart(
    tmp_path: Path, originals: Originals, prompts: list[SamplePrompt]
) -> None:
    trained = frozenset(o.sha256 for o in originals.originals[:6])
    wishes = [
        SamplePrompt("generic-000", "generic", "green", {"background": "green"}),
        SamplePrompt("unseen-000", "unseen", "pink", {"background": "pink"}),
    ]
    pictures = [*originals.natives[:PROMPTS], recolored(originals.originals[0], (0, 160, 0)), originals.natives[1]]
    card = card_of(tmp_path / "s", originals, [*prompts, *wishes], pictures, holdout=Holdout(trained, clean=False))
    assert point(card, "original_accuracy", "training") == 1.0
    counts = {f.group: f.n for f in card.figures if f.measure == "quality_preservation"}
    assert counts == {"training": 6, "held_out": 6, "generic": 1, "unseen": 1, "obedience": 2, "all": 14}
    assert point(card, "variation_accuracy", "generic") == 1.0
    assert point(card, "background_obeyed", "generic") == 1.0
    assert card.figure("variation_accuracy", "training") is None
    assert card.figure("original_accuracy", "generic") is None
    assert card.holdout_clean is False


def test_style_is_a_criterion_only_where_it_can_tell_faults(
    tmp_path: Path, originals: Originals, prompts: list[SamplePrompt]
) -> None:
    pictures = list(originals.natives[:PROMPTS])
    assert card_of(tmp_path / "a", originals, prompts, pictures, auc=0.95).style.usable
    for low in (0.89, None):
        card = card_of(tmp_path / str(low), originals, prompts, pictures, auc=low)
        assert not card.style.usable
        # It is reported all the same, and has no part in the overall value.
        picture = card.pictures[0].values
        assert "style_consistency" in picture
        assert picture["overall"] == pytest.approx(
            (picture["original_accuracy"] + picture["quality_preservation"] / 10) / 2, abs=1e-5
        )


def test_style_tells_faults_of_pictures_it_never_saw(originals: Originals) -> None:
    others = drawn_originals(60)[COUNT:]
    rng = np.random.default_rng(5)
    clean = originals.style.probability([o.picture.data["measures"] for o in others])
    for name, fault in {**CELL_FAULTS, **RENDER_FAULTS}.items():
        faulty = [measure_pixels(fault(o.picture.native, 0.6, rng), (24, 24))[0] for o in others]
        scores = originals.style.probability([data["measures"] for data in faulty if "measures" in data])
        assert auc(clean, scores) >= 0.95, name
    assert originals.style.own_auc is not None
    assert originals.style.own_auc >= 0.9
    assert (originals.style.weights <= 0).all()


def test_the_same_pictures_give_the_same_card(
    tmp_path: Path, originals: Originals, prompts: list[SamplePrompt]
) -> None:
    pictures = [noisy(native, 10, i) for i, native in enumerate(originals.natives[:PROMPTS])]
    first = card_of(tmp_path / "a", originals, prompts, pictures)
    again = card_of(tmp_path / "b", originals, prompts, pictures)
    assert first == again
    assert first.inputs_sha256 == again.inputs_sha256
    assert card_of(tmp_path / "c", originals, prompts[::-1], pictures[::-1]).prompts_sha256 == first.prompts_sha256
    other = card_of(tmp_path / "d", originals, prompts, list(originals.natives[:PROMPTS]))
    assert other.inputs_sha256 != first.inputs_sha256
    assert other.prompts_sha256 == first.prompts_sha256
    fewer = card_of(tmp_path / "e", originals, prompts[1:], pictures[1:])
    assert fewer.prompts_sha256 != first.prompts_sha256
