"""Importing runs that were trained elsewhere: results of `graftset train --script`, and runs of the past."""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graftset.build import MANIFEST, BuildRecord, read_build
from graftset.catalog.store import now
from graftset.errors import EmptyInputError, UserError
from graftset.evaluate import find_batches, read_prompts
from graftset.pastruns import Facts, Found, Told, find_training, place_all, take_run
from graftset.records import Skip
from graftset.runs import RUN, Run, open_run
from graftset.train.kohya.driver import JOB
from graftset.train.kohya.results import take_results
from graftset.train.kohya.script import BUILD
from graftset.trainerfiles.losses import LoggedLoss, has_events, read_losses
from graftset.workflows.evaluating import Evaluator, asked_prompts
from graftset.workflows.steps import Session, plain_name
from graftset.workflows.trainer_builds import build_files
from graftset.workflows.training import PROMPTS, stored_prompts

TRAINER = "trainer"
_PROMPTS_FILES = ("sample_prompts.txt", "prompts.txt", "prompt.txt", "prompts.json")
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    run: Run
    kind: str  # "results": of `graftset train --script`; "past": of a run that graftset knew nothing of
    new: tuple[str, ...]  # checkpoints
    losses: int  # logged steps
    notes: tuple[str, ...]
    skipped: tuple[Skip, ...]

    @property
    def weights(self) -> int:
        """Checkpoints whose weights are there."""
        return sum(self.run.weights_file(each.name).is_file() for each in self.run.checkpoints())


def import_run(
    session: Session,
    source: Path,
    *,
    name: str | None = None,
    prompts: Path | None = None,
    build: str | None = None,
    files: str | None = None,
) -> Imported:
    """Take a run in that was trained elsewhere; what is there stays as it is.

    Args:
        session: An open project.
        source: A folder, or the archive that `run.sh` packed.
        name: What the run is called here.
        prompts: What its pictures were painted from.
        build: Name of the build it was trained on.
        files: Base name of its LoRA files, where there are those of several runs.

    Raises:
        EmptyInputError: There is neither a LoRA nor a picture.
        ExistsError: Another run has this name.
        UserError: It cannot be read, or something has to be said.
    """
    with _unpacked(source) as folder:
        if all((folder / file).is_file() for file in (RUN, f"{TRAINER}/{JOB}", f"{BUILD}/{MANIFEST}")):
            return _import_results(session, folder, name)
        if (folder / RUN).is_file():
            raise UserError(
                "This is a run folder of graftset already",
                field="FOLDER",
                value=str(source),
                remedy=f"Copy it into {session.project.runs}",
            )
        return _import_past(session, folder, name=name, prompts=prompts, build=build, files=files)


@contextmanager
def _unpacked(source: Path) -> Iterator[Path]:
    """The folder itself, or what an archive holds, for as long as the block lasts."""
    if source.is_dir():
        yield source.absolute()
        return
    if not source.is_file():
        raise UserError(
            "There is no such folder or archive", field="FOLDER", value=str(source), remedy="Name an existing one"
        )
    with tempfile.TemporaryDirectory(prefix="graftset-") as temporary:
        try:
            with tarfile.open(source) as archive:
                archive.extractall(temporary, filter="data")
        except (tarfile.TarError, EOFError, OSError) as error:
            raise UserError(
                f"This archive cannot be unpacked: {error}",
                field="FOLDER",
                value=str(source),
                remedy="Copy it again; it may be cut short",
            ) from error
        except TypeError as error:  # Python 3.11.0 to 3.11.3 cannot refuse what an archive must not hold
            raise UserError(
                "This Python cannot unpack archives safely",
                field="FOLDER",
                value=str(source),
                remedy="Unpack it yourself and name the folder",
            ) from error
        inside = [path for path in Path(temporary).iterdir() if path.is_dir()]
        yield inside[0] if len(inside) == 1 and not (Path(temporary) / RUN).exists() else Path(temporary)


def _import_results(session: Session, folder: Path, name: str | None) -> Imported:
    """Take back what `run.sh` of `graftset train --script` left."""
    there = open_run(folder).record
    record = replace(there, name=plain_name(name or there.name, "run"))
    inside = folder / BUILD
    table = _table(folder / TRAINER / JOB)
    files = build_files(inside, epochs=int(table.get("epochs") or 0))
    asked = stored_prompts(inside / PROMPTS)
    run, new, notes, skipped = take_results(session.project.runs / record.name, record, files, asked, folder / TRAINER)
    notes = [*notes, *_build_notes(session, record.build, record.build_sha256)]
    return Imported(run, "results", new, len(run.metrics()), tuple(notes), skipped)


def _build_notes(session: Session, name: str, sha256: str) -> list[str]:
    """What differs between the build of a run and the project's build of that name."""
    folder = session.project.builds / name
    if not (folder / MANIFEST).is_file():
        return [f"The build {name} is not in this project, so no prompt is held out"]
    if read_build(folder).build_sha256 != sha256:
        return [f"The build {name} of this project is another one than was trained on, so no prompt is held out"]
    return []


def _import_past(
    session: Session, folder: Path, *, name: str | None, prompts: Path | None, build: str | None, files: str | None
) -> Imported:
    found = find_training(folder, files)
    groups, asked, notes, skipped = _pictures(session, folder, found, prompts)
    unit, points, strangers = place_all(found, groups)
    if not points:
        reasons = [*found.skipped, *skipped, *strangers]
        first = f": {Path(reasons[0].path).name}, {reasons[0].reason}" if reasons else ""
        raise EmptyInputError(
            f"There is no usable LoRA and no picture with a known prompt here{first}",
            field="FOLDER",
            value=str(folder),
            remedy="Name the folder that the trainer wrote to, and the prompts of its pictures with --prompts",
        )
    facts, told = _facts(session, found, build)
    losses, missing = _losses(folder)
    notes = [*notes, *told, *missing, *found.doubts]
    if unit != "step":
        notes.append(f"Neither names nor metadata tell the steps: checkpoints are counted by {unit}s")
    taken = take_run(
        session.project.runs / plain_name(name or found.name or folder.name.strip("."), "run"),
        found,
        unit,
        points,
        asked,
        facts=facts,
        losses=losses,
        notes=notes,
        at=now(),
    )
    return Imported(taken.run, "past", taken.new, taken.lines, tuple(notes), (*found.skipped, *skipped, *strangers))


def _pictures(
    session: Session, folder: Path, found: Found, prompts: Path | None
) -> tuple[list[Told], list[Any], list[str], list[Skip]]:
    """The pictures of a past run by checkpoint, their prompts, notes, and files that are left out."""
    painted = any(path.suffix.lower() in _PICTURES for path in folder.rglob("*"))
    if not painted:
        return [], [], [], []
    file = prompts or _prompts_file(folder)
    if file is None:
        if not found.weights:
            raise UserError(
                "The prompts of these pictures are not known",
                field="--prompts",
                value=str(folder),
                remedy="Name the file of prompts they were painted from: graftset runs import FOLDER --prompts FILE",
            )
        return [], [], ["Its pictures are left out: name the prompts they were painted from with --prompts FILE"], []
    asked = asked_prompts(session, Evaluator(session).known, read_prompts(file))
    batches = find_batches(folder, asked)
    groups = [
        Told(
            batch.place.checkpoint,
            batch.place.epoch,
            batch.place.step,
            tuple((each.prompt, each.seed, each.path) for each in batch.pictures),
        )
        for batch in batches
        if batch.pictures
    ]
    skipped = [skip for batch in batches for skip in batch.skipped]
    notes = [] if prompts is not None else [f"The prompts are those of {file.relative_to(folder)}"]
    return groups, asked, notes, skipped


def _prompts_file(folder: Path) -> Path | None:
    """A file of prompts that a trainer left beside its pictures."""
    return next(
        (path for place in (folder, folder / "sample") for name in _PROMPTS_FILES if (path := place / name).is_file()),
        None,
    )


def _facts(session: Session, found: Found, build: str | None) -> tuple[Facts, list[str]]:
    """What is known of the images a past run was trained on."""
    if build is None:
        grids = Counter(
            (view.grid.width, view.grid.height)
            for view in session.catalog.views()
            if view.origin == "original" and view.grid is not None
        )
        width, height = grids.most_common(1)[0][0] if grids else (0, 0)
        return Facts(width=width, height=height), ["Which build it was trained on is not known; --build NAME says it"]
    folder = session.project.builds / build
    record = read_build(folder)
    notes = _contradictions(found, record)
    several = len(record.plan.stages) > 1
    return Facts(
        build=build,
        build_sha256=record.build_sha256,
        plan=record.plan.name,
        width=record.native.width,
        height=record.native.height,
        originals=record.plan.images("original"),
        generated=record.plan.images("generated"),
        # Of a run of several stages a LoRA tells its own stage only.
        shown=None if several else {o: record.plan.stages[0].repeats(o) for o in ("original", "generated")},
    ), notes


def _contradictions(found: Found, record: BuildRecord) -> list[str]:
    """What the metadata of a run says against the build it is said to be of."""
    told = found.told
    if told is None or not told.folders:
        return []
    planned = {(s.folder, s.images, s.repeats) for stage in record.plan.stages for s in stage.subsets}
    strangers = [f for f in told.folders if not f.is_reg and (f.name, f.images, f.repeats) not in planned]
    if not strangers:
        return []
    first = strangers[0]
    raise UserError(
        f"The run was trained on another build: its metadata tells of {first.images} images x {first.repeats} in "
        f"{first.name}",
        field="--build",
        value=record.plan.name,
        remedy="Name the build it was trained on, or leave --build out",
    )


def _losses(folder: Path) -> tuple[Sequence[LoggedLoss], list[str]]:
    """The losses that TensorBoard logged; a note where they cannot be read."""
    if not has_events(folder):
        return (), []
    try:
        return read_losses(folder), []
    except UserError as error:
        return (), [f"Losses are left out: {error.message}. {error.remedy}"]


def _table(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            "The results cannot be read", field="FOLDER", value=str(path), remedy="Copy them again"
        ) from error
    return table if isinstance(table, dict) else {}
