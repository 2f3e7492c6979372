"""The palette that arms share, and the run folder as its readers find it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graftset.diffusion.palette import Palette, make_palette
from graftset.errors import UserError
from graftset.imageio import embedded_text, read_rgb
from graftset.records import SamplePrompt
from graftset.runs import (
    METRICS,
    Checkpoint,
    MetricsLine,
    Run,
    RunRecord,
    append_metrics,
    create_run,
    forget_metrics,
    known_runs,
    open_run,
    read_samples,
    spaced_steps,
    write_checkpoint,
    write_samples,
)

RECORD = RunRecord(
    name="run",
    backend="native",
    build="equal",
    build_sha256="0" * 64,
    plan="equal",
    width=4,
    height=3,
    originals=2,
    generated=1,
    seed=0,
    steps=100,
    batch_size=32,
    device="cpu",
    checkpoint_steps=spaced_steps(100),
    sample_seeds=(0,),
    prompts_sha256="0" * 64,
    prompts=1,
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / "runs" / "run", RECORD)


def line(step: int) -> MetricsLine:
    return MetricsLine(step, step * 32, 0.5, 1.25, 1e-3, 3.0)


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(f"{step * 32:07d}", step, step * 32, {"original": 1.0, "generated": 0.5}, 1.0, 2.0, "0" * 64)


def random_pictures(count: int, colors: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (colors, 3), dtype=np.uint8)[rng.integers(0, colors, (count, 8, 8))]


def test_up_to_256_colors_are_all_kept_exactly() -> None:
    pictures = random_pictures(40, 200)
    palette = make_palette(pictures)
    assert len(palette.colors) == len(np.unique(pictures.reshape(-1, 3), axis=0))
    assert np.array_equal(palette.colors[palette.indices(pictures)], pictures)
    assert palette.error(pictures) == 0


def test_more_colors_are_stood_for_by_near_ones_and_backgrounds_stay_exact() -> None:
    pictures = random_pictures(40, 3000)
    background = np.array([12, 200, 90], dtype=np.uint8)
    pictures[0, :6] = background
    palette = make_palette(pictures)
    assert palette.colors.shape == (256, 3)
    assert 0 < palette.error(pictures) < 0.05
    assert palette.error(pictures[0, :6]) == 0
    assert make_palette(pictures, size=32).error(pictures) > palette.error(pictures)


def test_a_palette_does_not_depend_on_the_order_of_pictures() -> None:
    pictures = random_pictures(30, 3000)
    assert np.array_equal(make_palette(pictures).colors, make_palette(pictures[::-1]).colors)


def test_many_candidates_do_not_crowd_out_the_colors_of_the_originals() -> None:
    originals, candidates = random_pictures(4, 200, seed=1), random_pictures(400, 3000, seed=2)
    together = make_palette([*originals, *candidates]).error(originals)
    apart = make_palette(originals, candidates).error(originals)
    assert apart < 0.8 * together


def test_a_palette_survives_being_written() -> None:
    palette = make_palette(random_pictures(3, 20))
    assert np.array_equal(Palette.from_bytes(palette.colors.tobytes()).colors, palette.colors)


@pytest.mark.parametrize(
    ("steps", "spaced"),
    [(1000, tuple(range(100, 1001, 100))), (25, (2, 5, 8, 10, 12, 15, 18, 20, 22, 25)), (3, (1, 2, 3)), (1, (1,))],
)
def test_checkpoints_are_evenly_spaced_and_end_with_the_run(steps: int, spaced: tuple[int, ...]) -> None:
    assert spaced_steps(steps) == spaced


def test_a_run_is_found_with_what_it_was_made_with(run: Run) -> None:
    assert open_run(run.folder).record == RECORD
    (run.folder.parent / "notes").mkdir()
    (run.folder.parent / "palette.json").write_text("[]")
    found, notes = known_runs(run.folder.parent)
    assert [one.record.name for one in found] == ["run"]
    assert notes == ["The folder runs/notes is left out: This folder is not a run: it has no run.json"]
    assert known_runs(run.folder / "nowhere") == ([], [])


def test_a_run_of_a_later_graftset_or_a_damaged_one_is_refused(run: Run) -> None:
    path = run.folder / "run.json"
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(UserError, match="later graftset"):
        open_run(run.folder)
    path.write_text(path.read_text().replace('"steps": 100', '"steps": "many"'))
    with pytest.raises(UserError, match=r"run\.json cannot be read: steps"):
        open_run(run.folder)


def test_checkpoints_come_in_order_and_only_whole(run: Run) -> None:
    for step in (100, 20):
        write_checkpoint(run, checkpoint(step), b"weights")
    run.weights_file("0001280").write_bytes(b"its JSON was not written yet")
    assert run.checkpoints() == (checkpoint(20), checkpoint(100))
    assert run.finished
    assert run.sampled() == ()


def test_a_metrics_line_cut_short_is_left_out_and_later_ones_are_taken_back(run: Run) -> None:
    for step in (10, 20, 30):
        append_metrics(run, line(step))
    with (run.folder / METRICS).open("a") as stream:
        stream.write('{"step": 40, "ima')
    assert run.metrics() == (line(10), line(20), line(30))
    forget_metrics(run, after=20)
    append_metrics(run, line(30))
    assert run.metrics() == (line(10), line(20), line(30))


def test_samples_tell_everything_of_their_prompts(run: Run) -> None:
    prompts = [
        SamplePrompt("training-000", "training", "a lady, blue background", {"background": "blue"}, "a" * 64),
        SamplePrompt("../up", "unseen", "a crown", {"accessory:crown": "present"}),
    ]
    pictures = random_pictures(4, 20)
    folder = run.samples_folder("0000032")
    written = write_samples(
        folder, [(prompt, seed, pictures[2 * n + seed]) for n, prompt in enumerate(prompts) for seed in (0, 1)]
    )
    read = read_samples(folder)
    assert read == written
    assert [sample.sample_prompt for sample in read[::2]] == prompts
    assert [sample.seed for sample in read] == [0, 1, 0, 1]
    for sample, picture in zip(read, pictures, strict=True):
        path = folder / sample.file
        assert path.parent == folder  # whatever an id says, nothing is written elsewhere
        assert np.array_equal(read_rgb(path).rgb, picture)
    assert embedded_text((folder / "training-000_1.png").read_bytes())["prompt"] == "a lady, blue background"


def test_a_folder_without_samples_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no samples\.jsonl"):
        read_samples(tmp_path)
