"""The embedded backend: trains the diffusion model of this package in this process.

A run goes on from wherever it was stopped, to the bit on a CPU: everything random follows from seed and step, and
resume.safetensors holds weights, average, optimizer and position. It is written at every checkpoint, every minute and
when Ctrl-C or SIGTERM asks for an end; a step under way is finished first. What a killed process had not written yet is
computed again and comes out the same.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import torch
from pydantic import ValidationError

from graftset import __version__
from graftset.config import NativeSettings
from graftset.diffusion.checkpoint import PainterRecord, describe_painter, make_painter
from graftset.diffusion.heads import ContinuousHead, Head, PaletteHead
from graftset.diffusion.network import Network, NetworkShape
from graftset.diffusion.painting import BATCH, Painter, Wish, paint
from graftset.diffusion.palette import make_palette
from graftset.diffusion.text import CaptionEncoder, constant_tags
from graftset.errors import UserError
from graftset.runs import RUN, RunRecord, hold_run, prompts_hash, sha256_hex
from graftset.train.batches import Batches, Varying
from graftset.train.carrying import Training
from graftset.train.job import Estimate, Outcome, TrainingJob
from graftset.train.learning import Learner, Rates
from graftset.train.opening import in_use, known_run, nothing_left, open_or_create
from graftset.train.processor import choose_device, choose_precision, computing
from graftset.train.schedule import Schedule

LARGEST_PALETTE_ERROR = 0.015  # OKLab: pictures that a palette holds no better get a continuous head
_CLIP = 1.0  # longest gradient
# AdamW moves every weight by about the learning rate each step, and logits have far to go: without this the colors'
# frequencies alone take a hundred steps to learn.
_LOGIT_SCALE = 8.0
_TRIED_STEPS = 4  # for an estimate


def train(job: TrainingJob) -> Outcome:
    """Train, or go on training, until the last step, and paint the prompts at every checkpoint.

    Raises:
        ExistsError: Another run has this name.
        TrainingError: The loss is no number any more, or the disk is full; the last good checkpoint is kept.
        UserError: A setting is out of range, or the run folder is damaged.
        KeyboardInterrupt: It was asked to stop; everything reached is kept.
    """
    made = _make(job)
    run = open_or_create(job.folder, _record(job, made))
    with computing(made.settings.threads), hold_run(run) as is_ours:
        if not is_ours:
            raise in_use(run.folder)
        training = Training(
            job,
            run,
            learner=made.learner(job.seed),
            batches=made.batches(job),
            schedule=made.schedule(job),
            painter=made.painter,
        )
        return replace(training.carry_out(), notes=made.notes)


def unchanged(job: TrainingJob) -> Outcome | None:
    """What there is to say of a complete run; None of any other.

    Raises:
        ExistsError: Another run has this name.
        UserError: A setting is out of range, or the run folder is damaged.
    """
    if not (job.folder / RUN).exists():
        return None
    run = known_run(job.folder, _record(job, _make(job)))
    return nothing_left(run) if run is not None and run.complete else None


def estimate(job: TrainingJob) -> Estimate:
    """Try a few steps and one batch of pictures, and say how long the whole takes; nothing is written."""
    made = _make(job)
    settings = made.settings
    with computing(settings.threads):
        batches, learner = made.batches(job), made.learner(job.seed)
        learner.learn(batches.batch(0)).item()
        begun = time.perf_counter()
        for step in range(_TRIED_STEPS):
            learner.learn(batches.batch(step)).item()
        step_seconds = (time.perf_counter() - begun) / _TRIED_STEPS
        painter = make_painter(made.painter, learner.averaged(), made.device, made.dtype)
        begun = time.perf_counter()
        paint(painter, [Wish("", "estimate", 0)] * BATCH)
        picture_seconds = (time.perf_counter() - begun) / BATCH
    pictures = len(job.prompts) * len(job.sample_seeds) * len(job.checkpoint_steps)
    return Estimate(
        seconds=job.steps * step_seconds + pictures * picture_seconds,
        step_seconds=step_seconds,
        picture_seconds=picture_seconds,
        parameters=sum(p.numel() for p in learner.network.parameters()),
        device=made.device.type,
        notes=made.notes,
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """What follows from a job before anything is trained or written."""

    settings: NativeSettings
    device: torch.device
    dtype: torch.dtype
    head: Head
    painter: PainterRecord
    encoder: CaptionEncoder
    notes: tuple[str, ...]

    def schedule(self, job: TrainingJob) -> Schedule:
        """Which images each step shows."""
        return Schedule(job.data.stages, steps=job.steps, batch_size=self.settings.batch_size, seed=job.seed)

    def batches(self, job: TrainingJob) -> Batches:
        """What each step shows."""
        s, data = self.settings, job.data
        return Batches(
            self.head.encode(data.pictures),
            data.captions,
            encoder=self.encoder,
            schedule=self.schedule(job),
            varying=Varying(s.caption_dropout, s.tag_dropout, s.flip, s.shift),
            seed=job.seed,
        )

    def learner(self, seed: int) -> Learner:
        """Network and optimizer as they begin: the same weights for every arm with this seed and palette."""
        s = self.settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = Network(self.painter.shape)
        rates = Rates(s.learning_rate, s.weight_decay, s.ema, _CLIP)
        return Learner(network, self.head, rates, device=self.device, dtype=self.dtype)


def _make(job: TrainingJob) -> _Made:
    settings = _settings(job)
    data = job.data
    device = choose_device(job.device)
    head, notes = _choose_head(job, settings, device)
    originals = [text for text, generated in zip(data.captions, data.generated, strict=True) if not generated]
    fine = settings.width
    scale = _LOGIT_SCALE if isinstance(head, PaletteHead) else 1.0
    shape = NetworkShape(outputs=head.outputs, channels=(fine, 2 * fine, 4 * fine), scale=scale)
    encoder = CaptionEncoder(rows=shape.rows, ignored=constant_tags(originals))
    height, width = data.pictures.shape[1:3]
    with torch.device("meta"):
        network = Network(shape)
    painter = Painter(network, head, encoder, height, width, settings.sampling_steps, settings.guidance)
    dtype = choose_precision(settings.precision, device)
    return _Made(settings, device, dtype, head, describe_painter(painter), encoder, notes)


def _record(job: TrainingJob, made: _Made) -> RunRecord:
    """What run.json says of a job."""
    data = job.data
    return RunRecord(
        name=job.folder.name,
        backend="native",
        build=data.build,
        build_sha256=data.build_sha256,
        plan=data.plan,
        width=made.painter.width,
        height=made.painter.height,
        originals=int((~data.generated).sum()),
        generated=int(data.generated.sum()),
        seed=job.seed,
        steps=job.steps,
        batch_size=made.settings.batch_size,
        device=made.device.type,
        checkpoint_steps=job.checkpoint_steps,
        sample_seeds=job.sample_seeds,
        prompts_sha256=prompts_hash(job.prompts),
        prompts=len(job.prompts),
        settings={
            **made.settings.model_dump(),
            "head": "palette" if made.painter.palette else "continuous",
            "precision": str(made.dtype).removeprefix("torch."),
            "colors": len(made.painter.palette),
            "palette": sha256_hex("".join(made.painter.palette).encode()),
        },
        versions={"graftset": __version__, "torch": torch.__version__},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _settings(job: TrainingJob) -> NativeSettings:
    try:
        return NativeSettings.model_validate(dict(job.settings))
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(
            f"A setting of the embedded backend is wrong: {first['msg']}",
            field=".".join(["train.native", *map(str, first["loc"])]),
            value=first.get("input"),
            remedy="See [train.native] in graftset.toml",
        ) from error


def _choose_head(job: TrainingJob, settings: NativeSettings, device: torch.device) -> tuple[Head, tuple[str, ...]]:
    if settings.head == "continuous":
        return ContinuousHead(), ()
    pictures = job.data.pictures
    palette = job.data.palette or make_palette(pictures)
    error = palette.error(pictures)
    if settings.head == "auto" and error > LARGEST_PALETTE_ERROR:
        note = f"{len(palette.colors)} colors miss these pictures by {error:.3f} (OKLab), so any color may be painted."
        return ContinuousHead(), (note,)
    return PaletteHead(palette, device), ()
