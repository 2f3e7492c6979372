"""What each step of training shows follows from plan, seed and step alone."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from graftset.build import verify
from graftset.diffusion.text import CaptionEncoder, batch_tags, constant_tags, split_tags, tag_rows
from graftset.errors import BuildError
from graftset.train.batches import Batches, Varying, augment
from graftset.train.job import TrainingStage
from graftset.train.schedule import Schedule
from graftset.workflows.training import build_prompts, training_set
from training_sets import flag, flags, make_build

STILL = Varying(caption_dropout=0, tag_dropout=0, flip=0, shift=0)


def stage(share: float, *repeats: int) -> TrainingStage:
    return TrainingStage("any", share, np.array(repeats))


def batches(varying: Varying = STILL, seed: int = 0) -> Batches:
    data = flags()
    return Batches(
        data.pictures,
        data.captions,
        encoder=CaptionEncoder(rows=4096),
        schedule=Schedule(data.stages, steps=100, batch_size=4, seed=seed),
        varying=varying,
        seed=seed,
    )


def test_every_pass_shows_every_image_as_often_as_its_repeats() -> None:
    schedule = Schedule([stage(1.0, 3, 1, 2)], steps=6, batch_size=4, seed=5)
    shown = np.concatenate([schedule.batch(step) for step in range(6)])
    for first in range(0, 24, 6):
        assert np.bincount(shown[first : first + 6]).tolist() == [3, 1, 2]
    assert schedule.exposures(6).tolist() == [12, 4, 8]
    assert schedule.exposures(2).tolist() == np.bincount(shown[:8], minlength=3).tolist()


def test_passes_are_shuffled_anew_and_by_seed() -> None:
    ones = [stage(1.0, *[1] * 16)]
    schedule = Schedule(ones, steps=4, batch_size=16, seed=0)
    first, second = schedule.batch(0), schedule.batch(1)
    assert first.tolist() != second.tolist()
    assert first.tolist() != Schedule(ones, steps=4, batch_size=16, seed=1).batch(0).tolist()


def test_a_step_can_be_asked_for_without_those_before_it() -> None:
    stages = [stage(0.5, 1, 1, 1, 0, 0), stage(0.5, 2, 2, 2, 1, 1)]
    schedule = Schedule(stages, steps=30, batch_size=4, seed=3)
    forwards = [schedule.batch(step).tolist() for step in range(30)]
    fresh = [Schedule(stages, steps=30, batch_size=4, seed=3).batch(step).tolist() for step in range(30)]
    assert forwards == fresh


def test_a_sequential_plan_shows_the_generated_images_in_its_second_stage_only() -> None:
    schedule = Schedule([stage(0.4, 1, 1, 0), stage(0.6, 1, 1, 2)], steps=50, batch_size=2, seed=0)
    assert schedule.exposures(20).tolist() == [20, 20, 0]
    assert schedule.exposures(50).tolist() == [35, 35, 30]


def test_a_label_says_how_a_picture_was_moved() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert augment(picture, np.array([0, 0, 0])).tolist() == picture.tolist()
    assert augment(picture, np.array([1, 0, 0])).tolist() == picture[:, ::-1].tolist()
    assert augment(picture, np.array([0, 1, 0])).tolist() == [[0, 1, 2, 3], [0, 1, 2, 3], [4, 5, 6, 7]]
    assert augment(picture, np.array([0, 0, -1])).tolist() == [[1, 2, 3, 3], [5, 6, 7, 7], [9, 10, 11, 11]]


def test_what_a_batch_shows_is_what_its_labels_say() -> None:
    data, made = flags(), batches(Varying(caption_dropout=0, tag_dropout=0, flip=0.5, shift=0.5))
    schedule = Schedule(data.stages, steps=100, batch_size=4, seed=0)
    seen = set()
    for step in range(40):
        batch = made.batch(step)
        for row, number in enumerate(schedule.batch(step)):
            label = batch.labels[row].astype(np.int64)
            assert np.array_equal(batch.targets[row], augment(data.pictures[number], label))
            seen.add(tuple(label.tolist()))
    assert len(seen) == 18
    assert np.array_equal(data.pictures, flags().pictures)  # the set itself is never changed


def test_without_augmentation_pictures_stay_as_they_are() -> None:
    batch = batches().batch(0)
    assert not batch.labels.any()
    assert all(any(np.array_equal(picture, one) for one in flags().pictures) for picture in batch.targets)


def test_every_step_sees_all_noise_levels() -> None:
    levels = np.sort(batches().batch(7).levels)
    assert np.floor(levels * 4).tolist() == [0, 1, 2, 3]


def test_captions_and_tags_are_left_out_as_often_as_asked() -> None:
    made = batches(Varying(caption_dropout=0.25, tag_dropout=0, flip=0, shift=0))
    places = np.concatenate([(made.batch(step).tags.places > 0).sum(axis=1) for step in range(200)])
    assert set(places.tolist()) == {0, 3}
    assert abs((places == 0).mean() - 0.25) < 0.05
    made = batches(Varying(caption_dropout=0, tag_dropout=0.25, flip=0, shift=0))
    kept = np.concatenate([(made.batch(step).tags.places > 0).sum(axis=1) for step in range(200)])
    assert abs(kept.mean() / 3 - 0.75) < 0.05


def test_tags_are_hashed_alike_everywhere() -> None:
    assert split_tags("Lady, RED  hair,, red hair; big crown\nhat") == ("lady", "red hair", "big crown", "hat")
    assert tag_rows("red hair", 4096).tolist() == [609, 3547, 1914, 1993]
    assert tag_rows("!?", 4096).tolist() == []


def test_tags_that_nearly_all_captions_have_tell_nothing() -> None:
    captions = [f"pixel art, person {number}, 24x24" for number in range(20)]
    assert constant_tags([*captions[:19], "pixel art, oil"]) == {"pixel art", "24x24"}
    assert constant_tags(captions[:2]) == frozenset()
    encoder = CaptionEncoder(rows=64, ignored={"pixel art"})
    assert len(encoder.tags("pixel art, red hair")) == 1


def test_bags_of_a_batch_stand_where_they_are_said_to() -> None:
    a, b, c = np.array([1, 2, 3]), np.array([4]), np.array([5, 6])
    batch = batch_tags([(a, b), (), (c,)])
    assert batch.places.tolist() == [[1, 2], [0, 0], [3, 0]]
    assert [part.tolist() for part in np.split(batch.rows, batch.starts[1:])] == [[1, 2, 3], [4], [5, 6]]
    assert np.allclose(np.add.reduceat(batch.weights**2, batch.starts), 1)
    assert batch_tags([(), ()]).places.tolist() == [[0], [0]]


@pytest.mark.parametrize("plan", ["originals", "equal", "weighted", "sequential"])
def test_a_build_is_read_back_to_the_cell_with_the_exposures_of_its_plan(tmp_path: Path, plan: str) -> None:
    data = training_set(make_build(tmp_path / "build", plan))
    assert data.plan == plan
    assert data.pictures.shape == (6 if plan == "originals" else 9, 12, 8, 3)
    for picture, caption in zip(data.pictures, data.captions, strict=True):
        number = int(caption.split("look ")[1].split(",")[0])
        assert any(np.array_equal(picture, flag(word, number)) for word in ("red", "green", "blue", "yellow"))
    shown = Schedule(data.stages, steps=400, batch_size=9, seed=0).exposures(400)
    once = shown[~data.generated].mean() / max(1.0, float(shown[data.generated].mean())) if plan != "originals" else 0
    assert once == pytest.approx({"originals": 0, "equal": 1, "weighted": 2, "sequential": 2}[plan], rel=0.02)


def test_a_build_that_was_changed_is_not_trained_on(tmp_path: Path) -> None:
    folder = make_build(tmp_path / "build")
    caption = next(folder.glob("*_original/*.txt"))
    caption.write_text("another caption")
    with pytest.raises(BuildError, match=f"1 changed .*{caption.name}"):
        training_set(folder)
    assert not verify(folder).intact


def test_prompts_without_a_file_of_them_are_captions_of_originals_alike_in_every_arm(tmp_path: Path) -> None:
    arms = [make_build(tmp_path / plan, plan) for plan in ("originals", "equal")]
    given = [build_prompts(arm, training_set(arm)) for arm in arms]
    assert [asdict(prompt) for prompt in given[1]] == json.loads((arms[1] / "prompts.json").read_text())
    told = [build_prompts(tmp_path / "without prompts", training_set(arm)) for arm in arms]
    assert told[0] == told[1]
    assert {prompt.kind for prompt in told[0]} == {"training"}
    assert len({prompt.reference for prompt in told[0]}) == 6
