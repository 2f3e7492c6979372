"""The caption of one candidate in review: what came in, what is proposed, what it is now, a chip for each change."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from graftset.claims.rewriting import apply_changes
from graftset.errors import UserError
from graftset.records import CaptionChange, ImageView
from graftset.tokens import DEFAULT_LIMIT, Cut, cut

MOST_TRIED = 10  # changes whose every combination is tried: 1,024 captions


@dataclass(frozen=True, slots=True)
class Chip:
    """One change that is proposed, and whether the caption as it is now has it."""

    index: int  # in the proposal
    change: CaptionChange
    accepted: bool


@dataclass(frozen=True, slots=True)
class CaptionState:
    """The caption of one candidate.

    Attributes:
        text: What a build would train on now; None where there is nothing.
        prompt: The text it came with.
        proposed: The whole proposal.
        edited: A person wrote or chose `text`.
        author: Who did.
        chips: The proposal's changes.
        cut: `text` divided where CLIP's text encoder stops reading; its token count.
        limit: Content tokens that are read.
    """

    text: str | None
    prompt: str | None
    proposed: str | None
    edited: bool
    author: str | None
    chips: tuple[Chip, ...]
    cut: Cut
    limit: int


def caption_state(view: ImageView, limit: int = DEFAULT_LIMIT) -> CaptionState:
    """Everything about the caption of one image."""
    text = view.training_caption
    taken = accepted(view)
    return CaptionState(
        text=text,
        prompt=view.prompt,
        proposed=view.proposed_caption,
        edited=view.caption is not None and view.origin == "generated",
        author=view.caption_author,
        chips=tuple(Chip(i, change, i in taken) for i, change in enumerate(view.changes)),
        cut=cut(text or "", limit),
        limit=limit,
    )


def accepted(view: ImageView) -> frozenset[int]:
    """Which of the proposed changes the caption as it is now has made.

    Exact where the caption is the prompt with some of its changes. Where a person wrote more, a change counts as made
    where its new words stand in the caption.
    """
    text, changes = view.training_caption, view.changes
    if text is None or view.prompt is None or not changes:
        return frozenset()
    if text == view.proposed_caption:  # the usual case
        return frozenset(range(len(changes)))
    found = _subset(text, view.prompt, changes)
    return found if found is not None else frozenset(i for i, c in enumerate(changes) if c.new and c.new in text)


def toggled(view: ImageView, index: int, accept: bool) -> str:
    """The caption with one proposed change made, or taken back.

    Raises:
        UserError: There is no such change, or a person rewrote the words it concerns.
    """
    text, prompt, changes = view.training_caption, view.prompt, view.changes
    if text is None or prompt is None or not 0 <= index < len(changes):
        raise UserError(
            "There is no such change", field="change", value=index, remedy="Load the image again: its caption changed."
        )
    found = _subset(text, prompt, changes)
    if found is not None:
        wanted = found | {index} if accept else found - {index}
        return apply_changes(prompt, [change for i, change in enumerate(changes) if i in wanted])
    old, new = changes[index].old, changes[index].new
    before, after = (old, new) if accept else (new, old)
    if not before or text.count(before) != 1:
        raise UserError(
            "The caption was rewritten where this change belongs",
            field="change",
            value=new or old,
            remedy="Edit the caption, or revert it to the proposal first.",
        )
    return text.replace(before, after)


def _subset(text: str, prompt: str, changes: tuple[CaptionChange, ...]) -> frozenset[int] | None:
    """The changes that make `text` of `prompt`, the most of them first; None where none do."""
    if len(changes) > MOST_TRIED:
        return None
    places = range(len(changes))
    for count in range(len(changes), -1, -1):
        for chosen in combinations(places, count):
            if apply_changes(prompt, [changes[i] for i in chosen]) == text:
                return frozenset(chosen)
    return None
