"""One function a stage, over an open project: what the command line and the web application call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graftset import __version__
from graftset.assess import AssessReport, load_native
from graftset.assess import assess as assess_stage
from graftset.assess.measuring import VERSION as MEASURES_VERSION
from graftset.assess.stage import RELATED as ASSESS_VERSION
from graftset.build import BuildReport
from graftset.build import build as build_stage
from graftset.caption import CaptionReport, propose
from graftset.catalog import Catalog
from graftset.config import Project, open_project
from graftset.errors import EmptyInputError, ExistsError, UserError
from graftset.files import write_whole
from graftset.imageio import encode_png
from graftset.ingest import IngestReport
from graftset.ingest import ingest as ingest_stage
from graftset.pixels.color import srgb_to_oklab
from graftset.records import ImageView, Selection, Skip
from graftset.report import BuildSummary, expansion_page, write_report
from graftset.selection import Policy, policy_from_settings, select

Progress = Callable[[int, int], None]
Meter = Callable[[str], Progress]  # a label -> the callback that moves its bar


def silent(label: str) -> Progress:
    """A meter that shows nothing."""
    return lambda done, of: None


@dataclass(frozen=True, slots=True)
class Session:
    """An open project: its settings and its catalog."""

    project: Project
    catalog: Catalog
    strict: bool = False
    meter: Meter = silent


@contextmanager
def open_session(folder: Path, *, strict: bool = False, meter: Meter = silent) -> Iterator[Session]:
    """Open a project and its catalog, and close the catalog afterwards."""
    project = open_project(folder)
    catalog = Catalog.open(project.catalog_url)
    try:
        yield Session(project, catalog, strict, meter)
    finally:
        catalog.close()


def init(folder: Path, originals: Path, candidates: Sequence[Path], prompts: Path | None, *, force: bool) -> Path:
    """Write graftset.toml with every default; returns its path.

    Raises:
        ExistsError: There is one already and `force` is not given.
        UserError: A folder that is named is not there.
    """
    from graftset.config import FILE_NAME, default_toml

    for field, path in [("--originals", originals), *(("--candidates", c) for c in candidates)]:
        if not path.is_dir():
            raise UserError("There is no such folder", field=field, value=str(path), remedy="Name an existing folder.")
    if prompts is not None and not prompts.is_file():
        raise UserError("There is no such file", field="--prompts", value=str(prompts), remedy="Name an existing file.")
    target = folder / FILE_NAME
    text = default_toml(
        _as_written(originals, folder),
        [_as_written(c, folder) for c in candidates],
        None if prompts is None else _as_written(prompts, folder),
    )
    if target.exists() and not force and target.read_text(encoding="utf-8") != text:
        raise ExistsError(
            "The project has settings already", field="DIR", value=str(target), remedy="Edit them, or pass --force."
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(target, text)
    return target


def _as_written(path: Path, folder: Path) -> str:
    """A path as graftset.toml keeps it: relative where it lies in the project, so that the project can move."""
    absolute, root = path.absolute(), folder.absolute()
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else str(absolute)


def ingest(session: Session) -> IngestReport:
    """Take what is new in the project's folders."""
    project = session.project
    return ingest_stage(
        session.catalog,
        originals=project.originals,
        candidates=project.candidates,
        prompts=project.prompts,
        strict=session.strict,
        progress=session.meter("ingest"),
    )


def assess(session: Session) -> AssessReport:
    """Measure and score what is new."""
    bars: dict[str, Progress] = {}

    def progress(label: str, done: int, of: int) -> None:
        bars.setdefault(label, session.meter(f"assess {label}"))(done, of)

    return assess_stage(
        session.catalog,
        workers=session.project.settings.assess.workers,
        strict=session.strict,
        progress=progress,
    )


def caption(session: Session) -> CaptionReport:
    """Propose captions."""
    return propose(session.catalog)


def choose(session: Session, policy: Policy | None = None) -> Selection:
    """Select candidates under a policy (the project's where none is given) and store the selection."""
    views = session.catalog.views()
    candidates = [view for view in views if view.origin == "generated"]
    if not candidates:
        raise EmptyInputError(
            "There are no candidates to select from",
            field="candidates",
            remedy="Run `graftset ingest` with a folder of generated images.",
        )
    features = {}
    for view in views:
        native = load_native(session.catalog, view.sha256)
        if native is not None:
            features[view.sha256] = srgb_to_oklab(native).reshape(-1)
    selection = select(
        candidates,
        [view for view in views if view.origin == "original"],
        features=features,
        policy=policy or policy_from_settings(session.project.settings.select),
    )
    session.catalog.save_selection(selection)
    return selection


def build(
    session: Session,
    plan: str,
    *,
    format: str = "kohya",
    size: int | None = None,
    name: str | None = None,
    root: str | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> BuildReport:
    """Build a training set from all originals and the selected candidates."""
    settings = session.project.settings.build
    selection = session.catalog.selection()
    views = [view for view in session.catalog.views() if view.origin == "original" or view.selected]
    _check_images(views, plan, selected=selection is not None)
    wanted = size or settings.size or None
    folder = session.project.builds / (name or settings.name.format(plan=plan, size=wanted or "auto"))
    return build_stage(
        views,
        load_native=lambda view: _native(session.catalog, view),
        folder=folder,
        plan=plan,
        format=format,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        size=wanted,
        root=root,
        strict=session.strict,
        force=force,
        dry_run=dry_run,
        policy=selection.policy if selection else {},
        versions={"measures": MEASURES_VERSION, "assess": ASSESS_VERSION},
        progress=session.meter(f"build {plan}"),
    )


def _check_images(views: Sequence[ImageView], plan: str, *, selected: bool) -> None:
    if not any(view.origin == "original" for view in views):
        raise EmptyInputError(
            "There are no originals to build from", field="originals", remedy="Run `graftset ingest`."
        )
    if plan != "originals" and not selected:
        raise UserError("Nothing was selected yet", field="--plan", value=plan, remedy="Run `graftset select` first.")


def _native(catalog: Catalog, view: ImageView) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    native = load_native(catalog, view.sha256)
    if native is None:
        raise UserError(
            "This image was not measured", field="image", value=view.path, remedy="Run `graftset assess` first."
        )
    return native


def report(session: Session, builds: Sequence[BuildReport] = (), notes: Sequence[str] = ()) -> Path:
    """Write the expansion's page; returns its path."""
    skips = [Skip(path, reason) for path, (_, _, reason) in session.catalog.known_skips().items()]

    def native_png(sha256: str) -> bytes | None:
        native = load_native(session.catalog, sha256)
        return None if native is None else encode_png(native)

    page = expansion_page(
        session.catalog.views(),
        selection=session.catalog.selection(),
        builds=[_summary(b, session.project.root) for b in builds] or known_builds(session.project),
        skips=skips,
        native_png=native_png,
        project=session.project.root.name,
        version=__version__,
        notes=notes,
    )
    path = session.project.reports / "expansion.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_report(page, path)
    return path


def _summary(built: BuildReport, root: Path) -> BuildSummary:
    return BuildSummary(
        name=built.folder.name,
        plan=built.plan.name,
        images=built.images,
        steps=built.plan.steps,
        real_mass=built.plan.real_mass,
        size=built.size.width,
        folder=built.folder.relative_to(root).as_posix() if built.folder.is_relative_to(root) else str(built.folder),
        reviewed="none",
    )


def known_builds(project: Project) -> list[BuildSummary]:
    """The builds that lie in the project's folder, by name."""
    return []
