"""Where a project stands: what each stage knows, what no longer holds, and what to run next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graftset.assess import outdated as assess_outdated
from graftset.caption import outdated as captions_outdated
from graftset.catalog import Catalog
from graftset.config import Project
from graftset.decide import Decision, latest
from graftset.errors import UserError
from graftset.phrases import counted
from graftset.records import ImageView, Selection, Skip
from graftset.review.standing import ReviewState
from graftset.runs import Run, RunState, known_runs, run_state
from graftset.selection import outdated as selection_outdated
from graftset.selection import policy_from_settings
from graftset.selection.gates import category
from graftset.vocabulary import Named
from graftset.workflows.builds import KnownBuild, known_builds
from graftset.workflows.known_runs import Resuming
from graftset.workflows.steps import Session, review_state_of, unmeasurable
from graftset.workflows.words import named_words


@dataclass(frozen=True, slots=True)
class CaptionStanding:
    """Captions of the candidates, and the claims in them by verdict."""

    originals_without: int  # originals without a caption, which builds leave out
    proposed: int
    corrected: int
    composed: int
    applied: int
    claims: Mapping[str, int]
    outdated: int  # images of which the stage would say something else now


@dataclass(frozen=True, slots=True)
class SelectionStanding:
    """The newest selection."""

    at: str  # ISO 8601 UTC
    admitted: int
    dropped: Mapping[str, int]  # by the gate they failed, the commonest first
    outdated: tuple[str, ...]  # why it should be made again, as phrases


@dataclass(frozen=True, slots=True)
class RunStanding:
    """One training run."""

    name: str
    finished: bool
    checkpoints: int
    planned: int
    evaluated: int  # checkpoints with a scorecard
    state: RunState
    resume: str | None  # the command, without the project, that goes on with a run that was stopped


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to run now: a command without the project, and why."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a project stands."""

    originals: int
    candidates: int
    assessed: int  # images that were measured
    unassessed: int  # images that `assess` would take up
    unreadable: tuple[Skip, ...]  # images that were ingested and could not be measured
    captions: CaptionStanding
    selection: SelectionStanding | None
    review: ReviewState | None  # None: nobody looked at the admitted yet
    builds: tuple[KnownBuild, ...]
    runs: tuple[RunStanding, ...]
    decision: Decision | None  # the newest one
    skipped: tuple[Skip, ...]  # input files that were not ingested
    notes: tuple[str, ...]
    next_steps: tuple[NextStep, ...]


def standing(session: Session) -> Standing:
    """Ask every stage; nothing is opened but the catalog and the builds' manifests."""
    catalog, views = session.catalog, session.catalog.views()
    candidates = [view for view in views if view.origin == "generated"]
    selection = catalog.selection()
    builds, notes = known_builds(session.project, views, selection)
    runs, strange = known_runs(session.project.runs)
    resume = Resuming(session.project)
    decision, unread = newest_decision(session.project)
    named = named_words(session.project.settings.vocabulary)
    unassessed = assess_outdated(catalog, named)
    captions = _captions(views, candidates, named)
    chosen = None if selection is None else _selection(selection, candidates)
    return Standing(
        originals=len(views) - len(candidates),
        candidates=len(candidates),
        assessed=sum(1 for view in views if view.score is not None),
        unassessed=unassessed,
        unreadable=tuple(Skip(path, reason) for path, reason in unmeasurable(session, views).items()),
        captions=captions,
        selection=chosen,
        review=review_state_of(session, views),
        builds=tuple(builds),
        decision=decision,
        runs=tuple(_run(catalog, run, resume) for run in runs),
        skipped=tuple(Skip(path, reason) for path, (_, _, reason) in sorted(catalog.known_skips().items())),
        notes=(*notes, *strange, *unread),
        next_steps=tuple(_next_steps(session.project, len(views), unassessed, captions, selection, chosen, builds)),
    )


def newest_decision(project: Project) -> tuple[Decision | None, list[str]]:
    """The newest decision, None where there is none; and a note where it cannot be read."""
    try:
        return latest(project.decisions), []
    except UserError as error:
        return None, [str(error)]


def _run(catalog: Catalog, run: Run, resume: Resuming) -> RunStanding:
    name, state = run.record.name, run_state(run)
    return RunStanding(
        name,
        state == "finished",
        checkpoints=len(run.checkpoints()),
        planned=len(run.record.checkpoint_steps),
        evaluated=len(catalog.evaluated_inputs(name)),
        state=state,
        resume=resume.command(run, state),
    )


def _captions(views: Sequence[ImageView], candidates: Sequence[ImageView], named: Named) -> CaptionStanding:
    claims = Counter(claim.verdict for view in candidates for claim in view.claims)
    return CaptionStanding(
        originals_without=sum(1 for view in views if view.origin == "original" and not view.caption),
        proposed=sum(1 for view in candidates if view.proposed_caption is not None),
        corrected=sum(1 for view in candidates if view.changes),
        composed=sum(1 for view in candidates if view.composed),
        applied=sum(1 for view in candidates if view.caption is not None),
        claims={verdict: claims[verdict] for verdict in ("confirmed", "contradicted", "unverifiable")},
        outdated=captions_outdated(views, named),
    )


def _selection(selection: Selection, candidates: Sequence[ImageView]) -> SelectionStanding:
    dropped = Counter(
        category(reason) for choice in selection.choices if not choice.selected for reason in choice.reasons
    )
    return SelectionStanding(
        at=selection.at,
        admitted=sum(1 for choice in selection.choices if choice.selected),
        dropped=dict(dropped.most_common()),
        outdated=selection_outdated(selection, candidates),
    )


def _next_steps(
    project: Project,
    images: int,
    unassessed: int,
    captions: CaptionStanding,
    selection: Selection | None,
    chosen: SelectionStanding | None,
    builds: Sequence[KnownBuild],
) -> list[NextStep]:
    """The first stage that has something to do: what the later ones would say rests on it."""
    if not images:
        return [NextStep("ingest", "nothing was taken in yet")]
    if unassessed:
        return [NextStep("assess", f"{counted(unassessed, 'image')} new, changed, or beside others than before")]
    if captions.outdated:
        return [
            NextStep(
                "caption", f"the captions of {counted(captions.outdated, 'image')} were not judged as they are now"
            )
        ]
    if selection is None or chosen is None:
        return [NextStep("select", "no candidate is admitted before that")]
    if chosen.outdated:
        return [NextStep(_select_again(project, selection), f"{', '.join(chosen.outdated)}")]
    if not builds:
        return [NextStep("build --plan weighted", "there is no training set yet")]
    return [NextStep(_build_again(project, build), build.differences) for build in builds if build.differences]


def _select_again(project: Project, selection: Selection) -> str:
    """`select` with what the last selection was asked for beyond the settings."""
    usual, asked = policy_from_settings(project.settings.select), selection.policy
    words = ["select"]
    if asked.get("count") != usual.count:
        words += ["--all"] if asked.get("count") is None else ["--count", str(asked["count"])]
    for key in ("min_score", "wrong_background", "wrong_accessory", "seed"):
        if asked.get(key, getattr(usual, key)) != getattr(usual, key):
            words += [f"--{key.replace('_', '-')}", str(asked[key])]
    return shlex.join(words)


def _build_again(project: Project, build: KnownBuild) -> str:
    """`build` with the options that lead to the same folder."""
    settings, plan, size = project.settings.build, build.record.plan.name, build.record.size.width
    words = ["build", "--plan", plan]
    if settings.name.format(plan=plan, size=settings.size or "auto") != build.name:
        words += ["--name", build.name]
    if size != settings.size and not (settings.size == 0 and build.usual_size):
        words += ["--size", str(size)]
    if build.record.base != settings.base:
        words += ["--base", build.record.base]
    if build.record.budget not in (None, settings.budget):
        words += ["--steps", str(build.record.budget)]
    if build.count is not None:
        words += ["--count", str(build.count)]
    if build.record.plan.override:
        words += ["--override-real-mass", build.record.plan.override]
    if build.record.root is not None:
        words += ["--root", build.record.root]
    return shlex.join([*words, "--force"])
