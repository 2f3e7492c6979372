"""Draws a whole sample set into a folder: originals, candidates, and `truth.json` that knows everything of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graftset.drawn.candidates import RENDER_FAULTS, parameters_text, plan_candidates
from graftset.drawn.captions import describe
from graftset.drawn.cast import deal_cast
from graftset.drawn.names import name_originals
from graftset.drawn.portrait import FACE, draw_original
from graftset.drawn.rendering import render
from graftset.drawn.specs import CandidateTruth, OriginalTruth, SampleTruth, Style
from graftset.errors import ExistsError, UserError
from graftset.files import staged_folder
from graftset.imageio import encode_png

OURS = ("originals", "candidates", "truth.json")


def draw_sample_set(
    folder: Path,
    *,
    style: Style = "classic",
    seed: int = 0,
    originals: int = 203,
    candidates: int = 203,
    size: int = 512,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> SampleTruth:
    """Draw originals and candidates with known truth and planted faults.

    Writes `originals/` (24 x 24 PNG and a caption `.txt` each), `candidates/` (`size` x `size` PNG; the prompt in a
    `.txt`, in the PNG's `parameters`, or nowhere) and `truth.json`; all of it or nothing. The same arguments give the
    same bytes.

    Args:
        folder: Where to; made if missing.
        style: The originals' style.
        seed: Another seed draws other people.
        originals: How many originals.
        candidates: How many candidates.
        size: Side of a candidate in px.
        force: Replace a sample set that is already there. A folder that holds anything else is never replaced.
        progress: Called with pictures drawn and pictures in all.

    Raises:
        ExistsError: The folder is not empty.
        UserError: A number is out of range, or the folder cannot be written.
    """
    _check_counts(originals, candidates, size)
    _check_folder(folder, force)
    truth = plan_sample_set(style=style, seed=seed, originals=originals, candidates=candidates, size=size)
    tell = progress or (lambda done, of: None)
    with staged_folder(folder) as staged:
        (staged / "originals").mkdir()
        for done, original in enumerate(truth.originals, start=1):
            _write_original(staged / "originals", original, style)
            tell(done, originals + candidates)
        (staged / "candidates").mkdir()
        for done, candidate in enumerate(truth.candidates, start=originals + 1):
            _write_candidate(staged / "candidates", candidate, style, size)
            tell(done, originals + candidates)
        (staged / "truth.json").write_text(truth.to_json(), encoding="utf-8", newline="\n")
    return truth


def plan_sample_set(*, style: Style, seed: int, originals: int, candidates: int, size: int = 512) -> SampleTruth:
    """Everything about a sample set but its files. Arguments as for `draw_sample_set`."""
    rng = np.random.default_rng(seed)
    cast = deal_cast(style, originals, rng)
    names = name_originals([member.spec.figure for member in cast], rng)
    known = []
    for name, member in zip(names, cast, strict=True):
        caption = describe(member.spec, style)
        twin_of = None if member.twin_of is None else names[member.twin_of]
        known.append(OriginalTruth(name, member.spec, caption.text, caption.claims, twin_of, member.twin_change))
    planned = plan_candidates(known, style, candidates, size, rng)
    return SampleTruth(style=style, seed=seed, size=size, originals=tuple(known), candidates=tuple(planned))


def draw_candidate(candidate: CandidateTruth, style: Style, size: int = 512) -> NDArray[np.uint8]:
    """The picture of a candidate as its file holds it, uint8 [size, size, 3]."""
    fault = next((f for f in RENDER_FAULTS if f in candidate.faults), None)
    return render(
        draw_original(candidate.spec, style),
        rng=np.random.default_rng(candidate.render_seed),
        size=size,
        fault=fault,
        severity=candidate.severity or 0.0,
        face=FACE[style],
    )


def _check_counts(originals: int, candidates: int, size: int) -> None:
    for field, value, least in (("originals", originals, 1), ("candidates", candidates, 0), ("size", size, 96)):
        if value < least:
            raise UserError(
                f"A sample set needs at least {least} for {field}",
                field=field,
                value=value,
                remedy=f"Ask for {least} or more",
            )


def _check_folder(folder: Path, force: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ExistsError(
            "The sample set needs a folder and this is a file",
            field="folder",
            value=str(folder),
            remedy="Name another folder",
        )
    held = sorted(path.name for path in folder.iterdir())
    foreign = [name for name in held if name not in OURS]
    if foreign:
        raise ExistsError(
            f"The folder holds files that are not of a sample set, {foreign[0]!r} among them",
            field="folder",
            value=str(folder),
            remedy="Name an empty or new folder",
        )
    if held and not force:
        raise ExistsError(
            "The folder holds a sample set already",
            field="folder",
            value=str(folder),
            remedy="Name another folder, or use --force to draw it again",
        )


def _write_original(folder: Path, original: OriginalTruth, style: Style) -> None:
    (folder / f"{original.name}.png").write_bytes(encode_png(draw_original(original.spec, style)))
    (folder / f"{original.name}.txt").write_text(original.caption, encoding="utf-8", newline="\n")


def _write_candidate(folder: Path, candidate: CandidateTruth, style: Style, size: int) -> None:
    chunks = {}
    if candidate.text == "parameters" and candidate.prompt is not None:
        chunks["parameters"] = parameters_text(candidate.prompt, candidate.provenance)
    (folder / f"{candidate.name}.png").write_bytes(encode_png(draw_candidate(candidate, style, size), text=chunks))
    if candidate.text == "sidecar" and candidate.prompt is not None:
        (folder / f"{candidate.name}.txt").write_text(candidate.prompt, encoding="utf-8", newline="\n")
