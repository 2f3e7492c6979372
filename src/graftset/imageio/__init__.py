"""The only place that decodes or encodes pixels: limits, orientation, alpha, embedded prompts, content hash.

plain.py     a file as a trainer opens it, nothing made good
reading.py   a file -> its pixels, or its header only; every refusal is a `SkipFile` with one reason
pixels.py    the bytes of one image file -> uint8 [H, W, 3], decoded strictly
png.py       the chunks of a PNG, checked one by one
text.py      the text generators leave inside their images
writing.py   pixels -> PNG, the same bytes every time
"""

from __future__ import annotations

from graftset.imageio.broken import BrokenImageError
from graftset.imageio.pixels import MAX_PIXELS
from graftset.imageio.plain import PlainImage, color_count, plain_rgb, plain_size
from graftset.imageio.reading import MAX_BYTES, LoadedImage, ProbedImage, probe, read_rgb
from graftset.imageio.text import embedded_text
from graftset.imageio.writing import decode_png, encode_enlarged, encode_png

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "BrokenImageError",
    "LoadedImage",
    "PlainImage",
    "ProbedImage",
    "color_count",
    "decode_png",
    "embedded_text",
    "encode_enlarged",
    "encode_png",
    "plain_rgb",
    "plain_size",
    "probe",
    "read_rgb",
]
