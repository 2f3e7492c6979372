"""File names that are safe on every system, unique even where case is ignored, and independent of the input's order."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

LONGEST_STEM = 120  # bytes of UTF-8; leaves room for endings under the usual limit of 255
_FORBIDDEN = frozenset('<>:"/\\|?*')
_RESERVED = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])(?:\..*)?\Z", re.IGNORECASE | re.DOTALL
)
_HASH_DIGITS = 8


def safe_stem(stem: str) -> str:
    """Turn the name of a file, without its ending, into one that every system and trainer accepts.

    Letters of every script stay (NFC). Control and format characters, unusual spaces, separators and `<>:"|?*` become
    `_`; so do a leading dot or dash (hidden, or read as an option) and trailing dots and spaces (dropped by Windows).
    """
    text = "".join(_safe_character(character) for character in unicodedata.normalize("NFC", stem))
    text = _cut(text)
    kept = text.rstrip(". ")
    text = kept + "_" * (len(text) - len(kept))
    if text.startswith((".", "-", " ")):
        text = "_" + text[1:]
    if not text.strip("_"):
        return "image"
    return f"_{text}" if _RESERVED.match(text) else text


def unique_stems(files: Sequence[tuple[str, str]]) -> list[str]:
    """Give each file a safe stem of its own.

    Files whose safe stems are the same, ignoring case, all get a part of their content hash; the same content under the
    same stem is numbered. The answer for a file depends on the set of files only, never on their order.

    Args:
        files: Stem and sha256 (hex) of every file, sorted by the caller into a stable order.

    Returns:
        One stem per file, in the same order.
    """
    safe = [safe_stem(stem) for stem, _ in files]
    shared = Counter(map(_folded, safe))
    taken = {folded for folded, count in shared.items() if count == 1}
    names = []
    for stem, (_, sha256) in zip(safe, files, strict=True):
        name = stem
        if shared[_folded(stem)] > 1:
            number = 1
            name = f"{stem}-{sha256[:_HASH_DIGITS]}"
            while _folded(name) in taken:
                number += 1
                name = f"{stem}-{sha256[:_HASH_DIGITS]}-{number}"
            taken.add(_folded(name))
        names.append(name)
    return names


def _folded(name: str) -> str:
    """What two names have in common when a file system takes them for one."""
    return unicodedata.normalize("NFC", name.casefold())


def _safe_character(character: str) -> str:
    category = unicodedata.category(character)
    unsafe = character in _FORBIDDEN or category[0] == "C" or (category[0] == "Z" and character != " ")
    return "_" if unsafe else character


def _cut(text: str) -> str:
    return text.encode("utf-8")[:LONGEST_STEM].decode("utf-8", "ignore")
