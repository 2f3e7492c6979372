"""The contact sheet: every candidate as a card, grouped by what became of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from graftset.records import Choice, ImageView
from graftset.report.captions import CHANGED, caption_fate
from graftset.report.cards import CardMaker, status_of
from graftset.report.glossary import outcome_meaning
from graftset.report.page import Card, Group, Sheet, Status
from graftset.report.wording import count, finite, split_reason

MAX_CARDS = 240  # about 1.3 MB of page at 24 x 24 cells

Fate = tuple[Status, str]  # the verdict, and for a dropped candidate the category of its first reason
_ORDER: dict[Status, int] = {"admitted": 0, "dropped": 1, "pending": 2}


def fate_of(choice: Choice | None) -> Fate:
    """Say what became of a candidate; one with several reasons is counted under the first."""
    status = status_of(choice)
    if choice is None or status != "dropped":
        return status, ""
    return status, split_reason(choice.reasons[0])[0] if choice.reasons else "other"


def grouped(candidates: Sequence[ImageView], choices: Mapping[str, Choice]) -> dict[Fate, list[ImageView]]:
    """Group candidates by fate: admitted first, then reasons by how many they dropped, then the pending ones.

    Within a group the selection's rank comes first, then the score, best first, then the path.
    """
    groups: dict[Fate, list[ImageView]] = {}
    for image in candidates:
        groups.setdefault(fate_of(choices.get(image.path)), []).append(image)

    def order(fate: Fate) -> tuple[int, int, str]:
        return _ORDER[fate[0]], -len(groups[fate]), fate[1]

    def best_first(image: ImageView) -> tuple[float, float, str]:
        choice = choices.get(image.path)
        rank = choice.rank if choice is not None and choice.rank is not None else math.inf
        score = finite(image.score)
        return rank, math.inf if score is None else -score, image.path

    return {fate: sorted(groups[fate], key=best_first) for fate in sorted(groups, key=order)}


def contact_sheet(groups: Mapping[Fate, Sequence[ImageView]], maker: CardMaker) -> Sheet:
    """Make the cards of all groups, at most `MAX_CARDS` of them, shared out so that no group goes unseen."""
    limits = fair_shares([len(group) for group in groups.values()], MAX_CARDS)
    made = tuple(
        _group(fate, tuple(maker.card(image) for image in group[:limit]), len(group))
        for (fate, group), limit in zip(groups.items(), limits, strict=True)
    )
    total, shown = sum(group.total for group in made), sum(limits)
    left_out = (
        f"{count(shown)} of {count(total)} cards are shown, the best of every group, so that this page stays small "
        "enough to open on a phone. All figures count every candidate; graftset images --json lists them all."
    )
    return Sheet(
        groups=made,
        total=total,
        admitted=sum(group.total for group in made if group.status == "admitted"),
        dropped=sum(group.total for group in made if group.status == "dropped"),
        changed=sum(caption_fate(image) in CHANGED for group in groups.values() for image in group),
        left_out=left_out if shown < total else "",
    )


def fair_shares(sizes: Sequence[int], limit: int) -> list[int]:
    """Share out `limit` places: small groups are served whole, large ones divide what is left.

    >>> fair_shares([5, 100, 100], 45)
    [5, 20, 20]
    """
    shares = [0] * len(sizes)
    left = limit
    for position, index in enumerate(sorted(range(len(sizes)), key=lambda i: sizes[i])):
        shares[index] = min(sizes[index], left // (len(sizes) - position))
        left -= shares[index]
    return shares


def fate_title(fate: Fate) -> tuple[str, str]:
    """Return title and detail of a fate, for the funnel and the sheet alike."""
    status, category = fate
    if status == "admitted":
        return "Admitted", "They join the training set."
    if status == "pending":
        return "Not selected yet", "No selection has looked at them."
    return outcome_meaning(category)


def fate_anchor(fate: Fate) -> str:
    """Return the HTML id of a group: letters and hyphens only."""
    return "-".join(part.replace(" ", "-") for part in fate if part)


def _group(fate: Fate, cards: tuple[Card, ...], total: int) -> Group:
    title, detail = fate_title(fate)
    return Group(
        anchor=fate_anchor(fate),
        title=title,
        detail=detail,
        status=fate[0],
        total=total,
        cards=cards,
        has_changed=any(card.changed for card in cards),
    )
