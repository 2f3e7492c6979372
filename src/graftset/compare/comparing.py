"""Compare one arm with the baseline: endpoints, what runs have one figure of, traits, and the prompts that changed.

Nothing is averaged over that must not be: seeds that one arm lacks or did not finish are left out and named, and arms
whose pictures cannot be put side by side are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from graftset.compare.changed import changed_prompts
from graftset.compare.records import (
    LEAST_SEEDS,
    PRIMARY,
    Comparison,
    Difference,
    Endpoint,
    Needed,
)
from graftset.compare.seeds import outcome, over_seeds
from graftset.compare.tables import nearest_exposures, of_measure, pair
from graftset.compare.traits import trait_differences
from graftset.errors import UserError
from graftset.scorecards import BY_NAME, Course, Place, Scorecard, comparable
from graftset.statistics.paired import (
    ALPHA,
    Paired,
    Resamples,
    holm_levels,
    needed_prompts,
    needed_seeds,
    paired,
    to_settle,
    verdict,
)

MOST_PRIMARY = 3
PARTIAL_BATCHES = 0.1  # share by which the images seen in equal steps may differ
# Looked at beside the primary endpoints, at 95 % each: no verdict on them counts.
SECONDARY: tuple[Endpoint, ...] = (
    Endpoint("original accuracy at equal steps", "original_accuracy", "training", 0.05),
    Endpoint("background, candidates' wordings", "background_obeyed", "candidate", 0.05),
    Endpoint("background, generic wordings", "background_obeyed", "generic", 0.05),
    Endpoint("background, unseen combinations", "background_obeyed", "unseen", 0.05),
    Endpoint("every requested trait", "variation_accuracy", "obedience", 0.05),
    Endpoint("style consistency", "style_consistency", "all", 0.05),
    Endpoint("likeness (SSIM)", "overall_similarity", "training", 0.05, "exposures"),
    Endpoint("overall", "overall", "all", 0.05),
)


@dataclass(frozen=True, slots=True)
class ArmRuns:
    """One arm as it was trained.

    Attributes:
        courses: By training seed, of the runs that were evaluated.
        runs: Names of the runs, by training seed.
        settings: What besides the training set decides a run, for telling whether two arms differ in more than that.
        reviewed: The lower bound on the share of right images in its build; None: not reviewed.
    """

    name: str
    plan: str
    build: str
    build_sha256: str
    originals: int
    generated: int
    steps: int
    courses: Mapping[int, Course]
    runs: Mapping[int, str]
    settings: Mapping[str, object]
    reviewed: float | None = None


def compare(
    arm: ArmRuns,
    baseline: ArmRuns,
    *,
    primary: Sequence[Endpoint] = PRIMARY,
    experiment: str | None = None,
    planned: Sequence[int] = (),
    at: str = "",
) -> Comparison:
    """Compare an arm with the baseline.

    Args:
        arm: The arm.
        baseline: What it is held against.
        primary: At most three endpoints; their intervals share the 5 % of false verdicts (Holm).
        experiment: Its name.
        planned: The training seeds that were planned: those that are missing in both arms are named too.
        at: ISO 8601 UTC.

    Raises:
        UserError: The arms were not trained for equally many steps, fewer than two seeds of both are finished, or
            their pictures cannot be put side by side.
    """
    if len(primary) > MOST_PRIMARY:
        raise UserError(
            f"At most {MOST_PRIMARY} endpoints can be primary",
            field="primary",
            value=", ".join(one.name for one in primary),
            remedy="Name fewer",
        )
    if arm.steps != baseline.steps:
        raise UserError(
            f"The arms were not trained equally long: {arm.name} for {arm.steps} steps, {baseline.name} for "
            f"{baseline.steps}",
            field="steps",
            remedy="Train both with the same --steps",
        )
    seeds, notes, unfinished = _common_seeds(arm, baseline, planned)
    _check_comparable(arm, baseline, seeds)
    notes += _other_settings(arm, baseline)
    notes += [
        f"{run.name}, seed {s}: {told}" for run in (baseline, arm) for s in seeds for told in run.courses[s].left_out
    ]
    cards = {run.name: [run.courses[seed].cards[-1] for seed in seeds] for run in (baseline, arm)}
    at_steps = list(zip(cards[baseline.name], cards[arm.name], strict=True))
    at_exposures, note = _at_exposures(baseline, seeds, cards[arm.name])
    pairs = {"steps": at_steps, "exposures": at_exposures}
    if note:
        notes.append(note)
    rng = np.random.default_rng(0)
    counted, told = _primary(primary, pairs, rng)
    notes += told
    named = {(one.endpoint.measure, one.endpoint.group, one.endpoint.align) for one in counted}
    others = [e for e in SECONDARY if (e.measure, e.group, e.align) not in named]
    secondary = [found for endpoint in others if (found := _look(endpoint, pairs, rng)) is not None]
    if len(seeds) < LEAST_SEEDS:
        notes.append(f"{len(seeds)} training seeds, where {LEAST_SEEDS} are needed: directional only")
    outcomes = tuple(outcome(run, seeds) for run in (baseline, arm))
    used = [card for two in (*at_steps, *at_exposures) for card in two]
    return Comparison(
        experiment=experiment,
        baseline=outcomes[0],
        arm=outcomes[1],
        primary=tuple(counted),
        secondary=tuple(_conclude(found, ALPHA) for found in secondary),
        **over_seeds(*outcomes),
        traits=trait_differences(at_steps, rng),
        changed=changed_prompts(at_steps),
        inputs={f"{card.run}/{card.place.checkpoint}": card.inputs_sha256 for card in used},
        evaluator=at_steps[0][1].evaluator,
        notes=tuple(notes),
        at=at,
        unfinished=tuple(unfinished),
    )


def _common_seeds(arm: ArmRuns, baseline: ArmRuns, planned: Sequence[int]) -> tuple[list[int], list[str], list[str]]:
    """The seeds that both arms have finished; sentences on the others; the runs that are unfinished."""
    wanted = sorted({*planned, *arm.runs, *baseline.runs})
    notes: list[str] = []
    unfinished: list[str] = []
    usable: list[int] = []
    for seed in wanted:
        why = []
        for one in (baseline, arm):
            if seed not in one.runs:
                why.append(f"{one.name} has no run")
            elif seed not in one.courses:
                why.append(f"{one.runs[seed]} is not evaluated")
            elif not one.courses[seed].finished:
                why.append(f"{one.runs[seed]} is not finished")
                unfinished.append(one.runs[seed])
        if why:
            notes.append(f"Seed {seed} is left out of both arms: {' and '.join(why)}")
        else:
            usable.append(seed)
    if len(usable) < 2:
        raise UserError(
            f"{arm.name} and {baseline.name} have {'one' if usable else 'no'} finished training seed in common, and "
            f"the spread between seeds decides{''.join(f'. {note}' for note in notes)}",
            field="seeds",
            remedy="Train and evaluate both with at least two seeds, five for a verdict that counts",
        )
    return usable, notes, unfinished


def _same_budget(first: Place, second: Place) -> bool:
    """Whether two runs end after equal training.

    The last batch of an epoch may be smaller than the others, and epochs differ in length: of equal steps the images
    seen may differ by so much.
    """
    seen = first.images_seen, second.images_seen
    if seen[0] is None or seen[1] is None or first.step is None:
        return seen[0] == seen[1]
    return first.step == second.step and abs(seen[0] - seen[1]) <= PARTIAL_BATCHES * max(seen[0], seen[1])


def _check_comparable(arm: ArmRuns, baseline: ArmRuns, seeds: Sequence[int]) -> None:
    first = baseline.courses[seeds[0]].cards[-1]
    for run in (baseline, arm):
        for seed in seeds:
            card = run.courses[seed].cards[-1]
            why = comparable(first, card)
            if why is None and not _same_budget(first.place, card.place):
                why = f"they have seen {first.place.images_seen} and {card.place.images_seen} images at their end"
            if why is not None:
                raise UserError(
                    f"{baseline.runs[seeds[0]]} and {run.runs[seed]} cannot be compared: {why}",
                    field="run",
                    value=run.runs[seed],
                    remedy="Train them with the same prompts and budget, and evaluate them with this version",
                )


def _other_settings(arm: ArmRuns, baseline: ArmRuns) -> list[str]:
    differ = sorted(
        key for key in {*arm.settings, *baseline.settings} if arm.settings.get(key) != baseline.settings.get(key)
    )
    if not differ:
        return []
    told = ", ".join(f"{key} ({baseline.settings.get(key)} and {arm.settings.get(key)})" for key in differ)
    return [f"The arms differ in more than their training set: {told}"]


def _at_exposures(
    baseline: ArmRuns, seeds: Sequence[int], last: Sequence[Scorecard]
) -> tuple[list[tuple[Scorecard, Scorecard]], str]:
    """For each seed the arm's end, beside the baseline's checkpoint of most nearly as many exposures of originals."""
    found: list[tuple[Scorecard, Scorecard]] = []
    for seed, card in zip(seeds, last, strict=True):
        exposures = card.place.exposures
        theirs = None if exposures is None else nearest_exposures(baseline.courses[seed], exposures)
        if theirs is None:
            return [], "How often each original was shown is not known, so nothing is compared at equal exposures"
        found.append((theirs, card))
    ours = float(np.mean([card.place.exposures for _, card in found]))
    others = float(np.mean([card.place.exposures for card, _ in found]))
    steps = sorted({card.place.step for card, _ in found if card.place.step is not None})
    where = f"at step {' and '.join(map(str, steps))}" if steps else ""
    return found, (
        f"At equal exposures the arm's end ({ours:.1f} showings of each original) is held against the baseline {where} "
        f"({others:.1f}), the nearest of its checkpoints"
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    endpoint: Endpoint
    baseline: float
    arm: float
    paired: Paired


Pairs = Mapping[str, Sequence[tuple[Scorecard, Scorecard]]]


def _look(endpoint: Endpoint, pairs: Pairs, rng: np.random.Generator) -> _Looked | None:
    """One endpoint; None where no prompt has a value in both arms for each seed."""
    cards = pairs[endpoint.align]
    if endpoint.measure not in BY_NAME or not BY_NAME[endpoint.measure].of_picture:
        raise UserError(
            "This is no measure that single pictures have",
            field="measure",
            value=endpoint.measure,
            remedy="See docs/evaluation.md",
        )
    table = pair(cards, endpoint.group, of_measure(endpoint.measure))
    if not table.prompts:
        return None
    found = paired(table.differences, Resamples.draw(table.differences.shape, rng))
    return _Looked(endpoint, float(table.baseline.mean()), float(table.arm.mean()), found)


def _primary(primary: Sequence[Endpoint], pairs: Pairs, rng: np.random.Generator) -> tuple[list[Difference], list[str]]:
    looked: list[_Looked] = []
    notes: list[str] = []
    for endpoint in primary:
        wanted = endpoint
        if not pairs[endpoint.align]:
            wanted = replace(endpoint, align="steps")
        found = _look(wanted, pairs, rng)
        if found is None and wanted.group == "candidate":
            wanted = replace(wanted, group="obedience")
            found = _look(wanted, pairs, rng)
            if found is not None:
                notes.append(
                    f"{endpoint.name}: no prompt has a candidate's wording, so every wording that measures obedience "
                    "counts"
                )
        if found is None:
            notes.append(f"{endpoint.name} cannot be told: no prompt has {endpoint.measure} in both arms")
        else:
            looked.append(found)
    levels = holm_levels([one.paired.p for one in looked])
    return [_conclude(one, level) for one, level in zip(looked, levels, strict=True)], notes


def _conclude(one: _Looked, alpha: float) -> Difference:
    found, endpoint = one.paired, one.endpoint
    low, high, method = found.interval(alpha)
    reach = BY_NAME[endpoint.measure].reach
    low, high = max(low, -reach), min(high, reach)  # with two seeds the t interval goes beyond what can be
    said = verdict(low, high, endpoint.margin)
    needed = None
    if said == "INCONCLUSIVE":
        effect = to_settle(found.point, endpoint.margin)
        needed = Needed(
            needed_seeds(found.components, effect, found.prompts, alpha),
            needed_prompts(found.components, effect, found.seeds, alpha),
        )
    return Difference(
        endpoint=endpoint,
        seeds=found.seeds,
        prompts=found.prompts,
        baseline=one.baseline,
        arm=one.arm,
        point=found.point,
        low=low,
        high=high,
        level=1 - alpha,
        method=method,
        p=found.p,
        seed_sd=found.seed_sd,
        detectable=found.detectable(alpha),
        verdict=said,
        directional=found.seeds < LEAST_SEEDS,
        needed=needed,
    )
