"""The page of one run, from its scorecards alone: no files, no clock, the same page for the same cards."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

from graftset.report.page import Meaning, Part, SkippedFile
from graftset.report.plots import Value, line_chart, written
from graftset.report.run_page import ChartView, CriterionView, FigureRow, RunPage, State, WindowView
from graftset.report.run_sheet import PaintedAlbum, contact_sheets
from graftset.report.wording import counted, listed, sentence_case
from graftset.scorecards import (
    BY_NAME,
    MEASURES,
    Course,
    Criterion,
    EvaluationMeasure,
    Figure,
    Scorecard,
    Series,
)

MAX_SKIPS = 100
GROUPS: Mapping[str, tuple[str, str]] = {
    "training": ("Training captions", "Captions the model was trained on: what it remembers."),
    "held_out": ("Held-out captions", "Captions of originals that were kept from training."),
    "candidate": ("Candidates' wordings", "What the generated candidates were asked for: how it obeys."),
    "generic": ("Generic wordings", "Plain wordings of traits: how it obeys words it saw in other company."),
    "unseen": ("Unseen combinations", "Traits that no caption has together: how it obeys something new."),
    "obedience": ("Obedience", "Candidates' and generic wordings and unseen combinations together."),
    "all": ("All prompts", "Every prompt together."),
}
# What is drawn: title, measure, the groups that get a line each, and how values are written.
CHARTS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("original_accuracy", ("training", "held_out"), "percent"),
    ("variation_accuracy", ("candidate", "generic", "unseen"), "percent"),
    ("background_obeyed", ("candidate", "generic", "unseen"), "percent"),
    ("overall_similarity", ("training", "held_out"), "share"),
    ("quality_preservation", ("all",), "number"),
    ("style_consistency", ("all",), "percent"),
    ("variety", ("training", "obedience"), "share"),
    ("copy_rate", ("training", "obedience"), "percent"),
)


def run_page(
    course: Course,
    *,
    facts: Sequence[tuple[str, str]],
    native_png: Callable[[str, str], bytes | None],
    reference_png: Callable[[str], bytes | None],
    project: str,
    version: str,
    live: bool,
    notes: Sequence[str] = (),
) -> RunPage:
    """Word and lay out everything the page shows.

    Args:
        course: The run's cards in a row.
        facts: Name and value of what was trained and how.
        native_png: Gives the native PNG of a painted picture by checkpoint and content hash, or None.
        reference_png: Gives the native PNG of an original by content hash, or None.
        project: Name of the project.
        version: Version of graftset.
        live: Whether the run goes on.
        notes: Further sentences worth knowing.
    """
    newest = course.cards[-1]
    album = PaintedAlbum(native_png, reference_png)
    sheets = contact_sheets(course.cards, album, GROUPS)
    shown = _best_card(course) or newest
    groups = tuple(g for g in GROUPS if any(f.group == g for f in shown.figures))
    skips = [skip for card in course.cards for skip in card.skipped]
    planned = max([len(course.cards), *(card.place.planned or 0 for card in course.cards)])
    return RunPage(
        project=project,
        version=version,
        run=course.run,
        made_at=max(card.at for card in course.cards),
        live=live,
        state=f"{len(course.cards)} of {counted(planned, 'checkpoint')}" + (", training goes on" if live else ""),
        verdict=_verdict(course),
        lede=_lede(course),
        facts=tuple(Part(name, value, 0.0) for name, value in facts),
        notes=(*notes, *(sentence_case(note) for note in course.left_out), *newest.notes),
        criteria=tuple(_criterion(one) for one in course.criteria),
        windows=tuple(_window(course)),
        best=_best(course),
        charts=tuple(_charts(course, planned)),
        groups=tuple(GROUPS[g][0] for g in groups),
        figures_of=_called(course, shown.place.checkpoint),
        figures=tuple(_figure_rows(shown, groups)),
        distances=tuple(_distances(shown)),
        style=_style(newest),
        sheets=sheets,
        checkpoints=tuple(_short(card) for card in course.cards),
        meanings=tuple(_meanings()),
        evaluator=f"evaluator {newest.evaluator}, prompt set {newest.prompts_sha256[:12]}",
        skipped=tuple(SkippedFile(PurePath(skip.path).name, skip.reason) for skip in skips[:MAX_SKIPS]),
        skipped_more=max(len(skips) - MAX_SKIPS, 0),
        pictures=album.pictures,
    )


def _best_card(course: Course) -> Scorecard | None:
    return None if course.best is None else course.cards[course.best.at]


def _verdict(course: Course) -> str:
    """The whole result in one sentence."""
    judged = [one for one in course.criteria if one.met is not None]
    if not judged:
        return f"{sentence_case(counted(len(course.cards), 'checkpoint'))} looked at; nothing can be judged yet."
    missed = [_name(one.measure) for one in judged if not one.met]
    at = f"by {_called(course, judged[0].checkpoint)}"
    if not missed:
        every = len(judged) == len(course.criteria)
        return f"All goals are met {at}." if every else f"The goals that can be judged are met {at}."
    met = len(judged) - len(missed)
    return f"{listed(missed).capitalize()} {'falls' if len(missed) == 1 else 'fall'} short {at}" + (
        f", {met} of {len(judged)} goals met." if met else "."
    )


def _lede(course: Course) -> str:
    sentences = []
    for series in course.series:
        if series.measure == "overall" and series.convergence is not None:
            sentences.append(
                f"Overall it has {series.convergence.sentence}."
                if series.convergence.at is not None
                else f"Overall: {series.convergence.sentence}."
            )
            if series.oscillates:
                sentences.append("It swings more from checkpoint to checkpoint than sampling noise explains.")
    newest = course.cards[-1]
    sentences.append(
        f"Every checkpoint paints {counted(len(newest.prompts), 'prompt')}, "
        f"{counted(len(newest.pictures), 'picture')} in all, from the same noise."
    )
    if newest.holdout_clean is False and any(prompt.group == "held_out" for prompt in newest.prompts):
        sentences.append(
            "Generated pictures were trained on, and what painted them may have seen the held-out originals: no claim "
            "rests on those."
        )
    return " ".join(sentences)


def _name(measure: str) -> str:
    return BY_NAME[measure].title.lower()


def _text(measure: str) -> str:
    described = BY_NAME[measure]
    if described.unit in ("share", "probability", "share of cells", "mean of shares"):
        return "percent"
    return "number" if described.unit == "0-10" else "share"


def _criterion(one: Criterion) -> CriterionView:
    text = _text(one.measure)
    if one.point is None:
        found = one.why_not
    else:
        bound = "" if one.bound is None else f", at least {written(one.bound, text)} with 95 % confidence"
        found = f"{written(one.point, text)}{bound}" + (f"; {one.why_not}" if one.why_not else "")
    state: State = "open" if one.met is None else "met" if one.certain else "likely" if one.met else "missed"
    verdict = {"met": "met", "likely": "met, not yet certain", "missed": "missed", "open": "cannot be judged"}[state]
    return CriterionView(BY_NAME[one.measure].title, written(one.wanted, text), sentence_case(found), state, verdict)


def _window(course: Course) -> list[WindowView]:
    views = []
    for window in course.windows:
        first, last = window.first, window.last
        span = f"checkpoint {first}" if first == last else f"checkpoints {first} to {last}"
        value = "nothing yet" if window.point is None else written(window.point, _text(window.measure))
        views.append(WindowView(BY_NAME[window.measure].title, sentence_case(span), value))
    return views


def _best(course: Course) -> str:
    best = course.best
    if best is None:
        return "Too few prompts to choose a best checkpoint on one half of them and report it on the other."
    found, name = best.reported, _called(course, course.best_checkpoint)
    return (
        f"{sentence_case(name)} is best overall: {written(found.point, 'percent')} "
        f"({written(found.low, 'percent')} to {written(found.high, 'percent')}) on {counted(found.n, 'prompt')} that "
        f"had no say in choosing it, {written(best.chosen_on, 'percent')} on those that chose it."
    )


def _charts(course: Course, planned: int) -> list[ChartView]:
    wanted = {one.measure: one for one in course.criteria}
    windows = {window.measure: (window.first, window.last) for window in course.windows}
    series = {(s.measure, s.group): s for s in course.series}
    charts = []
    for measure, groups, text in CHARTS:
        lines = []
        for group in groups:
            values = [
                Value(card.place.number, figure.point, figure.low, figure.high)
                for card in course.cards
                if (figure := card.figure(measure, group)) is not None
            ]
            if values:
                lines.append((GROUPS[group][0], values))
        if not lines:
            continue
        described = BY_NAME[measure]
        highest = max(v.point for _, vs in lines for v in vs)
        top = described.high if described.high is not None else max(1.0, math.ceil(2 * highest) / 2)
        criterion = wanted.get(measure)
        by = next((c.place.number for c in course.cards if criterion and c.place.checkpoint == criterion.checkpoint), 0)
        chart = line_chart(
            lines,
            low=max(0.0, described.low or 0.0),
            high=float(top),
            count=planned,
            text=text,
            wanted=criterion.wanted if criterion else None,
            wanted_at=by,
            window=windows.get(measure),
        )
        followed = next((series[measure, g] for g in (*groups, "obedience") if (measure, g) in series), None)
        charts.append(
            ChartView(
                title=described.title,
                meaning=f"{sentence_case(described.meaning)}.",
                chart=chart,
                heads=("Checkpoint", *(name for name, _ in lines)),
                rows=tuple(_table_row(card, measure, groups, text) for card in course.cards),
                settled="" if followed is None else _settled(followed),
            )
        )
    return charts


def _table_row(card: Scorecard, measure: str, groups: Sequence[str], text: str) -> tuple[str, ...]:
    figures = [card.figure(measure, group) for group in groups]
    return (_short(card), *(_cell(figure, text) for figure in figures if figure is not None))


def _settled(series: Series) -> str:
    found = series.convergence
    if found is None:
        return ""
    sentence = sentence_case(found.sentence)
    if series.stability is not None:
        swing = "swings more than sampling noise" if series.oscillates else "steady"
        sentence += f"; {swing} ({series.stability:.1f} times the noise)"
    return f"{sentence}."


def _cell(figure: Figure | None, text: str) -> str:
    if figure is None:
        return ""
    point = written(figure.point, text)
    if figure.low is None or figure.high is None:
        return point
    low, high = (written(value, text).removesuffix(" %") for value in (figure.low, figure.high))
    return f"{point} ({low}–{high})"


def _figure_rows(card: Scorecard, groups: Sequence[str]) -> list[FigureRow]:
    rows = []
    for measure in MEASURES:
        figures = [card.figure(measure.name, group) for group in groups]
        if any(figures):
            cells = tuple(_cell(figure, _text(measure.name)) for figure in figures)
            rows.append(FigureRow(measure.title, measure.unit, _better(measure), cells))
    return rows


def _distances(card: Scorecard) -> list[str]:
    sentences = []
    for one in card.distances:
        told = "cannot be told from" if one.p > 0.05 else "differ from"
        sentences.append(
            f"{GROUPS[one.group][0]}: {counted(one.pictures, 'picture')} {told} {counted(one.originals, 'original')} "
            f"(squared MMD {one.value:.4f}, permutation p {one.p:.3f})."
        )
    return sentences


def _style(card: Scorecard) -> str:
    check = card.style

    def told(value: float | None) -> str:
        return "not measured" if value is None else f"{value:.3f}"

    use = "It counts as a goal" if check.usable else "It is shown but does not count as a goal"
    return (
        f"{use}: it tells the sample set's planted style faults from clean pictures with an AUC of "
        f"{told(check.sample_set_auc)}, and this project's degraded originals, unseen ones, with {told(check.own_auc)} "
        f"({check.least:g} is needed of both)."
    )


def _called(course: Course, checkpoint: str | None) -> str:
    """A checkpoint as a sentence has it: "checkpoint 7 (22,400 images seen)"."""
    card = next(card for card in course.cards if card.place.checkpoint == checkpoint)
    what = f"{_short(card)} images seen" if card.place.images_seen is not None else _short(card)
    return f"checkpoint {card.place.number} ({what})"


def _short(card: Scorecard) -> str:
    """A checkpoint's name as a column head has it: images seen or epoch without leading zeros."""
    place = card.place
    if place.images_seen is not None:
        return f"{place.images_seen:,}"
    if place.epoch is not None:
        return f"epoch {place.epoch}"
    return f"step {place.step}" if place.step is not None else place.checkpoint


def _meanings() -> list[Meaning]:
    return [Meaning(m.title, f"{sentence_case(m.meaning)}.", m.unit, _better(m)) for m in MEASURES]


def _better(measure: EvaluationMeasure) -> str:
    return "" if measure.better == "neither" else f"{measure.better} is better"
