"""Whether a selection still holds for what is known now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from graftset.errors import UserError
from graftset.phrases import counted, noun
from graftset.records import Choice, ImageView, Selection
from graftset.selection.gates import Pool, category, failed_gates, pool_of
from graftset.selection.policy import Floors, Policy


def outdated(selection: Selection, candidates: Sequence[ImageView]) -> tuple[str, ...]:
    """Why candidates should be selected again, as phrases; empty where the selection holds.

    Asked are the files, and the gates that a candidate passes by its measures, captions and reviews. Which of those
    that pass are picked is not worked out again.
    """
    policy = _policy_of(selection)
    if policy is None:
        return ("it follows a policy that this version does not know",)
    made = {choice.path: choice for choice in selection.choices}
    pool = pool_of(candidates, policy)
    found = Counter(_difference(made.get(view.path), view, pool) for view in candidates)
    found["are gone"] = len(made.keys() - {view.path for view in candidates})
    return tuple(
        f"{counted(found[what], 'candidate')} {noun(found[what], one, what)}"
        for what, one in _DIFFERENCES.items()
        if found[what]
    )


# As phrases for several candidates, and for one.
_DIFFERENCES = {
    "came since": "came since",
    "are other files now": "is another file now",
    "would be judged otherwise now": "would be judged otherwise now",
    "are gone": "is gone",
}


def _difference(choice: Choice | None, view: ImageView, pool: Pool) -> str | None:
    if choice is None:
        return "came since"
    if choice.sha256 != view.sha256:
        return "are other files now"
    failed_then = [] if choice.rank is not None else [category(reason) for reason in choice.reasons]
    failed_now = [category(reason) for reason in failed_gates(view, pool)]
    return None if failed_now == failed_then else "would be judged otherwise now"


def _policy_of(selection: Selection) -> Policy | None:
    """The policy a selection followed, as a value; None where another version wrote it otherwise."""
    stored: Mapping[str, Any] = selection.policy
    try:
        return Policy(**{**stored, "floors": Floors(**stored["floors"])})
    except (KeyError, TypeError, UserError):
        return None
