"""Image views and features with known truth, for the tests of selection."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graftset.pixels.diversity import F32
from graftset.records import Background, CaptionChange, Claim, Grid, ImageView, Review, Selection, Traits

GRID = Grid(width=24, height=24, cell_w=21.33, cell_h=21.33, offset_x=0, offset_y=0, confidence=0.9)


def candidate(name: str, background: str = "gray", score: float | None = 9.0, **changes: Any) -> ImageView:
    """A candidate that passes every gate; `changes` plant a fault. Its sha256 is that of its name."""
    plain = ImageView(
        path=f"/pool/{name}.png",
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        origin="generated",
        generation=1,
        width=512,
        height=512,
        prompt=f"portrait, {background} background",
        proposed_caption=f"portrait, {background} background",
        grid=GRID,
        score=score,
        score_parts={} if score is None else {"edges": score, "texture_noise": score - 0.5},
        traits=Traits(background=Background("solid", background, (), 0.95)),
    )
    return replace(plain, **changes)


def original(name: str, background: str = "gray") -> ImageView:
    """An original with a background."""
    return replace(candidate(name, background), path=f"/originals/{name}.png", origin="original", generation=0)


def wrong_background(name: str, asked: str, seen: str, **changes: Any) -> ImageView:
    """A candidate whose background is not the one its prompt asks for, with the correction proposed."""
    span = (10, 10 + len(asked))
    planted = {
        "prompt": f"portrait, {asked} background",
        "claims": (Claim("background", asked, seen, "contradicted", span),),
        "changes": (CaptionChange("background", span, asked, seen, "seen"),),
    }
    return candidate(name, seen, **{**planted, **changes})


def verdict(kind: str, reason: str | None = None) -> Review:
    """Ann's verdict on an image."""
    return Review(verdict=kind, reviewer="Ann", at="2025-01-01T00:00:00Z", reason=reason)  # type: ignore[arg-type]


def random_features(views: Sequence[ImageView], size: int = 8, seed: int = 0) -> dict[str, F32]:
    """Features that differ for every image and depend on its content hash only."""
    return {
        view.sha256: np.random.default_rng([seed, int(view.sha256[:8], 16)]).random(size, dtype=np.float32)
        for view in views
    }


def selected_paths(selection: Selection) -> list[str]:
    """Names of the kept, in the order of their rank."""
    kept = sorted((c for c in selection.choices if c.selected), key=lambda c: -1 if c.rank is None else c.rank)
    return [choice.path.rsplit("/", 1)[1].removesuffix(".png") for choice in kept]
