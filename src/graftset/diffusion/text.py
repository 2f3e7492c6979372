"""Captions as bags of hashed words: numbers that need no vocabulary, so that every arm has the same weights.

A caption is its tags, the phrases between commas. A tag is the bag of its words, its pairs of neighboring words, and
each word together with the last one ("medium|background" in "medium grey background"): each hashed to a row of a table
(Weinberger et al. 2009, feature hashing).
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]

CONSTANT_SHARE = 0.9  # a tag that this many of the originals have tells nothing
MOST_TAGS = 40  # of one caption; real ones have about a dozen
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


@dataclass(frozen=True, slots=True)
class TagBatch:
    """The tags of a batch of B captions; the fields are those of `network.Tags`, as arrays."""

    rows: I64
    starts: I64
    weights: NDArray[np.float32]
    places: I64  # [B, T]


def split_tags(caption: str) -> tuple[str, ...]:
    """The different phrases between commas, in lower case, in the order they come.

    >>> split_tags("Lady, red hair,, red  hair, BLUE background")
    ('lady', 'red hair', 'blue background')
    """
    tags = (" ".join(tag.lower().split()) for tag in re.split(r"[,;\n]", caption))
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def constant_tags(captions: Sequence[str], share: float = CONSTANT_SHARE) -> frozenset[str]:
    """Tags that nearly every caption has: "pixel art", "24x24". Fewer than 3 captions have none."""
    counts = Counter(tag for caption in captions for tag in split_tags(caption))
    least = share * len(captions)
    return frozenset(tag for tag, count in counts.items() if count >= least and len(captions) >= 3)


def tag_rows(tag: str, rows: int) -> I64:
    """The rows of the hashed table that a tag stands for; empty where it holds no word.

    Args:
        tag: One phrase.
        rows: Length of the table.
    """
    words = _WORD.findall(tag.lower())
    features = [f"w {word}" for word in words]
    features += [f"b {first} {second}" for first, second in pairwise(words)]
    features += [f"l {word} {words[-1]}" for word in words[:-1]]
    # CRC-32 is the same in every process and on every machine; Python's own hash is not.
    return np.array([zlib.crc32(feature.encode()) % rows for feature in features], dtype=np.int64)


class CaptionEncoder:
    """Turns captions into tags, and tags into rows; every tag is hashed once."""

    def __init__(self, *, rows: int, ignored: Collection[str] = ()) -> None:
        self.rows = rows
        self.ignored = frozenset(ignored)
        self._known: dict[str, I64] = {}

    def tags(self, caption: str) -> tuple[I64, ...]:
        """The bags of a caption's tags, without the ignored ones."""
        kept = (tag for tag in split_tags(caption) if tag not in self.ignored)
        return tuple(bag for bag in map(self._bag, kept) if len(bag))[:MOST_TAGS]

    def _bag(self, tag: str) -> I64:
        if tag not in self._known:
            self._known[tag] = tag_rows(tag, self.rows)
        return self._known[tag]


def batch_tags(captions: Iterable[Sequence[I64]]) -> TagBatch:
    """Put the tags of several captions together.

    Args:
        captions: For each caption the bags of its tags; none for "no caption".
    """
    captions = list(captions)
    bags = [bag for caption in captions for bag in caption]
    lengths = np.array([len(bag) for bag in bags], dtype=np.int64)
    places = np.zeros((len(captions), max([1, *map(len, captions)])), dtype=np.int64)
    number = 1
    for row, caption in zip(places, captions, strict=True):
        row[: len(caption)] = np.arange(number, number + len(caption))
        number += len(caption)
    ends = np.cumsum(lengths)
    return TagBatch(
        rows=np.concatenate(bags) if bags else np.zeros(0, dtype=np.int64),
        starts=ends - lengths,
        weights=np.repeat((lengths**-0.5).astype(np.float32), lengths) if bags else np.zeros(0, dtype=np.float32),
        places=places,
    )
