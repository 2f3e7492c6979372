"""Scorecards of runs that never were, with known figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graftset.scorecards import BY_NAME, Figure, PictureScore, Place, PromptAsked, Scorecard, StyleCheck

PROMPTS = 40


def card(number: int, share: float, *, planned: int = 10, quality: float = 9.0, usable: bool = True) -> Scorecard:
    """A checkpoint that gets a share of its training prompts right, the same ones every time."""
    pictures = tuple(
        PictureScore(
            f"training-{i:03d}", "training", 0, f"{i}.png", f"{number}{i:03d}",
            {
                "original_accuracy": float(i < share * PROMPTS),
                "quality_preservation": quality,
                "style_consistency": 0.95,
                "overall": (float(i < share * PROMPTS) + quality / 10 + 0.95) / 3,
            },
        )
        for i in range(PROMPTS)
    )  # fmt: skip
    figures = tuple(
        Figure(name, group, PROMPTS, PROMPTS, point, point - 0.01, min(BY_NAME[name].high or 1, point + 0.01),
               "wilson" if BY_NAME[name].is_share else "bootstrap", PROMPTS)
        for name, group, point in (
            ("original_accuracy", "training", share),
            ("quality_preservation", "all", quality),
            ("style_consistency", "all", 0.95),
            ("overall", "all", float(np.mean([p.values["overall"] for p in pictures]))),
        )
    )  # fmt: skip
    return Scorecard(
        run="arm", place=Place(f"{number:07d}", number, planned), evaluator="1.3", prompts_sha256="p" * 64,
        originals_sha256="o" * 64, inputs_sha256=f"{number}" * 64, figures=figures, pictures=pictures,
        prompts=(PromptAsked("training-000", "training", "a lady", "abc"),), distances=(), skipped=(),
        style=StyleCheck(0.97, 0.98, 0.9, usable), holdout_clean=None, at=f"2026-01-01T00:00:{number:02d}",
    )  # fmt: skip


def cards(shares: Sequence[float], **options: object) -> list[Scorecard]:
    """A run's cards by what they get right."""
    return [card(number, share, **options) for number, share in enumerate(shares, start=1)]  # type: ignore[arg-type]


LEARNS = (0.1, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0, 1.0, 1.0, 1.0)
