"""What was learned from the captions, and from which: the vocabulary as a person can check it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from graftset.records import ImageView
from graftset.vocabulary import NOTHING_NAMED, Named, Vocabulary


@dataclass(frozen=True, slots=True)
class Wording:
    """One way captions phrase a slot or name a thing."""

    slot: str
    text: str  # lower case
    claimed: str  # what it is read as
    paths: tuple[str, ...]  # the originals whose captions say so


@dataclass(frozen=True, slots=True)
class Term:
    """A thing to wear or to have, as detectors and claims call it."""

    name: str
    paths: tuple[str, ...]  # the originals whose captions name it
    known_by: str  # "captions": learned from them; "beforehand": an everyday word; "settings": named by the user


@dataclass(frozen=True, slots=True)
class Learned:
    """The parts that nearly every caption begins and ends with, the terms, and how each slot is phrased.

    Terms and wordings stand with the commonest first. `unread` are captions that say nothing of any slot.
    """

    captions: int
    head: tuple[str, ...]
    tail: tuple[str, ...]
    figure_frame: str
    terms: tuple[Term, ...]
    wordings: tuple[Wording, ...]
    unread: tuple[str, ...]
    notes: tuple[str, ...]


def learned(views: Sequence[ImageView], named: Named = NOTHING_NAMED) -> Learned:
    """What the originals' captions teach."""
    written = [(view.path, view.caption) for view in views if view.origin == "original" and view.caption]
    vocabulary = Vocabulary.learn([caption for _, caption in written], named=named)
    said: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    holders: dict[str, list[str]] = defaultdict(list)
    unread = []
    for path, caption in written:
        phrases = vocabulary.read(caption)
        worn = vocabulary.labels(caption).accessories
        for phrase in phrases:
            said[phrase.slot, phrase.text.lower(), phrase.claimed][path] = None
        for term in worn:
            holders[term].append(path)
        if not phrases and not worn:
            unread.append(path)
    equal = len(written) > 1 and len({caption for _, caption in written}) == 1
    wordings = [Wording(*key, tuple(paths)) for key, paths in said.items()]
    wordings.sort(key=lambda wording: (wording.slot, -len(wording.paths), wording.text))
    terms = [Term(term, tuple(holders[term]), _known_by(term, vocabulary, named)) for term in vocabulary.terms]
    return Learned(
        captions=vocabulary.captions,
        head=vocabulary.head,
        tail=vocabulary.tail,
        figure_frame=vocabulary.figure_frame,
        terms=tuple(terms),
        wordings=tuple(wordings),
        unread=tuple(unread),
        notes=_notes(vocabulary, {wording.claimed for wording in wordings}, equal, unread, named),
    )


def _known_by(term: str, vocabulary: Vocabulary, named: Named) -> str:
    if term in named.accessories or term in dict(named.synonyms):
        return "settings"
    return "beforehand" if term in Vocabulary().known.accessories | Vocabulary().known.compounds else "captions"


def _notes(
    vocabulary: Vocabulary, values: set[str], equal: bool, unread: Sequence[str], named: Named
) -> tuple[str, ...]:
    """What a user should know where little could be learned, and which of their words no caption holds."""
    total = vocabulary.captions
    if total == 0:
        return ("No original has a caption: there is nothing to learn from. Captions can only be composed.",)
    notes = []
    if total == 1:
        notes.append("One caption shows what it says, and not what captions have in common: nothing is boilerplate.")
    elif equal:
        notes.append("All captions are equal: their words are read, and tell no picture from another.")
    elif not vocabulary.head and not vocabulary.tail:
        notes.append("The captions share no part: none is boilerplate, and composed captions hold only what was seen.")
    if len(unread) * 2 > total:
        notes.append(
            f"{len(unread)} of {total} captions say nothing that is understood: only English is read, and parts that "
            "repeat in any language. Name your words under [vocabulary] in graftset.toml."
        )
    heard = {*vocabulary.terms, *values}
    silent = [word for word in (*named.accessories, *named.clothing, *named.figure) if word not in heard]
    if silent:
        notes.append(f"Named in the settings and in no caption: {', '.join(silent)}.")
    once = [term for term, count in vocabulary.terms.items() if count == 1]
    if once:
        notes.append(f"In one caption only, so claimed but never detected: {', '.join(once)}.")
    return tuple(notes)
