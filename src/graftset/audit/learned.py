"""What was learned from the captions, and from which: the vocabulary as a person can check it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from graftset.records import ImageView
from graftset.vocabulary import Vocabulary, read_phrases


@dataclass(frozen=True, slots=True)
class Wording:
    """One way captions phrase a slot."""

    slot: str
    text: str  # lower case
    claimed: str  # what it is read as
    paths: tuple[str, ...]  # the originals whose captions say so


@dataclass(frozen=True, slots=True)
class Learned:
    """The parts that nearly every caption begins and ends with, and how each slot is phrased, the commonest first."""

    captions: int
    head: tuple[str, ...]
    tail: tuple[str, ...]
    wordings: tuple[Wording, ...]


def learned(views: Sequence[ImageView]) -> Learned:
    """What the originals' captions teach."""
    written = [(view.path, view.caption) for view in views if view.origin == "original" and view.caption]
    vocabulary = Vocabulary.learn([caption for _, caption in written])
    said: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for path, caption in written:
        for phrase in read_phrases(caption):
            said[phrase.slot, phrase.text.lower(), phrase.claimed][path] = None
    wordings = [Wording(*key, tuple(paths)) for key, paths in said.items()]
    wordings.sort(key=lambda wording: (wording.slot, -len(wording.paths), wording.text))
    return Learned(vocabulary.captions, vocabulary.head, vocabulary.tail, tuple(wordings))
