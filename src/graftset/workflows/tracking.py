"""Sending what is known of runs to the trackers that the settings name, in training and after evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from graftset.config import FILE_NAME, Project, TrackingSettings, open_project
from graftset.errors import GraftsetError, UserError
from graftset.runs import RUN, Run, open_run
from graftset.scorecards import Scorecard, read_scorecard
from graftset.tracking import Tracked, Where, track
from graftset.tracking.stage import Tracking
from graftset.train import Moment

_EVERY = 10.0  # seconds between two looks at a run that trains


def track_run(project: Project, run: Run, names: Sequence[str] = ()) -> int:
    """Write what is new of a run, losses and scorecards, to trackers; gives how many figures that were.

    Args:
        project: Its settings say where to.
        run: The run.
        names: Of the trackers; none for those of the settings.

    Raises:
        UserError: A tracker is not installed, or refuses; or the run folder is damaged.
    """
    names = names or project.settings.tracking.to
    return track(_state(run), names, _where(project)) if names else 0


def track_cards(project: Project, name: str, folder: Path, cards: Sequence[Scorecard]) -> int:
    """Write the scorecards of somebody else's samples to the trackers of the settings. Raises what `track_run` does."""
    names = project.settings.tracking.to
    if not names or not folder.is_dir():
        return 0
    tracked = Tracked(name, folder, _identity(name, str(folder)), {"backend": "samples"}, (), tuple(cards))
    return track(tracked, names, _where(project))


@contextmanager
def tracked_training(
    project_folder: Path, run_folder: Path, tell: Callable[[str], None]
) -> Iterator[Callable[[Moment], None]]:
    """Write figures to the trackers of the settings while a run trains.

    A tracker that fails is told of once, and left alone from then on: training goes on without it.

    Args:
        project_folder: Where graftset.toml may lie; without it nothing is tracked.
        run_folder: Where training writes.
        tell: Given the sentence on a tracker that fails.
    """
    project = open_project(project_folder) if (project_folder / FILE_NAME).exists() else None
    names = project.settings.tracking.to if project is not None else ()
    if project is None or not names:
        yield lambda moment: None
        return
    follower = _Follower(run_folder, names, _where(project), tell)
    try:
        yield follower.look
    finally:
        follower.end()


class _Follower:
    """Looks at a run folder every few seconds."""

    def __init__(self, folder: Path, names: Sequence[str], where: Where, tell: Callable[[str], None]) -> None:
        self._folder, self._names, self._where, self._tell = folder, names, where, tell
        self._tracking: Tracking | None = None
        self._last = monotonic()
        self._failed = False

    def look(self, moment: Moment) -> None:
        """Write what is new, unless that was done a moment ago."""
        if monotonic() - self._last >= _EVERY:
            self._write()
            self._last = monotonic()

    def end(self) -> None:
        """Write what is left, and close."""
        self._write()
        if self._tracking is not None:
            try:
                self._tracking.__exit__(None, None, None)
            except GraftsetError as error:
                self._tell(str(error))

    def _write(self) -> None:
        if self._failed or not (self._folder / RUN).is_file():
            return
        try:
            state = _state(open_run(self._folder))
            if self._tracking is None:
                self._tracking = Tracking(state, self._names, self._where)
            self._tracking.write(state)
        except GraftsetError as error:
            self._failed = True
            self._tell(str(error))


def _state(run: Run) -> Tracked:
    """A run as it is now."""
    record = run.record
    settings = {
        "backend": record.backend,
        "build": record.build,
        "plan": record.plan,
        "originals": record.originals,
        "generated": record.generated,
        "seed": record.seed,
        "steps": record.steps,
        "batch_size": record.batch_size,
        "device": record.device,
        **{f"settings.{key}": value for key, value in record.settings.items()},
    }
    cards = sorted((run.folder / "scorecards").glob("[!.]*.json"))
    known = tuple(read_scorecard(card) for card in cards)
    return Tracked(record.name, run.folder, _identity(record.name, record.created), settings, run.metrics(), known)


def _identity(name: str, made: str) -> str:
    return hashlib.sha256(f"{name}\n{made}".encode()).hexdigest()[:16]


def _where(project: Project) -> Where:
    settings: TrackingSettings = project.settings.tracking
    plain = project.root.name or "graftset"
    return Where(
        project.reports,
        settings.mlflow.experiment or settings.wandb.project or plain,
        settings.mlflow.uri,
        settings.wandb.mode,
    )


def runs_to_track(project: Project, names: Sequence[str]) -> list[Run]:
    """The runs that are named, or all of the project.

    Raises:
        UserError: There is no such run, or none at all.
    """
    there = {folder.parent.name: folder.parent for folder in sorted(project.runs.glob(f"[!.]*/{RUN}"))}
    unknown = [name for name in names if name not in there]
    if unknown or not there:
        raise UserError(
            "There is no such run" if unknown else "There are no runs yet",
            field="RUN",
            value=unknown[0] if unknown else None,
            remedy=f"Name one of those in runs/ ({', '.join(there) or 'none yet'})",
        )
    return [open_run(there[name]) for name in names or there]
