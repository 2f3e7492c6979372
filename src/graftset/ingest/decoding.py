"""The bytes of a text file a person wrote somewhere, in whatever encoding -> text."""

from __future__ import annotations

import codecs
import re

from graftset.errors import GraftsetError

_SURROGATE = re.compile("[\ud800-\udfff]")


class UnreadableTextError(GraftsetError):
    """Bytes that are not text in any encoding that could be meant."""


def decode_text(data: bytes) -> tuple[str, bool]:
    """Decode UTF-8, UTF-16 with a byte order mark, or else Windows-1252.

    Returns:
        The text without its byte order mark, and whether the encoding had to be guessed.

    Raises:
        UnreadableTextError: NUL bytes, or UTF-16 that breaks off.
    """
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text, guessed = data.decode("utf-16"), False
        else:
            text, guessed = data.decode("utf-8-sig"), False
    except UnicodeDecodeError as error:
        if error.encoding.startswith("utf-16"):
            raise UnreadableTextError("breaks off in the middle of a character") from error
        text, guessed = _decode_windows_1252(data), True
    if "\x00" in text:
        raise UnreadableTextError("holds NUL bytes")
    return text, guessed


def one_line(text: str) -> str | None:
    """Return a prompt or caption on one line, or None where nothing is left of it.

    Line breaks become spaces, as a text encoder reads them. What no database can store goes: NULs are dropped and lone
    surrogates, which JSON escapes can bring in, are replaced.
    """
    storable = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text).replace("\x00", "")
    lines = (line.strip() for line in re.split(r"[\r\n]+", storable))
    return " ".join(line for line in lines if line) or None


def _decode_windows_1252(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")
