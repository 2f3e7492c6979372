"""Which of the images a plan can be given, why the others are left out, and what each becomes in the build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graftset.build.folder import some_names
from graftset.build.package import CaptionSource, Member, file_name, one_line
from graftset.build.plans import MixingPlan, PlanSpec, choose, class_folders, mix
from graftset.build.plans.table import Captions
from graftset.errors import BuildError
from graftset.phrases import counted
from graftset.records import ImageView, Skip


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a plan wants of the images."""

    generated: bool  # any at all
    pool: bool = False  # those that were not admitted too
    captions: Captions = "corrected"
    only_asked: bool = False  # of the generated only those that came with a prompt


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a plan trains, and what is accepted of it."""

    epochs: int
    steps: int | None
    batch_size: int
    override: str = ""


@dataclass(frozen=True, slots=True)
class Supply:
    """What a plan can be given.

    Attributes:
        usable: Originals and admitted candidates that can be trained on.
        pool: Further candidates that could be; of those that could not nothing is told, they were not asked for.
        left_out: Images that would have been used, by file name, with the reason.
        faults: The same as sentences without their full stop, for those who want none left out.
        warnings: Sentences on what that does to the plan.
    """

    usable: tuple[ImageView, ...]
    pool: tuple[ImageView, ...]
    captions: Captions
    left_out: tuple[Skip, ...]
    faults: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]

    def refuse_left_out(self) -> None:
        """Make images that are left out an error.

        Raises:
            BuildError: There are some.
        """
        for field, fault in self.faults:
            raise BuildError(
                fault, field=field, remedy="Mend or remove them, or build without --strict to leave them out"
            )

    def member(self, view: ImageView, folder: str) -> Member:
        """An image as a part of the build."""
        text, source = caption_of(view, self.captions)
        return Member(view, one_line(text), source, folder)


def caption_of(view: ImageView, captions: Captions) -> tuple[str | None, CaptionSource]:
    """The caption an image is trained under, and where it is from."""
    if captions == "as-asked" and view.origin == "generated":
        return view.prompt, "prompt"
    return view.training_caption, "proposal" if view.caption is None else "caption"


def sort_out(
    images: Sequence[ImageView],
    pool: Sequence[ImageView],
    wishes: Wishes,
    *,
    unmeasurable: Mapping[str, str],
    max_generation: int | None,
) -> Supply:
    """Tell images that can be trained on from those that cannot.

    Raises:
        BuildError: No original is left.
    """
    wanted = [view for view in images if view.origin == "original" or wishes.generated]
    reasons = {
        view.path: _why_not(view, wishes, unmeasurable, max_generation)
        for view in (*wanted, *(pool if wishes.pool else ()))
    }
    usable = tuple(view for view in wanted if reasons[view.path] is None)
    out = [(view, reason) for view in wanted if (reason := reasons[view.path]) is not None]
    if not any(view.origin == "original" for view in usable):
        raise BuildError(
            "There is no original with a caption to train on",
            field="originals",
            remedy="Put a .txt file with a caption beside each original and ingest again",
        )
    if wishes.only_asked and wishes.generated and out and not any(v.origin == "generated" for v in usable):
        raise BuildError(
            f"None of the {sum(view.origin == 'generated' for view, _ in out)} admitted candidates came with a prompt",
            field="plan",
            remedy="Give their prompts with --prompts and ingest again; without them nothing was asked for",
        )
    kinds = {
        "could not be measured": "images",
        "without a caption": "caption",
        "came without a prompt": "prompt",
        "of too high a generation": "generation",
    }
    faults = []
    for kind, field in kinds.items():
        names = sorted(file_name(view) for view, (of_kind, _) in out if of_kind == kind)
        if names:
            faults.append((field, f"{counted(len(names), 'image')} {kind}: {some_names(names)}"))
    unasked = sum(view.origin == "generated" and not one_line(view.prompt) for view, _ in out if wishes.only_asked)
    return Supply(
        usable=usable,
        pool=tuple(view for view in pool if wishes.pool and reasons[view.path] is None),
        captions=wishes.captions,
        left_out=_skips((view, reason) for view, (_, reason) in out),
        faults=tuple(faults),
        warnings=(
            f"{unasked} admitted candidates came without a prompt and are not in this arm: compare as-asked with "
            "corrected, which leaves them out too, rather than with equal",
        )
        if unasked
        else (),
    )


def members_by_plan(
    name: str,
    spec: PlanSpec,
    supply: Supply,
    pool: Sequence[ImageView],
    budget: Budget,
    *,
    ranks: Mapping[str, int],
    count: int | None,
    seed: int,
) -> tuple[MixingPlan, list[Member]]:
    """Choose a plan's images and work it out for them."""
    chosen = choose(name, spec, supply.usable, pool, ranks=ranks, count=count, seed=seed)
    classes = chosen.classes()
    plan = mix(
        name,
        spec,
        classes,
        epochs=budget.epochs,
        batch_size=budget.batch_size,
        steps=budget.steps,
        override=budget.override,
        notes=chosen.notes,
    )
    folders = {
        (one.origin, one.uses): folder for one, folder in zip(classes, class_folders(spec, classes), strict=True)
    }
    return plan, [supply.member(one.view, folders[one.view.origin, one.uses]) for one in chosen.images]


def members_of_value(plan: MixingPlan, supply: Supply) -> tuple[MixingPlan, list[Member]]:
    """The images of a plan that was made beforehand, for exactly these.

    Raises:
        BuildError: There are more or fewer, or the plan tells images of one origin apart.
    """
    folders: dict[str, str] = {}
    for folder, subset in plan.folders().items():
        if subset.origin in folders:
            raise BuildError(
                f"The plan {plan.name} tells {subset.origin} images apart and does not say which is which",
                field="plan",
                value=plan.name,
                remedy="Give the plan by its name",
            )
        folders[subset.origin] = folder
    for origin in ("original", "generated"):
        there = sum(view.origin == origin for view in supply.usable)
        if plan.folders().get(folders.get(origin, ""), None) is None and not there:
            continue
        planned = sum(subset.images for subset in plan.folders().values() if subset.origin == origin)
        if planned != there:
            raise BuildError(
                f"The plan {plan.name} counts on {planned} {origin} images and {there} have a caption",
                field="plan",
                value=plan.name,
                remedy="Make the plan for the images that are there",
            )
    return plan, [supply.member(view, folders[view.origin]) for view in supply.usable]


def _why_not(
    view: ImageView, wishes: Wishes, unmeasurable: Mapping[str, str], max_generation: int | None
) -> tuple[str, str] | None:
    """Why an image cannot be trained on: the kind of reason, and the reason; None where it can."""
    if view.path in unmeasurable:
        return "could not be measured", unmeasurable[view.path]
    if wishes.only_asked and view.origin == "generated" and not one_line(view.prompt):
        wants = "trains under" if wishes.captions == "as-asked" else "asks for"
        return "came without a prompt", f"generated without a prompt, which this plan {wants}"
    if not one_line(caption_of(view, wishes.captions)[0]):
        return "without a caption", f"{view.origin} without a caption"
    if max_generation is None:
        return None
    too_high = "of too high a generation"
    if view.generation > max_generation:
        return (
            too_high,
            f"generation {view.generation}, [select] max_generation is {max_generation}",
        )
    approved = view.review is not None and view.review.verdict == "approved"
    # Painted by a model that was tuned on painted images: only what a person looked at stops the drift.
    if view.generation > 1 and not approved:
        return too_high, f"generation {view.generation} and approved by nobody"
    return None


def _skips(left_out: Iterable[tuple[ImageView, str]]) -> tuple[Skip, ...]:
    """Images left out, by file name, with the reason."""
    return tuple(Skip(name, reason) for name, reason in sorted((file_name(view), why) for view, why in left_out))
