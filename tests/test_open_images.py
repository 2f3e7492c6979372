"""Images of every kind open as the same upright RGB pixels, and broken ones are refused with one reason."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import struct
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from graftset import imageio
from graftset.errors import SkipFile
from graftset.imageio import decode_png, embedded_text, encode_png, probe, read_rgb
from ingest_helpers import exif_comment

SIGNATURE = b"\x89PNG\r\n\x1a\n"
Chunks = list[tuple[bytes, bytes]]


def picture(seed: int = 0, height: int = 24, width: int = 24) -> NDArray[np.uint8]:
    """A blocky picture with a little noise, different in every corner."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, ((height + 7) // 8, (width + 7) // 8, 3)).repeat(8, 0).repeat(8, 1)
    return np.clip(blocks[:height, :width] + rng.normal(0, 4, (height, width, 3)), 0, 255).astype(np.uint8)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_chunks(data: bytes) -> Chunks:
    chunks, position = [], len(SIGNATURE)
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        chunks.append((data[position + 4 : position + 8], data[position + 8 : position + 8 + length]))
        position += 12 + length
    return chunks


def png_of(chunks: Sequence[tuple[bytes, bytes]], damaged: int | None = None) -> bytes:
    """Assemble a PNG; the chunk numbered `damaged` gets a wrong checksum."""
    parts = [SIGNATURE]
    for number, (kind, payload) in enumerate(chunks):
        checksum = zlib.crc32(kind + payload) ^ (number == damaged)
        parts += [struct.pack(">I", len(payload)), kind, payload, struct.pack(">I", checksum)]
    return b"".join(parts)


def read(tmp_path: Path, data: bytes, name: str = "image.png") -> imageio.LoadedImage:
    path = tmp_path / name
    path.write_bytes(data)
    return read_rgb(path)


def reason(tmp_path: Path, data: bytes, name: str = "image.png") -> str:
    """The reason both `read_rgb` and `probe` refuse a file."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SkipFile) as decoding:
        read_rgb(path)
    with pytest.raises(SkipFile) as probing:
        probe(path)
    assert decoding.value.path == probing.value.path == str(path)
    assert decoding.value.reason == probing.value.reason
    return decoding.value.reason


# Pixels


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {"lossless": True})],
)
def test_a_lossless_file_gives_back_its_pixels_and_facts(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    rgb = picture(height=20, width=30)
    data = saved(Image.fromarray(rgb), kind, **options)
    loaded = read(tmp_path, data)
    np.testing.assert_array_equal(loaded.rgb, rgb)
    assert loaded.rgb.dtype == np.uint8
    assert loaded.rgb.flags.c_contiguous
    assert loaded.rgb.flags.writeable
    assert (loaded.width, loaded.height, loaded.format, loaded.has_alpha) == (30, 20, kind, False)
    assert loaded.sha256 == hashlib.sha256(data).hexdigest()
    assert (loaded.size_bytes, loaded.mtime_ns) == (len(data), (tmp_path / "image.png").stat().st_mtime_ns)
    probed = probe(tmp_path / "image.png")
    assert (probed.width, probed.height, probed.format, probed.sha256) == (30, 20, kind, loaded.sha256)
    assert (probed.size_bytes, probed.mtime_ns) == (loaded.size_bytes, loaded.mtime_ns)


def test_a_jpeg_opens_as_pillow_opens_it(tmp_path: Path) -> None:
    data = saved(Image.fromarray(picture()), "JPEG", progressive=True)
    np.testing.assert_array_equal(read(tmp_path, data).rgb, np.asarray(Image.open(io.BytesIO(data))))


@settings(max_examples=80, deadline=None)
@given(
    mode=st.sampled_from(["1", "L", "P", "RGB", "RGBA", "LA"]),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
    interlaced=st.booleans(),
)
def test_every_kind_of_png_gives_the_pixels_pillow_gives(
    tmp_path_factory: pytest.TempPathFactory, mode: str, height: int, width: int, seed: int, interlaced: bool
) -> None:
    image = Image.fromarray(picture(seed, height, width)).convert(mode)
    data = saved(image, "PNG")
    if interlaced and mode in ("L", "RGB", "RGBA"):
        data = as_interlaced(np.asarray(image))
    loaded = read(tmp_path_factory.getbasetemp(), data)
    np.testing.assert_array_equal(loaded.rgb, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def as_interlaced(pixels: NDArray[np.uint8]) -> bytes:
    """Encode with the seven passes of Adam7 (PNG specification, section 8.1), unfiltered."""
    height, width = pixels.shape[:2]
    channels = pixels.reshape(height, width, -1).shape[2]
    raw = b""
    for y0, x0, dy, dx in (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ):
        for row in pixels[y0::dy, x0::dx]:
            raw += b"\x00" + row.tobytes() if row.size else b""
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 1)
    return png_of([(b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")])


def test_gamma_and_color_profile_change_no_pixel(tmp_path: Path) -> None:
    rgb = picture()
    header, *rest = png_chunks(saved(Image.fromarray(rgb), "PNG"))
    for extra in ((b"gAMA", struct.pack(">I", 100000)), (b"iCCP", b"x\x00\x00" + zlib.compress(b"profile"))):
        np.testing.assert_array_equal(read(tmp_path, png_of([header, extra, *rest])).rgb, rgb)


def test_sixteen_bit_pngs_keep_their_high_byte(tmp_path: Path) -> None:
    gray = np.arange(256, dtype=np.uint16).reshape(16, 16)
    data = saved(Image.fromarray(gray * 256 + 255), "PNG")
    np.testing.assert_array_equal(read(tmp_path, data).rgb, gray.astype(np.uint8)[..., None].repeat(3, axis=2))
    rgb = picture(height=4, width=5)
    wide = (rgb.astype(">u2") * 256 + 255).astype(">u2")
    raw = b"".join(b"\x00" + row.tobytes() for row in wide)
    header = struct.pack(">IIBBBBB", 5, 4, 16, 2, 0, 0, 0)
    data = png_of([(b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")])
    np.testing.assert_array_equal(read(tmp_path, data).rgb, rgb)


def test_a_sixteen_bit_gray_tiff_keeps_its_high_byte(tmp_path: Path) -> None:
    gray = np.arange(256, dtype=np.uint16).reshape(16, 16)
    for order in ("<u2", ">u2"):
        data = saved(Image.fromarray((gray * 257).astype(order)), "TIFF")
        np.testing.assert_array_equal(read(tmp_path, data).rgb[..., 1], gray.astype(np.uint8))


def test_cmyk_opens_as_rgb(tmp_path: Path) -> None:
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert read(tmp_path, saved(cmyk, "TIFF")).rgb[0, 0].tolist() == [255, 0, 0]
    red = read(tmp_path, saved(cmyk, "JPEG")).rgb[0, 0].astype(int)
    assert np.abs(red - [255, 0, 0]).max() <= 3


def test_the_color_under_a_transparent_pixel_never_shows(tmp_path: Path) -> None:
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = (200, 10, 10, 0)  # hidden red
    rgba[0, 1] = (200, 10, 10, 255)
    rgba[1, 0] = (0, 100, 200, 130)
    rgba[1, 1] = (0, 0, 0, 255)
    expected = [[[255, 255, 255], [200, 10, 10]], [[125, 176, 227], [0, 0, 0]]]
    for kind, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})):
        loaded = read(tmp_path, saved(Image.fromarray(rgba), kind, **options))
        assert loaded.rgb.tolist() == expected, kind
        assert loaded.has_alpha


def test_an_alpha_channel_without_a_transparent_pixel_changes_nothing(tmp_path: Path) -> None:
    rgb = picture()
    loaded = read(tmp_path, saved(Image.fromarray(rgb).convert("RGBA"), "PNG"))
    np.testing.assert_array_equal(loaded.rgb, rgb)
    assert not loaded.has_alpha
    assert loaded.rgb.flags.c_contiguous


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
def test_the_transparent_color_of_a_png_becomes_white(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (2, 1), 0)
    image.putpixel((1, 0), (9, 9, 9) if mode == "RGB" else 1)
    data = saved(image, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0)
    loaded = read(tmp_path, data)
    assert loaded.rgb[0, 0].tolist() == [255, 255, 255]
    assert loaded.has_alpha


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    data = saved(Image.fromarray(picture(height=8, width=16)), kind, exif=exif, **options)
    loaded = read(tmp_path, data)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    np.testing.assert_array_equal(loaded.rgb, np.asarray(upright))
    assert (loaded.width, loaded.height) == ((8, 16) if orientation >= 5 else (16, 8))
    probed = probe(tmp_path / "image.png")
    assert (probed.width, probed.height) == (loaded.width, loaded.height)


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.fromarray(picture(seed)) for seed in (1, 2)]
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        np.testing.assert_array_equal(read(tmp_path, data).rgb, np.asarray(frames[0]), kind)


def test_the_content_decides_the_format_not_the_name(tmp_path: Path) -> None:
    data = saved(Image.fromarray(picture()), "JPEG")
    assert read(tmp_path, data, "photo.png").format == "JPEG"


def test_bytes_after_the_end_of_a_png_do_no_harm(tmp_path: Path) -> None:
    rgb = picture()
    np.testing.assert_array_equal(read(tmp_path, encode_png(rgb) + b"appended by an upload form").rgb, rgb)


def test_a_jpeg_with_stray_bytes_between_its_segments_opens(tmp_path: Path) -> None:
    data = saved(Image.fromarray(picture()), "JPEG")
    stray = data[:20] + b"\xff\xff" + data[20:]
    np.testing.assert_array_equal(read(tmp_path, stray).rgb, read(tmp_path, data).rgb)


# Refusals


def whole_files() -> list[tuple[str, bytes]]:
    image = Image.fromarray(picture())
    frames: dict[str, Any] = {"save_all": True, "append_images": [image.rotate(90)]}
    return [
        ("png", saved(image, "PNG")),
        ("palette png", saved(image.convert("P"), "PNG")),
        ("jpeg", saved(image, "JPEG")),
        ("progressive jpeg", saved(image, "JPEG", progressive=True)),
        ("jpeg with an end mark in its header", saved(image, "JPEG", comment=b"\xff\xd9")),
        ("webp", saved(image, "WEBP")),
        ("lossless webp", saved(image, "WEBP", lossless=True)),
        ("animated webp", saved(image, "WEBP", **frames)),
        ("bmp", saved(image, "BMP")),
        ("palette bmp", saved(image.convert("P"), "BMP")),
        ("tiff", saved(image, "TIFF")),
        ("lzw tiff", saved(image, "TIFF", compression="tiff_lzw")),
    ]


@pytest.mark.parametrize(("name", "data"), whole_files(), ids=[name for name, _ in whole_files()])
def test_a_file_cut_anywhere_is_refused_and_never_half_a_picture(tmp_path: Path, name: str, data: bytes) -> None:
    step = max(1, len(data) // 60)
    for length in {*range(1, len(data), step), *range(max(1, len(data) - 30), len(data))}:
        reason(tmp_path, data[:length])


def test_a_png_with_a_wrong_checksum_anywhere_is_refused(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text("parameters", "a lady")
    chunks = png_chunks(saved(Image.fromarray(picture()), "PNG", pnginfo=text))
    for number, (kind, _) in enumerate(chunks):
        assert f"checksum of PNG chunk {kind.decode()}" in reason(tmp_path, png_of(chunks, damaged=number))


def test_a_flipped_bit_anywhere_in_a_png_is_refused(tmp_path: Path) -> None:
    data = bytearray(encode_png(picture()))
    for position in range(0, len(data), 17):
        data[position] ^= 0x10
        reason(tmp_path, bytes(data))
        data[position] ^= 0x10


@pytest.mark.parametrize(
    ("name", "break_it", "expected"),
    [
        ("no pixel data", lambda header, pixels, end: [header, end], "no pixel data"),
        ("two headers", lambda header, pixels, end: [header, header, pixels, end], "does not start with its one"),
        ("header late", lambda header, pixels, end: [pixels, header, end], "does not start with its one"),
        ("unknown critical", lambda header, pixels, end: [(b"CgBI", b""), header, pixels, end], "does not start"),
        ("unknown later", lambda header, pixels, end: [header, (b"ABCD", b""), pixels, end], "chunk ABCD"),
        ("interrupted", lambda header, pixels, end: [header, pixels, (b"tEXt", b"a\0b"), pixels, end], "interrupted"),
        ("too few rows", lambda header, pixels, end: [header, (b"IDAT", zlib.compress(b"\0" * 99)), end], "damaged"),
        ("not deflated", lambda header, pixels, end: [header, (b"IDAT", b"\xff" * 99), end], "damaged"),
        ("bad filter", lambda header, pixels, end: [header, (b"IDAT", zlib.compress(b"\7" * 1752)), end], "damaged"),
        ("zero width", lambda header, pixels, end: [(b"IHDR", b"\0" * 4 + header[1][4:]), pixels, end], "no pixels"),
        ("short header", lambda header, pixels, end: [(b"IHDR", header[1][:9]), pixels, end], "wrong length"),
    ],
)
def test_a_malformed_png_is_refused(tmp_path: Path, name: str, break_it: Callable[..., Chunks], expected: str) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(png_of(break_it(*png_chunks(encode_png(picture())))))
    with pytest.raises(SkipFile) as refused:
        read_rgb(path)
    assert expected in refused.value.reason


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "is empty (0 bytes)"),
        (b"\0" * 500, "is not a PNG, JPEG, WebP, BMP or TIFF image"),
        (b"GIF89a" + b"\0" * 50, "but a GIF"),
        (b"<!DOCTYPE html><html>", "but text or markup"),
        (b"\0\0\0\x20ftypavif", "AVIF"),
        (b"BM" + b"\xff" * 60, "cannot be decoded as BMP"),
        (b"II*\0" + b"\xff" * 60, "cannot be decoded as TIFF"),
        (b"RIFF\x04\0\0\0WEBP", "cannot be decoded as WEBP"),
        (b"\xff\xd8\xff\xe0", "is cut short"),
        (SIGNATURE, "is cut short"),
    ],
)
def test_what_is_no_image_is_refused_with_its_reason(tmp_path: Path, data: bytes, expected: str) -> None:
    assert expected in reason(tmp_path, data)


def test_a_decompression_bomb_is_refused_before_it_is_decompressed(tmp_path: Path) -> None:
    started = time.perf_counter()
    for width, height in ((8001, 8000), (60000, 60000)):
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        assert f"is {width}x{height} px, more than 64 megapixels" in reason(
            tmp_path, png_of([(b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")])
        )
    bmp = bytearray(saved(Image.fromarray(picture()), "BMP"))
    bmp[18:26] = struct.pack("<ii", 30000, 30000)
    bmp[30:34] = struct.pack("<I", 1)  # run-length encoded, so its size does not follow from the header
    bmp[28:30] = struct.pack("<H", 8)
    assert "64 megapixels" in reason(tmp_path, bytes(bmp))
    assert time.perf_counter() - started < 2


def test_thirty_two_bit_pixels_are_refused_rather_than_guessed(tmp_path: Path) -> None:
    data = saved(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF")
    assert "32-bit pixels" in reason(tmp_path, data)


def test_a_folder_a_pipe_and_a_dead_link_are_refused_without_hanging(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to("nowhere")
    reasons = {
        "folder.png": "is a folder",
        "pipe.png": "is a pipe",
        "link.png": "is a link to nothing",
        "gone.png": "is not there",
    }
    for name, expected in reasons.items():
        for take in (read_rgb, probe):
            with pytest.raises(SkipFile, match=expected):
                take(tmp_path / name)


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.png").write_bytes(b"x")
    monkeypatch.setattr(Path, "read_bytes", deny)
    with pytest.raises(SkipFile, match="cannot be read: Permission denied"):
        read_rgb(tmp_path / "a.png")


def test_a_file_larger_than_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as stream:
        stream.truncate(imageio.MAX_BYTES + 1)  # sparse: takes no space
    with pytest.raises(SkipFile, match="is larger than 512 MiB"):
        probe(path)


@settings(max_examples=150, deadline=None)
@given(
    start=st.sampled_from([SIGNATURE, b"\xff\xd8\xff\xe1", b"RIFF\x10\0\0\0WEBP", b"BM", b"II*\0", b"MM\0*", b""]),
    rest=st.binary(max_size=200),
)
def test_arbitrary_bytes_are_refused_or_read_but_never_crash(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "arbitrary.png"
    path.write_bytes(start + rest)
    for take in (read_rgb, probe):
        with contextlib.suppress(SkipFile):
            take(path)
    assert isinstance(embedded_text(start + rest), dict)


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(["JPEG", "WEBP", "BMP", "TIFF"]), data=st.data())
def test_damaged_files_are_refused_or_read_but_never_crash(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = bytearray(saved(Image.fromarray(picture()), kind, exif=exif))
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[position] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.png"
    path.write_bytes(content)
    for take in (read_rgb, probe):
        with contextlib.suppress(SkipFile):
            take(path)


# Text inside images


def test_the_texts_of_a_png_are_read_whatever_chunk_they_lie_in(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text("parameters", "crème brûlée")  # tEXt, Latin-1
    text.add_text("Comment", "x" * 5000, zip=True)  # zTXt
    text.add_itxt("Title", "日本", zip=True)
    header, *rest = png_chunks(saved(Image.fromarray(picture()), "PNG", pnginfo=text))
    data = png_of([header, (b"tEXt", b"Software\0" + "naïve 日".encode()), *rest])
    texts = {"parameters": "crème brûlée", "Comment": "x" * 5000, "Title": "日本", "Software": "naïve 日"}
    assert embedded_text(data) == texts
    (tmp_path / "a.png").write_bytes(data)
    assert probe(tmp_path / "a.png").text == texts


def test_a_huge_text_is_left_out_and_the_picture_still_opens(tmp_path: Path) -> None:
    rgb = picture()
    header, *rest = png_chunks(saved(Image.fromarray(rgb).convert("P"), "PNG"))
    bomb = b"workflow\0\0" + zlib.compress(b"\0" * (50 << 20))
    data = png_of([header, (b"zTXt", bomb), (b"tEXt", b"a\0b"), *rest])
    assert embedded_text(data) == {"a": "b"}
    assert read(tmp_path, data).rgb.shape == rgb.shape


def test_malformed_texts_are_left_out() -> None:
    header, *rest = png_chunks(encode_png(picture()))
    malformed = [
        (b"tEXt", b"no separator"),
        (b"zTXt", b"key\0\0not zlib"),
        (b"iTXt", b"key\0\0\0en"),
        (b"zTXt", b"k\0"),
    ]
    assert embedded_text(png_of([header, *malformed, *rest])) == {"k": ""}


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"UNICODE\0" + "a lady, 日本".encode("utf-16-be"), "a lady, 日本"),
        (b"UNICODE\0" + "a lady, 日本".encode("utf-16-le"), "a lady, 日本"),
        (b"UNICODE\0" + "a lady".encode("utf-16"), "a lady"),
        (b"ASCII\0\0\0a lady\0\0", "a lady"),
        (b"\0\0\0\0\0\0\0\0a lady", "a lady"),
        (b"a lady", "a lady"),
        (b"UNICODE\0\xd8", "\N{REPLACEMENT CHARACTER}"),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
def test_the_exif_user_comment_is_decoded_by_its_prefix(kind: str, raw: bytes, text: str) -> None:
    data = saved(Image.fromarray(picture()), kind, exif=exif_comment(raw))
    assert embedded_text(data) == {"UserComment": text}


def test_files_without_text_have_none() -> None:
    assert embedded_text(saved(Image.fromarray(picture()), "JPEG")) == {}
    assert embedded_text(b"not an image") == {}


# Writing


def test_an_encoded_png_reads_back_and_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    rgb = picture()
    text = {"prompt": "a lady, 日本"}
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encode_png(rgb, text=text))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png").rgb, rgb)
    assert probe(tmp_path / "a.png").text == text


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 30), width=st.integers(1, 30), seed=st.integers(0, 2**32 - 1))
def test_encoding_and_decoding_gives_back_every_pixel(height: int, width: int, seed: int) -> None:
    rgb = picture(seed, height, width)
    np.testing.assert_array_equal(decode_png(encode_png(rgb)), rgb)


def test_decoding_something_else_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="is not a PNG"):
        decode_png(b"not a PNG")


def test_the_real_portraits_open_as_pillow_opens_them(shared: Path) -> None:
    paths = sorted((shared / "data" / "portraits").rglob("*.png"))
    assert len(paths) == 228
    for path in paths:
        with Image.open(path) as image:
            np.testing.assert_array_equal(read_rgb(path).rgb, np.asarray(image.convert("RGB")), str(path))
