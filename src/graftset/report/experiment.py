"""The page of one experiment, from comparisons and the decision alone: no files, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from graftset.compare.records import ArmOutcome, ChangedPrompt, Comparison
from graftset.decide import NOT_YET, SCENARIOS, Decision, Metric, Quantity, Row, written
from graftset.decide.success import METRICS
from graftset.report.experiment_charts import timelines
from graftset.report.experiment_forest import forests
from graftset.report.experiment_page import (
    ArmView,
    ExperimentPage,
    GalleryView,
    MatrixRow,
    MetricCell,
    MetricRow,
    NextTry,
    PairView,
)
from graftset.report.experiment_tables import statistics_tables, value
from graftset.report.experiment_words import TONES, headline, lede, told
from graftset.report.page import Meaning, Part, Tile
from graftset.report.pictures import PngAlbum
from graftset.report.wording import counted, sentence_case, shortened
from graftset.scorecards import BY_NAME, Course

Draw = Callable[[str, str], Tile]  # path of a picture and its alt text -> a tile of it

MAX_PAIRS = 8  # prompts of a gallery
MAX_SEEN = 2  # pairs of pictures of one prompt
MAX_INPUTS = 60
_READ = ("original_accuracy", "background_obeyed", "variation_accuracy", "quality_preservation", "variety")


def experiment_page(
    comparisons: Sequence[Comparison],
    decision: Decision,
    *,
    name: str,
    courses: Mapping[str, Sequence[Course]],
    native_png: Callable[[str], bytes | None],
    project: str,
    version: str,
    run_pages: Mapping[str, str] | None = None,
    next_tries: Sequence[NextTry] = (),
    notes: Sequence[str] = (),
) -> ExperimentPage:
    """Word and lay out everything the page shows.

    Args:
        comparisons: Of every arm against one baseline, at least one.
        decision: What was decided on them.
        name: Of the experiment.
        courses: Arm -> the course of each of its runs, for the timelines.
        native_png: Gives the native PNG of a picture by its path relative to runs/, or None.
        project: Name of the project.
        version: Version of graftset.
        run_pages: Run -> where its page lies beside this one.
        next_tries: What to try next, the first first.
        notes: Further sentences worth knowing.
    """
    every = tuple(comparisons)
    baseline = every[0].baseline
    album = PngAlbum()

    def picture(path: str, alt: str) -> Tile:
        return album.tile(path, lambda: native_png(path), alt)

    pages = run_pages or {}
    galleries = tuple(g for number, one in enumerate(every, start=1) if (g := _gallery(number, one, picture)).pairs)
    seeds = sorted({len(one.arm.seeds) for one in every} | {len(baseline.seeds)})
    wanted = {
        "original_accuracy": decision.thresholds.original_accuracy,
        "quality_preservation": decision.thresholds.quality,
    }
    arms = {one.arm: one for one in decision.arms}
    judged = [arms[one.arm.name] for one in every if one.arm.name in arms]
    inputs = sorted(decision.inputs.items())
    return ExperimentPage(
        project=project,
        version=version,
        experiment=name,
        made_at=max(one.at for one in every),
        directional=decision.directional,
        state=f"{counted(len(every) + 1, 'arm')}, {' to '.join(map(str, seeds))} seeds each",
        verdict=headline(decision, every),
        lede=lede(decision, every),
        decided=_decided(decision),
        notes=(*notes, *(sentence_case(note) for note in decision.notes)),
        facts=_facts(baseline, every),
        arms=(
            ArmView(baseline.name, "The originals alone: what everything else is held against.", "open",
                    _trained_on(baseline), _runs(baseline, pages)),
            *(_arm(one, pages) for one in every),
        ),
        forests=forests(every),
        charts=tuple(timelines(courses, baseline.name, wanted)),
        matrix=tuple(_matrix_row(row, decision) for row in decision.rows),
        metric_arms=tuple(one.arm for one in judged),
        metrics=tuple(_metric_row(metric, [one.metric(metric) for one in judged]) for metric in METRICS if judged),
        galleries=galleries,
        next_tries=tuple(next_tries),
        method=_method(every),
        tables=statistics_tables(every),
        meanings=tuple(
            Meaning(BY_NAME[m].title, f"{sentence_case(BY_NAME[m].meaning)}.", BY_NAME[m].unit, "") for m in _READ
        ),
        inputs=tuple((place, sha256[:16]) for place, sha256 in inputs[:MAX_INPUTS]),
        inputs_more=max(len(inputs) - MAX_INPUTS, 0),
        pictures=album.pictures,
    )  # fmt: skip


def _decided(decision: Decision) -> str:
    number = f"Decision {decision.number}" if decision.number else "Decision"
    if decision.override is None:
        word = "" if decision.verdict == "adopt" else f", {decision.verdict}"
        return f"{number}: “{decision.scenario}”{word}, by the rules of [decide] in graftset.toml."
    said = decision.override
    return (
        f"{number}: “{decision.scenario}”, {decision.verdict}, by {said.by}: {said.reason} The rules say "
        f"“{said.before}” of “{said.scenario}”."
    )


def _facts(baseline: ArmOutcome, comparisons: Sequence[Comparison]) -> tuple[Part, ...]:
    prompts = max((one.prompts for c in comparisons for one in c.primary), default=0)
    facts = [
        ("Originals", f"{baseline.originals:,}"),
        ("Steps", f"{baseline.steps:,}"),
        ("Seeds", f"{len(baseline.seeds)}"),
        ("Prompts compared", f"up to {prompts:,}"),
        ("Evaluator", comparisons[0].evaluator),
    ]
    return tuple(Part(name, value, 0.0) for name, value in facts)


def _arm(one: Comparison, pages: Mapping[str, str]) -> ArmView:
    said, tone = told(one)
    return ArmView(one.arm.name, f"{sentence_case(said)}.", tone, _trained_on(one.arm), _runs(one.arm, pages))


def _trained_on(arm: ArmOutcome) -> str:
    text = f"{counted(arm.originals, 'original')}"
    if arm.generated:
        text += f" and {arm.generated:,} generated"
    text += f", plan {arm.plan}"
    return text if arm.exposures is None else f"{text}, each original shown {arm.exposures:.0f} times"


def _runs(arm: ArmOutcome, pages: Mapping[str, str]) -> tuple[tuple[str, str | None], ...]:
    return tuple((run, pages.get(run)) for run in arm.runs)


def _matrix_row(row: Row, decision: Decision) -> MatrixRow:
    return MatrixRow(
        title=sentence_case(row.scenario),
        meaning=sentence_case(SCENARIOS[row.scenario]) + ".",
        arm=row.arm or "",
        risk=_change(row.risk, row.scenario),
        reward=_change(row.reward, row.scenario),
        evidence=tuple(sentence_case(one) + "." for one in row.evidence),
        verdict=row.verdict,
        tone=TONES[row.verdict],
        missing=tuple(sentence_case(one) + "." for one in row.missing),
        chosen=row.scenario == decision.scenario,
    )


def _change(found: Quantity | None, scenario: str) -> str:
    if found is None:
        return "not measured"
    return "none: nothing changes" if scenario == NOT_YET else written(found)


def _metric_row(name: str, metrics: Sequence[Metric]) -> MetricRow:
    cells = tuple(MetricCell(metric.state, TONES[metric.state], sentence_case(metric.why) + ".") for metric in metrics)
    return MetricRow(sentence_case(name), metrics[0].wanted, cells)


def _gallery(number: int, comparison: Comparison, picture: Draw) -> GalleryView:
    pairs = tuple(_pair(changed, comparison, picture) for changed in comparison.changed[:MAX_PAIRS] if changed.pictures)
    return GalleryView(f"changed-{number}", comparison.arm.name, pairs)


def _pair(changed: ChangedPrompt, comparison: Comparison, picture: Draw) -> PairView:
    """A prompt as both arms painted it."""
    measure = BY_NAME[changed.measure]
    higher = measure.better != "lower"
    better = None if changed.arm == changed.baseline else (changed.arm > changed.baseline) == higher
    names = comparison.baseline.name, comparison.arm.name
    tiles = tuple((picture(one, names[0]), picture(other, names[1])) for one, other in changed.pictures[:MAX_SEEN])
    return PairView(
        shortened(changed.text), measure.title, value(changed.baseline, changed.measure),
        value(changed.arm, changed.measure), better, tiles,
    )  # fmt: skip


def _method(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    first = comparisons[0]
    levels = sorted({f"{100 * one.level:.3g} %" for c in comparisons for one in c.primary})
    return (
        "A difference is arm minus baseline, paired by training seed, prompt and the noise a picture is painted from.",
        "Intervals are at each end the wider of a t interval on the seeds' means and a bootstrap over seeds and "
        "prompts; a bootstrap over prompts alone covers 80 to 92 % of truths at a nominal 95 %.",
        f"Levels are Holm-adjusted over the primary endpoints, which were named before training: {', '.join(levels)}.",
        "HELPED: the interval lies above 0. HURT: below 0. NON-INFERIOR: above minus the margin. EQUIVALENT: within "
        "the margin on both sides. INCONCLUSIVE: none of these.",
        "Original accuracy is compared at equal exposures of the originals, everything else at equal optimizer steps.",
        "Fewer than 5 training seeds are directional only: nothing is adopted or rejected on them.",
        f"Evaluator {first.evaluator}; runs of other evaluators, prompts or budgets are refused.",
        "A share changes by 100 points at most: intervals that reach further are cut there in words, not in verdicts.",
        "Timelines are means over seeds with 95 % t intervals; the line charts carry no verdict.",
    )
