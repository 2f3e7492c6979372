"""The text that generators leave inside their images.

PNG files carry it in `tEXt`, `zTXt` and `iTXt` chunks, named by a keyword ("parameters" for AUTOMATIC1111 and Forge);
JPEG and WebP files carry it in the EXIF tag UserComment. The values are untrusted: sizes are limited, and text that
cannot be decoded is mended or left out, never an error.
"""

from __future__ import annotations

import io
import warnings
import zlib

from PIL import Image

from graftset.imageio import png
from graftset.imageio.broken import BrokenImageError
from graftset.imageio.pixels import detect_format

MAX_VALUE = 1 << 20
"""Bytes of one value after decompression; a longer one is left out."""
MAX_VALUES = 64
"""Values taken of one file; the rest is left out."""

_EXIF_IFD = 0x8769
_USER_COMMENT_TAG = 0x9286
_UNICODE = b"UNICODE\x00"
_ENCODING_PREFIXES = (b"ASCII\x00\x00\x00", b"\x00" * 8)


def embedded_text(data: bytes) -> dict[str, str]:
    """Return the texts inside an image file by keyword; "UserComment" is the EXIF one. Empty for anything else."""
    try:
        kind = detect_format(data)
        return text_of_png(data, png.read_chunks(data)) if kind == "PNG" else text_of_exif(data, kind)
    except BrokenImageError:
        return {}


def text_of_png(data: bytes, parsed: png.PngFile) -> dict[str, str]:
    """Return the texts of a PNG whose chunks have been read; of two with one keyword the first counts."""
    texts: dict[str, str] = {}
    for chunk in parsed.chunks:
        if chunk.kind not in _READERS or len(texts) >= MAX_VALUES:
            continue
        keyword, separator, rest = data[chunk.start : chunk.end].partition(b"\x00")
        value = _READERS[chunk.kind](rest) if separator else None
        if value is not None and len(value) <= MAX_VALUE:
            texts.setdefault(keyword.decode("latin-1"), _decode_8_bit(value))
    exif = parsed.first(b"eXIf")
    if exif is not None:
        comment = _user_comment(b"Exif\x00\x00" + data[exif.start : exif.end])
        if comment:
            texts.setdefault("UserComment", comment)
    return texts


def text_of_exif(data: bytes, kind: str) -> dict[str, str]:
    """Return the EXIF UserComment of a JPEG, WebP or TIFF under the keyword "UserComment"."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=(kind,)) as image:
                comment = decode_user_comment(image.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT_TAG))
    except Exception:  # Pillow raises many kinds of errors on a malformed EXIF block, which is no reason to refuse it.
        return {}
    return {"UserComment": comment} if comment else {}


def decode_user_comment(raw: object) -> str:
    """Decode an EXIF UserComment, whose first 8 bytes name the encoding; "" where there is none.

    `UNICODE` means UTF-16 in an order the standard leaves open: piexif, which AUTOMATIC1111 uses, writes big-endian
    whatever the file's order is, others the file's order. A byte order mark decides, else the side of the zero bytes.

    Source: EXIF 2.32, section 4.6.5, table 9.
    """
    if not isinstance(raw, bytes) or len(raw) > 2 * MAX_VALUE:
        return ""
    body = raw[8:] if raw.startswith((_UNICODE, *_ENCODING_PREFIXES)) else raw
    text = _decode_utf_16(body) if raw.startswith(_UNICODE) else _decode_8_bit(body)
    return text.strip("\x00 \t\r\n")


def _user_comment(exif_block: bytes) -> str:
    exif = Image.Exif()
    try:
        exif.load(exif_block)
        return decode_user_comment(exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT_TAG))
    except Exception:  # As in `text_of_exif`.
        return ""


def _decode_utf_16(body: bytes) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace")
    big_endian = body[0::2].count(0) >= body[1::2].count(0)
    return body.decode("utf-16-be" if big_endian else "utf-16-le", "replace")


def _decode_8_bit(value: bytes) -> str:
    # `tEXt` is Latin-1 by the standard, yet several tools write UTF-8, which Latin-1 text almost never happens to be.
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _plain_value(rest: bytes) -> bytes | None:
    return rest


def _compressed_value(rest: bytes) -> bytes | None:
    return _inflate(rest[1:])  # the first byte names the method, of which there is one


def _international_value(rest: bytes) -> bytes | None:
    is_compressed, fields = rest[:1] == b"\x01", rest[2:].split(b"\x00", 2)
    if len(fields) < 3:
        return None
    return _inflate(fields[2]) if is_compressed else fields[2]


def _inflate(compressed: bytes) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(compressed, MAX_VALUE + 1)
    except zlib.error:
        return None


_READERS = {b"tEXt": _plain_value, b"zTXt": _compressed_value, b"iTXt": _international_value}
