"""What a picture measures, by itself and beside the originals of its project.

picture.py     one picture by itself: grid, native image, measures, background
reference.py   what the originals of a project say: ranges, palette, words, nearest neighbors

Pure functions and values over pixels; nothing here knows a catalog. `assess` applies them to the images of a project,
`evaluate` to what a checkpoint paints.
"""

from graftset.measuring.picture import (
    PRODUCER,
    VERSION,
    Measured,
    Request,
    measure_file,
    measure_pixels,
    unpack_mask,
)
from graftset.measuring.reference import TWIN, Picture, Reference, families, fit_detectors

__all__ = [
    "PRODUCER",
    "TWIN",
    "VERSION",
    "Measured",
    "Picture",
    "Reference",
    "Request",
    "families",
    "fit_detectors",
    "measure_file",
    "measure_pixels",
    "unpack_mask",
]
