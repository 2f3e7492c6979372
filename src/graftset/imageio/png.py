"""The chunks of a PNG file, every one of them checked.

Decoders differ in what they forgive: libspng, as pyspng calls it, skips all checksums, and Pillow skips those of the
pixel data and a missing end. Half pictures must not pass, so the file is walked once here, before either sees it.

Source: Portable Network Graphics specification, third edition, sections 5.3 (chunk layout) and 5.6 (chunk ordering).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import deflate

from graftset.imageio.broken import BrokenImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_STORED_BLOCK = 0xFFFF  # bytes: the most a stored deflate block holds
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_FOR_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"})


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk; its payload is `data[start:end]` of the file."""

    kind: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PngFile:
    """What the header says, and where every chunk lies."""

    width: int  # px
    height: int  # px
    bit_depth: int
    color_type: int  # 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha
    interlaced: bool
    chunks: tuple[Chunk, ...]

    def first(self, kind: bytes) -> Chunk | None:
        """Return the first chunk of a kind, or None."""
        return next((chunk for chunk in self.chunks if chunk.kind == kind), None)


def read_chunks(data: bytes) -> PngFile:
    """Walk all chunks of a PNG up to its end mark; bytes after that are ignored, as the specification allows.

    Raises:
        BrokenImageError: Cut short, a wrong checksum, chunks missing or out of order, or a chunk needed for the pixels
            that no specification describes (Apple's CgBI).
    """
    if not data.startswith(SIGNATURE):
        raise BrokenImageError("is not a PNG")
    chunks: list[Chunk] = []
    view = memoryview(data)
    position = len(SIGNATURE)
    while not chunks or chunks[-1].kind != b"IEND":
        if position + 12 > len(data):
            raise BrokenImageError("is cut short: the PNG has no end mark")
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        start, end = position + 8, position + 8 + length
        if end + 4 > len(data):
            raise BrokenImageError("is cut short: a PNG chunk ends after the file does")
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(view[position + 4 : end]) != checksum:
            raise BrokenImageError(f"is damaged: the checksum of PNG chunk {_shown(kind)} does not match")
        chunks.append(Chunk(kind, start, end))
        position = end + 4
    _check_order(chunks)
    header = chunks[0]
    if header.end - header.start != 13:
        raise BrokenImageError("is damaged: the PNG header has the wrong length")
    width, height, bit_depth, color_type, _, _, interlace = struct.unpack_from(">IIBBBBB", data, header.start)
    return PngFile(width, height, bit_depth, color_type, interlace != 0, tuple(chunks))


def with_stored_pixels(data: bytes, png: PngFile, channels: int) -> bytes:
    """Return the same 8-bit, not interlaced picture with its pixel stream unpacked ("stored" deflate blocks).

    Two thirds of a decoder's time goes into inflating, and libdeflate does it twice as fast as zlib. What is left to
    the decoder is undoing the row filters. The stream's Adler-32 is checked on the way.

    Raises:
        BrokenImageError: The pixel stream is damaged, or does not hold exactly this picture's rows.
    """
    stream = b"".join(data[chunk.start : chunk.end] for chunk in png.chunks if chunk.kind == b"IDAT")
    try:
        rows = memoryview(deflate.zlib_decompress(stream, png.height * (1 + png.width * channels)))
    except (deflate.DeflateError, ValueError) as error:
        raise BrokenImageError("is damaged: its pixel data cannot be unpacked") from error
    blocks: list[bytes | memoryview] = [b"\x78\x01"]
    for start in range(0, len(rows), _STORED_BLOCK):
        block = rows[start : start + _STORED_BLOCK]
        last = start + _STORED_BLOCK >= len(rows)
        blocks += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    blocks.append(struct.pack(">I", deflate.adler32(rows)))
    stored = b"".join(blocks)
    header = data[png.chunks[0].start - 8 : png.chunks[0].end + 4]
    # libspng reads no chunk checksums, so none is worked out for the data that never leaves this process.
    return b"".join((SIGNATURE, header, struct.pack(">I", len(stored)), b"IDAT", stored, bytes(4), _END))


def only_pixels(data: bytes, png: PngFile) -> bytes:
    """Return the same picture without the chunks its pixels do not need.

    Decoders stumble over such chunks: Pillow refuses a sound picture for a workflow of more than 1 MiB in its text.
    """
    parts = [SIGNATURE]
    parts.extend(data[chunk.start - 8 : chunk.end + 4] for chunk in png.chunks if chunk.kind in _FOR_PIXELS)
    return b"".join(parts)


def _check_order(chunks: list[Chunk]) -> None:
    kinds = [chunk.kind for chunk in chunks]
    if kinds[0] != b"IHDR" or kinds.count(b"IHDR") > 1:
        raise BrokenImageError("is damaged: the PNG does not start with its one header")
    for kind in kinds:
        # An upper-case first letter marks a chunk without which the picture cannot be shown rightly.
        if kind[:1].isupper() and kind not in _CRITICAL:
            raise BrokenImageError(f"holds the PNG chunk {_shown(kind)}, which no standard describes")
    if b"IDAT" not in kinds:
        raise BrokenImageError("is damaged: the PNG holds no pixel data")
    first = kinds.index(b"IDAT")
    if any(kind != b"IDAT" for kind in kinds[first : first + kinds.count(b"IDAT")]):
        raise BrokenImageError("is damaged: the pixel data of the PNG is interrupted")


def _shown(kind: bytes) -> str:
    return kind.decode("ascii", "backslashreplace")
