"""Projects to assess: drawn pictures of known content in real folders, with a real catalog beside them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graftset.assess import AssessReport, assess
from graftset.caption import CaptionReport, propose
from graftset.catalog import Catalog
from graftset.drawn import FACE, OriginalTruth, draw_original, plan_sample_set, render
from graftset.drawn.specs import RenderFault, Style
from graftset.imageio import encode_png
from graftset.ingest import IngestReport, ingest
from graftset.records import Assessment, ImageView

U8 = NDArray[np.uint8]


@cache
def cast(count: int, style: Style = "classic", seed: int = 11) -> tuple[OriginalTruth, ...]:
    """Drawn people with their captions."""
    return plan_sample_set(style=style, seed=seed, originals=count, candidates=0).originals


def portraits(count: int, style: Style = "classic", seed: int = 11) -> list[U8]:
    """Native pictures of `cast`, uint8 [24, 24, 3] each."""
    return [draw_original(person.spec, style) for person in cast(count, style, seed)]


def painted(
    native: U8, seed: int = 0, *, size: int = 192, fault: RenderFault | None = None, severity: float = 0.5
) -> U8:
    """A native picture as a diffusion model paints it, uint8 [size, size, 3]."""
    rng = np.random.default_rng(seed)
    return render(native, rng=rng, size=size, fault=fault, severity=severity, face=FACE["classic"])


def enlarged(native: U8, factor: int) -> U8:
    """A clean enlargement by a whole factor."""
    return np.ascontiguousarray(native.repeat(factor, axis=0).repeat(factor, axis=1))


class Pool:
    """A folder of originals, a folder of candidates and their catalog; images are called by their stem."""

    def __init__(self, root: Path) -> None:
        self.originals = root / "originals"
        self.candidates = root / "candidates"
        for folder in (self.originals, self.candidates):
            folder.mkdir(parents=True, exist_ok=True)
        self.catalog = Catalog.open(f"sqlite:///{root}/catalog.db")

    def original(self, name: str, picture: U8, caption: str | None = None) -> Path:
        """Write an original, and its caption beside it."""
        return _write(self.originals / f"{name}.png", picture, caption)

    def candidate(self, name: str, picture: U8, prompt: str | None = None) -> Path:
        """Write a candidate, and its prompt beside it."""
        return _write(self.candidates / f"{name}.png", picture, prompt)

    def fill(self, natives: Sequence[U8], candidates: Sequence[U8] = ()) -> Pool:
        """Write many at once: originals `o00`, `o01`, ... and candidates `c00`, `c01`, ..."""
        for i, native in enumerate(natives):
            self.original(f"o{i:02d}", native)
        for i, picture in enumerate(candidates):
            self.candidate(f"c{i:02d}", picture)
        return self

    def ingest(self) -> IngestReport:
        """Take what the folders hold."""
        return ingest(self.catalog, originals=self.originals, candidates=self.candidates, prompts=None)

    def assess(self, **options: Any) -> AssessReport:
        """Measure in this process."""
        return assess(self.catalog, **{"workers": 1, **options})

    def take(self, **options: Any) -> AssessReport:
        """Ingest and assess."""
        self.ingest()
        return self.assess(**options)

    def caption(self) -> CaptionReport:
        """Run the caption stage."""
        return propose(self.catalog)

    def views(self) -> dict[str, ImageView]:
        """Everything known, by stem."""
        return {Path(view.path).stem: view for view in self.catalog.views()}

    def assessments(self) -> dict[str, Assessment]:
        """What assess says of every image that is there, by path."""
        known = self.catalog.known_files()
        return {path: said for path, said in self.catalog.assessments().items() if path in known}


def _write(path: Path, picture: U8, text: str | None) -> Path:
    path.write_bytes(encode_png(picture))
    if text is not None:
        path.with_suffix(".txt").write_text(text, encoding="utf-8")
    return path
