"""What a build reports, and what verifying one finds, as lines for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftset.cli.console import finish, shown, some
from graftset.errors import UserError
from graftset.phrases import counted

if TYPE_CHECKING:
    from graftset.build import BuildReport


def build_json(report: BuildReport) -> dict[str, Any]:
    """A build as JSON."""
    return {
        "folder": str(report.folder),
        "plan": report.plan.as_dict(),
        "baseline": [
            {
                "checkpoint": match.checkpoint.number,
                "exposures": round(match.checkpoint.exposures, 4),
                "baseline_checkpoint": match.baseline.number,
                "baseline_exposures": round(match.baseline.exposures, 4),
            }
            for match in report.matches
        ],
        "base": report.size.base,
        "prompts": report.prompts,
        "size": {"width": report.size.width, "height": report.size.height, "reason": report.size.reason},
        "colors": report.colors,
        "images": report.images,
        "written": report.written,
        "unchanged": report.unchanged,
        "build_sha256": report.build_sha256,
        "skipped": [{"path": skip.path, "reason": skip.reason} for skip in report.skipped],
        "warnings": list(report.warnings),
    }


def plan_lines(report: BuildReport) -> list[str]:
    """The plan as a table, to be read before anything is written."""
    from graftset.build.plans import describe

    return [
        *describe(report.plan, report.matches).splitlines(),
        f"size: {report.size.reason}",
        *([f"colors of generated images: {report.colors}"] if report.colors else []),
        f"sample prompts: {report.prompts}, painted at every checkpoint with the same seeds for every plan",
    ]


def build_lines(report: BuildReport) -> list[str]:
    """A build for people."""
    return [build_line(report), *build_remarks([report])]


def plan_notes(reports: Sequence[BuildReport]) -> list[str]:
    """What plans show otherwise than they were asked to, each sentence once."""
    return list(dict.fromkeys(f"note: {report.plan.name}: {note}" for report in reports for note in report.plan.notes))


def build_line(report: BuildReport) -> str:
    """What was done, in one line."""
    done = "unchanged" if report.unchanged else "built" if report.written else "would build"
    return (
        f"{done} {shown(report.folder)}: {counted(report.images, 'image')} at "
        f"{report.size.width}x{report.size.height} px, "
        f"{counted(report.plan.steps, 'step')}, {report.plan.real_mass:.0%} of what is shown are originals"
    )


def build_remarks(reports: Sequence[BuildReport]) -> list[str]:
    """What builds leave out and warn of; what they have in common is said once."""
    left_out = dict.fromkeys(f"left out {skip.path}: {skip.reason}" for report in reports for skip in report.skipped)
    warnings = dict.fromkeys(f"warning: {warning}" for report in reports for warning in report.warnings)
    notes = [] if any(not report.written and not report.unchanged for report in reports) else plan_notes(reports)
    return [*some(left_out), *notes, *warnings]  # a dry run has told its notes with the plan


def verify_and_tell(folder: Path, *, as_json: bool) -> None:
    """Compare a build's files with its manifest and print what differs; exit 1 where something does."""
    from graftset.workflows.steps import verify

    found = verify(folder)
    problems = {"missing": found.missing, "changed": found.changed, "trained_on": found.trained_on}
    problems["contradictions"] = found.contradictions
    words = {"trained_on": "trained on", "contradictions": "manifest"}
    document = {"folder": str(folder), "files": found.files, "ok": found.intact, "extra": list(found.extra)}
    lines = [f"{words.get(kind, kind)}: {path}" for kind, paths in problems.items() for path in paths]
    verdict = (
        f"{counted(found.files, 'file')}, build {found.build_sha256[:16]}: {'' if found.intact else 'not '}as built"
    )
    fault = UserError(
        "The files of this build are not those that were built",
        field="--verify",
        value=str(folder),
        remedy="Build it again with --force.",
    )
    finish(
        document | {kind: list(paths) for kind, paths in problems.items()} | {"versions": list(found.versions)},
        [*some(lines), *(f"note: another version: {version}" for version in found.versions), verdict],
        as_json=as_json,
        fault=None if found.intact else fault,
    )
