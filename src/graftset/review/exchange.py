"""Verdicts as CSV or JSON lines, for other tools and other machines.

Every entry is written, also withdrawn ones, so that an export read into an empty project gives the same verdicts, the
same undo and the same history; reading it twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graftset.catalog import Catalog

FIELDS = (
    "sha256", "file", "verdict", "reason", "reviewer", "at", "caption", "action", "act", "of", "plan", "settles",
)  # fmt: skip
SUFFIXES = (".csv", ".jsonl")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    added: int
    known: int  # rows that had been imported before, or came from here
    skipped: tuple[tuple[int, str], ...]  # (line or record from 1, reason)


def export_verdicts(catalog: Catalog, path: Path) -> int:
    """Write every verdict to a file, CSV or JSON lines by its suffix; returns how many."""
    raise NotImplementedError


def import_verdicts(catalog: Catalog, path: Path) -> ImportReport:
    """Read verdicts from a file that `export_verdicts` or a person wrote."""
    raise NotImplementedError
