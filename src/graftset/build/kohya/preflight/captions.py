"""The caption sd-scripts gives an image: from which file, what of it, and what the text encoder is shown.

Source: `read_caption` in `DreamBoothDataset` and `BaseDataset.process_caption` in `library/train_util.py`, and
`SdTokenizeStrategy` in `library/strategy_sd.py` with `_get_input_ids` in `library/strategy_base.py`, of
kohya-ss/sd-scripts at commit 48d368fa.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from graftset.build.kohya.preflight.disk import Disk
from graftset.build.kohya.preflight.settings import SubsetSettings
from graftset.tokens import Cut, cut

Fault = Literal["", "empty", "undecodable"]
_FACE_PARTS = 5  # of a path between underscores: from here on the last four are taken for the place of a face
_BOM = "\ufeff"
_CHOICE = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True, slots=True)
class CaptionRead:
    """What was read for one image.

    Attributes:
        caption: As the trainer keeps it; with wildcards every line, else the first.
        file: Path text of the file it comes from; None where no file was found.
        borrowed: The file is another image's: named like this one less its last four parts.
        fault: Why the trainer stops at this file; "" where it goes on.
        lines_lost: Lines with words that are never read.
        bom: The caption begins with a byte order mark, which is read as a character.
    """

    caption: str
    file: str | None = None
    borrowed: bool = False
    fault: Fault = ""
    lines_lost: int = 0
    bom: bool = False


def read_caption(disk: Disk, image: str, subset: SubsetSettings) -> CaptionRead:
    """Look for the caption of one image as the trainer does, and read it.

    Args:
        disk: Where its paths lead.
        image: The image's path text.
        subset: The folder's settings.
    """
    base = os.path.splitext(image)[0]
    parts = base.split("_")
    face = "_".join(parts[:-4]) if len(parts) >= _FACE_PARTS else base
    for stem in dict.fromkeys((base, face)):
        file = stem + subset.caption_extension
        place = disk.at(file)
        if place.is_file():
            return _read(place.read_bytes(), file, borrowed=stem != base, wildcard=subset.enable_wildcard)
    return CaptionRead(subset.class_tokens or "")


def _read(data: bytes, file: str, *, borrowed: bool, wildcard: bool) -> CaptionRead:
    try:
        text = data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        return CaptionRead("", file, borrowed, "undecodable")
    if not text:
        return CaptionRead("", file, borrowed, "empty")
    lines = [line.strip() for line in text.split("\n")]
    if wildcard:
        caption, lost = "\n".join(line for line in lines if line), 0
    else:
        caption, lost = lines[0], sum(1 for line in lines[1:] if line)
    return CaptionRead(caption, file, borrowed, "", lost, caption.startswith(_BOM))


def shown_texts(caption: str, subset: SubsetSettings) -> tuple[str, ...]:
    """What the text encoder may be shown of a caption, chance left aside: one text, or one for each wildcard line.

    Prefix and suffix are added; of several lines the first stays; parts are joined anew where they may be shuffled, in
    the order they have; the secondary separator becomes the separator. Dropout, shuffling and warmup only leave out or
    reorder parts. Of the words in braces that a wildcard chooses from, the longest stands for all.
    """
    if subset.caption_prefix:
        caption = f"{subset.caption_prefix} {caption}"
    if subset.caption_suffix:
        caption = f"{caption} {subset.caption_suffix}"
    lines = caption.split("\n") if subset.enable_wildcard else [caption.split("\n")[0]]
    return tuple(_arranged(_chosen(line) if subset.enable_wildcard else line, subset) for line in lines)


def _chosen(line: str) -> str:
    plain = line.replace("{{", "\0").replace("}}", "\1")
    plain = _CHOICE.sub(
        lambda match: max(match.group(1).split("|"), key=lambda words: tokens_of(words, 75).tokens), plain
    )
    return plain.replace("\0", "{").replace("\1", "}")


def _arranged(caption: str, subset: SubsetSettings) -> str:
    if subset.reorders:
        separator = subset.caption_separator
        keep = subset.keep_tokens_separator
        if keep and keep in caption:
            sections = caption.split(keep, 2)
            parts = [part.strip() for section in sections for part in section.split(separator) if part.strip()]
        else:
            parts = [part.strip() for part in caption.strip().split(separator)]
        caption = ", ".join(parts)
    if subset.secondary_separator:
        caption = caption.replace(subset.secondary_separator, subset.caption_separator)
    return caption


def token_limit(max_token_length: int | None) -> int:
    """Content tokens that are read: passes of 75, as many as `max_token_length` asks for; 75 without it."""
    if max_token_length is None:
        return 75
    if max_token_length <= 75:
        return max_token_length
    return 75 * len(range(1, max_token_length + 2 - 77 + 2, 75))


@lru_cache(maxsize=65536)
def tokens_of(text: str, limit: int) -> Cut:
    """A text divided where the encoder stops reading; the same captions come again and again over repeats and "
    "stages."""
    return cut(text.replace(_BOM, ""), limit)  # ftfy takes the mark out before the tokenizer
