"""CLIP token counts, and where a caption is cut.

The text encoders of Stable Diffusion read a fixed number of tokens and never learn of the rest. Counts here are of
content tokens: without the begin and end markers that every caption gets.

Source: byte-pair encoding with the vocabulary of CLIP (Radford et al. 2021), by instant-clip-tokenizer, whose wheel
holds it. It lower-cases and splits as OpenAI's tokenizer does, but leaves out the text repair by ftfy that comes first
there and in transformers' CLIPTokenizer. The two parts of that repair which captions meet are done here: curly quotes
become straight ones and characters are composed (NFC). HTML entities, ligatures, full-width letters and
wrongly decoded text are not repaired, so captions with these mostly count too many, which cuts nothing.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

from instant_clip_tokenizer import Tokenizer

DEFAULT_LIMIT = 75  # content tokens of one pass through CLIP's text encoder: 77 positions less begin and end

_STRAIGHT_QUOTES = str.maketrans({**dict.fromkeys("ʼ‘’‚‛", "'"), **dict.fromkeys("“”„‟", '"')})
# Each match ends where a token ends: letters and digits never share one with marks, save for the apostrophe of "'s".
_PIECE = re.compile(r"'?[^\W_]+(?:'[^\W_]+)*|(?:[^\w\s]|_)+")


@dataclass(frozen=True, slots=True)
class Cut:
    """A repaired caption divided at a limit: `kept` and `lost` are all of it but for the space between them.

    Attributes:
        kept: The words and marks that are read whole.
        lost: The rest; empty where nothing is cut. Of its first word the encoder may read the beginning.
        tokens: Content tokens of the whole caption.
    """

    kept: str
    lost: str
    tokens: int


def token_count(caption: str) -> int:
    """Content tokens of a caption: how many CLIP's text encoder would need to read it whole."""
    return len(_tokenizer().encode(_repaired(caption)))


def cut(caption: str, limit: int = DEFAULT_LIMIT) -> Cut:
    """Divide a caption where an encoder that reads `limit` content tokens stops.

    Args:
        caption: Any text.
        limit: Content tokens, at least 0: 75 for one pass, 150 or 225 where a trainer joins two or three.
    """
    text = _repaired(caption).strip()
    tokens = token_count(text)
    if tokens <= limit:
        return Cut(text, "", tokens)
    ends = [piece.end() for piece in _PIECE.finditer(text)]
    whole = bisect_right(ends, limit, key=lambda end: token_count(text[:end]))
    end = ends[whole - 1] if whole else 0
    return Cut(text[:end], text[end:].lstrip(), tokens)


def _repaired(caption: str) -> str:
    # A lone surrogate can come out of a JSON escape; no text file can hold it.
    text = caption.encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", text.translate(_STRAIGHT_QUOTES))


@cache
def _tokenizer() -> Tokenizer:
    # Reading the vocabulary takes tens of milliseconds.
    return Tokenizer()
