"""What `build --check` finds, as a table and sentences for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graftset.build import CheckReport, CheckRow, ImageFate, check
from graftset.build.kohya.preflight import SEVERITIES, Finding, Options
from graftset.build.kohya.preflight.arguments import from_command_line
from graftset.cli.console import finish, some
from graftset.errors import UserError
from graftset.phrases import counted

__all__ = ["Options", "checked", "tell"]

_LEFT = frozenset({"stage", "folder"})  # columns of text; the others are numbers
_DOCUMENTS = "docs/preflight.md explains every finding"


def checked(folder: Path, options: Options, arguments: Sequence[str]) -> CheckReport:
    """Check a folder or config with arguments of the trainer's command line, each as NAME=VALUE.

    Raises:
        UserError: An argument that the trainer does not know or would refuse.
    """
    return check(folder, options, dict(_argument(text, sdxl=options.sdxl) for text in arguments))


def _argument(text: str, *, sdxl: bool) -> tuple[str, object]:
    name, _, value = text.removeprefix("--").partition("=")
    try:
        return name, from_command_line(name, value, sdxl=sdxl)
    except ValueError as error:
        raise UserError(
            str(error), field="--set", value=text, remedy="Give NAME=VALUE, such as caption_extension=.txt"
        ) from error


def tell(found: CheckReport, *, as_json: bool, verbose: bool) -> None:
    """Print what was found; exit 1 where training would stop, or not do what is planned."""
    count = len(found.problems)
    counted = f"{count} problem{'s' if count > 1 else ''}"
    if found.plan is not None:
        message, remedy = (
            "This build would not train as planned",
            "Build it again with --force, or mend what is listed.",
        )
    else:
        message, remedy = "Training would not do what is meant here", "Mend what is listed, and check again."
    fault = UserError(f"{message}: {counted}", field="--check", value=str(found.folder), remedy=remedy)
    finish(as_document(found), as_lines(found, verbose=verbose), as_json=as_json, fault=fault if count else None)


def as_document(found: CheckReport) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "folder": str(found.folder),
        "ok": not found.problems,
        "plan": found.plan,
        "rows": [asdict(row) for row in found.rows],
        "steps": found.steps,
        "planned_steps": found.planned_steps,
        "batches_per_epoch": list(found.batches_per_epoch),
        "epochs": list(found.epochs),
        "hours": found.hours,
        "problems": list(found.problems),
        "warnings": list(found.warnings),
        "notes": list(found.notes),
        "findings": [_finding(each) for each in found.findings],
        "images": [asdict(image) for image in found.images],
    }


def _finding(each: Finding) -> dict[str, Any]:
    return {
        "code": each.kind.code,
        "severity": each.kind.severity,
        "message": each.message,
        "evidence": list(each.evidence),
        "where": each.where,
        "meaning": each.kind.meaning,
        "remedy": each.kind.remedy,
    }


def as_lines(found: CheckReport, *, verbose: bool = False) -> list[str]:
    """A table of the image folders, findings by severity with what to do, and the verdict."""
    lines = [*_table(found.rows, planned=found.plan is not None), *_totals(found)]
    if verbose:
        lines += [_fate(image) for image in found.images]
    for severity in SEVERITIES:
        told = [line for each in found.findings if each.kind.severity == severity for line in _told(each)]
        lines += told if severity == "problem" else some(told)
    if found.problems:
        return [*lines, _DOCUMENTS]
    if found.plan is not None:
        return [*lines, "ready: files, configs, images and captions are as planned"]
    if any(each.kind.code == "outside" for each in found.findings):
        return [*lines, "not checked: the images are read in a way this preflight does not know"]
    return [*lines, "ready: nothing would go wrong in silence"]


def _told(each: Finding) -> Iterator[str]:
    yield f"{each.kind.severity}: {each.sentence()}"
    if each.kind.remedy and each.kind.severity != "note":
        yield f"  -> {each.kind.remedy}"


def _totals(found: CheckReport) -> Iterator[str]:
    planned = "" if found.planned_steps is None else f", {found.planned_steps:,} planned"
    name = "" if found.plan is None else f"plan {found.plan}: "
    each = " + ".join(
        f"{counted(epochs, 'epoch')} of {counted(batches, 'batch', 'batches')}"
        for epochs, batches in zip(found.epochs, found.batches_per_epoch, strict=True)
    )
    hours = "" if found.hours is None else f"; {_duration(found.hours)}"
    yield f"{name}{counted(found.steps, 'step')}{planned}{f' ({each})' if each else ''}{hours}"


def _duration(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"


def _table(rows: Sequence[CheckRow], *, planned: bool) -> list[str]:
    """Columns as wide as their widest cell."""
    if not rows:
        return []
    cells = [_cells(row, planned=planned) for row in rows]
    if not any(row["stage"] for row in cells):
        cells = [{key: value for key, value in row.items() if key != "stage"} for row in cells]
    headings = list(cells[0])
    every = [dict(zip(headings, headings, strict=True)), *cells]
    widths = {key: max(len(row[key]) for row in every) for key in headings}
    return [
        "  ".join(
            row[key].ljust(widths[key]) if key in _LEFT else row[key].rjust(widths[key]) for key in headings
        ).rstrip()
        for row in every
    ]


def _cells(row: CheckRow, *, planned: bool) -> Mapping[str, str]:
    cells = {
        "stage": row.stage,
        "folder": row.folder,
        "images": f"{row.images:,}",
        "captions": f"{row.captions:,}",
        "cut": str(row.cut),
        "repeats": str(row.repeats),
        "entries": f"{row.entries:,}",
    }
    if planned:
        cells["planned"] = f"{row.planned_images} x {row.planned_repeats}"
    buckets = row.buckets or {}
    cells["bucket"] = next(iter(buckets), "-") if len(buckets) < 2 else f"{len(buckets)} sizes"
    cells["colors"] = _colors(row.colors, row.colors_seen)
    return cells


def _fate(image: ImageFate) -> str:
    """One image in a line: `stage path x 2: 73 tokens of FILE "text", 24x24 -> 576x576 nearest, 19 colors`."""
    stage = f"{image.stage} " if image.stage else ""
    source = image.caption_from or "no file"
    lost = f", loses {image.lost!r}" if image.lost else ""
    size = "size unknown" if image.size is None else f"{image.size[0]}x{image.size[1]}"
    became = "" if image.bucket is None else f" -> {image.bucket[0]}x{image.bucket[1]} {image.resize or 'as it is'}"
    colors = "" if image.colors is None else f", {_colors(image.colors, image.colors_seen)} colors"
    words = f"{counted(image.tokens, 'token')} from {source}: {image.text!r}{lost}"
    return f"{stage}{image.path} x {image.repeats}: {words}; {size}{became}{colors}"


def _colors(before: int | None, after: int | None) -> str:
    if before is None:
        return "-"
    return f"{before:,}" if after in (None, before) else f"{before:,} to {after:,}"
