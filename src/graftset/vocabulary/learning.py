"""What the originals' captions have in common: boilerplate, wordings, terms, and where each thing is said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graftset.errors import UserError
from graftset.vocabulary import lexicon
from graftset.vocabulary.background import read_background
from graftset.vocabulary.features import read_eyes, read_figure, read_hair, read_hair_style, read_skin
from graftset.vocabulary.parts import Phrase, split_parts, tokens
from graftset.vocabulary.worn import PRIOR, Known, learn_known, read_worn

EVERYWHERE = 0.9  # share of captions that hold a part which is boilerplate
SLOTS = ("background", "hair", "hair_style", "eyes", "skin", "figure", "clothing")
NAMED = ("accessories", "clothing", "figure")  # slots whose terms a user can name
ACCESSORY = "accessory:"
OPENED = 0.3  # share of a term's wordings that begin with "wearing" from which an added one does
_MOST_FIGURES = 8


@dataclass(frozen=True, slots=True)
class Labels:
    """What one caption says: a value for each slot it speaks of, and the accessories it says are worn.

    `also` holds further values a caption names for a slot ("dark brown and blonde hair" is blonde, and also brown).
    """

    slots: dict[str, str] = field(default_factory=dict)
    accessories: frozenset[str] = frozenset()
    also: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the originals' captions have in common.

    `head` and `tail` are the boilerplate parts before and after what changes; `wordings[slot]` counts how a slot is
    phrased; `terms` are accessories with the number of captions that name them; `places[slot]` is where in a caption a
    slot is spoken of, from 0 to 1; `sources` are the captions a term was learned from.
    """

    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    wordings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    captions: int = 0
    terms: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, float] = field(default_factory=dict)
    followers: Mapping[str, str] = field(default_factory=dict)  # part -> slot of the part it always stands behind
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    figure_frame: str = ""  # the part that says who is portrayed, with "{}" for the word; empty where there is none
    known: Known = PRIOR

    @classmethod
    def learn(cls, captions: Sequence[str], *, named: Mapping[str, Iterable[str]] | None = None) -> Vocabulary:
        """Learn from the originals' captions; none or unlike ones give an empty but valid vocabulary.

        Args:
            captions: One for each original that has one.
            named: Terms the user names, by slot ("accessories", "clothing", "figure").

        Raises:
            UserError: A slot that nobody knows, or a term named for two of them.
        """
        known = _with_named(learn_known(captions), named or {})
        known = replace(known, figures=known.figures | learn_figures(captions))
        parts = [[caption[a:b] for a, b in split_parts(caption)] for caption in captions]
        phrases = [read_phrases(caption, known) for caption in captions]
        head, tail = _boilerplate(parts, known)
        wordings: dict[str, Counter[str]] = {slot: Counter() for slot in SLOTS}
        sources: dict[str, list[str]] = {}
        for caption, found in zip(captions, phrases, strict=True):
            for phrase in found:
                wordings.setdefault(phrase.slot, Counter())[phrase.text.lower()] += 1
            for slot in dict.fromkeys(p.slot for p in found if p.slot.startswith(ACCESSORY)):
                sources.setdefault(slot.removeprefix(ACCESSORY), []).append(caption)
        ordered = sorted(sources.items(), key=lambda item: (-len(item[1]), item[0]))
        return cls(
            head=head,
            tail=tail,
            wordings=wordings,
            captions=len(captions),
            terms={term: len(texts) for term, texts in ordered},
            places=_places(captions, phrases),
            followers=_followers(captions, phrases, {*head, *tail}),
            sources={term: tuple(texts) for term, texts in ordered},
            figure_frame=_figure_frame(captions, phrases),
            known=known,
        )

    def read(self, caption: str) -> list[Phrase]:
        """Every phrase of every slot, by the nouns that were learned."""
        return read_phrases(caption, self.known)

    def labels(self, caption: str) -> Labels:
        """What a caption says, slot by slot; a slot it does not speak of is absent."""
        slots: dict[str, str] = {}
        also: dict[str, list[str]] = {}
        worn = set()
        for phrase in self.read(caption):
            if phrase.slot.startswith(ACCESSORY):
                worn.add(phrase.terms[0])
                continue
            if phrase.terms:
                slots.setdefault(phrase.slot, phrase.terms[-1])
                also.setdefault(phrase.slot, []).extend((*phrase.terms, *phrase.also))
        rest = {
            slot: others
            for slot, names in also.items()
            if (others := tuple(name for name in dict.fromkeys(names) if name != slots[slot]))
        }
        return Labels(slots, frozenset(worn), rest)

    def wording(self, term: str) -> str:
        """How the captions mostly introduce an accessory, without colours: "wearing crown", "stubble"."""
        texts = self.wordings.get(ACCESSORY + term, {})
        openings: Counter[str] = Counter()
        for text, count in texts.items():
            words = text.split()
            if words[0] in lexicon.WEARING:
                openings[words[0]] += count
        # Where the verb stands far ahead ("wearing glasses and a crown") the phrase alone does not show it.
        usual, count = openings.most_common(1)[0] if openings else ("", 0)
        if texts and count < OPENED * sum(texts.values()):
            return term
        articles = Counter(word for text in texts for word in text.split()[1:2])
        article = next((a for a in ("a", "an", "the") if 2 * articles[a] > len(texts)), "")
        return " ".join(word for word in (usual or "wearing", article, term) if word)

    def examples(self, term: str) -> tuple[str, ...]:
        """The captions an accessory's term was learned from."""
        return self.sources.get(term, ())


def read_phrases(caption: str, known: Known = PRIOR) -> list[Phrase]:
    """Every phrase of every slot, in the order they stand; none overlaps another."""
    readings = (
        read_background(caption),
        read_hair(caption),
        read_eyes(caption),
        read_skin(caption),
        read_figure(caption, known.figures),
        read_hair_style(caption),
        read_worn(caption, known),
    )
    kept: list[Phrase] = []
    for phrase in (phrase for reading in readings for phrase in reading):
        spans = (phrase.span, *phrase.others)
        taken = [span for other in kept for span in (other.span, *other.others)]
        if all(b <= c or d <= a for a, b in spans for c, d in taken):
            kept.append(phrase)
    return sorted(kept, key=lambda phrase: phrase.span)


def learn_figures(captions: Sequence[str]) -> frozenset[str]:
    """The words that alone change in a part which nearly every caption has ("portrait of bespoke punk *lady*")."""
    frames: dict[str, Counter[str]] = {}
    for caption in captions:
        seen = {}
        for start, end in split_parts(caption):
            words = tokens(caption, start, end)
            if len(words) > 1:
                seen[caption[start : words[-1].start].lower()] = words[-1].word
        for frame, word in seen.items():
            frames.setdefault(frame, Counter())[word] += 1
    learned: set[str] = set()
    for frame, counts in frames.items():
        spread = 1 < len(counts) <= _MOST_FIGURES and min(counts.values()) > 1
        if spread and sum(counts.values()) >= EVERYWHERE * len(captions) and re.search(r"\bof\b", frame):
            learned |= set(counts)
    return frozenset(learned)


def _with_named(known: Known, named: Mapping[str, Iterable[str]]) -> Known:
    slots: dict[str, str] = {}
    added: dict[str, set[str]] = {slot: set() for slot in NAMED}
    for slot, terms in named.items():
        if slot not in NAMED:
            raise UserError("No such slot", field=slot, value=slot, remedy=f"Name terms for {', '.join(NAMED)}.")
        for written in terms:
            term = " ".join(written.lower().split())
            if not term or len(term.split()) > 2:
                raise UserError(
                    "A term has one or two words", field=slot, value=written, remedy="Name the thing alone, as in cap."
                )
            if slots.setdefault(term, slot) != slot:
                raise UserError(
                    f"{term} is named both for {slots[term]} and {slot}",
                    field=slot,
                    value=written,
                    remedy="Name it for one of them.",
                )
            added[slot].add(term)
    single = {term for term in added["accessories"] if " " not in term}
    worn = {*added["accessories"]}
    clothes = {*added["clothing"]}
    return Known(
        (known.accessories | single) - clothes,
        (known.garments | clothes) - worn,
        known.compounds | (worn - single),
        known.figures | added["figure"],
    )


def _boilerplate(parts: Sequence[Sequence[str]], known: Known) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Parts that nearly every caption holds, those of the first half and those of the second."""
    counts = Counter(part for caption in parts for part in set(caption))
    # What speaks of a slot is never boilerplate, not even where all originals have the same background.
    common = {
        part
        for part, n in counts.items()
        if len(parts) > 1 and n >= EVERYWHERE * len(parts) and not _changes(part, known)
    }
    places: dict[str, list[float]] = {}
    for caption in parts:
        for i, part in enumerate(caption):
            if part in common:
                places.setdefault(part, []).append(i / max(1, len(caption) - 1))
    mean = {part: sum(where) / len(where) for part, where in places.items()}
    ordered = sorted(common, key=lambda part: (mean[part], part))
    return tuple(p for p in ordered if mean[p] < 0.5), tuple(p for p in ordered if mean[p] >= 0.5)


def _changes(part: str, known: Known) -> bool:
    """Whether a part says what a picture can contradict; who is portrayed may be the same in all."""
    return any(phrase.slot != "figure" for phrase in read_phrases(part, known))


def _places(captions: Sequence[str], phrases: Sequence[Sequence[Phrase]]) -> dict[str, float]:
    """Where each slot is spoken of, as the mean share of a caption's parts before it."""
    where: dict[str, list[float]] = {}
    for caption, found in zip(captions, phrases, strict=True):
        spans = split_parts(caption)
        for slot, phrase in {p.slot: p for p in reversed(found)}.items():
            at = sum(1 for _, end in spans if end <= phrase.span[0])
            where.setdefault(slot, []).append(at / max(1, len(spans) - 1))
    return {slot: sum(shares) / len(shares) for slot, shares in where.items()}


def _followers(captions: Sequence[str], phrases: Sequence[Sequence[Phrase]], common: set[str]) -> dict[str, str]:
    """Parts that say more of an accessory: nothing of their own, and always behind a part that names it."""
    behind: dict[str, Counter[str | None]] = {}
    for caption, found in zip(captions, phrases, strict=True):
        last: str | None = None
        for start, end in split_parts(caption):
            inside = [p.slot for p in found if start <= p.span[0] < end]
            text = caption[start:end].lower()
            if inside or caption[start:end] in common or not _tells_more(text):
                last = inside[-1] if inside and inside[-1].startswith(ACCESSORY) else None
            else:
                behind.setdefault(text, Counter())[last] += 1
    return {
        text: slot
        for text, slots in behind.items()
        if sum(slots.values()) > 1 and len(slots) == 1 and (slot := next(iter(slots))) is not None
    }


def _figure_frame(captions: Sequence[str], phrases: Sequence[Sequence[Phrase]]) -> str:
    """The part around the figure that most captions share."""
    frames: Counter[str] = Counter()
    for caption, found in zip(captions, phrases, strict=True):
        for phrase in (phrase for phrase in found if phrase.slot == "figure"):
            start, end = next(span for span in split_parts(caption) if span[0] <= phrase.span[0] < span[1])
            frame = caption[start : phrase.span[0]] + "\0" + caption[phrase.span[1] : end]
            frames[frame.replace("{", "{{").replace("}", "}}").replace("\0", "{}")] += 1
    frame, count = frames.most_common(1)[0] if frames else ("", 0)
    return frame if 2 * count > len(captions) else ""


def _tells_more(text: str) -> bool:
    """Whether a part is long enough to be a description and not a trait of its own ("freckles")."""
    words = tokens(text, 0, len(text))
    return len(words) > 3 and words[0].word not in lexicon.STOPS | lexicon.OTHERS


__all__ = ["ACCESSORY", "SLOTS", "Labels", "Vocabulary", "learn_figures", "read_phrases"]
