"""The corrected caption: contradicted words replaced, what is not there removed, what is clearly seen added.

Nothing else moves: every change is a span of the old caption with its new text, so that it can be shown and undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graftset.claims.judging import ACCESSORY, judge
from graftset.claims.wording import clearly_worn, describe, replacement
from graftset.records import CaptionChange, CaptionProposal, Claim, Traits
from graftset.vocabulary import Phrase, Vocabulary, split_parts

Span = tuple[int, int]

_JOINERS = ("and", "with", "&", "/", "+")


@dataclass(frozen=True, slots=True)
class _Text:
    """A caption with its comma parts; the first `fixed` of them must stay as they are."""

    caption: str
    parts: Sequence[Span]
    fixed: int

    @property
    def free(self) -> int:
        """The first character that may change."""
        return self.parts[self.fixed - 1][1] if 0 < self.fixed <= len(self.parts) else 0

    def part_at(self, position: int) -> int:
        return next(i for i, (_, end) in enumerate(self.parts) if position < end)


def correct(
    caption: str, traits: Traits, vocabulary: Vocabulary | None = None, *, keep_tokens: int = 0
) -> CaptionProposal:
    """The caption made true.

    Args:
        caption: As it came in.
        traits: What was seen.
        vocabulary: Of the originals' captions; without it nothing is added.
        keep_tokens: Leading comma parts that a trainer keeps in place and that are left alone.

    Returns:
        The text with the claims of the caption as it came in and every change; correcting it again changes nothing.
    """
    vocabulary = vocabulary or Vocabulary()
    judged = judge(caption, traits, vocabulary)
    text = _Text(caption, split_parts(caption), max(0, keep_tokens))
    removed, removals = _removals(text, judged, vocabulary)
    changes = [
        *_replacements(caption, judged, traits),
        *removals,
        *_additions(text, judged, traits, vocabulary, removed),
    ]
    kept = tuple(change for change in changes if change.span[0] >= text.free)
    return CaptionProposal(apply_changes(caption, kept), False, tuple(claim for _, claim in judged), kept)


def apply_changes(caption: str, changes: Sequence[CaptionChange]) -> str:
    """Replace the spans of `changes`, which do not overlap; of insertions at one place the last comes first."""
    for change in sorted(changes, key=lambda c: c.span, reverse=True):
        caption = caption[: change.span[0]] + change.new + caption[change.span[1] :]
    return caption


# --- replacing -------------------------------------------------------------------------------------------------------


def _replacements(caption: str, judged: Sequence[tuple[Phrase, Claim]], traits: Traits) -> list[CaptionChange]:
    """Contradicted words replaced by what was seen; further colour words of the same noun are taken away."""
    changes = []
    for phrase, claim in judged:
        new = replacement(phrase, traits) if claim.verdict == "contradicted" else None
        if not new or new == phrase.text or phrase.slot.startswith(ACCESSORY):
            continue
        shown = describe(traits.background) if phrase.slot == "background" else _shown(phrase.slot, new)
        why = f"the picture shows {shown}"
        # A word grown together with the next one is parted from it: "purpleyes" becomes "brown eyes".
        grown = caption[phrase.span[1] : phrase.span[1] + 1].isalpha()
        changes.append(CaptionChange(phrase.slot, phrase.span, phrase.text, new + " " * grown, why))
        for start, end in phrase.others:
            blank = end + (caption[end : end + 1] == " ")
            changes.append(CaptionChange(phrase.slot, (start, blank), caption[start:blank], "", why))
    return changes


def _shown(slot: str, value: str) -> str:
    return f"a {value}" if slot == "figure" else f"{value} {slot}"


# --- removing --------------------------------------------------------------------------------------------------------


def _removals(
    text: _Text, judged: Sequence[tuple[Phrase, Claim]], vocabulary: Vocabulary
) -> tuple[set[int], list[CaptionChange]]:
    """Phrases of accessories that are not there, with their comma parts; also which parts go altogether."""
    absent = [
        phrase for phrase, claim in judged if claim.slot.startswith(ACCESSORY) and claim.verdict == "contradicted"
    ]
    whole: dict[int, str] = {}  # part -> slot
    inner: list[Phrase] = []
    for phrase in absent:
        at = text.part_at(phrase.span[0])
        if at < text.fixed:
            continue
        others = [p for p, _ in judged if text.part_at(p.span[0]) == at and p not in absent]
        if others or not _covers(text, at, [p for p in absent if text.part_at(p.span[0]) == at]):
            inner.append(phrase)
            continue
        whole[at] = phrase.slot
    for at, slot in list(whole.items()):
        for following in range(at + 1, len(text.parts)):
            start, end = text.parts[following]
            if vocabulary.followers.get(text.caption[start:end].lower()) != slot:
                break
            whole[following] = slot
    changes = [_change(text.caption, slot, _part_cut(text.parts, at, set(whole))) for at, slot in whole.items()]
    changes += [_change(text.caption, p.slot, _inner_cut(text.caption, text.parts, p.span)) for p in inner]
    return set(whole), changes


def _covers(text: _Text, at: int, phrases: Sequence[Phrase]) -> bool:
    """Whether a part says nothing but these phrases and the words that join them."""
    start, end = text.parts[at]
    left = list(text.caption)
    for phrase in phrases:
        left[phrase.span[0] : phrase.span[1]] = " " * (phrase.span[1] - phrase.span[0])
    words = "".join(left[start:end]).replace("/", " ").lower().split()
    return all(word in (*_JOINERS, "a", "an", "the", "wearing", ".", "(", ")") for word in words)


def _part_cut(parts: Sequence[Span], at: int, gone: set[int]) -> Span:
    """A part with one of its commas: the one behind it, or, where nothing stays behind it, the one before it."""
    if any(i not in gone for i in range(at + 1, len(parts))):
        return parts[at][0], parts[at + 1][0]
    return (parts[at - 1][1] if at else parts[at][0]), parts[at][1]


def _inner_cut(caption: str, parts: Sequence[Span], span: Span) -> Span:
    """A phrase inside a part with the word that joins it to the rest, and one of the blanks around it."""
    start, end = span
    left, right = next(part for part in parts if part[0] <= start < part[1])
    before = caption[left:start].rstrip()
    joiner = next((j for j in _JOINERS if before.lower().endswith(j) and _is_word(before, len(before) - len(j))), None)
    if joiner is not None and len(before) > len(joiner):
        return left + len(before[: -len(joiner)].rstrip()), end
    after = caption[end:right]
    follows = after.lstrip().lower()
    joiner = next((j for j in _JOINERS if follows.startswith(j) and not follows[len(j) : len(j) + 1].isalpha()), None)
    if joiner is not None and not before:
        rest = after.lstrip()[len(joiner) :].lstrip()
        return start, right - len(rest)
    return (left + len(before), end) if before else (start, right - len(after.lstrip()))


def _is_word(text: str, start: int) -> bool:
    """Whether a joiner that ends a text is a word and not the end of one ("band")."""
    return start == 0 or not text[start].isalpha() or not text[start - 1].isalpha()


def _change(caption: str, slot: str, span: Span) -> CaptionChange:
    return CaptionChange(slot, span, caption[slice(*span)], "", f"no {slot.removeprefix(ACCESSORY)} is seen")


# --- adding ----------------------------------------------------------------------------------------------------------


def _additions(
    text: _Text,
    judged: Sequence[tuple[Phrase, Claim]],
    traits: Traits,
    vocabulary: Vocabulary,
    removed: set[int],
) -> list[CaptionChange]:
    """Accessories that are clearly seen and not claimed, where the originals' captions name them."""
    claimed = {c.slot.removeprefix(ACCESSORY) for _, c in judged if c.slot.startswith(ACCESSORY)}
    gone = {c.slot.removeprefix(ACCESSORY) for _, c in judged if c.verdict == "contradicted"}
    standing = claimed - gone  # what a caption may rightly call by a nearer or wider name
    changes = []
    for term in reversed(clearly_worn(traits, vocabulary)):
        if term in claimed or any(term in other or other in term for other in standing):
            continue
        at = _place(text, judged, vocabulary, ACCESSORY + term, removed)
        wording = vocabulary.wording(term)
        if at is None:
            kept = [i for i in range(len(text.parts)) if i not in removed]
            where = text.parts[kept[-1]][1] if kept else len(text.caption)
            new = f", {wording}" if kept else wording
        else:
            where, new = text.parts[at][0], f"{wording}, "
        changes.append(CaptionChange(ACCESSORY + term, (where, where), "", new, f"the picture shows {wording}"))
    return changes


def _place(
    text: _Text, judged: Sequence[tuple[Phrase, Claim]], vocabulary: Vocabulary, slot: str, removed: set[int]
) -> int | None:
    """The part to stand before: the first that speaks of what the originals name later, else their common end."""
    free = [i for i in range(text.fixed, len(text.parts)) if i not in removed]
    for i in free:
        start, end = text.parts[i]
        slots = [phrase.slot for phrase, _ in judged if start <= phrase.span[0] < end]
        if slots and min(vocabulary.places.get(other, 1.0) for other in slots) > vocabulary.places[slot]:
            return i
    return next((i for i in free if text.caption[slice(*text.parts[i])] in vocabulary.tail), None)


__all__ = ["apply_changes", "correct"]
