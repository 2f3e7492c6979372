"""The gates a candidate passes on its own merits, in a fixed order, each with the sentence it drops one with.

The words of a reason before its first colon are its category: they name the gate, and counts go by them.
One more gate is one function and one line in `GATES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from graftset.quality import weakest
from graftset.records import Claim, ImageView
from graftset.selection.policy import Policy


@dataclass(frozen=True, slots=True)
class Pool:
    """What a gate may look at beyond the candidate itself."""

    policy: Policy
    scores: Mapping[str, float]  # by path, of every candidate that has one
    first_paths: Mapping[str, str]  # sha256 -> the path that stands for all files of the same bytes


def pool_of(candidates: Iterable[ImageView], policy: Policy) -> Pool:
    """Gather what the gates need to know of all candidates together."""
    views = sorted(candidates, key=lambda view: view.path)
    first_paths: dict[str, str] = {}
    for view in views:
        if view.repeat_of is None:
            first_paths.setdefault(view.sha256, view.path)
    scores = {view.path: score for view in views if (score := score_of(view)) is not None}
    return Pool(policy, scores, first_paths)


def failed_gates(view: ImageView, pool: Pool) -> tuple[str, ...]:
    """The reasons of every gate that a candidate does not pass; empty for one that may be admitted."""
    reasons = (gate(view, pool) for gate in GATES.values())
    return tuple(reason for reason in reasons if reason is not None)


def category(reason: str) -> str:
    """The gate that a reason names."""
    return reason.split(":", 1)[0]


def contradicted_background(view: ImageView) -> Claim | None:
    """The claim of another background than the one that is seen, if the text it came with makes one."""
    for claim in view.claims:
        if claim.slot == "background" and claim.verdict == "contradicted":
            return claim
    return None


def contradicted_accessories(view: ImageView) -> list[str]:
    """What the text it came with says is worn and the picture does not show, as captions name it."""
    wrong = [claim for claim in view.claims if claim.verdict == "contradicted" and claim.slot.startswith("accessory:")]
    return list(dict.fromkeys(claim.slot.removeprefix("accessory:") for claim in wrong))


def score_of(view: ImageView) -> float | None:
    """The quality score, 0-10; None where there is none, or none that is a number."""
    return view.score if view.score is not None and math.isfinite(view.score) else None


def is_approved(view: ImageView) -> bool:
    """Whether a person's latest verdict is to keep it."""
    return view.review is not None and view.review.verdict == "approved"


def shown_name(path: str) -> str:
    """A file's name on one line: line breaks and other invisible characters are escaped."""
    name = PurePath(path).name
    return name if name.isprintable() else name.encode("unicode_escape", "backslashreplace").decode("ascii")


def shown_below(score: float, threshold: float) -> str:
    """A score under a threshold, with as many decimals as it takes to look so: 7.96 under 8.0 is not "8.0"."""
    for decimals in (1, 2, 3):
        text = f"{score:.{decimals}f}"
        if float(text) < threshold:
            return text
    return repr(score)


def shown_threshold(threshold: float) -> str:
    """A threshold as a person would write it: 8.0, 7.25."""
    return f"{threshold:.1f}" if threshold == round(threshold, 1) else f"{threshold:g}"


def unreadable(view: ImageView, pool: Pool) -> str | None:
    """Nothing was measured, so nothing can be promised."""
    missing = [name for name, value in (("score", score_of(view)), ("native grid", view.grid)) if value is None]
    if not missing:
        return None
    return f"unreadable: no {' and no '.join(missing)}; run `graftset assess`, then `graftset status` says why"


def generation(view: ImageView, pool: Pool) -> str | None:
    """Models tuned on their own output lose variety: one generation is the cap unless the user raises it."""
    if view.generation <= pool.policy.max_generation:
        return None
    return (
        f"generation: {view.generation} is over {pool.policy.max_generation}, its generator was tuned on or started "
        "from generated images; raise max_generation once a gate is passed with new human labels"
    )


def rejected(view: ImageView, pool: Pool) -> str | None:
    """A person said no; nothing overrides that."""
    if view.review is None or view.review.verdict != "rejected":
        return None
    return f"rejected: by {view.review.reviewer}" + (f" ({view.review.reason})" if view.review.reason else "")


def copy(view: ImageView, pool: Pool) -> str | None:
    """A copy of an original adds weight to it and no information."""
    if view.copy_of is None:
        return None
    return f"copy: the same picture as {shown_name(view.copy_of)} up to render noise"


def repeat(view: ImageView, pool: Pool) -> str | None:
    """Of several candidates that are one picture, or one file, one is enough."""
    if view.repeat_of is not None:
        higher = pool.scores.get(view.repeat_of, -math.inf) > pool.scores.get(view.path, math.inf)
        kept = "which scores higher" if higher else "which stands for both"
        return f"repeat: the same picture as {shown_name(view.repeat_of)}, {kept}"
    first = pool.first_paths[view.sha256]
    return None if first == view.path else f"repeat: the same file as {shown_name(first)}, which stands for both"


def quality(view: ImageView, pool: Pool) -> str | None:
    """The score meets its threshold here; a person's approval stands above it."""
    score, threshold = score_of(view), pool.policy.min_score
    if score is None or score >= threshold or is_approved(view):
        return None
    reason = f"quality: score {shown_below(score, threshold)} is under {shown_threshold(threshold)}"
    lacking = weakest(view.score_parts)
    return reason if lacking is None else f"{reason} (weakest part: {lacking[0]} {lacking[1]:.1f})"


def claim(view: ImageView, pool: Pool) -> str | None:
    """The background or what is worn is not what was asked for, and the policy does not want such candidates."""
    wrong = contradicted_background(view)
    if wrong is not None and pool.policy.wrong_background == "drop":
        return (
            f"claim: {wrong.claimed} background was asked for, {wrong.seen or 'another'} is seen; "
            "--wrong-background recaption admits it under a corrected caption"
        )
    missing = contradicted_accessories(view)
    if missing and pool.policy.wrong_accessory == "drop":
        return (
            f"claim: {', '.join(missing)} was asked for and is not seen; --wrong-accessory recaption admits it under "
            "a corrected caption"
        )
    return None


def caption(view: ImageView, pool: Pool) -> str | None:
    """Nothing trains without a caption, nor under one that is known to be wrong."""
    text = view.training_caption
    if text is None or not text.strip():
        return "caption: none came with it and none could be composed; write one in review"
    wrong = contradicted_background(view) if text == view.prompt else None
    if wrong is None and view.caption is None:  # what a person wrote or applied since was not judged
        wrong = next((c for c in view.claims if c.verdict == "contradicted" and not _is_corrected(c, view)), None)
    if wrong is None or is_approved(view):
        return None
    slot, _, worn = wrong.slot.partition(":")
    told = f"{worn}, none" if worn else f"{wrong.claimed} {slot}, {wrong.seen or 'another'}"
    return f"caption: says {told} is seen, and no correction was proposed; correct or approve it in review"


def _is_corrected(claim: Claim, view: ImageView) -> bool:
    """Whether the proposal changes the words that a claim was read from."""
    if claim.span is None:
        return any(change.slot == claim.slot for change in view.changes)
    begin, end = claim.span
    return any(change.span[0] < end and begin < change.span[1] for change in view.changes)


Gate = Callable[[ImageView, Pool], str | None]

GATES: dict[str, Gate] = {
    "unreadable": unreadable,
    "generation": generation,
    "rejected": rejected,
    "copy": copy,
    "repeat": repeat,
    "quality": quality,
    "claim": claim,
    "caption": caption,
}
