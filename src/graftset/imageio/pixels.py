"""The bytes of one image file -> `uint8 [H, W, 3]` sRGB, decoded strictly.

What every format ends as:

- EXIF orientation is applied, so row 0 is the top of the picture as it was meant.
- Where a pixel is not opaque it is laid over white; the color hidden under a transparent pixel never shows. Opaque
  pixels keep their exact values.
- 16 bits a channel become 8 by keeping the high byte, as libpng does. CMYK is converted by Pillow's plain formula.
- ICC profiles and gamma are ignored: trainers ignore them, and pixels are compared as stored.
- Of an animation or a file with many pages, the first picture is taken.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyspng
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from graftset.imageio import png
from graftset.imageio.broken import BrokenImageError

MAX_PIXELS = 64_000_000
"""Larger pictures are refused before a byte of them is decompressed."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")

_ORIENTATION_TAG = 0x0112
_TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPS_SIDES = frozenset({5, 6, 7, 8})
_JPEG_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})
_FOREIGN = ((b"GIF8", "a GIF"), (b"%PDF", "a PDF"), (b"PK\x03\x04", "a ZIP archive"), (b"<", "text or markup"))


def detect_format(data: bytes) -> str:
    """Return which of `FORMATS` the first bytes announce; the file's name plays no part.

    Raises:
        BrokenImageError: None of them.
    """
    if data.startswith(png.SIGNATURE):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"BM"):
        return "BMP"
    if data.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "TIFF"
    if data[4:8] == b"ftyp":
        raise BrokenImageError("is not a PNG, JPEG, WebP, BMP or TIFF image but AVIF, HEIC or a film")
    foreign = next((f" but {name}" for magic, name in _FOREIGN if data.startswith(magic)), "")
    raise BrokenImageError(f"is not a PNG, JPEG, WebP, BMP or TIFF image{foreign}")


def decode(data: bytes, kind: str) -> tuple[NDArray[np.uint8], bool]:
    """Decode one image file of the format `kind`.

    Returns:
        The pixels as a contiguous, writable `uint8 [H, W, 3]`, and whether any pixel was not opaque.

    Raises:
        BrokenImageError: Truncated, damaged, too large or of a kind that has no plain RGB meaning.
    """
    if kind == "PNG":
        return _decode_png(data)
    check_whole(data, kind)
    with _opened(data, kind) as image:
        return _pixels_of(image)


def read_size(data: bytes, kind: str) -> tuple[int, int]:
    """Return width and height in px after orientation, from the header; a missing end of the file is found too.

    A PNG is checked chunk by chunk. A TIFF has no mark that tells where it ends, so it is decoded.

    Raises:
        BrokenImageError: As `decode`, as far as it shows without decoding the pixels.
    """
    if kind == "PNG":
        parsed = png.read_chunks(data)
        _check_size(parsed.width, parsed.height)
        turned = _png_orientation(data, parsed) in _SWAPS_SIDES
        return (parsed.height, parsed.width) if turned else (parsed.width, parsed.height)
    check_whole(data, kind)
    with _opened(data, kind) as image:
        if kind == "TIFF":
            height, width = _pixels_of(image)[0].shape[:2]
            return width, height
        turned = orientation_of(image) in _SWAPS_SIDES
        return (image.height, image.width) if turned else (image.width, image.height)


def check_whole(data: bytes, kind: str) -> None:
    """Refuse a JPEG, WebP or BMP whose own lengths or end mark show that bytes are missing at the end.

    Decoders fill what is missing with gray when only little is; a picture with a gray foot must not be trained on.

    Raises:
        BrokenImageError: Bytes are missing.
    """
    cut = {"JPEG": _jpeg_is_cut, "WEBP": _webp_is_cut, "BMP": _bmp_is_cut}.get(kind)
    if cut is not None and cut(data):
        raise BrokenImageError(f"is cut short: the end of the {kind} is missing")


def flatten(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay `uint8 [H, W, 4]` over white and return `uint8 [H, W, 3]`; opaque pixels keep their exact values."""
    alpha = rgba[..., 3:].astype(np.uint32)
    blended = (rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return blended.astype(np.uint8)


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) where there is none or it cannot be read."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # Pillow raises many kinds of errors on a malformed EXIF block, which the pixels do not need.
        return 1
    return orientation if isinstance(orientation, int) and orientation in _TRANSPOSED else 1


def _decode_png(data: bytes) -> tuple[NDArray[np.uint8], bool]:
    parsed = png.read_chunks(data)
    _check_size(parsed.width, parsed.height)
    orientation = _png_orientation(data, parsed)
    plain = parsed.bit_depth == 8 and parsed.color_type in (0, 2, 6) and parsed.first(b"tRNS") is None
    if plain and orientation == 1:
        if not parsed.interlaced:
            data = png.with_stored_pixels(data, parsed, channels={0: 1, 2: 3, 6: 4}[parsed.color_type])
        return _decode_plain_png(data, has_alpha=parsed.color_type == 6)
    with _opened(png.only_pixels(data, parsed), "PNG") as image:
        return _pixels_of(image)


def _decode_plain_png(data: bytes, *, has_alpha: bool) -> tuple[NDArray[np.uint8], bool]:
    """Decode 8-bit gray, RGB or RGBA with libspng: the same pixels as Pillow in half the time, unpacking included.

    libspng ignores checksums; `read_chunks` and `with_stored_pixels` have checked them.
    """
    try:
        decoded: NDArray[np.uint8] = pyspng.load(data, "RGBA" if has_alpha else "RGB")
    except RuntimeError as error:
        raise BrokenImageError(f"is damaged: {_last_part(error)}") from error
    if not has_alpha:
        return decoded, False
    if decoded[..., 3].min() == 255:
        return np.ascontiguousarray(decoded[..., :3]), False
    return flatten(decoded), True


def _png_orientation(data: bytes, parsed: png.PngFile) -> int:
    chunk = parsed.first(b"eXIf")
    if chunk is None:
        return 1
    exif = Image.Exif()
    try:
        exif.load(b"Exif\x00\x00" + data[chunk.start : chunk.end])
        orientation = exif.get(_ORIENTATION_TAG, 1)
    except Exception:  # As in `orientation_of`.
        return 1
    return orientation if isinstance(orientation, int) and orientation in _TRANSPOSED else 1


@contextmanager
def _opened(data: bytes, kind: str) -> Iterator[Image.Image]:
    """Open with Pillow, limits checked, and turn whatever it raises into a `BrokenImageError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=(kind,)) as image:
                _check_size(image.width, image.height)
                yield image
    except BrokenImageError:
        raise
    except Image.DecompressionBombError as error:
        raise BrokenImageError(f"is larger than {MAX_PIXELS // 1_000_000} megapixels") from error
    except Exception as error:  # Pillow's decoders raise anything from struct.error to SyntaxError on bad input.
        raise BrokenImageError(f"cannot be decoded as {kind}: {_plain(error)}") from error


def _pixels_of(image: Image.Image) -> tuple[NDArray[np.uint8], bool]:
    image.load()
    # Asked after loading: Pillow turns a TIFF upright by itself while it loads, and removes the tag.
    orientation = orientation_of(image)
    upright = image.transpose(_TRANSPOSED[orientation]) if orientation != 1 else image
    if upright.mode.startswith("I;16") or (upright.mode == "I" and image.format == "PNG"):
        high_byte = (np.asarray(upright).astype(np.uint32) >> 8).astype(np.uint8)
        return np.repeat(high_byte[..., None], 3, axis=2), False
    if upright.mode in ("I", "F"):
        raise BrokenImageError("holds 32-bit pixels, whose range no one states; save it with 8 bits a channel")
    if upright.has_transparency_data:
        rgba = np.asarray(upright.convert("RGBA"))
        return flatten(rgba), bool(rgba[..., 3].min() < 255)
    return np.array(upright.convert("RGB")), False


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise BrokenImageError(f"has no pixels ({width}x{height})")
    if width * height > MAX_PIXELS:
        raise BrokenImageError(f"is {width}x{height} px, more than {MAX_PIXELS // 1_000_000} megapixels")


def _jpeg_is_cut(data: bytes) -> bool:
    """Tell whether no end mark follows the first scan.

    The segments before it are stepped over by their lengths, because an EXIF thumbnail has an end mark of its own.
    Source: ITU-T T.81, section B.1.1.
    """
    position = 2
    while 0 <= (position := data.find(b"\xff", position)) < len(data) - 3:
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in _JPEG_WITHOUT_LENGTH:
            position += 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
            if marker == 0xDA:
                return data.find(b"\xff\xd9", position) < 0
    return True


def _webp_is_cut(data: bytes) -> bool:
    return int.from_bytes(data[4:8], "little") + 8 > len(data)


def _bmp_is_cut(data: bytes) -> bool:
    header_size = int.from_bytes(data[14:18], "little")
    compression = int.from_bytes(data[30:34], "little")
    if header_size < 40 or compression not in (0, 3):
        return False  # Pillow refuses the missing end of the rarer kinds by itself.
    width = abs(int.from_bytes(data[18:22], "little", signed=True))
    height = abs(int.from_bytes(data[22:26], "little", signed=True))
    bits = int.from_bytes(data[28:30], "little")
    row = (width * bits + 31) // 32 * 4  # bytes; rows are padded to four
    return int.from_bytes(data[10:14], "little") + row * height > len(data)


def _plain(error: Exception) -> str:
    # Pillow names the in-memory stream where it would name the file.
    return "not recognized" if isinstance(error, UnidentifiedImageError) else str(error) or type(error).__name__


def _last_part(error: RuntimeError) -> str:
    return str(error).rpartition(": ")[2]
