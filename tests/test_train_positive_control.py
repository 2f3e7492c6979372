"""The instrument works: where captions name every background rightly, the backgrounds asked for are painted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graftset.diffusion.checkpoint import load_painter
from graftset.diffusion.painting import Wish, paint
from graftset.drawn import draw_original, plan_sample_set
from graftset.drawn.captions import describe
from graftset.pixels.background import ring
from graftset.pixels.color import srgb_to_oklab
from graftset.train import TrainingJob, TrainingSet, TrainingStage
from graftset.train.native import train

PROMPTS = 40
NEAR = 0.06  # OKLab


def dominant(picture: np.ndarray) -> np.ndarray:
    """The commonest color of the ring, OKLab."""
    colors, counts = np.unique(picture[ring(*picture.shape[:2])], axis=0, return_counts=True)
    return srgb_to_oklab(colors[counts.argmax()])


@pytest.mark.slow
def test_clean_labels_are_obeyed_after_300_steps(tmp_path: Path) -> None:
    specs = [truth.spec for truth in plan_sample_set(style="classic", seed=0, originals=203, candidates=1).originals]
    pictures = np.stack([draw_original(spec, "classic") for spec in specs])
    data = TrainingSet(
        build="drawn",
        build_sha256="0" * 64,
        plan="originals",
        pictures=pictures,
        captions=tuple(describe(spec, "classic", name_background=True).text for spec in specs),
        generated=np.zeros(len(specs), dtype=np.bool_),
        stages=(TrainingStage("all", 1.0, np.ones(len(specs), dtype=np.int64)),),
        sources=tuple(f"{number:064x}" for number in range(len(specs))),
    )
    job = TrainingJob(folder=tmp_path / "run", data=data, prompts=(), sample_seeds=(), seed=0, steps=300, device="cpu")
    train(job)
    flat = [n for n, spec in enumerate(specs) if spec.backdrop.layout == "solid"][:PROMPTS]
    painter = load_painter(max((tmp_path / "run" / "checkpoints").glob("*.safetensors")))
    painted = paint(painter, [Wish(data.captions[number], str(number), 0) for number in flat])
    apart = [np.linalg.norm(dominant(one) - dominant(pictures[n])) for one, n in zip(painted, flat, strict=True)]
    assert len(flat) == PROMPTS
    assert np.mean(np.array(apart) <= NEAR) >= 0.9
