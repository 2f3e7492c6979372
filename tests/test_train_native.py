"""Training with the embedded model: it learns, goes on to the bit, and ends in one sentence when it must."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from graftset.diffusion.checkpoint import load_painter
from graftset.diffusion.heads import ContinuousHead, PaletteHead
from graftset.diffusion.painting import Wish, paint
from graftset.errors import ExistsError
from graftset.imageio import read_rgb
from graftset.runs import open_run, read_samples, spaced_steps
from graftset.train import Moment, TrainingError
from graftset.train.native import estimate, train
from running import ENVIRONMENT
from training_sets import flags, job

STEPS = 20


def weights(folder: Path) -> dict[str, bytes]:
    """The bytes of every checkpoint of a run."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("checkpoints/*.safetensors"))}


def traces(folder: Path) -> dict[str, object]:
    """Everything of a run that must not depend on when it was stopped: all but times."""
    run = open_run(folder)
    return {
        "weights": weights(folder),
        "metrics": [replace(line, seconds=0.0) for line in run.metrics()],
        "checkpoints": [replace(checkpoint, seconds=0.0) for checkpoint in run.checkpoints()],
        "resume": {name: tensor.numpy().tobytes() for name, tensor in load_file(run.resume_file).items()},
        "samples": {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.glob("samples/*/*"))
        },
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("runs") / "quiet"
    train(job(folder, steps=STEPS))
    return folder


def test_a_run_leaves_ten_checkpoints_with_pictures_of_every_prompt(finished: Path) -> None:
    run = open_run(finished)
    assert run.finished
    assert [checkpoint.step for checkpoint in run.checkpoints()] == list(spaced_steps(STEPS))
    assert [checkpoint.images_seen for checkpoint in run.checkpoints()] == [4 * s for s in spaced_steps(STEPS)]
    assert run.sampled() == run.checkpoints()
    last = run.checkpoints()[-1]
    assert last.exposures == {"original": STEPS * 4 / 8, "generated": 0.0}
    samples = read_samples(run.samples_folder(last.name))
    assert [(sample.prompt_id, sample.seed) for sample in samples] == [(f"training-00{n}", 0) for n in range(3)]
    assert samples[0].reference == flags().sources[0]
    assert samples[0].prompt == flags().captions[0]
    for sample in samples:
        assert read_rgb(run.samples_folder(last.name) / sample.file).rgb.shape == (12, 8, 3)
    assert [line.step for line in run.metrics()] == [10, 20]
    assert run.metrics()[-1].exposures == last.exposures["original"]
    assert not list(finished.rglob(".graftset-*"))


def test_the_first_losses_are_what_they_were(tmp_path: Path) -> None:
    """Whoever changes the model, its start, the noise or the order of the images sees it here.

    The tolerance is for other processors: sums in another order.
    """
    seen: list[float] = []
    watched = replace(job(tmp_path / "run", steps=4), prompts=())
    import graftset.train.carrying as carrying

    logged, carrying.LOG_EVERY = carrying.LOG_EVERY, 1
    try:
        train(replace(watched, watch=lambda moment: seen.append(moment.loss)))
    finally:
        carrying.LOG_EVERY = logged
    assert seen == pytest.approx(FIRST_LOSSES, abs=2e-4)


FIRST_LOSSES = [2.484907, 2.474716, 2.409752, 2.377701]


class Killed(BaseException):
    """Ends a run at once, as a kill does: nothing handles it."""


@pytest.mark.parametrize("at", [1, 3, 10, 13, 20])
def test_a_run_that_is_killed_goes_on_to_the_same_weights(tmp_path: Path, finished: Path, at: int) -> None:
    folder = tmp_path / "quiet"
    from graftset.train.learning import Learner

    plain, steps = Learner.learn, 0

    def learn(self: Learner, batch: Any) -> torch.Tensor:
        nonlocal steps
        steps += 1
        if steps == at:
            raise Killed
        return plain(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "learn", learn)
        with pytest.raises(Killed):
            train(job(folder, steps=STEPS))
    outcome = train(job(folder, steps=STEPS))
    assert outcome.steps == STEPS
    assert outcome.resumed_at == (at - 1) // 2 * 2  # checkpoints are every second step
    assert traces(folder) == traces(finished)


@pytest.mark.parametrize("place", ["write_checkpoint", "write_samples", "write_whole", "append_metrics"])
def test_a_run_that_is_killed_while_it_writes_goes_on_to_the_same_weights(
    tmp_path: Path, finished: Path, place: str
) -> None:
    import graftset.train.carrying as carrying

    folder, plain, calls = tmp_path / "quiet", getattr(carrying, place), 0

    def write(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Killed
        return plain(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carrying, place, write)
        with pytest.raises(Killed):
            train(job(folder, steps=STEPS))
    train(job(folder, steps=STEPS))
    assert traces(folder) == traces(finished)


def test_ctrl_c_finishes_the_step_and_the_next_call_goes_on(tmp_path: Path, finished: Path) -> None:
    folder = tmp_path / "quiet"
    from graftset.train.learning import Learner

    plain = Learner.learn

    def learn(self: Learner, batch: Any) -> torch.Tensor:
        if self.step_number == 12:
            os.kill(os.getpid(), signal.SIGINT)
        return plain(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "learn", learn)
        with pytest.raises(KeyboardInterrupt):
            train(job(folder, steps=STEPS))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    outcome = train(job(folder, steps=STEPS))
    assert outcome.resumed_at == 13
    assert traces(folder) == traces(finished)


def test_a_finished_run_is_left_alone(finished: Path) -> None:
    before = traces(finished)
    outcome = train(job(finished, steps=STEPS))
    assert outcome.unchanged
    assert traces(finished) == before


def test_a_run_whose_pictures_are_gone_paints_the_same_ones_again(tmp_path: Path, finished: Path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "quiet"))
    shutil.rmtree(folder / "samples" / "0000040")
    train(job(folder, steps=STEPS))
    assert traces(folder) == traces(finished)


def test_another_run_under_the_same_name_is_refused(finished: Path) -> None:
    with pytest.raises(ExistsError, match="its seed differ"):
        train(job(finished, steps=STEPS, seed=1))
    with pytest.raises(ExistsError, match="its settings differ"):
        train(job(finished, steps=STEPS, learning_rate=0.5))


def test_two_processes_cannot_train_one_run(tmp_path: Path) -> None:
    refused = []

    def watch(moment: Moment) -> None:
        with pytest.raises(ExistsError, match="Another process trains this run"):
            train(replace(job(tmp_path / "run", steps=10), prompts=()))
        refused.append(moment.step)

    train(replace(job(tmp_path / "run", steps=10), prompts=(), watch=watch))
    assert refused == [10]


def test_a_loss_that_is_no_number_ends_in_a_sentence_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    from graftset.train.learning import Learner

    plain = Learner.learn

    def learn(self: Learner, batch: Any) -> torch.Tensor:
        if self.step_number == 13:
            with torch.no_grad():
                self.weights.fill_(float("nan"))
                self._computed.fill_(float("nan"))
        return plain(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "learn", learn)
        with pytest.raises(TrainingError) as told:
            train(job(folder, steps=STEPS))
    assert "The loss of step 14 is not a finite number; the last good checkpoint, " in str(told.value)
    kept = open_run(folder).checkpoints()[-1]
    assert (kept.step, f"checkpoint, {kept.name} (step 12), is kept" in str(told.value)) == (12, True)
    assert all(torch.isfinite(tensor).all() for tensor in load_file(open_run(folder).resume_file).values())
    assert train(job(folder, steps=STEPS)).resumed_at == 12  # and with the cause gone it goes on


def test_a_full_disk_ends_in_a_sentence_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the system refuses to write on, as it would."""
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from graftset.train import TrainingError\n"
        "from graftset.train.native import train\n"
        "from training_sets import job\n"
        "import graftset.train.carrying as carrying\n"
        "plain, calls = carrying.write_checkpoint, 0\n"
        "def write(*arguments):\n"
        "    global calls\n"
        "    calls += 1\n"
        "    if calls == 4:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "    return plain(*arguments)\n"
        "carrying.write_checkpoint = write\n"
        "try:\n"
        "    train(job(Path(sys.argv[1]), steps=20))\n"
        "except TrainingError as error:\n"
        "    print(error)\n"
    )
    folder = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        env=ENVIRONMENT | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), ENVIRONMENT["PYTHONPATH"]])},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "Training ended at step 8: Cannot write" in done.stdout
    assert "File too large" in done.stdout
    assert "the last good checkpoint, 0000024 (step 6), is kept" in done.stdout
    assert [checkpoint.step for checkpoint in open_run(folder).checkpoints()] == [2, 4, 6]
    assert not list(folder.rglob(".graftset-*"))
    assert train(job(folder, steps=STEPS)).resumed_at == 6


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_a_picture_is_the_same_in_any_batch(finished: Path, batch: int) -> None:
    painter = load_painter(next(finished.glob("checkpoints/*80.safetensors")))
    wishes = [Wish(f"person {number}, red background", f"p-{number}", number % 2) for number in range(9)]
    together = paint(painter, wishes)
    assert np.array_equal(paint(painter, wishes, batch=batch), together)
    assert np.array_equal(paint(painter, [wishes[7]], batch=batch)[0], together[7])
    assert np.array_equal(paint(painter, wishes[::-1])[::-1], together)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (20, 32), (32, 20), (25, 31), (5, 3), (48, 48)])
def test_any_size_is_trained_and_painted(tmp_path: Path, height: int, width: int) -> None:
    data = flags(height=max(height, 4), width=max(width, 8))
    data = replace(data, pictures=data.pictures[:, :height, :width])
    folder = tmp_path / "run"
    train(job(folder, data, steps=1))
    picture = next(folder.glob("samples/*/*.png"))
    assert read_rgb(picture).rgb.shape == (height, width, 3)


def test_too_many_colors_are_painted_without_a_palette(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noisy = replace(flags(), pictures=rng.integers(0, 256, (8, 24, 24, 3), dtype=np.uint8))
    assert isinstance(load_painter(trained(tmp_path / "few", flags())).head, PaletteHead)
    told = estimate(job(tmp_path / "none", noisy, steps=1)).notes
    assert told == ("256 colors miss these pictures by 0.027 (OKLab), so any color may be painted.",)
    assert isinstance(load_painter(trained(tmp_path / "many", noisy)).head, ContinuousHead)


def trained(folder: Path, data: Any) -> Path:
    """The only checkpoint of a run of one step."""
    train(replace(job(folder, data, steps=1), prompts=()))
    return next(folder.glob("checkpoints/*.safetensors"))


def test_arms_with_one_seed_and_palette_begin_with_the_same_weights(tmp_path: Path) -> None:
    from graftset.train.native import _make

    arms = [job(tmp_path, flags(8)), job(tmp_path, replace(flags(8), captions=("other",) * 8))]
    begun = [_make(arm).learner(3).weights for arm in arms]
    assert torch.equal(*begun)
    assert not torch.equal(begun[0], _make(arms[0]).learner(4).weights)
