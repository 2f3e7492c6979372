"""What a caption claims against what was seen: confirmed, contradicted or unverifiable; and the rewrite.

A claim is only contradicted where the picture clearly shows something else: a caption the owner wrote must not be
"corrected" over the border between teal and blue. Each slot has a judge in `JUDGES`; a slot without one is
unverifiable. Corrections change contradicted phrases and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from graftset.records import Background, CaptionChange, CaptionProposal, Claim, Traits, Verdict
from graftset.vocabulary import Phrase, Vocabulary, layout_of, read_phrases

SHOWN = 0.25  # share of the background one colour must hold for a caption to name it rightly
SURE = 0.8  # confidence of a kind ("solid", "split") above which another kind in the caption is wrong

Judge = Callable[[Phrase, Traits], Claim]


def judge_background(phrase: Phrase, traits: Traits) -> Claim:
    """Compare a background phrase with the background that was read."""
    seen = traits.background
    if seen is None:
        return Claim("background", phrase.claimed, None, "unverifiable", phrase.span)
    verdict = _colors(phrase, seen) if phrase.terms else _kind(phrase, seen)
    shown = seen.value if phrase.terms else seen.kind
    return Claim("background", phrase.claimed, shown, verdict, phrase.span)


def _colors(phrase: Phrase, seen: Background) -> Verdict:
    """Confirmed where a claimed term is an acceptable word for a colour that holds enough of the background.

    Several claimed terms ("blue to green") are confirmed by any one of them and contradicted only together.
    """
    claimed = {*phrase.terms, *phrase.also}
    support = sum(color.share for color in seen.colors if claimed & set(color.words))
    if support >= SHOWN:
        return "confirmed"
    # Between the two lie colours that hold a little of the background, and readings nobody should rely on.
    return "unverifiable" if support > 0.1 or seen.confidence < 0.3 else "contradicted"


def _kind(phrase: Phrase, seen: Background) -> Verdict:
    if phrase.kind == seen.kind:
        return "confirmed"
    return "contradicted" if seen.kind != "noisy" and seen.confidence >= SURE else "unverifiable"


JUDGES: Mapping[str, Judge] = {"background": judge_background}


def judge(caption: str, traits: Traits) -> list[tuple[Phrase, Claim]]:
    """Every claim of a caption with the phrase it stands in."""
    judged = []
    for phrase in read_phrases(caption):
        verify = JUDGES.get(phrase.slot)
        unverified = Claim(phrase.slot, phrase.claimed, None, "unverifiable", phrase.span)
        judged.append((phrase, verify(phrase, traits) if verify else unverified))
    return judged


def correct(caption: str, traits: Traits) -> CaptionProposal:
    """The caption with its contradicted phrases replaced by what was seen; nothing else moves."""
    judged = judge(caption, traits)
    changes = tuple(
        CaptionChange(
            slot=phrase.slot,
            span=phrase.span,
            old=phrase.text,
            new=new,
            why=f"the picture shows {describe(traits.background)}",
        )
        for phrase, claim in judged
        if claim.verdict == "contradicted" and (new := _replacement(phrase, traits)) and new != phrase.text
    )
    return CaptionProposal(apply_changes(caption, changes), False, tuple(claim for _, claim in judged), changes)


def apply_changes(caption: str, changes: tuple[CaptionChange, ...]) -> str:
    """Replace the spans of `changes`, which do not overlap."""
    for change in sorted(changes, key=lambda c: c.span, reverse=True):
        caption = caption[: change.span[0]] + change.new + caption[change.span[1] :]
    return caption


def _replacement(phrase: Phrase, traits: Traits) -> str | None:
    """The words that take the place of a contradicted background phrase."""
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
    """A background as the originals' captions would put it: "gray", "purple to blue gradient", "red and white split".

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
    parts = (*vocabulary.head, f"{background_words(traits.background)} background", *vocabulary.tail)
    return CaptionProposal(", ".join(parts), True, (), ())  # no claims: those concern text that came in


def describe(seen: Background | None) -> str:
    """A background in one phrase for people: "a solid gray background (#a0a0a2)"."""
    if seen is None:
        return "no readable background"
    colors = ", ".join(f"{c.word} {c.hex}" for c in seen.colors[:2])
    return f"a {seen.kind} {seen.value} background ({colors})"


__all__ = ["JUDGES", "apply_changes", "background_words", "compose", "correct", "describe", "judge"]
