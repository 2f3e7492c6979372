"""What was seen, as a caption says it.

Colors are the basic terms in American spelling, whatever spelling the originals' captions use: "gray", never "grey".
The originals lend their boilerplate, the order of what is said, and their wording for what is worn.
"""

from __future__ import annotations

from graftset.claims.judging import ACCESSORY, SHOWN, certain
from graftset.records import Background, CaptionProposal, Traits
from graftset.vocabulary import Phrase, Vocabulary, layout_of

PROVEN = 0.9  # reliability of a detector from which a caption says so
CLEAR = 0.85  # confidence from which a caption says what nobody asked for
# The same for a slot that the owner's captions tell, in a caption that has nothing else to go by. Confidence is
# agreement with the owner, who names one of several true words: readers accepted all 20 hair words of real candidates.
TOLD = 0.8


def replacement(phrase: Phrase, traits: Traits) -> str | None:
    """The words that take the place of a contradicted phrase; None where nothing better is known."""
    if phrase.slot != "background":
        return certain(traits.slots.get(phrase.slot))
    seen = traits.background
    if seen is None:
        return None
    if not phrase.terms:
        return _layout_words(seen)
    if phrase.kind == seen.kind and seen.kind in ("solid", "pattern"):
        return _beside_layout(phrase.text, seen)
    return background_words(seen)


def _beside_layout(text: str, seen: Background) -> str:
    """Other colours beside the phrase's own word for the layout, which is right and stays where it stands."""
    second = _second_color(seen) if seen.kind == "pattern" else None
    colors = f"{second} and {seen.value}" if second else seen.value
    first, last = text.split()[0], text.split()[-1]
    if layout_of(first):
        return f"{first} {colors}"
    return f"{colors} {last}" if layout_of(last) else colors


def background_words(seen: Background) -> str:
    """A background in the words of a caption: "gray", "purple to blue gradient", "red and white split".

    The colour of the largest share stands next to the noun, where a trainer's shortened caption still finds it.
    """
    second = _second_color(seen)
    if seen.kind == "gradient":
        return f"{second} to {seen.value} gradient" if second else f"{seen.value} gradient"
    if seen.kind == "split" and second:
        return f"{second} and {seen.value} split"
    return seen.value


def _second_color(seen: Background) -> str | None:
    """Another colour that holds enough of the background to be named."""
    return next((c.word for c in seen.colors if c.word != seen.value and c.share >= SHOWN), None)


def _layout_words(seen: Background) -> str | None:
    """A kind as the captions name it; a pattern has too many names to choose one."""
    return seen.kind if seen.kind in ("solid", "gradient", "split") else None


def compose(traits: Traits, vocabulary: Vocabulary) -> CaptionProposal | None:
    """A caption from seen traits alone, in the originals' grammar: their boilerplate with what is known between.

    None where nothing worth captioning was seen.
    """
    if traits.background is None:
        return None
    told = {"background": f"{background_words(traits.background)} background"} | {
        slot: part for slot in ("figure", "hair", "eyes", "skin") if (part := _trait_part(slot, traits, vocabulary))
    }
    told |= {ACCESSORY + term: vocabulary.wording(term) for term in clearly_worn(traits, vocabulary)}
    # Stable: a slot the originals never name keeps its order, behind those they do.
    ordered = sorted(told, key=lambda slot: vocabulary.places.get(slot, 1.0))
    parts = (*vocabulary.head, *(told[slot] for slot in ordered), *vocabulary.tail)
    return CaptionProposal(", ".join(parts), True, (), ())  # no claims: those concern text that came in


def _trait_part(slot: str, traits: Traits, vocabulary: Vocabulary) -> str | None:
    """The part that tells a clearly seen trait, where the originals' captions speak of the slot at all."""
    seen = certain(traits.slots.get(slot), TOLD)
    if seen is None or slot not in vocabulary.places:
        return None
    if slot != "figure":
        return f"{seen} {slot}"
    frame = vocabulary.figure_frame
    stated = any(frame.format(word) in vocabulary.head for word in vocabulary.known.figures)
    return frame.format(seen) if frame and not stated else None


def clearly_worn(traits: Traits, vocabulary: Vocabulary) -> list[str]:
    """Accessories that are seen beyond doubt, of those the originals' captions name, in the order they name them."""
    worn = [
        term
        for term, seen in traits.accessories.items()
        if certain(seen, CLEAR) == "present" and (seen.reliability is None or seen.reliability >= PROVEN)
    ]
    named = [term for term in worn if term in vocabulary.terms]
    return sorted(named, key=lambda term: (vocabulary.places[ACCESSORY + term], term))


def describe(seen: Background | None) -> str:
    """A background in one phrase for people: "a solid gray background (#a0a0a2)"."""
    if seen is None:
        return "no readable background"
    colors = ", ".join(f"{c.word} {c.hex}" for c in seen.colors[:2])
    return f"a {seen.kind} {seen.value} background ({colors})"


__all__ = ["background_words", "clearly_worn", "compose", "describe", "replacement"]
