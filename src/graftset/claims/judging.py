"""The verdict on each phrase of a caption: confirmed, contradicted or unverifiable.

A claim is only contradicted where the picture clearly shows something else: a caption the owner wrote must not be
"corrected" over the border between teal and blue, or between black and dark brown hair. Each slot has a judge in
`JUDGES`, accessories share one; a slot without one, or one nobody looked at, is unverifiable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from graftset.records import Background, Claim, Traits, TraitSeen, Verdict
from graftset.vocabulary import ACCESSORY, Phrase, Vocabulary

SHOWN = 0.25  # share of the background one colour must hold for a caption to name it rightly
TRACE = 0.1  # share of the background up to which a colour is not there at all
SURE = 0.8  # confidence of a kind ("solid", "split") above which another kind in the caption is wrong

CERTAIN = 0.6  # confidence of a trait from which a caption may be held against it
CONTRADICTS: Mapping[str, float] = {"figure": 0.9}  # the same for slots that are told from the whole of a picture
ABSENT = 0.8  # confidence, of something a caption names, from which it is not there
TRUSTED = 0.85  # reliability of a detector from which an accessory is said not to be there
EVEN = 0.5  # chance of what a caption names before the picture is looked at

# Values that two people call the same thing by.
_HAIR = (
    {"black", "brown", "gray"}, {"gray", "white"}, {"blonde", "yellow", "gold", "tan", "beige"}, {"blonde", "white"},
    {"red", "orange", "maroon"}, {"brown", "maroon"}, {"brown", "tan"}, {"purple", "lavender"}, {"pink", "purple"},
    {"blue", "navy"}, {"blue", "teal", "cyan"}, {"green", "teal", "mint", "olive"},
)  # fmt: skip
_EYES = (
    {"black", "brown"}, {"brown", "orange", "gold"}, {"black", "gray"}, {"gray", "blue"}, {"blue", "teal", "cyan"},
    {"green", "teal", "mint", "olive"}, {"blue", "navy"}, {"purple", "lavender"}, {"red", "pink", "maroon"},
)  # fmt: skip
_SKIN = (
    {"light", "medium"}, {"medium", "tan"}, {"medium", "olive"}, {"light", "olive"}, {"tan", "olive"}, {"tan", "dark"},
    {"brown", "medium"}, {"brown", "tan"}, {"brown", "dark"}, {"gray", "light"},
)  # fmt: skip
_FIGURE = ({"lady", "woman", "girl", "female"}, {"lad", "man", "boy", "male"})
ALIKE: Mapping[str, tuple[set[str], ...]] = {"hair": _HAIR, "eyes": _EYES, "skin": _SKIN, "figure": _FIGURE}

Judge = Callable[[Phrase, Traits], Claim]


def judge_background(phrase: Phrase, traits: Traits) -> Claim:
    """Compare a background phrase with the background that was read."""
    seen = traits.background
    if seen is None:
        return Claim("background", phrase.claimed, None, "unverifiable", phrase.span)
    verdict = _colors(phrase, seen) if phrase.terms else _kind(phrase, seen)
    shown = _shown(phrase, seen, verdict) if phrase.terms else seen.kind
    return Claim("background", phrase.claimed, shown, verdict, phrase.span)


def _shown(phrase: Phrase, seen: Background, verdict: Verdict) -> str:
    """What was seen, in words that show why a claim in another word is confirmed: "gray or blue", "red and blue"."""
    claimed = (*phrase.terms, *phrase.also)
    if verdict != "confirmed" or seen.value in claimed:
        return seen.value
    for color in seen.colors:
        word = next((word for word in claimed if word in color.words), None)
        if word is not None and color.share >= TRACE:
            return f"{seen.value} {'or' if color.word == seen.value else 'and'} {word}"
    return seen.value


def _colors(phrase: Phrase, seen: Background) -> Verdict:
    """Confirmed where a claimed term is an acceptable word for a colour that holds enough of the background.

    Several claimed terms ("blue to green") are contradicted only together, and confirmed only where none of them is
    missing; nor is a colour confirmed together with a layout that the background does not have.
    """
    support = _support({*phrase.terms, *phrase.also}, seen)
    # Between the two lie colours that hold a little of the background, and readings nobody should rely on.
    if support < SHOWN:
        return "unverifiable" if support > TRACE or seen.confidence < 0.3 else "contradicted"
    missing = len(phrase.terms) > 1 and any(_support({term}, seen) <= TRACE for term in phrase.terms)
    return "unverifiable" if missing or _is_other_kind(phrase, seen) else "confirmed"


def _support(words: set[str], seen: Background) -> float:
    """The share of the background that may be called by one of these words."""
    return sum(color.share for color in seen.colors if words & set(color.words))


def _kind(phrase: Phrase, seen: Background) -> Verdict:
    if phrase.kind == seen.kind:
        return "confirmed"
    return "contradicted" if _is_other_kind(phrase, seen) else "unverifiable"


def _is_other_kind(phrase: Phrase, seen: Background) -> bool:
    """Whether a phrase names a layout and the background clearly has another."""
    return phrase.kind not in (None, seen.kind) and seen.kind != "noisy" and seen.confidence >= SURE


def judge_trait(phrase: Phrase, traits: Traits) -> Claim:
    """Compare hair, eyes, skin or figure with what was seen.

    Confirmed where a claimed value is the one that was seen; a value alike ("brown" for hair seen black), or one that
    is partly seen too, is neither confirmed nor contradicted.
    """
    trait = traits.slots.get(phrase.slot)
    seen = certain(trait)
    verdict: Verdict = "unverifiable"
    if seen is not None and trait is not None:
        claimed = {*phrase.terms, *phrase.also}
        groups = [group for group in ALIKE.get(phrase.slot, ()) if seen in group]
        sure = certain(trait, CONTRADICTS.get(phrase.slot, CERTAIN)) is not None
        if seen in claimed:
            verdict = "confirmed"
        elif sure and not claimed & {*trait.words} and not any(claimed & group for group in groups):
            verdict = "contradicted"
    return Claim(phrase.slot, phrase.claimed, seen, verdict, phrase.span)


def judge_accessory(phrase: Phrase, traits: Traits, share: float = EVEN) -> Claim:
    """Compare an accessory that a caption says is worn with whether it was seen.

    Args:
        phrase: Of the caption.
        traits: What was seen; a confidence there counts how rare a thing is among the originals.
        share: Of the originals that have it. What a caption names is not as rare as that: its absence must show in the
            picture, not only in the odds.
    """
    trait = traits.accessories.get(phrase.slot.removeprefix(ACCESSORY))
    if trait is None or trait.value == "unknown":
        return Claim(phrase.slot, "present", None, "unverifiable", phrase.span)
    sure = named_confidence(trait, share)
    if trait.value == "present":
        return Claim(phrase.slot, "present", "present", "confirmed" if sure >= CERTAIN else "unverifiable", phrase.span)
    gone = sure >= ABSENT and (trait.reliability is None or trait.reliability >= TRUSTED)
    return Claim(
        phrase.slot, "present", "absent" if gone else None, "contradicted" if gone else "unverifiable", phrase.span
    )


def named_confidence(seen: TraitSeen, share: float) -> float:
    """The confidence of an answer about a thing that a caption names, which is there or not with even odds before.

    The confidence of `seen` holds for any picture, of which a `share` has the thing: the odds are taken out (Bayes).
    """
    sure = min(max(seen.confidence or 0.0, 1e-6), 1 - 1e-6)
    rate = min(max(share, 1e-3), 1 - 1e-3)
    odds = (1 - rate) / rate if seen.value == "present" else rate / (1 - rate)
    weighed = sure / (1 - sure) * odds
    return weighed / (1 + weighed)


def certain(seen: TraitSeen | None, least: float = CERTAIN) -> str | None:
    """The value of a trait that was seen clearly enough; None otherwise."""
    if seen is None or seen.value == "unknown" or (seen.confidence or 0.0) < least:
        return None
    return seen.value


JUDGES: Mapping[str, Judge] = {
    "background": judge_background,
    "hair": judge_trait,
    "eyes": judge_trait,
    "skin": judge_trait,
    "figure": judge_trait,
}


def judge(caption: str, traits: Traits, vocabulary: Vocabulary | None = None) -> list[tuple[Phrase, Claim]]:
    """Every claim of a caption with the phrase it stands in, read by the nouns of `vocabulary`."""
    known = vocabulary or Vocabulary()
    judged = []
    for phrase in known.read(caption):
        verify = JUDGES.get(phrase.slot)
        if phrase.slot.startswith(ACCESSORY):
            claim = judge_accessory(phrase, traits, _share(phrase.slot.removeprefix(ACCESSORY), known))
        elif verify is not None:
            claim = verify(phrase, traits)
        else:
            claim = Claim(phrase.slot, phrase.claimed, None, "unverifiable", phrase.span)
        judged.append((phrase, claim))
    return judged


def _share(term: str, vocabulary: Vocabulary) -> float:
    """The share of the originals' captions that name an accessory; even odds where they are silent."""
    count = vocabulary.terms.get(term, 0)
    return count / vocabulary.captions if count and vocabulary.captions else EVEN


__all__ = ["ACCESSORY", "ALIKE", "CERTAIN", "JUDGES", "SHOWN", "certain", "judge", "named_confidence"]
