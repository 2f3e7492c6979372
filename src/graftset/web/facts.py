"""What the filter and the sorting of the contact sheet know of one candidate, worked out once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from graftset.records import ImageView, TraitSeen
from graftset.tokens import token_count

Standing = Literal["pending", "approved", "rejected", "skipped"]

_VISIBLE = 0.1  # share of a background; a smaller color does not give it its name
_NOT_SEEN = frozenset({"absent", "unknown", ""})


@dataclass(frozen=True, slots=True)
class Facts:
    """One candidate in plain values; words are lower case. Texts that a filter searches are lower case too."""

    sha256: str
    name: str
    title: str  # the file's name as it is written
    caption: str
    score: float | None  # 0-10
    tokens: int | None  # CLIP content tokens of the caption it would train with; None without one
    distance: float | None  # OKLab, to the nearest original
    generation: int
    backgrounds: frozenset[str]  # the words of every color that is more than a trace, and of what the largest may be
    kind: str  # of the background
    figure: str
    hair: str
    accessories: frozenset[str]  # those that are seen
    selected: bool | None
    copy: bool
    repeat: bool
    changed: bool  # the caption is not the text the picture came with
    contradicted: bool
    composed: bool
    reason: str
    standing: Standing = "pending"
    reviewers: frozenset[str] = frozenset()
    conflict: bool = False
    planned: bool = False  # one of those the sampling plan drew


def facts_of(view: ImageView) -> Facts:
    """The facts of a candidate that nobody reviewed yet."""
    name = PurePath(view.path).name
    caption, background = view.training_caption, view.traits.background
    words: set[str] = set()
    if background is not None:
        words.add(background.value)
        for place, color in enumerate(background.colors):
            if place == 0 or color.share >= _VISIBLE:
                words.add(color.word)
        if background.kind == "solid" and background.colors:
            words.update(background.colors[0].words)
    return Facts(
        sha256=view.sha256,
        name=name.lower(),
        title=name,
        caption=(caption or "").lower(),
        score=view.score,
        tokens=None if caption is None else token_count(caption),
        distance=None if view.nearest_original is None else view.nearest_original.distance,
        generation=view.generation,
        backgrounds=frozenset(words),
        kind="" if background is None else background.kind,
        figure=_seen(view.traits.slots.get("figure")),
        hair=_seen(view.traits.slots.get("hair")),
        accessories=frozenset(term for term, seen in view.traits.accessories.items() if seen.value not in _NOT_SEEN),
        selected=view.selected,
        copy=view.copy_of is not None,
        repeat=view.repeat_of is not None,
        changed=caption is not None and caption != view.prompt,
        contradicted=any(claim.verdict == "contradicted" for claim in view.claims),
        composed=view.composed,
        reason=" ".join(view.reasons).lower(),
    )


def _seen(trait: TraitSeen | None) -> str:
    return "" if trait is None else trait.value.lower()
