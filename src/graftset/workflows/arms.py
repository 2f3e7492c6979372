"""The arms of an experiment: their names, the builds they stand for, and why one cannot be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from graftset.build import MANIFEST, PLANS, BuildRecord, read_build
from graftset.build.plans import plan_named, plans_from_settings
from graftset.errors import EmptyInputError, UserError
from graftset.experiments import ArmLeftOut, ExperimentArm
from graftset.workflows import steps
from graftset.workflows.builds import differences
from graftset.workflows.prompting import project_prompts
from graftset.workflows.steps import Session

BASELINE = "originals"
SOME = 50  # the best so many of the admitted, in the standard arms
# measurement.md, section 6. PLAN:COUNT takes the first COUNT of the ranking of select.
ARM_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "default": (BASELINE, "corrected", "as-asked"),
        "standard": (BASELINE, f"equal:{SOME}", f"weighted:{SOME}", f"sequential:{SOME}", "equal"),
        "labels": (BASELINE, "relabeled", "mislabeled"),
        "controls": (BASELINE, f"corrected:{SOME}", f"as-asked:{SOME}", f"random:{SOME}"),
    }
)


@dataclass(frozen=True, slots=True)
class Arms:
    """The arms that can be had, the baseline first; those that cannot; and sentences on them."""

    arms: tuple[ExperimentArm, ...]
    left_out: tuple[ArmLeftOut, ...]
    notes: tuple[str, ...]
    unbuilt: tuple[str, ...] = ()  # that would be built, were it no dry run


def prepare_arms(session: Session, wanted: Sequence[str], *, budget: int | None = None, dry_run: bool = False) -> Arms:
    """Find the builds of arms, and make those that are missing.

    A build that is there is used as it is: what it holds is fixed by its hash. Where it is not what would be built now,
    that is said.

    Args:
        session: The open project.
        wanted: Plans, `PLAN:COUNT`, or names of builds; the first is the baseline.
        budget: Steps that builds are made for, where the trainer takes as many as its build says.
        dry_run: Build nothing.

    Raises:
        UserError: The baseline cannot be had, an arm is named that is neither plan nor build, or there is none to
            compare with the baseline.
    """
    arms: list[ExperimentArm] = []
    left_out: list[ArmLeftOut] = []
    notes: list[str] = []
    unbuilt: list[str] = []
    plans = {*PLANS, *plans_from_settings(session.project.settings.plans)}
    for text in dict.fromkeys(wanted):
        plan, count = _parsed(session, text)
        name = plan if count is None else f"{plan}-{count}"
        if budget is not None and not _takes(session.project.builds / name, budget) and plan in plans:
            name += f"-{budget}"
        folder = session.project.builds / name
        if any(arm.name == name for arm in arms) or name in unbuilt:
            continue
        if not (folder / MANIFEST).is_file():
            if dry_run:
                unbuilt.append(name)
                continue
            try:
                notes += _built(session, plan, name, count, budget)
            except EmptyInputError:
                raise
            except UserError as error:
                left_out.append(ArmLeftOut(name, str(error)))
                continue
        record = read_build(folder)
        arms.append(_arm(name, folder, record))
        notes += _outdated(session, name, record)
    _check(arms, left_out, wanted, unbuilt)
    return Arms(tuple(arms), tuple(left_out), (*notes, *_odd_pairs(session, arms)), tuple(unbuilt))


def _parsed(session: Session, text: str) -> tuple[str, int | None]:
    """A plan and how many candidates it takes; None for all. More than are admitted are all of them."""
    plan, _, digits = text.partition(":")
    known = (session.project.builds / text / MANIFEST).is_file()
    if not known:
        plan_named(plan, plans_from_settings(session.project.settings.plans))
    if not digits:
        return plan, None
    if not digits.isdecimal() or int(digits) < 1:
        raise UserError(
            "An arm is a plan, PLAN:COUNT or the name of a build", field="--arms", value=text, remedy="As in equal:50"
        )
    selection = session.catalog.selection()
    admitted = sum(choice.selected for choice in selection.choices) if selection else 0
    return plan, int(digits) if int(digits) < admitted else None


def _takes(folder: Path, steps: int) -> bool:
    """Whether there is a build that is trained for so many steps."""
    return (folder / MANIFEST).is_file() and read_build(folder).plan.steps == steps


def _built(session: Session, plan: str, name: str, count: int | None, budget: int | None) -> tuple[str, ...]:
    prompts = project_prompts(session.project, session.catalog.views())
    done = steps.build(session, plan, name=name, count=count, prompts=prompts, steps=budget)
    return done.warnings


def _arm(name: str, folder: Path, record: BuildRecord) -> ExperimentArm:
    generated = sum(image.origin == "generated" for image in record.images)
    return ExperimentArm(
        name, record.plan.name, folder.name, record.build_sha256, len(record.images) - generated, generated
    )


def _outdated(session: Session, name: str, record: BuildRecord) -> tuple[str, ...]:
    told = differences(session.project, record, session.catalog.views(), session.catalog.selection())
    if not told:
        return ()
    return (f"The build {name} is used as it is, and is not what would be built now ({told})",)


def _check(
    arms: Sequence[ExperimentArm], left_out: Sequence[ArmLeftOut], wanted: Sequence[str], unbuilt: Sequence[str]
) -> None:
    reasons = "; ".join(f"{one.name}: {one.reason}" for one in left_out)
    first = wanted[0].partition(":")[0]
    if not unbuilt and (not arms or not arms[0].name.startswith(first)):
        raise UserError(
            f"The baseline cannot be had ({reasons})",
            field="--arms",
            value=wanted[0],
            remedy="Mend that, or name another arm first",
        )
    if len(arms) + len(unbuilt) < 2:
        raise UserError(
            f"There is no arm to compare with the baseline{f' ({reasons})' if reasons else ''}",
            field="--arms",
            value=",".join(wanted),
            remedy="Name two arms at least, as in --arms originals,equal",
        )


_PAIRS = (("corrected", "as-asked"), ("relabeled", "mislabeled"))  # plans between which only words may differ


def _odd_pairs(session: Session, arms: Sequence[ExperimentArm]) -> tuple[str, ...]:
    """A sentence where two arms that should differ in words only hold different pictures."""
    notes = []
    by_name = {arm.name: arm for arm in arms}
    for name, arm in by_name.items():
        for right, wrong in _PAIRS:
            other = by_name.get(name.replace(right, wrong, 1))
            if arm.plan == right and other is not None and other.plan == wrong:
                records = [read_build(session.project.builds / one.build) for one in (arm, other)]
                held = [({image.source_sha256 for image in record.images}, record.colors) for record in records]
                if held[0] != held[1]:
                    notes.append(f"{name} and {other.name} differ in more than words: build both again with --force")
    return tuple(notes)
