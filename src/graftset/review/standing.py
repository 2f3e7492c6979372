"""Where a review stands: each image of a plan's sample as a label, and what a build may say of all of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from graftset.catalog.joining import by_a_person
from graftset.catalog.verdicts import by_image, concerns, resolve
from graftset.records import Drawn, ImageView, ReviewPlan, VerdictEntry
from graftset.review.plans import Label, Outcome, outcome

Says = Mapping[str, Mapping[str, VerdictEntry]]  # path -> reviewer -> their newest entry


@dataclass(frozen=True, slots=True)
class ReviewState:
    """What a build, a report and a decision say of a review.

    Attributes:
        plan: "fixed", "sequential"; None where people only browsed.
        n: Images that count: of the plan's sample, or decided while browsing.
        wrong: Wrong ones among them.
        bound: Lower bound on the share right of what is admitted now, 0-1; None where nothing may be said.
        sentence: The same for a person.
        notes: What else a person should know.
    """

    plan: str | None
    n: int
    wrong: int
    bound: float | None
    sentence: str
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """As JSON values, for a build's manifest."""
        return {
            "plan": self.plan,
            "n": self.n,
            "wrong": self.wrong,
            "bound": None if self.bound is None else round(self.bound, 6),
            "sentence": self.sentence,
        }


def label_of(plan: ReviewPlan, image: Drawn, view: ImageView | None, says: Iterable[VerdictEntry]) -> Label:
    """What a plan counts an image of its sample as.

    Args:
        plan: The plan.
        image: The image as it was drawn.
        view: The image as it is; None where its file is gone.
        says: The newest entry of each reviewer on it.
    """
    if view is None:
        return "skipped"  # it cannot be shown to be right any more
    found = resolve(
        entry for entry in says if entry.plan == plan.number and concerns(entry, view.sha256, view.training_caption)
    )
    if found is None:
        return "pending"
    if found.entry.verdict == "skipped":
        return "skipped"
    if found.conflict or found.entry.verdict == "rejected":
        return "wrong"
    # What a person mended since the draw was wrong when it was drawn, and its like among the undrawn still are.
    mended = view.training_caption != image.caption and by_a_person(view.caption_author)
    return "mended" if mended or view.sha256 != image.sha256 else "right"


def standing_of(
    plans: Sequence[ReviewPlan], views: Mapping[str, ImageView], says: Says, followed: Collection[int]
) -> Outcome | None:
    """Where the open plan stands, with notes on what limits it; None where there is no plan.

    Args:
        plans: Every plan, the oldest first; the last is open.
        views: Every image that is still there, by path.
        says: The newest entry of each reviewer on each image.
        followed: Numbers of the plans that verdicts were given under.
    """
    if not plans:
        return None
    plan = plans[-1]
    labels = [label_of(plan, image, views.get(image.path), says.get(image.path, {}).values()) for image in plan.drawn]
    found = outcome(plan, labels)
    return replace(found, notes=(*found.notes, *_notes(plans, views, says, followed)))


def _notes(
    plans: Sequence[ReviewPlan], views: Mapping[str, ImageView], says: Says, followed: Collection[int]
) -> Iterable[str]:
    plan = plans[-1]
    changed = uncovered(plan, views.values())
    if changed:
        yield changed
    stale = sum(
        any(entry.plan == plan.number for entry in says.get(image.path, {}).values())
        and label_of(plan, image, views.get(image.path), says.get(image.path, {}).values()) == "pending"
        and any(entry.verdict != "withdrawn" for entry in says.get(image.path, {}).values())
        for image in plan.drawn
    )
    if stale:
        yield f"{stale} of the sample changed since they were reviewed: their verdicts do not count, look again"
    members = set(plan.members)
    before = sum(other.number in followed and not members.isdisjoint(other.members) for other in plans[:-1])
    if before:
        told = "an earlier plan" if before == 1 else f"{before} earlier plans"
        yield f"{told} sampled this set: each new draw is another chance to pass by luck"


def uncovered(plan: ReviewPlan, views: Iterable[ImageView]) -> str:
    """How what is admitted now differs from what the plan sampled, as a sentence; empty where its bound still holds.

    Taking out what was rejected can only raise the share right; whatever else comes or goes may lower it.
    """
    admitted = {view.sha256 for view in views if view.selected}
    rejected = {view.sha256 for view in views if view.review is not None and view.review.verdict == "rejected"}
    came, left = len(admitted - set(plan.members)), len(set(plan.members) - admitted - rejected)
    told = [f"{came} were admitted"] * bool(came) + [f"{left} left out"] * bool(left)
    if not told:
        return ""
    return f"since the plan was drawn {' and '.join(told)}: the bound does not cover the set as it is; draw a new plan"


def review_state(
    views: Sequence[ImageView], entries: Iterable[VerdictEntry], plans: Sequence[ReviewPlan]
) -> ReviewState | None:
    """What a build says of the review; None where nobody gave a verdict that holds.

    Args:
        views: Every image that is still there, reviews filled in.
        entries: Every verdict, the oldest first.
        plans: Every plan, the oldest first.
    """
    decided = [
        view.review.verdict
        for view in views
        if view.selected and view.review is not None and view.review.verdict != "skipped"
    ]
    by_path = {view.path: view for view in views}
    every = list(entries)
    followed = {entry.plan for entry in every if entry.plan is not None}
    found = standing_of(plans, by_path, by_image(every), followed)
    if found is not None and found.reviewed:
        plan = plans[-1]
        limit = uncovered(plan, views)
        return ReviewState(
            plan=plan.kind,
            n=found.reviewed,
            wrong=found.wrong,
            bound=None if limit else found.lower,
            sentence=f"{found.sentence}; {limit}" if limit else found.sentence,
            notes=found.notes,
        )
    if not decided:
        return None
    wrong = decided.count("rejected")
    sentence = (
        f"{len(decided)} of {sum(bool(view.selected) for view in views)} admitted looked at freely, {wrong} wrong: "
        "without a sampling plan this says nothing of the others"
    )
    return ReviewState(None, len(decided), wrong, None, sentence)
