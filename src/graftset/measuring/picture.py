"""What one picture says by itself: its grid, its native image, render and native measures, its background.

Everything here depends on the file alone (and on the native size the originals have), so it is cached by content hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graftset.errors import SkipFile
from graftset.imageio import encode_png, read_rgb
from graftset.pixels.background import BackgroundReading, read_background
from graftset.pixels.color import srgb_to_cielab, to_hex
from graftset.pixels.grid import (
    MIN_CELL_PX,
    MIN_CELLS,
    MIN_CONFIDENCE,
    AxisGrid,
    exact_enlargement,
    find_axis,
    sample_cells,
    step_profiles,
    to_native,
)
from graftset.pixels.structure import (
    GRAY,
    color_count,
    edge_profile,
    flat_cells,
    grid_residual,
    neighbor_differences,
    orphan_cells,
    render_noise,
    texture_noise,
)

U8 = NDArray[np.uint8]

PRODUCER = "pixels"
VERSION = "3"  # raise it when any figure below changes: everything is then measured anew

LARGEST = 256  # cells along one side: more is a picture to be painted, not pixel art
SMALL = 128  # px: a picture up to this size without a grid is taken to be native already


@dataclass(frozen=True, slots=True)
class Request:
    """One file to measure. `expected` is the originals' native (width, height), where it is known."""

    path: str
    sha256: str
    expected: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Measured:
    """The answer to a `Request`: JSON-ready data and the native picture as PNG, or why there is none."""

    request: Request
    data: dict[str, Any]
    native_png: bytes | None
    refused: str | None = None


def measure_file(request: Request) -> Measured:
    """Measure one file; a file that changed since it was ingested or cannot be read is refused with a reason."""
    try:
        image = read_rgb(Path(request.path))
    except SkipFile as skip:
        return Measured(request, {}, None, skip.reason)
    if image.sha256 != request.sha256:
        return Measured(request, {}, None, "the file changed since it was ingested: run `graftset ingest` again")
    data, native = measure_pixels(image.rgb, request.expected)
    return Measured(request, data, None if native is None else encode_png(native))


def measure_pixels(rgb: U8, expected: tuple[int, int] | None = None) -> tuple[dict[str, Any], U8 | None]:
    """Grid, measures and background of one picture.

    Args:
        rgb: uint8 [H, W, 3].
        expected: Native (width, height) of the originals, or None when the originals themselves are measured.

    Returns:
        JSON-ready data with the keys grid, measures, background (see `_background_data`), and the native picture
        uint8 [h, w, 3]. Empty and None where no grid was found; the grid alone and None where the native size is
        not the expected one, or larger than `LARGEST`.
    """
    found = _find_grid(rgb, expected)
    if found is None:
        return {}, None
    x, y, clean = found
    grid = {
        "width": x.cells,
        "height": y.cells,
        "cell_w": x.cell,
        "cell_h": y.cell,
        "offset_x": x.offset,
        "offset_y": y.offset,
        "confidence": min(x.confidence, y.confidence),
    }
    if (x.cells, y.cells) != expected and (expected is not None or max(x.cells, y.cells) > LARGEST):
        # Nothing can be compared with it; measuring half a million cells would only cost time and memory.
        return {"grid": grid}, None
    core = None
    if clean:
        step_x, step_y = round(x.cell), round(y.cell)
        native = np.ascontiguousarray(rgb[step_y // 2 :: step_y, step_x // 2 :: step_x])
    else:
        core = sample_cells(rgb, x, y)
        native = to_native(core)
    lab = srgb_to_cielab(native)
    steps = neighbor_differences(lab)
    flat = flat_cells(*steps)
    if core is None:
        render = dict.fromkeys(("grid_residual", "edge_width", "edge_drift", "texture_noise"), 0.0)
        texture = None
    else:
        render = _render_measures(rgb, native, x, y, core, flat)
        texture = (core @ GRAY).std(axis=2)
    measures = {
        **render,
        # Cells of a clean enlargement have exactly the colour they were given: what varies there is drawn, not noise.
        "render_noise": 0.0 if clean else render_noise(lab, flat),
        "color_count": float(color_count(native)),
        "orphan_cells": orphan_cells(lab, steps),
    }
    data = {
        "grid": grid,
        "measures": {name: round(float(value), 5) for name, value in measures.items()},
        "background": _background_data(read_background(native, texture, lab=lab, steps=steps)),
    }
    return data, native


def _find_grid(rgb: U8, expected: tuple[int, int] | None) -> tuple[AxisGrid, AxisGrid, bool] | None:
    """The grid along both axes, and whether the picture is a clean enlargement on it."""
    height, width = rgb.shape[:2]
    native = _whole(width, 1), _whole(height, 1), True
    if (width, height) == expected:
        return native
    factor = exact_enlargement(rgb)
    if factor > 1 and min(width, height) // factor >= MIN_CELLS:
        if expected is not None:
            # Blocks may be several cells large: a picture drawn coarsely still has the originals' native size.
            cell = width // expected[0]
            if (width, height) == (cell * expected[0], cell * expected[1]) and factor % cell == 0:
                factor = cell
        return _whole(width, factor), _whole(height, factor), True
    expected_x, expected_y = expected or (None, None)
    # A small picture is native already, unless it is large enough to hold the originals' grid enlarged.
    holds = expected is not None and min(width / expected[0], height / expected[1]) >= MIN_CELL_PX
    if max(width, height) <= SMALL and not holds:
        return native
    across, down = step_profiles(rgb)
    x, y = find_axis(across, expected=expected_x), find_axis(down, expected=expected_y)
    if holds and x is not None and y is not None and not 0.9 < x.cell / y.cell < 1.1:
        # Cells are square: another grid along one axis alone is an accident of the picture.
        x, y = find_axis(across, expected=expected_x, insist=True), find_axis(down, expected=expected_y, insist=True)
    if x is not None and y is not None and (holds or min(x.confidence, y.confidence) >= MIN_CONFIDENCE):
        return x, y, False
    return native if max(width, height) <= SMALL else None


def _whole(length: int, factor: int) -> AxisGrid:
    """The grid of a clean enlargement."""
    return AxisGrid(length // factor, float(factor), 0.0, 1.0)


def _render_measures(
    rgb: U8, native: U8, x: AxisGrid, y: AxisGrid, core: U8, flat: NDArray[np.bool_]
) -> dict[str, float]:
    """How far the stored picture is from a clean enlargement of its native one."""
    width, drift = edge_profile(rgb, native, x, y)
    cell = (x.cell + y.cell) / 2
    return {
        "grid_residual": grid_residual(sample_cells(rgb, x, y, samples=6, span=0.9), native),
        "edge_width": width / cell,
        "edge_drift": drift / cell,
        "texture_noise": texture_noise(core, flat),
    }


def _background_data(reading: BackgroundReading) -> dict[str, Any]:
    """A reading as JSON: kind, coverage, colours with shares, and the mask's cells packed as hex bits, row by row."""
    return {
        "kind": reading.kind,
        "coverage": round(reading.coverage, 4),
        "colors": [[to_hex(color), round(share, 4)] for color, share in reading.colors],
        "mask": np.packbits(reading.mask).tobytes().hex(),
    }


def unpack_mask(text: str, height: int, width: int) -> NDArray[np.bool_]:
    """The mask of `_background_data`, bool [h, w]."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(text), dtype=np.uint8))[: height * width]
    return bits.reshape(height, width).astype(bool)
