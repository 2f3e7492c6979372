"""The stage: what of a run is new to a tracker -> written there.

tracking.json in the run folder says what each tracker has: metrics until which step, and which scorecards. It is
written after the figures, so that a kill in between writes some of them twice, which changes no curve.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType

from pydantic import TypeAdapter, ValidationError

from graftset.errors import GraftsetError, UserError
from graftset.files import write_whole
from graftset.runs import MetricsLine
from graftset.scorecards import Scorecard
from graftset.scorecards.course import FOLLOWED
from graftset.tracking.job import Point, Tracked, Tracker, Where
from graftset.tracking.trackers import load_tracker

LEDGER = "tracking.json"


@dataclass(slots=True)
class Written:
    """What one tracker has of a run."""

    step: int = 0  # of the last line of metrics
    cards: dict[str, str] = field(default_factory=dict)  # checkpoint -> hash of what its card rests on
    memory: dict[str, str] = field(default_factory=dict)  # the tracker's own


_LEDGER = TypeAdapter(dict[str, Written])


def track(run: Tracked, names: Sequence[str], where: Where) -> int:
    """Write what is new of a run to trackers; gives how many figures that were.

    Raises:
        UserError: A tracker is not installed, or refuses.
    """
    with Tracking(run, names, where) as tracking:
        return tracking.write(run)


class Tracking(AbstractContextManager["Tracking"]):
    """A run in its trackers, open for as long as it goes on.

    Args:
        run: The run; a later state of it comes through `write`.
        names: Of the trackers.
        where: Where they keep runs.
    """

    def __init__(self, run: Tracked, names: Sequence[str], where: Where) -> None:
        self._run, self._where = run, where
        self._modules = {name: load_tracker(name) for name in names}
        self._open: dict[str, Tracker] = {}
        self._stack = ExitStack()
        self._ledger = _read(run.folder / LEDGER)

    def write(self, run: Tracked) -> int:
        """Write what is new of a state of the run; gives how many figures that were.

        Raises:
            UserError: A tracker refuses, or what it has cannot be noted.
        """
        count = 0
        for name in self._modules:
            has = self._ledger.setdefault(name, Written())
            lines = [line for line in run.metrics if line.step > has.step]
            cards = [card for card in run.cards if has.cards.get(card.place.checkpoint) != card.inputs_sha256]
            points = [*points_of_metrics(lines), *(point for card in cards for point in points_of_card(card))]
            if not points:
                continue
            try:
                self._tracker(name).write(points)
            except GraftsetError:
                raise
            except Exception as error:  # of a library that may raise anything
                raise _refused(name, error) from error
            has.step = max([has.step, *(line.step for line in lines)])
            has.cards.update((card.place.checkpoint, card.inputs_sha256) for card in cards)
            write_whole(run.folder / LEDGER, _LEDGER.dump_json(self._ledger, indent=1).decode() + "\n")
            count += len(points)
        return count

    def _tracker(self, name: str) -> Tracker:
        if name not in self._open:
            memory = self._ledger[name].memory
            opened = self._modules[name].open_tracker(self._run, self._where, memory)
            self._open[name] = self._stack.enter_context(opened)
        return self._open[name]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the trackers; one that fails at that says so."""
        try:
            self._stack.__exit__(None, None, None)
        except Exception as failure:
            if error is None:
                raise _refused(", ".join(self._open), failure) from failure


def points_of_metrics(lines: Iterable[MetricsLine]) -> Iterator[Point]:
    """The figures of logged steps."""
    for line in lines:
        at = line.images_seen or line.step
        for name, value in (("loss", line.loss), ("lr", line.lr), ("exposures", line.exposures)):
            if value is not None and math.isfinite(value):  # an imported run may not know them
                yield Point(f"train/{name}", float(value), at)


def points_of_card(card: Scorecard) -> Iterator[Point]:
    """The figures of a scorecard; of those that runs are followed by, also the ends of their intervals."""
    place = card.place
    at = place.images_seen or place.step or place.epoch or place.number
    seconds = _seconds(card.at)
    for figure in card.figures:
        name = f"evaluate/{figure.measure}/{figure.group}"
        yield Point(name, figure.point, at, seconds)
        if (figure.measure, figure.group) in FOLLOWED and figure.low is not None and figure.high is not None:
            yield Point(f"{name}/low", figure.low, at, seconds)
            yield Point(f"{name}/high", figure.high, at, seconds)
    for distance in card.distances:
        yield Point(f"evaluate/distance_to_originals/{distance.group}", distance.value, at, seconds)


def _seconds(at: str) -> float | None:
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return None


def _read(path: Path) -> dict[str, Written]:
    try:
        return _LEDGER.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        raise UserError(
            f"{LEDGER} cannot be read, so nobody knows which figures were written",
            field="tracking",
            value=str(path),
            remedy="Delete it; then all of them are written once more",
        ) from error


def _refused(name: str, error: Exception) -> UserError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = json.dumps(lines[0][:200], ensure_ascii=False) if lines else type(error).__name__
    return UserError(
        f"{name} does not take the figures: {told}",
        field="tracking.to",
        value=name,
        remedy="See [tracking] in graftset.toml; `graftset track` writes later what is missing",
    )
