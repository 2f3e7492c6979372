"""Bare comma parts that name a thing without "wearing": "mole", "rosy cheeks", "mohawk", "medical mask".

Many collections are captioned with lists of tags ("Female, Wild Hair, Purple Eye Shadow, Mole"). No list of nouns
knows them all, but they repeat: a short part that several captions hold, that is not said by nearly all of them and
that says more than the colour of a slot, names something a picture has or has not. Such a *tag* is a term in its plain
form, without colours ("purple eye shadow" is an eye shadow), and also as it is written where many captions write it so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from graftset.vocabulary import lexicon
from graftset.vocabulary.features import eye_colors, hair_colors
from graftset.vocabulary.parts import Phrase, Token, split_parts, tokens

TWICE = 2  # captions that must hold a tag before it is a term
EVERYWHERE = 0.9  # share of captions that hold a tag from which on it is boilerplate
LONGEST = 4  # words of a tag

_SEPARATOR = re.compile(r"\n|。|(?<=[^\W\d])\.\s")
_CONNECTIVE = re.compile(r"(?<!\S)(?:with|wearing|wears|has|having|and|on|holding|smoking)(?=\s)", re.IGNORECASE)
_PREFIX = re.compile(r"\s*(?:[#(]?\d+[.):]\s+|[^\W\d][\w ]{0,24}[:=]\s*)")
_SHADES = lexicon.MODIFIERS - lexicon.ACCESSORIES - {"strawberry", "bubble", "gum", "baby", "hint", "glowing"}
_NOUNS = lexicon.HAIR | lexicon.EYES | lexicon.SKIN | lexicon.OTHERS | lexicon.FIGURES
_SLOT_NOUNS = lexicon.HAIR | lexicon.EYES | lexicon.FIGURES
_ELSEWHERE = lexicon.SKIN | {"background", "backgrounds"}  # what is told of these is no thing of its own
_PLAIN = (lexicon.PLAIN | _SHADES) - lexicon.ACCESSORIES
_SAYS_NOTHING = _NOUNS | _PLAIN | lexicon.STOPS | lexicon.ARTICLES | lexicon.NEGATIONS
_TOLD = frozenset(("eyes", "hair", "figure"))  # slots that tell a whole part
_COMPOUNDS = frozenset(pair.replace("_", " ") for pair in lexicon.COMPOUNDS)

Readings = Callable[[str], Sequence[Phrase]]


@dataclass(frozen=True, slots=True)
class Tag:
    """A short part: where it stands, what it says as written, and without colours, sizes and stuffs."""

    span: tuple[int, int]
    written: str
    plain: str  # empty where nothing is left
    colorless: str  # without colours only: "big shades"; empty where nothing is left


def read_tags(caption: str, prose: bool = False) -> Iterator[Tag]:
    """The stretches of a caption that may be tags: up to four words, and no "no" or "without" among them.

    Args:
        caption: The caption.
        prose: Whether captions are sentences rather than lists: then what "with", "and" and "wearing" part counts too.
    """
    for start, end in _stretches(caption, prose):
        words = [token for token in tokens(caption, start, end) if token.word not in lexicon.ARTICLES]
        worn = bool(words) and words[0].word in lexicon.WEARING
        words = words[1:] if worn else words
        # A trailing "with" or "and" is a part broken off.
        if not 0 < len(words) <= LONGEST or words[-1].word in lexicon.STOPS:
            continue
        if any(token.word in lexicon.WEARING | lexicon.NEGATIONS for token in words) or not _has_letters(words):
            continue
        # "Necklace with pendant" is no name of a thing, though many may write it so.
        if any(token.word in lexicon.STOPS for token in words):
            yield Tag((start, end), "" if worn else _joined(caption, words), "", "")
            continue
        colorless = [token for i, token in enumerate(words) if not _is_color(words, i)]
        plain = [t for i, t in enumerate(colorless) if t.word not in _PLAIN or i == len(colorless) - 1]
        written, least, unhued = (_joined(caption, kept) for kept in (words, plain, colorless))
        # "wearing golden earring" is how other captions word an earring, and "golden earring" no name of a thing.
        yield Tag((start, end), "" if worn else written, least, "" if worn else unhued)


def learn_tags(captions: Sequence[str], read: Readings, enough: int, told: frozenset[str]) -> frozenset[str]:
    """The terms that bare parts of these captions are.

    Args:
        captions: The originals' captions.
        read: Reads the phrases of other slots, which a tag must not merely repeat.
        enough: Captions that must hold a form with its colours or sizes for that to be a term of its own.
        told: Slots that these captions tell of nearly every picture: their values are no things to have or not.
    """
    prose = is_prose(captions)
    plain: Counter[str] = Counter()
    special: Counter[str] = Counter()
    whole: Counter[str] = Counter()  # how many captions name the things that special forms are kinds of
    kind_of: dict[str, str] = {}
    for caption in captions:
        phrases = read(caption)
        names: set[str] = set()
        kinds: set[str] = set()
        for tag in read_tags(caption, prose):
            inside = [phrase for phrase in phrases if tag.span[0] <= phrase.span[0] < tag.span[1]]
            slots = {phrase.slot for phrase in inside}
            if slots & told or not _says_more(tag, slots):
                continue
            said = {term for phrase in inside if phrase.slot.startswith("accessory:") for term in phrase.terms}
            if said and not tag.written:  # "wearing horned rim glasses" are glasses first
                kinds.update({tag.plain} - said - {""})
                kind_of.update(dict.fromkeys(kinds & {tag.plain}, _head(max(said))))
                continue
            forms = [form for form in (tag.plain, tag.colorless, tag.written) if form and _spaced(form) not in said]
            if tag.plain in forms and _tells(tag.plain):
                names.add(tag.plain)
            kinds.update(form for form in forms if form != tag.plain)
            if said:
                kind_of.update((form, _head(max(said))) for form in forms)
        plain.update(names)
        special.update(kinds)
        whole.update({_head(p.terms[0]) for p in phrases if p.slot.startswith("accessory:")})
    # "Red hat" is a hat where there is no other: only kinds that are told from others have names of their own.
    special = Counter({t: n for t, n in special.items() if t not in kind_of or n < whole[kind_of[t]]})
    most = EVERYWHERE * len(captions)
    return frozenset(
        {term for term, count in plain.items() if TWICE <= count < most}
        | {term for term, count in special.items() if max(TWICE, enough) <= count < most}
    )


def tag_terms(caption: str, terms: frozenset[str], prose: bool) -> Iterator[tuple[Tag, str]]:
    """Every learned term that a part of the caption is, in each of its forms."""
    for tag in read_tags(caption, prose) if terms else ():
        for form in dict.fromkeys((tag.plain, tag.colorless, tag.written)):
            if form in terms:
                yield tag, form


def tag_phrases(caption: str, terms: frozenset[str], prose: bool) -> list[Phrase]:
    """A phrase for every part that is a learned term, by its plainest form."""
    found: dict[tuple[int, int], Phrase] = {}
    for tag, term in tag_terms(caption, terms, prose):
        found.setdefault(tag.span, Phrase(f"accessory:{term}", tag.span, caption[slice(*tag.span)], (term,)))
    return list(found.values())


def _stretches(caption: str, prose: bool) -> Iterator[tuple[int, int]]:
    """Comma parts, further parted at full stops, without numbers or keys before them."""
    for start, end in split_parts(caption):
        joints = [(cut.end(), cut.end()) for cut in _SEPARATOR.finditer(caption, start, end)]
        if prose:
            joints += [cut.span() for cut in _CONNECTIVE.finditer(caption, start, end)]
        joints.sort()
        ends = [*(left for left, _ in joints), end]
        for left, right in zip([start, *(right for _, right in joints)], ends, strict=True):
            prefix = _PREFIX.match(caption, left, right)
            begin = prefix.end() if prefix is not None and prefix.end() < right else left
            text = caption[begin:right].strip(" \t\n.。_\"'")
            if text:
                at = caption.index(text, begin)
                yield at, at + len(text)


def is_prose(captions: Sequence[str]) -> bool:
    """Whether most captions are sentences: few commas, and many words between them."""
    parts = [len(split_parts(caption)) for caption in captions]
    words = [len(caption.split()) for caption in captions]
    return 2 * sum(n <= LONGEST < w / max(n, 1) for n, w in zip(parts, words, strict=True)) > len(captions)


def _has_letters(words: Sequence[Token]) -> bool:
    """Whether a word is more than a number or a size such as 24x24."""
    return any(not token.word.isascii() or re.search("[a-z]{2}", token.word) for token in words)


def _is_color(words: Sequence[Token], at: int) -> bool:
    """Whether a word of a tag only tells a colour or a shade of it; "rosy" of "rosy cheeks" names the thing."""
    word = words[at].word
    beside = (words[at - 1 : at + 1] if at else [], words[at : at + 2])
    if any(" ".join(token.word for token in pair) in _COMPOUNDS for pair in beside):
        return False
    return word in _SHADES or word in lexicon.JOINERS or bool(hair_colors(word) or eye_colors(word))


def _joined(caption: str, words: Sequence[Token]) -> str:
    """The words with one blank between them, or the hyphen that was written there; no "with" or "of" at either end."""
    while words and words[0].word in lexicon.STOPS | lexicon.JOINERS:
        words = words[1:]
    while words and words[-1].word in lexicon.STOPS | lexicon.JOINERS:
        words = words[:-1]
    text = ""
    for before, token in zip([None, *words], words, strict=False):
        hyphen = before is not None and caption[before.end : token.start] == "-"
        text += ("-" if hyphen else " " if text else "") + token.word
    return text


def _tells(form: str) -> bool:
    """Whether a form holds a word that is more than a colour, a size or the noun of a slot."""
    return any(word not in _SAYS_NOTHING for word in _spaced(form).split())


def _head(term: str) -> str:
    """The noun of a term: glasses are the whole of which horned rim glasses are a kind."""
    return term.split()[-1]


def _spaced(form: str) -> str:
    return form.replace("-", " ")


def _says_more(tag: Tag, slots: set[str]) -> bool:
    """Whether a part says more than its slots tell: "blue eyes" and "dark skin" do not, "clown eyes" does."""
    words = _spaced(tag.written or tag.plain).split()
    if not words:
        return False
    # The bare noun of a slot ("hair", "lips", "clothing") says nothing at all.
    if slots & {"background", "skin"} or any(word in _ELSEWHERE for word in words):
        return False
    if slots == {"clothing"} or all(word in _NOUNS for word in words):
        return False
    nouns = [word for word in words if word in _SLOT_NOUNS]
    # "Clown eyes" are eyes of a kind; "eyes looking ahead" are eyes.
    if nouns and (tag.plain or tag.written).split()[-1:] != nouns[-1:]:
        return False
    told = bool(slots & _TOLD) or bool(nouns)
    return _tells(tag.colorless or tag.plain or tag.written) or not told


__all__ = ["Tag", "is_prose", "learn_tags", "read_tags", "tag_phrases", "tag_terms"]
