"""What the originals' captions have in common: boilerplate, wordings, terms, and where each thing is said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from graftset.vocabulary import lexicon
from graftset.vocabulary.background import read_background
from graftset.vocabulary.features import (
    read_expression,
    read_eyes,
    read_figure,
    read_hair,
    read_hair_style,
    read_skin,
)
from graftset.vocabulary.named import NOTHING_NAMED, Named, read_named
from graftset.vocabulary.parts import Phrase, split_parts, tokens
from graftset.vocabulary.tags import is_prose, learn_tags, tag_phrases, tag_terms
from graftset.vocabulary.worn import PRIOR, Known, enough_of, learn_known, read_worn

EVERYWHERE = 0.9  # share of captions that hold a part which is boilerplate
SLOTS = ("background", "hair", "hair_style", "eyes", "skin", "figure", "clothing", "expression")
PARTIAL = ("hair_style", "clothing", "expression")  # slots that captions may tell only where they are unusual
SPARSE = 0.5  # share of captions up to which a slot is told only where it is unusual
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
    def learn(cls, captions: Sequence[str], *, named: Named = NOTHING_NAMED) -> Vocabulary:
        """Learn from the originals' captions; none or unlike ones give an empty but valid vocabulary.

        Args:
            captions: One for each original that has one.
            named: What the user names in the settings.
        """
        known = _learn_terms(captions, named)
        parts = [[caption[a:b] for a, b in split_parts(caption)] for caption in captions]
        phrases = [read_phrases(caption, known) for caption in captions]
        head, tail = _boilerplate(parts, known)
        wordings: dict[str, Counter[str]] = {slot: Counter() for slot in SLOTS}
        sources: dict[str, list[str]] = {}
        for caption, found in zip(captions, phrases, strict=True):
            for phrase in found:
                wordings.setdefault(phrase.slot, Counter())[phrase.text.lower()] += 1
            for term, text in worn_terms(caption, found, known).items():
                sources.setdefault(term, []).append(caption)
                if not any(phrase.slot == ACCESSORY + term for phrase in found):
                    wordings.setdefault(ACCESSORY + term, Counter())[text.lower()] += 1
        ordered = sorted(sources.items(), key=lambda item: (-len(item[1]), item[0]))
        return cls(
            head=head,
            tail=tail,
            wordings=wordings,
            captions=len(captions),
            terms={term: len(texts) for term, texts in ordered},
            places=_places(captions, phrases, known),
            followers=_followers(captions, phrases, {*head, *tail}),
            sources={term: tuple(texts) for term, texts in ordered},
            figure_frame=_figure_frame(captions, phrases),
            known=known,
        )

    @property
    def slots(self) -> tuple[str, ...]:
        """Every slot that has values: the built-in ones and the user's own. Accessories are no slots but terms."""
        own = (slot for slot, _ in self.known.own if not slot.startswith(ACCESSORY))
        return tuple(dict.fromkeys((*SLOTS, *own)))

    def read(self, caption: str) -> list[Phrase]:
        """Every phrase of every slot, by the nouns that were learned."""
        return read_phrases(caption, self.known)

    def labels(self, caption: str) -> Labels:
        """What a caption says, slot by slot; a slot it does not speak of is absent."""
        slots: dict[str, str] = {}
        also: dict[str, list[str]] = {}
        phrases = self.read(caption)
        for phrase in phrases:
            if phrase.terms and not phrase.slot.startswith(ACCESSORY):
                slots.setdefault(phrase.slot, phrase.terms[-1])
                also.setdefault(phrase.slot, []).extend((*phrase.terms, *phrase.also))
        rest = {
            slot: others
            for slot, names in also.items()
            if (others := tuple(name for name in dict.fromkeys(names) if name != slots[slot]))
        }
        return Labels(slots, frozenset(worn_terms(caption, phrases, self.known)), rest)

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
        read_named(caption, known.own),
        read_background(caption),
        read_hair(caption),
        read_eyes(caption),
        read_skin(caption),
        read_figure(caption, known.figures),
        read_hair_style(caption),
        read_expression(caption),
        read_worn(caption, known),
        tag_phrases(caption, known.tags, known.prose),
    )
    kept: list[Phrase] = []
    for phrase in (_as_named(phrase, known) for reading in readings for phrase in reading):
        if phrase.terms and phrase.terms[-1] in known.ignored:
            continue
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


def worn_terms(caption: str, phrases: Sequence[Phrase], known: Known) -> dict[str, str]:
    """Every accessory term that holds of a caption, with the words that say so.

    Beside those that phrases claim these are tags that share their words with another slot ("blonde bob" is blonde
    hair and a bob), and values of slots that are told only where they are unusual.
    """
    worn = {phrase.terms[0]: phrase.text for phrase in phrases if phrase.slot.startswith(ACCESSORY)}
    for tag, term in tag_terms(caption, known.tags, known.prose):
        worn.setdefault(known.canonical.get(term, term), caption[slice(*tag.span)])
    for phrase in phrases:
        if phrase.slot in PARTIAL:
            for term in phrase.terms:
                if term in known.presence:
                    worn.setdefault(term, phrase.text)
    return {term: text for term, text in worn.items() if term not in known.ignored}


def _as_named(phrase: Phrase, known: Known) -> Phrase:
    """The phrase under the term that the user prefers to its words."""
    if not known.canonical or not any(term in known.canonical for term in phrase.terms):
        return phrase
    terms = tuple(known.canonical.get(term, term) for term in phrase.terms)
    slot = f"{ACCESSORY}{terms[0]}" if phrase.slot.startswith(ACCESSORY) else phrase.slot
    return replace(phrase, slot=slot, terms=terms)


def _learn_terms(captions: Sequence[str], named: Named) -> Known:
    """The nouns and tags of these captions, with what the user names."""
    known = _with_named(learn_known(captions, _with_named(PRIOR, named)), named)
    known = replace(known, figures=known.figures | learn_figures(captions))
    told = _told(captions, known)
    told_by_most = frozenset(slot for slot in told if told[slot].total() >= SPARSE * len(captions))
    known = replace(known, presence=_unusual({slot: told[slot] for slot in PARTIAL if slot not in told_by_most}))
    tags = learn_tags(captions, lambda caption: read_phrases(caption, known), enough_of(len(captions)), told_by_most)
    return replace(known, tags=tags, prose=is_prose(captions))


def _told(captions: Sequence[str], known: Known) -> dict[str, Counter[str]]:
    """How many captions tell each value of the slots that may be told only where they are unusual."""
    told: dict[str, Counter[str]] = {slot: Counter() for slot in PARTIAL}
    for caption in captions:
        values = {p.slot: p.terms[-1] for p in read_phrases(caption, known) if p.slot in PARTIAL and p.terms}
        for slot, value in values.items():
            told[slot][value] += 1
    return told


def _unusual(told: Mapping[str, Counter[str]]) -> frozenset[str]:
    """Values of slots that few captions tell: there a picture has the thing or has it not."""
    return frozenset(
        value
        for slot, counts in told.items()
        for value, count in counts.items()
        if count > 1 and (slot != "hair_style" or value in lexicon.NOUN_STYLES)
    )


def _with_named(known: Known, named: Named) -> Known:
    """What is known with what the user names; a word that is named for one slot leaves the others."""
    terms = {"accessories": set(named.accessories), "clothing": set(named.clothing), "figure": set(named.figure)}
    for term, words in named.synonyms:
        slot = "clothing" if term in known.garments | terms["clothing"] else ""
        slot = slot or ("figure" if term in known.figures | terms["figure"] else "accessories")
        terms[slot] |= {term, *words}
    worn, clothes = terms["accessories"], terms["clothing"]
    # The reader of things knows one and two English words; anything else is looked for as it is written.
    odd = {term for term in worn if len(term.split()) > 2 or not term.isascii()}
    single = {term for term in worn - odd if " " not in term}
    own = [(slot, word) for slot, words in named.slots for word in words]
    own += [(f"{ACCESSORY}{term}", term) for term in sorted(odd)]
    taken = {word for _, words in named.slots for word in words}
    return replace(
        known,
        accessories=(known.accessories | single) - clothes - taken,
        garments=(known.garments | clothes) - worn - taken,
        compounds=known.compounds | (worn - odd - single),
        figures=(known.figures | terms["figure"]) - taken,
        own=tuple(own),
        ignored=frozenset(named.ignore),
        canonical=named.canonical,
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


def _places(captions: Sequence[str], phrases: Sequence[Sequence[Phrase]], known: Known) -> dict[str, float]:
    """Where each slot is spoken of, as the mean share of a caption's parts before it."""
    where: dict[str, list[float]] = {}
    for caption, found in zip(captions, phrases, strict=True):
        spans = split_parts(caption)
        starts = {phrase.slot: phrase.span[0] for phrase in reversed(found)}
        for term, text in worn_terms(caption, found, known).items():
            starts.setdefault(ACCESSORY + term, caption.find(text))
        for slot, start in starts.items():
            at = sum(1 for _, end in spans if end <= start)
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


__all__ = ["ACCESSORY", "SLOTS", "Labels", "Vocabulary", "learn_figures", "read_phrases", "worn_terms"]
