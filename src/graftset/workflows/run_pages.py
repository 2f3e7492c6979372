"""The page of one run: its typed context, for the report and for whoever serves it, and the file."""

from __future__ import annotations

from pathlib import Path

from graftset import __version__
from graftset.assess import native_png
from graftset.catalog.scoring import EvaluatedRun
from graftset.errors import UserError
from graftset.files import write_whole
from graftset.report import RunPage, render_run, run_page
from graftset.runs import RUN, Run, open_run, run_state
from graftset.scorecards import Course
from graftset.workflows.run_pictures import painted_pictures
from graftset.workflows.steps import Session


def run_context(session: Session, course: Course, evaluated: EvaluatedRun) -> RunPage:
    """Everything on the page of a run."""
    views = {view.sha256: view for view in session.catalog.views() if view.origin == "original"}
    run = _run(session, course.run)
    size = next(((v.grid.width, v.grid.height) for v in views.values() if v.grid is not None), (24, 24))
    painted = painted_pictures(session.catalog, size)
    files = {(c.place.checkpoint, p.sha256): p.file for c in course.cards for p in c.pictures}

    def native(checkpoint: str, sha256: str) -> bytes | None:
        folder = Path(evaluated.folder) if run is None else run.samples_folder(checkpoint)
        return painted(folder / files[checkpoint, sha256], sha256)

    def reference(sha256: str) -> bytes | None:
        view = views.get(sha256)
        return None if view is None else native_png(session.catalog, sha256, view.grid)

    return run_page(
        course,
        facts=_facts(run, evaluated),
        native_png=native,
        reference_png=reference,
        project=session.project.root.name,
        version=__version__,
        live=run is not None and run_state(run) == "training",
    )


def write_run_page(session: Session, course: Course, evaluated: EvaluatedRun) -> Path:
    """Write reports/run-NAME.html; returns its path.

    Raises:
        UserError: It cannot be written.
    """
    path = session.project.reports / f"run-{course.run}.html"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder of the reports cannot be made: {error.strerror or error}",
            field="reports",
            value=str(path.parent),
            remedy="Check that the project folder may be written to and has space left",
        ) from error
    write_whole(path, render_run(run_context(session, course, evaluated)))
    return path


def _run(session: Session, name: str) -> Run | None:
    folder = session.project.runs / name
    return open_run(folder) if (folder / RUN).is_file() else None


def _facts(run: Run | None, evaluated: EvaluatedRun) -> list[tuple[str, str]]:
    if run is None:
        return [("Pictures from", evaluated.folder)]
    record = run.record
    shown = [("Trainer", record.backend), ("Build", record.build), ("Plan", record.plan)]
    if record.originals or record.generated:  # of imported runs that may not be known
        shown += [("Originals", f"{record.originals:,}"), ("Generated", f"{record.generated:,}")]
    shown += [(f"{record.unit.capitalize()}s", f"{record.steps:,}"), ("Batch", f"{record.batch_size or ''}")]
    shown += [("Seed", str(record.seed)), ("Device", record.device)]
    return [(name, value) for name, value in shown if value]
