"""Rules that compare words and picture."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from graftset.audit.findings import Found
from graftset.audit.texts import HEX, Caption, Corpus
from graftset.claims import correct, judge, named_confidence
from graftset.pixels.color import TERMS, from_hex, srgb_to_oklab, survey_votes, to_hex
from graftset.records import Background, CaptionChange, Claim, Traits
from graftset.vocabulary import ACCESSORY, Phrase, Vocabulary

BORDER = 0.05  # OKLab: a colour this close to one that people call by the claimed word is a matter of taste
# Confidence of a detector, by slot, from which about half of what it holds against owners' captions was right when
# pictures were looked at; against figures, eyes and skins it hardly ever was.
HEARD = defaultdict(lambda: 0.9, {"accessory": 0.65, "hair": 0.7})
SHOWN = 0.25  # share of the background below which a colour does not name it
HEX_FAR = 0.05  # OKLab distance to the nearest colour of the picture beyond which a code is not in it

# Very dark, pale and faint colours are called by their tint or by their tone, whoever looks at them.
_TONES = {
    "black": frozenset(("dark", "deep")),
    "white": frozenset(("light", "pale", "cream", "creme")),
    "gray": frozenset(("light", "pale", "muted", "dusty", "dull")),
}
_DIRECTIONS = np.array([d for d in product((-1.0, 0.0, 1.0), repeat=3) if any(d)])
_DIRECTIONS /= np.linalg.norm(_DIRECTIONS, axis=1, keepdims=True)


def contradicted(corpus: Corpus) -> Iterator[Found]:
    """Claims that the picture contradicts.

    What an owner says of an original is likelier right than a detector that was fitted on such captions: there only
    the background, which is read from the pixels, contradicts; for the rest see `unlikely`.
    """
    for caption in corpus.captions:
        for phrase, claim in _once(caption, corpus.vocabulary):
            seen = caption.view.traits.background
            if caption.view.origin == "original" and claim.slot != "background":
                continue
            if claim.verdict == "contradicted" and not (_is_banding(claim) or _is_border(phrase, seen)):
                yield Found(
                    caption.view,
                    phrase.text,
                    _says(claim),
                    phrase.span,
                    _correction(caption, phrase, corpus.vocabulary),
                )


def _correction(caption: Caption, phrase: Phrase, vocabulary: Vocabulary) -> tuple[CaptionChange, ...]:
    """The words that the picture asks for, wherever the caption says these; none where a phrase is garbled.

    In "dark grey background baseball cap" the grey is the cap's: a background must end its comma part or stand before
    a bracket or another phrase of its own.
    """
    changes = correct(caption.text, caption.view.traits, vocabulary).changes
    begin, end = phrase.span
    # What is not worn goes with its comma, and so is found by its place.
    edits = tuple(c for c in changes if c.old == phrase.text or (c.span[0] < end and begin < c.span[1]))
    clean = phrase.slot != "background" or all(_ends_there(caption.text, change.span[1]) for change in edits)
    return edits if clean else ()


def _ends_there(text: str, end: int) -> bool:
    return re.match(r"\s*backgrounds?\s*(?:[,(.;]|$)", text[end:], re.IGNORECASE) is not None


def unlikely(corpus: Corpus) -> Iterator[Found]:
    """What an original's caption says and a detector that never saw that original does not see.

    About half of these are errors of the caption, the others of the detector: a person must look.
    """
    for caption in corpus.captions:
        if caption.view.origin != "original":
            continue
        told = set()
        for phrase, claim in judge(caption.text, caption.view.traits, corpus.vocabulary):
            other = _seen_instead(claim, caption.view.traits, corpus.vocabulary)
            if other is not None and claim.slot not in told:
                told.add(claim.slot)
                says = _says(replace(claim, seen=other)).replace("the picture shows", "a detector sees")
                yield Found(caption.view, phrase.text, says, phrase.span)


def _seen_instead(claim: Claim, traits: Traits, vocabulary: Vocabulary) -> str | None:
    """What a detector sees in the place of what an owner claims; None where it is not sure enough."""
    term = claim.slot.removeprefix(ACCESSORY)
    if term != claim.slot:
        seen = traits.accessories.get(term)
        share = vocabulary.terms.get(term, 0) / max(1, vocabulary.captions)
        absent = seen is not None and seen.value == "absent" and named_confidence(seen, share) >= HEARD["accessory"]
        return "absent" if absent else None
    trait = traits.slots.get(claim.slot)
    sure = claim.verdict == "contradicted" and trait is not None and (trait.confidence or 0.0) >= HEARD[claim.slot]
    # Blonde and brown hair have no clear border.
    return claim.seen if sure and {claim.claimed, claim.seen} != {"blonde", "brown"} else None


def doubtful(corpus: Corpus) -> Iterator[Found]:
    """Claims on the border: another word fits the picture better, but people would differ."""
    for caption in corpus.captions:
        seen = caption.view.traits.background
        for phrase, claim in _once(caption, corpus.vocabulary):
            border = claim.verdict == "contradicted" and _is_border(phrase, seen)
            if border or (claim.verdict == "confirmed" and _is_second_choice(phrase, seen)):
                said = f'The caption says {claim.slot} "{phrase.text}"; {claim.seen} fits {_main(seen)} better, though '
                yield Found(caption.view, phrase.text, said + "people would differ", phrase.span)


def _main(seen: Background | None) -> str:
    return seen.colors[0].hex if seen is not None and seen.colors else "it"


def _once(caption: Caption, vocabulary: Vocabulary) -> Iterator[tuple[Phrase, Claim]]:
    """The claims of a caption; what it says twice counts once."""
    told = set()
    for phrase, claim in judge(caption.text, caption.view.traits, vocabulary):
        key = (claim.slot, phrase.text.lower())
        if key not in told:
            told.add(key)
            yield phrase, claim


def _says(claim: Claim) -> str:
    if claim.slot.startswith(ACCESSORY):
        return f"The caption says {claim.slot.removeprefix(ACCESSORY)}; the picture shows none"
    return f"The caption says {claim.slot} {claim.claimed}; the picture shows {claim.seen}"


def _is_second_choice(phrase: Phrase, seen: Background | None) -> bool:
    """Whether one colour is claimed of one background, and another word fits its main colour better."""
    if phrase.slot != "background" or seen is None or len(phrase.terms) != 1 or phrase.kind is not None:
        return False
    if seen.value == "black" and _TONES["black"] & set(phrase.text.lower().split()):
        return False  # a dark blue is black to some and dark blue to all
    shown = {seen.value, *(color.word for color in seen.colors if color.share >= SHOWN)}
    return not shown & {*phrase.terms, *phrase.also}


def _is_banding(claim: Claim) -> bool:
    """Whether a gradient in few steps is at issue, which may be read as a split."""
    return claim.slot == "background" and {claim.claimed, claim.seen} == {"gradient", "split"}


def _is_border(phrase: Phrase, seen: Background | None) -> bool:
    """Whether a contradicted claim about the background's colour is one that people would differ over."""
    if phrase.slot != "background" or seen is None or not phrase.terms:
        return False
    if _TONES.get(seen.value, frozenset()) & set(phrase.text.lower().replace("/", " ").split()):
        return True
    main = [color.hex for color in seen.colors if color.share >= SHOWN]
    if not main:
        return False
    around = srgb_to_oklab(np.stack([from_hex(code) for code in main]))[:, None] + BORDER * _DIRECTIONS
    called = {TERMS[i] for i in survey_votes(around).argmax(axis=-1).reshape(-1)}
    return bool(called & set(phrase.terms))


def shared_code(corpus: Corpus) -> Iterator[Found]:
    """The same colour code on two features of one caption."""
    for caption in corpus.captions:
        places: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for match in HEX.finditer(caption.text):
            places[_long(match.group())].append(match.span())
        for code, spans in places.items():
            parts = sorted({_part_of(caption, span) for span in spans})
            if len(parts) > 1:
                named = " and ".join(f'"{_shorten(caption.part(number))}"' for number in parts)
                yield Found(caption.view, code, f"{code} is given to {named}", spans[1])


def absent_code(corpus: Corpus) -> Iterator[Found]:
    """Colour codes that no cell of the picture comes near."""
    for caption in corpus.captions:
        matches = list(HEX.finditer(caption.text))
        native = corpus.native(caption.view) if matches else None
        if native is None:
            continue
        colors = np.unique(native.reshape(-1, 3), axis=0)
        oklab = srgb_to_oklab(colors)
        told = set()
        for match in matches:
            code = _long(match.group())
            distances = np.linalg.norm(oklab - srgb_to_oklab(from_hex(code)), axis=1)
            nearest = int(distances.argmin())
            if distances[nearest] > HEX_FAR and code not in told:
                told.add(code)
                message = (
                    f"{code} is not in the picture: its nearest colour is {to_hex(colors[nearest])}, "
                    f"{distances[nearest]:.2f} away in OKLab"
                )
                yield Found(caption.view, match.group(), message, match.span())


def _long(code: str) -> str:
    """A colour code as `#rrggbb`."""
    digits = code[1:].lower()
    return "#" + ("".join(2 * digit for digit in digits) if len(digits) == 3 else digits)


def _part_of(caption: Caption, span: tuple[int, int]) -> int:
    """The number of the comma part that a place belongs to."""
    return next(i for i, (start, end) in enumerate(caption.parts) if start <= span[0] < end)


def _shorten(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
