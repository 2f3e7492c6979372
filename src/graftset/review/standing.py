"""Where a review stands: each image of a plan's sample as a label, and what a build may say of all of them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from graftset.catalog.joining import by_a_person
from graftset.catalog.verdicts import by_image, concerns, resolve
from graftset.records import Drawn, ImageView, ReviewPlan, VerdictEntry
from graftset.review.plans import Label, Outcome, outcome


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


@dataclass(frozen=True, slots=True)
class Coverage:
    """How what is admitted now differs from what a plan sampled, by content."""

    came: frozenset[str]  # admitted since
    gone: frozenset[str]  # not admitted any more


def coverage(plan: ReviewPlan, views: Iterable[ImageView]) -> Coverage:
    """Compare the plan's set with what is admitted now."""
    admitted, members = {view.sha256 for view in views if view.selected}, set(plan.members)
    return Coverage(frozenset(admitted - members), frozenset(members - admitted))


def uncovered(cover: Coverage, rejected: Callable[[str], bool]) -> str:
    """Why the plan's bound does not hold for what is admitted now, as a sentence; empty where it does.

    Taking out what was rejected can only raise the share right; whatever else comes or goes may lower it.

    Args:
        cover: What came and went.
        rejected: Whether the picture of a content hash was rejected.
    """
    came, gone = len(cover.came), sum(not rejected(sha256) for sha256 in cover.gone)
    told = [f"{came} were admitted"] * bool(came) + [f"{gone} left out"] * bool(gone)
    if not told:
        return ""
    return f"since the plan was drawn {' and '.join(told)}: the bound does not cover the set as it is; draw a new plan"


def plan_notes(limit: str, changed: int, before: int) -> tuple[str, ...]:
    """What a person should know of a plan beside its outcome.

    Args:
        limit: What `uncovered` says.
        changed: Images of the sample whose verdicts concern another picture or caption than they have now.
        before: Earlier plans on the same pictures under which verdicts were given.
    """
    told = "an earlier plan" if before == 1 else f"{before} earlier plans"
    return (
        *([limit] if limit else []),
        *(
            [f"{changed} of the sample changed since they were reviewed and do not count: look again"]
            if changed
            else []
        ),
        *([f"{told} sampled this set: each new draw is another chance to pass by luck"] if before else []),
    )


def is_outdated(label: Label, plan: ReviewPlan, says: Iterable[VerdictEntry]) -> bool:
    """Whether an image was reviewed under the plan, but as another picture or caption than it has now."""
    return label == "pending" and any(e.plan == plan.number and e.verdict != "withdrawn" for e in says)


def earlier_draws(plans: Sequence[ReviewPlan], followed: Collection[int]) -> int:
    """How many plans before the open one sampled some of the same pictures, and had verdicts given under them."""
    members = set(plans[-1].members)
    return sum(plan.number in followed and not members.isdisjoint(plan.members) for plan in plans[:-1])


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
    if plans:
        plan = plans[-1]
        found, limit = _outcome(views, list(entries), plans)
        if found.reviewed:
            return ReviewState(
                plan=plan.kind,
                n=found.reviewed,
                wrong=found.wrong,
                bound=None if limit else found.lower,
                sentence=f"{found.sentence}; {limit}" if limit else found.sentence,
                notes=tuple(note for note in found.notes if note != limit),
            )
    if not decided:
        return None
    wrong = decided.count("rejected")
    sentence = (
        f"{len(decided)} of {sum(bool(view.selected) for view in views)} admitted looked at freely, {wrong} wrong: "
        "without a sampling plan this says nothing of the others"
    )
    return ReviewState(None, len(decided), wrong, None, sentence)


def _outcome(
    views: Sequence[ImageView], entries: Sequence[VerdictEntry], plans: Sequence[ReviewPlan]
) -> tuple[Outcome, str]:
    """Where the open plan stands, and why its bound does not hold for what is admitted now."""
    plan, says, by_path = plans[-1], by_image(entries), {view.path: view for view in views}
    spoken = [says.get(image.path, {}).values() for image in plan.drawn]
    labels = [
        label_of(plan, image, by_path.get(image.path), told) for image, told in zip(plan.drawn, spoken, strict=True)
    ]
    rejected = {view.sha256 for view in views if view.review is not None and view.review.verdict == "rejected"}
    limit = uncovered(coverage(plan, views), rejected.__contains__)
    changed = sum(is_outdated(label, plan, told) for label, told in zip(labels, spoken, strict=True))
    before = earlier_draws(plans, {entry.plan for entry in entries if entry.plan is not None})
    found = outcome(plan, labels)
    return replace(found, notes=(*found.notes, *plan_notes(limit, changed, before))), limit
