"""What a caption says is worn: accessories and clothes by their head nouns, and how further nouns are learned.

"wearing gray structured baseball cap with curved front brim" is a cap: the noun phrase after "wearing" ends before
"with", its last word is the head. A head keeps a word before it only where the two name a thing of its own ("eye
patch") or where the captions tell it from others of its kind often enough ("nerd glasses" beside other glasses).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graftset.vocabulary import lexicon
from graftset.vocabulary.parts import Phrase, Token, color_terms, split_parts, tokens

ENOUGH = 8  # captions of 203 from which a kind of its own can be told from the others
SEEN = 3  # captions that must use an unknown noun before it is taken for a thing
MOSTLY = 0.6  # share of a thing's captions that must name it so
_SAMPLE = 203


@dataclass(frozen=True, slots=True)
class Known:
    """The nouns by which things are found.

    `compounds` are two words ("top hat") that are terms of their own; `tags` are terms by which whole comma parts are
    called; `presence` are values of other slots ("mohawk", "hoodie") that count as things to have or not, because the
    captions tell the slot only where it is unusual. The rest is what the user names.
    """

    accessories: frozenset[str] = lexicon.ACCESSORIES
    garments: frozenset[str] = lexicon.GARMENTS
    compounds: frozenset[str] = frozenset(pair.replace("_", " ") for pair in lexicon.COMPOUNDS)
    figures: frozenset[str] = lexicon.FIGURES
    tags: frozenset[str] = frozenset()
    presence: frozenset[str] = frozenset()
    prose: bool = False  # whether captions are sentences
    own: tuple[tuple[str, str], ...] = ()  # slot, word
    ignored: frozenset[str] = frozenset()
    canonical: Mapping[str, str] = field(default_factory=dict)  # another word -> the term


PRIOR = Known()

_OTHER_SLOTS = lexicon.HAIR | lexicon.EYES | lexicon.SKIN | lexicon.WEARING | {"background", "backgrounds"}


def read_worn(caption: str, known: Known = PRIOR) -> list[Phrase]:
    """A phrase for every accessory ("accessory:cap") and piece of clothing ("clothing") that a caption names."""
    return [phrase for span in split_parts(caption) for phrase in _read_part(caption, span, known)]


def _read_part(caption: str, span: tuple[int, int], known: Known) -> Iterator[Phrase]:
    words = tokens(caption, *span)
    found = [(i, *thing) for i in range(len(words)) if (thing := _thing(words, i, known)) is not None]
    things = [
        thing
        for place, thing in enumerate(found)
        if thing[2] == "clothing" or not _is_part_of_another(words, found[:place], thing[0])
    ]
    heads = {head for head, *_ in things}
    for place, (head, first, slot, term) in enumerate(things):
        begin = _begin(words, first, known, things[place - 1][0] + 1 if place else 0)
        end = words[head].end if _something_follows(words, head, heads) else span[1]
        where = (words[begin].start, end)
        yield Phrase(slot, where, caption[slice(*where)], (term,))


def _thing(words: Sequence[Token], at: int, known: Known) -> tuple[int, str, str] | None:
    """The thing whose head stands at `at`: index of its first word, slot and term; None where there is none."""
    word = words[at].word
    before = words[at - 1].word if at else ""
    after = words[at + 1].word if at + 1 < len(words) else ""
    if any(token.word in lexicon.NEGATIONS for token in words[max(0, at - 3) : at]):
        return None
    if f"{before} {word}" in known.compounds and not _is_modifier(words, at, known):
        return at - 1, f"accessory:{before} {word}", f"{before} {word}"
    if (before, word) in lexicon.GARMENT_COMPOUNDS:
        return at - 1, "clothing", lexicon.GARMENT_COMPOUNDS[before, word]
    if word in known.garments and _is_garment(words, at):
        if after in known.garments and (word, after) not in lexicon.GARMENT_COMPOUNDS:
            return at, "clothing", word  # "turtleneck sweater": the first word tells more
        return (at, "clothing", _garment(words, at)) if (word, after) not in lexicon.GARMENT_COMPOUNDS else None
    if word not in known.accessories or after in ("shape", "sits"):
        return None
    if word == "crown" and (before == "flat" or after == "of"):  # of a cap, and of the head
        return None
    if word == "shades" and (after or any(token.word in lexicon.HAIR for token in words)):
        return None
    if f"{word} {after}" in known.compounds or (word not in lexicon.FACIAL_HAIR and _is_modifier(words, at, known)):
        return None
    kind = lexicon.KINDS_OF.get((before, word))
    return (at - 1, f"accessory:{kind}", kind) if kind else (at, f"accessory:{word}", word)


def _is_modifier(words: Sequence[Token], at: int, known: Known) -> bool:
    """Whether another noun takes this one: of "silver hoop stud earring" and "tiara crown" the last is the head."""
    for token in words[at + 1 :]:
        if token.word in known.accessories - lexicon.FACIAL_HAIR:
            return True
        if token.word not in lexicon.PLAIN or token.word in lexicon.STOPS | lexicon.JOINERS:
            return False
    return False


def _is_garment(words: Sequence[Token], at: int) -> bool:
    """Top is a piece of clothing, and also a place: "longer on top", "covering top of head"."""
    word = words[at].word
    before = words[at - 1].word if at else ""
    after = words[at + 1].word if at + 1 < len(words) else ""
    if word == "top":
        place = before in lexicon.REFERS | lexicon.ARTICLES | {"at"}
        return not place and after in ("", "and", "with", "jacket", "under") and not _has_hair(words)
    return not (before == "hair" and word == "tie")


def _has_hair(words: Sequence[Token]) -> bool:
    return any(token.word in lexicon.HAIR for token in words)


def _garment(words: Sequence[Token], at: int) -> str:
    """A shirt with a collar is a collared shirt."""
    if words[at].word == "shirt" and any(token.word == "collar" for token in words[at:]):
        return "collared shirt"
    return words[at].word


def _is_part_of_another(words: Sequence[Token], earlier: Sequence[tuple[int, int, str, str]], head: int) -> bool:
    """Whether a thing belongs to one before it: the ribbon of "top hat with red ribbon"."""
    if words[head].word not in lexicon.PARTLIKE:
        return False
    for other, _, slot, _ in earlier:
        between = {token.word for token in words[other + 1 : head]}
        if slot != "clothing" and "with" in between and not between & lexicon.WEARING:
            return True
    return False


def _begin(words: Sequence[Token], first: int, known: Known, least: int) -> int:
    """The first word, from `least` on, of the noun phrase that ends with the thing; "wearing" belongs to it."""
    nouns = known.accessories | known.garments | lexicon.OTHERS | lexicon.HAIR | lexicon.EYES | lexicon.SKIN
    begin = first
    while begin > least and words[begin - 1].word not in lexicon.STOPS | nouns:
        begin -= 1
    if begin > least and words[begin - 1].word in lexicon.WEARING:
        begin -= 1
    return begin


def _something_follows(words: Sequence[Token], head: int, heads: set[int]) -> bool:
    """Whether the rest of the part speaks of anything else than the thing itself."""
    for i in range(head + 1, len(words)):
        # "visible on side of head next to ear" and "bow in hair" place the thing, they name nothing else.
        if i in heads or (words[i].word in _OTHER_SLOTS and words[i - 1].word not in lexicon.REFERS):
            return True
    return False


# --- learning --------------------------------------------------------------------------------------------------------


def learn_known(captions: Sequence[str], prior: Known = PRIOR) -> Known:
    """The nouns of these captions: those known beforehand, and those that captions use after "wearing"."""
    heads: Counter[str] = Counter()
    late: Counter[str] = Counter()  # of those, how often after the background, where captions speak of clothes
    uses: Counter[str] = Counter()
    for caption in captions:
        uses.update({token.word for token in tokens(caption, 0, len(caption))})
        place = caption.lower().find("background")
        for head, start in dict(_unknown_heads(caption, prior)).items():
            heads[head] += 1
            late[head] += 0 <= place < start
    things = {head for head, count in heads.items() if count >= max(SEEN, MOSTLY * uses[head])}
    garments = {head for head in things if late[head] > heads[head] / 2}
    grown = replace(prior, accessories=prior.accessories | (things - garments), garments=prior.garments | garments)
    return replace(grown, compounds=prior.compounds - PRIOR.compounds | _compounds(captions, grown))


def enough_of(captions: int) -> int:
    """Captions of so many from which a kind of its own can be told from the others."""
    return max(2, round(ENOUGH * min(1.0, captions / _SAMPLE)))


def _unknown_heads(caption: str, known: Known) -> Iterator[tuple[str, int]]:
    """Heads of the noun phrases after "wearing", "smoking" or "with" that no list knows, also of several in a row."""
    for span in split_parts(caption):
        words = tokens(caption, *span)
        for i in range(len(words)):
            if not _introduces(words, i):
                continue
            rest = words[i + 1 :]
            while rest:
                stop = next((k for k, t in enumerate(rest) if t.word in lexicon.STOPS), len(rest))
                amount = stop < len(rest) and rest[stop].word == "of"  # "with lots of freckles"
                head = rest[stop - 1] if stop and not amount else None
                if head is not None and _may_be_noun(head.word) and head.word not in known.accessories | known.garments:
                    yield head.word, head.start
                # "wearing a zorbel and a frunk": an article shows that one more thing is told.
                more = [t.word for t in rest[stop : stop + 2]]
                rest = rest[stop + 1 :] if len(more) == 2 and more[0] == "and" and more[1] in lexicon.ARTICLES else []


def _introduces(words: Sequence[Token], at: int) -> bool:
    """Whether a word tells what is worn: "with" does at the beginning of a part or before an article."""
    word = words[at].word
    following = words[at + 1].word if at + 1 < len(words) else ""
    return word in lexicon.WEARING | {"smoking", "holding"} or (
        word == "with" and (at == 0 or following in lexicon.ARTICLES)
    )


def _may_be_noun(word: str) -> bool:
    return word not in lexicon.KNOWN and len(word) > 2 and word.isalpha() and not color_terms(word)


def _compounds(captions: Sequence[str], known: Known) -> frozenset[str]:
    """Two-word terms that the captions tell from the rest of their kind."""
    single = replace(known, compounds=frozenset())
    heads: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for caption in captions:
        seen: set[str] = set()
        kinds: set[tuple[str, str]] = set()
        for span in split_parts(caption):
            words = tokens(caption, *span)
            for i in range(1, len(words)):
                thing = _thing(words, i, single)
                if thing is None or thing[1] == "clothing":
                    continue
                seen.add(words[i].word)
                before = words[i - 1].word
                beside = not caption[words[i - 1].end : words[i].start].strip(" -_")  # "accessory: cap" is a cap
                if beside and (before not in lexicon.PLAIN or _listed(before, words[i].word)) and before.isalnum():
                    kinds.add((before, words[i].word))
        heads.update(seen)
        pairs.update(kinds)
    needed = enough_of(len(captions))
    kept = {
        f"{word} {head}"
        for (word, head), count in pairs.items()
        if count >= needed and heads[head] - count >= (1 if _listed(word, head) else needed)
    }
    # A head that occurs in no other way needs no telling from others.
    kept |= {pair.replace("_", " ") for pair in lexicon.COMPOUNDS if _alone(pair, heads, pairs)}
    halves = {pair.replace("_", " ") for pair in lexicon.COMPOUNDS if pair.split("_")[1] in lexicon.HALVES}
    return frozenset(kept | halves)


def _listed(word: str, head: str) -> bool:
    return f"{word}_{head}" in lexicon.COMPOUNDS


def _alone(pair: str, heads: Counter[str], pairs: Counter[tuple[str, str]]) -> bool:
    word, head = pair.split("_")
    return heads[head] == pairs[word, head]


__all__ = ["PRIOR", "Known", "enough_of", "learn_known", "read_worn"]
