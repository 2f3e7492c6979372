"""Paints prompts with a checkpoint of the embedded trainer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from graftset.diffusion.checkpoint import load_painter
from graftset.diffusion.painting import Wish, paint
from graftset.records import SamplePrompt
from graftset.runs import Sample, write_samples


def paint_prompts(
    weights: Path,
    prompts: Sequence[SamplePrompt],
    *,
    seeds: Sequence[int],
    folder: Path,
    device: str = "cpu",
    guidance: float | None = None,
    steps: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Sample, ...]:
    """Paint every prompt from every seed into a folder of samples, in place of one that is there.

    Args:
        weights: A checkpoint's safetensors file.
        prompts: What to paint; a prompt's id and the seed decide the noise.
        seeds: Of the noise, the same for every prompt.
        folder: Where the pictures go, with samples.jsonl.
        device: Where to compute.
        guidance: How much more than in training the caption counts; None for what the run says.
        steps: From noise to picture; None for what the run says.
        progress: Called with pictures painted and pictures in all.

    Raises:
        UserError: The checkpoint cannot be read, or the folder not be written.
    """
    painter = load_painter(weights, device)
    painter = replace(painter, guidance=painter.guidance if guidance is None else guidance)
    painter = replace(painter, steps=painter.steps if steps is None else steps)
    subjects = [(prompt, seed) for prompt in prompts for seed in seeds]
    pictures = paint(painter, [Wish(prompt.text, prompt.id, seed) for prompt, seed in subjects], progress=progress)
    return write_samples(folder, ((prompt, seed, rgb) for (prompt, seed), rgb in zip(subjects, pictures, strict=True)))
