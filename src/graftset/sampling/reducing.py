"""Pictures of any size -> the project's native grid."""

from __future__ import annotations

from graftset.pixels.grid import AxisGrid, find_axis, sample_cells, step_profiles, to_native
from graftset.sampling.job import U8


def reduced(rgb: U8, width: int, height: int) -> U8:
    """A picture as `uint8 [height, width, 3]`: the median of every cell's core.

    The grid is found from the picture's own edges, with the number of cells given. Where nothing repeats, as in what an
    early checkpoint paints, the picture is divided evenly.

    Args:
        rgb: uint8 [H, W, 3].
        width: Cells across.
        height: Cells down.
    """
    if rgb.shape[:2] == (height, width):
        return rgb
    along_x, along_y = step_profiles(rgb)
    x, y = find_axis(along_x, expected=width, insist=True), find_axis(along_y, expected=height, insist=True)
    return to_native(sample_cells(rgb, _fitting(x, width, rgb.shape[1]), _fitting(y, height, rgb.shape[0])))


def _fitting(found: AxisGrid | None, cells: int, length: int) -> AxisGrid:
    if found is not None and found.cells == cells:
        return found
    return AxisGrid(cells, length / cells, 0.0, 0.0)
