"""The cards of one run in a row: figures by checkpoint, windows, success criteria, convergence, stability, the best.

A run has ten checkpoints evenly spaced in its budget; where it has another number, the windows keep their shares of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graftset.scorecards.measures import BY_NAME
from graftset.scorecards.records import Figure, Scorecard, comparable
from graftset.statistics.timeline import (
    OSCILLATES,
    Best,
    Convergence,
    best_checkpoint,
    binomial_error,
    convergence,
    lower_bound,
    stability,
)

F64 = NDArray[np.float64]

TEN = 10  # checkpoints the windows are named for
# What each part of a run is read for: measure, group of prompts, first and last checkpoint of ten.
WINDOWS: tuple[tuple[str, str, int, int], ...] = (
    ("original_accuracy", "training", 1, 3),
    ("variation_accuracy", "obedience", 4, 6),
    ("overall", "all", 7, 10),
)
FOLLOWED: tuple[tuple[str, str], ...] = (
    ("original_accuracy", "training"),
    ("variation_accuracy", "obedience"),
    ("style_consistency", "all"),
    ("quality_preservation", "all"),
    ("overall", "all"),
)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a run should reach, and by when."""

    original_accuracy: float = 0.95
    style_consistency: float = 0.90
    quality: float = 8.0
    by_checkpoint: int = 7  # of ten
    delta: float = 0.05  # how far under its end a run may be and still count as arrived, as a share of the range


@dataclass(frozen=True, slots=True)
class Criterion:
    """One success criterion at the checkpoint that counts.

    `bound` is the one-sided 95 % lower bound. `met` is None where there is nothing to judge by, with the reason.
    """

    measure: str
    group: str
    wanted: float
    checkpoint: str | None
    point: float | None
    bound: float | None
    met: bool | None  # by the point
    certain: bool  # the bound reaches it too
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The mean of one measure over a part of the run."""

    measure: str
    group: str
    first: int  # checkpoint numbers, 1 is the first
    last: int
    point: float | None  # None while none of its checkpoints is there
    checkpoints: int  # how many of them are


@dataclass(frozen=True, slots=True)
class Series:
    """One measure over the checkpoints of a run; None where a checkpoint has no such figure."""

    measure: str
    group: str
    figures: tuple[Figure | None, ...]
    convergence: Convergence | None  # None while the run goes on, and where no prompt has a value at every checkpoint
    stability: float | None  # over the settled part; None for too few checkpoints
    oscillates: bool | None


@dataclass(frozen=True, slots=True)
class Course:
    """A run as its scorecards tell it, in the order of the checkpoints."""

    run: str
    cards: tuple[Scorecard, ...]
    series: tuple[Series, ...]
    windows: tuple[Window, ...]
    criteria: tuple[Criterion, ...]
    best: Best | None
    finished: bool
    left_out: tuple[str, ...]  # cards that cannot be compared with the newest one, with the reason

    @property
    def best_checkpoint(self) -> str | None:
        """The name of the best checkpoint; None where it cannot be told."""
        return None if self.best is None else self.cards[self.best.at].place.checkpoint


def follow(cards: Sequence[Scorecard], criteria: Criteria | None = None) -> Course:
    """Put the scorecards of one run in a row.

    Cards that cannot be compared with the newest one (another evaluator, other prompts, other originals) are left out
    and named.

    Args:
        cards: At least one, of one run.
        criteria: What to judge by.
    """
    wanted = criteria or Criteria()
    newest = max(cards, key=lambda card: (card.at, card.place.number))
    kept, left_out = [], []
    for card in sorted(cards, key=lambda card: card.place.number):
        why = comparable(card, newest)
        if why is None:
            kept.append(card)
        else:
            left_out.append(f"checkpoint {card.place.checkpoint} is left out: {why}")
    planned = max([len(kept), *(card.place.planned or 0 for card in kept)])
    finished = kept[-1].place.number >= planned
    followed = (_series(kept, measure, group, wanted.delta, finished) for measure, group in FOLLOWED)
    return Course(
        run=newest.run,
        cards=tuple(kept),
        series=tuple(series for series in followed if series is not None),
        windows=tuple(_window(kept, planned, *window) for window in WINDOWS),
        criteria=_criteria(kept, planned, wanted),
        best=_best(kept),
        finished=finished,
        left_out=tuple(left_out),
    )


def prompt_values(cards: Sequence[Scorecard], measure: str, group: str) -> tuple[F64, tuple[str, ...]]:
    """Mean value of every prompt at every checkpoint: float64 [K, P], and the prompts' ids.

    Prompts without a value at some checkpoint are left out, so that checkpoints are compared on the same ones.
    """
    rows: list[Mapping[str, float]] = []
    for card in cards:
        values: dict[str, list[float]] = {}
        for picture in card.pictures:
            if measure in picture.values and belongs(picture.group, group):
                values.setdefault(picture.prompt_id, []).append(picture.values[measure])
        rows.append({prompt: float(np.mean(own)) for prompt, own in values.items()})
    shared = sorted(set.intersection(*(set(row) for row in rows))) if rows else []
    return np.array([[row[prompt] for prompt in shared] for row in rows]).reshape(len(rows), len(shared)), tuple(shared)


def belongs(own: str, group: str) -> bool:
    """Whether prompts of the group `own` count for the group `group`."""
    return group in ("all", own) or (group == "obedience" and own in ("candidate", "generic", "unseen"))


def _series(cards: Sequence[Scorecard], measure: str, group: str, delta: float, finished: bool) -> Series | None:
    figures = tuple(card.figure(measure, group) for card in cards)
    if not any(figures):
        return None
    values, prompts = prompt_values(cards, measure, group)
    if not prompts or not finished:  # where a run arrives is not known on the way
        return Series(measure, group, figures, None, None, None)
    described = BY_NAME[measure]
    reach = (described.high or 1.0) - (described.low or 0.0)
    found = convergence(values, delta=delta * reach)
    # A run swings or not once it has arrived; the climb before is no swing.
    start = found.at if found.at is not None else len(values) // 2
    row = values.mean(axis=1)[start:]
    if described.is_share:
        errors = [binomial_error(float(v), values.shape[1]) for v in row]
    else:
        # Under a hundredth of the range nobody calls it a swing, however alike the prompts have become.
        least = 0.01 * reach
        errors = [max(least, float(v.std(ddof=1) / np.sqrt(len(v)))) if len(v) > 1 else least for v in values[start:]]
    swing = stability(row, errors)
    return Series(measure, group, figures, found, swing, None if swing is None else swing > OSCILLATES)


def _window(cards: Sequence[Scorecard], planned: int, measure: str, group: str, first: int, last: int) -> Window:
    low, high = (
        _of_planned(first - 1, planned) + 1,
        max(_of_planned(last, planned), _of_planned(first - 1, planned) + 1),
    )
    inside = [card for card in cards if low <= card.place.number <= high]
    points = [figure.point for card in inside if (figure := card.figure(measure, group)) is not None]
    return Window(measure, group, low, high, float(np.mean(points)) if points else None, len(points))


def _of_planned(number: int, planned: int) -> int:
    """The checkpoint that stands where `number` stands among ten."""
    return round(number * planned / TEN)


def _criteria(cards: Sequence[Scorecard], planned: int, wanted: Criteria) -> tuple[Criterion, ...]:
    by = max(1, _of_planned(wanted.by_checkpoint, planned))
    card = next((card for card in reversed(cards) if card.place.number <= by), None)
    reached = card is not None and card.place.number == by
    asked = (
        ("original_accuracy", "training", wanted.original_accuracy),
        ("style_consistency", "all", wanted.style_consistency),
        ("quality_preservation", "all", wanted.quality),
    )
    return tuple(_criterion(card if reached else None, by, *one) for one in asked)


def _criterion(card: Scorecard | None, by: int, measure: str, group: str, wanted: float) -> Criterion:
    if card is None:
        return Criterion(measure, group, wanted, None, None, None, None, False, f"checkpoint {by} is not there")
    name, figure = card.place.checkpoint, card.figure(measure, group)
    if figure is None:
        return Criterion(measure, group, wanted, name, None, None, None, False, "no prompt measures it")
    bound = _bound(figure)
    if measure == "style_consistency" and not card.style.usable:
        why = "the measure cannot tell planted style faults from clean pictures well enough to be used"
        return Criterion(measure, group, wanted, name, figure.point, bound, None, False, why)
    # A mean of 0.95 computed in floating point may fall a hair short of it.
    met = figure.point >= wanted - 1e-9
    return Criterion(measure, group, wanted, name, figure.point, bound, met, bound is not None and bound >= wanted)


def _bound(figure: Figure) -> float | None:
    """The one-sided 95 % lower bound of a figure."""
    if BY_NAME[figure.measure].is_share:
        return lower_bound(figure.point, figure.effective or figure.n)
    if figure.low is None:
        return None
    # The lower half of a two-sided interval, narrowed from 1.96 to 1.645 standard errors.
    return figure.point - (figure.point - figure.low) * 1.6448536 / 1.959964


def _best(cards: Sequence[Scorecard]) -> Best | None:
    values, prompts = prompt_values(cards, "overall", "all")
    groups = {picture.prompt_id: picture.group for card in cards for picture in card.pictures}
    # Every second prompt of each group, in an order that has nothing to do with their names.
    ordered = sorted(prompts, key=lambda prompt: (groups[prompt], hashlib.sha256(prompt.encode()).digest()))
    chooses = {prompt: place % 2 == 0 for place, prompt in enumerate(ordered)}
    return best_checkpoint(values, np.array([chooses[p] for p in prompts], dtype=bool), np.random.default_rng(0))
