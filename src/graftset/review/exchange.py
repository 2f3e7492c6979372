"""Verdicts as CSV or JSON lines, for other tools and other machines.

Every entry is written, also what was undone, so that an export read into another project with the same pictures gives
the same verdicts and the same history there; reading it twice changes nothing. A person may write such a file too: it
needs the columns `verdict` and one of `sha256` and `file`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any, get_args

from graftset.catalog import Catalog
from graftset.errors import UserError
from graftset.files import write_whole
from graftset.records import ImageView, ReviewPlan, VerdictAct, VerdictEntry, VerdictState

FIELDS = (
    "sha256", "file", "verdict", "reason", "reviewer", "at", "caption", "action", "act", "of", "plan", "settles",
)  # fmt: skip
SUFFIXES = (".csv", ".jsonl")
MOST_BYTES = 64 * 2**20  # of a file that is read
MOST_CELL = 8000  # characters of one value
UNNAMED = "imported"  # reviewer of rows that name nobody

_WORDS = {"approve": "approved", "reject": "rejected", "skip": "skipped", "withdraw": "withdrawn"}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. Rows are counted from 1, without the header."""

    added: int
    known: int  # rows that are here already
    skipped: tuple[tuple[int, str], ...]  # (row, reason)


class _BadRow(Exception):  # noqa: N818  a row that is left out, not a failure
    """Why one row cannot be used."""


# --- writing ----------------------------------------------------------------------------------------------------------


def export_verdicts(catalog: Catalog, path: Path) -> int:
    """Write every verdict to a file, CSV or JSON lines by its suffix; returns how many.

    Raises:
        UserError: Another suffix, or a place that cannot be written.
    """
    entries = catalog.verdicts()
    write_whole(path, export_text(entries, _suffix(path, "--export")))
    return len(entries)


def export_text(entries: Iterable[VerdictEntry], suffix: str) -> str:
    """Verdicts as text, the oldest first; `suffix` is one of `SUFFIXES`."""
    rows = (_row(entry) for entry in entries)
    if suffix == ".jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, FIELDS, lineterminator="\r\n")  # as RFC 4180 has it: so "\r" is quoted too
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _row(entry: VerdictEntry) -> dict[str, Any]:
    return {
        "sha256": entry.sha256,
        "file": PurePath(entry.path).name,
        "verdict": entry.verdict,
        "reason": entry.reason,
        "reviewer": entry.reviewer,
        "at": entry.at,
        "caption": entry.caption,
        "action": entry.action,
        "act": entry.act,
        "of": entry.of,
        "plan": entry.plan,
        "settles": entry.settles,
    }


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


# --- reading ----------------------------------------------------------------------------------------------------------


def import_verdicts(catalog: Catalog, path: Path) -> ImportReport:
    """Read verdicts from a file that `export_verdicts` or a person wrote, CSV or JSON lines by its suffix.

    Raises:
        UserError: A file that cannot be read as what its suffix says. Single bad rows are skipped with a reason.
    """
    suffix = _suffix(path, "--import")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"The verdicts cannot be read: {error.strerror}",
            field="--import",
            value=str(path),
            remedy="Name a CSV or JSONL file that you may read.",
        ) from error
    return import_text(catalog, data, suffix)


def import_text(catalog: Catalog, data: bytes, suffix: str) -> ImportReport:
    """Read verdicts from the bytes of a file; `suffix` is one of `SUFFIXES`. Written in one transaction."""
    if len(data) > MOST_BYTES:
        raise UserError(
            f"More than {MOST_BYTES // 2**20} MiB of verdicts",
            field="--import",
            value=len(data),
            remedy="Divide the file.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            "The verdicts are not UTF-8", field="--import", value=str(error), remedy="Save the file as UTF-8."
        ) from error
    finder = _Finder(catalog.views(), catalog.plans(), catalog.verdicts())
    entries: list[VerdictEntry] = []
    skipped: list[tuple[int, str]] = []
    known = 0
    for number, row in enumerate(_rows(text, suffix), start=1):
        try:
            entry = finder.entry(row)
        except _BadRow as reason:
            skipped.append((number, str(reason)))
            continue
        if finder.is_known(entry):
            known += 1
        else:
            finder.take(entry)
            entries.append(entry)
    written = catalog.save_verdicts(entries)
    return ImportReport(len(written), known + len(entries) - len(written), tuple(skipped))


def _rows(text: str, suffix: str) -> Iterator[Mapping[str, Any] | str]:
    """Each row as a mapping, or as the reason why it is none."""
    if suffix == ".jsonl":
        for line in text.split("\n"):
            if line.strip():
                yield _json_row(line)
        return
    header = text.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        if "verdict" not in names or not {"sha256", "file"} & set(names):
            raise UserError(
                "The table lacks a column",
                field="--import",
                value=", ".join(names)[:200],
                remedy="It needs `verdict`, and `sha256` or `file`.",
            )
        reader.fieldnames = names
        for row in reader:
            yield "it has more cells than the header" if None in row else row
    except csv.Error as error:
        raise UserError(
            f"The table cannot be read: {error}",
            field="--import",
            value=f"line {reader.line_num}",
            remedy="Save it as CSV again.",
        ) from error


def _json_row(line: str) -> Mapping[str, Any] | str:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "it is not JSON"
    return row if isinstance(row, dict) else "it is not a JSON object"


class _Finder:
    """Finds what rows concern among what the catalog holds, and what is there already."""

    def __init__(
        self, views: Sequence[ImageView], plans: Sequence[ReviewPlan], entries: Sequence[VerdictEntry]
    ) -> None:
        self._by_sha: dict[str, list[ImageView]] = {}
        self._by_name: dict[str, list[ImageView]] = {}
        for view in sorted(views, key=lambda view: view.path):
            if view.origin == "generated":
                self._by_sha.setdefault(view.sha256, []).append(view)
                self._by_name.setdefault(PurePath(view.path).name, []).append(view)
        self._samples = {plan.number: (plan.at, {image.path for image in plan.drawn}) for plan in plans}
        self._known = {(entry.action, entry.path) for entry in entries}
        self._newest = {(entry.path, entry.reviewer): entry.at for entry in entries}

    def is_known(self, entry: VerdictEntry) -> bool:
        """Whether the catalog, or an earlier row, holds the entry."""
        return (entry.action, entry.path) in self._known

    def take(self, entry: VerdictEntry) -> None:
        """Remember an entry of this file.

        Raises nothing: later rows of the same reviewer on the same picture come after it, whatever they say of when.
        """
        self._known.add((entry.action, entry.path))

    def entry(self, row: Mapping[str, Any] | str) -> VerdictEntry:
        """A row as an entry.

        Raises:
            _BadRow: It cannot be used; the message says why.
        """
        if isinstance(row, str):
            raise _BadRow(row)
        cells = {key: _told(value, key) for key, value in row.items() if key in FIELDS}
        verdict = str(cells.get("verdict") or "").strip().lower()
        verdict = _WORDS.get(verdict, verdict)
        if verdict not in get_args(VerdictState):
            raise _BadRow(f"there is no verdict {verdict!r}" if verdict else "it has no verdict")
        view, sha256 = self._image(cells.get("sha256"), cells.get("file"))
        reviewer = " ".join((cells.get("reviewer") or UNNAMED).split())[:80]
        at = _time(cells.get("at"))
        action = cells.get("action")
        if action is None:  # a person's row: the same row is the same verdict
            said = json.dumps([view.path, sha256, verdict, reviewer, cells.get("reason"), at, cells.get("caption")])
            action = "row-" + hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:40]
        act = cells.get("act") or "import"
        if act not in get_args(VerdictAct) or len(action) > 80 or len(cells.get("of") or "") > 80:
            raise _BadRow("its action is not one that graftset writes")
        entry = VerdictEntry(
            path=view.path,
            sha256=sha256,
            caption=_caption(cells, view),
            verdict=verdict,  # type: ignore[arg-type]
            reviewer=reviewer,
            action=action,
            act=act,  # type: ignore[arg-type]
            of=cells.get("of"),
            reason=cells.get("reason"),
            plan=self._plan(cells.get("plan"), view.path, at),
            settles=(cells.get("settles") or "").lower() == "true",
            at=at or "",
        )
        newest = self._newest.get((view.path, reviewer), "")
        if at is not None and at < newest and not self.is_known(entry):
            raise _BadRow(f"{reviewer} gave a newer verdict on this picture here")
        return entry

    def _image(self, sha256: str | None, file: str | None) -> tuple[ImageView, str]:
        """The candidate a row concerns, by its content, then by its name, and the content the row was said of."""
        name = PurePath((file or "").replace("\\", "/")).name
        same = self._by_sha.get((sha256 or "").strip().lower(), [])
        if same:
            view = next((view for view in same if PurePath(view.path).name == name), same[0])
            return view, view.sha256
        named = self._by_name.get(name, [])
        if len(named) == 1:
            return named[0], (sha256 or named[0].sha256).strip().lower()
        if named:
            raise _BadRow(f"{len(named)} candidates are called {name!r}, and none has this content")
        raise _BadRow(f"no candidate has this {'content or ' * bool(sha256)}name ({name!r})")

    def _plan(self, told: str | None, path: str, at: str | None) -> int | None:
        """The plan an imported verdict counts for: one that had drawn the picture before."""
        if told is None or not told.isdecimal() or at is None:
            return None
        began, sample = self._samples.get(int(told), ("", set()))
        return int(told) if path in sample and at >= began else None


def _told(value: object, key: str) -> str | None:
    """A value as text; None where there is none."""
    if value is None or value == "":
        return None
    if isinstance(value, bool | int):
        return str(value)
    if not isinstance(value, str):
        raise _BadRow(f"its {key} is not text")
    if len(value) > MOST_CELL:
        raise _BadRow(f"its {key} is longer than {MOST_CELL} characters")
    if any("\ud800" <= letter <= "\udfff" for letter in value) or "\0" in value:
        raise _BadRow(f"its {key} holds characters that no text has")
    return value


def _caption(cells: Mapping[str, str | None], view: ImageView) -> str | None:
    """The caption a row was said of: its own; without that column, the present one."""
    now = view.training_caption
    if "caption" not in cells or (cells["caption"] is None and now == ""):
        return now
    return cells["caption"]


def _time(told: str | None) -> str | None:
    """A time as the catalog writes it, ISO 8601 UTC."""
    if told is None:
        return None
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        raise _BadRow(f"its time {told[:40]!r} is not ISO 8601") from None
    return (found.replace(tzinfo=UTC) if found.tzinfo is None else found).astimezone(UTC).isoformat(timespec="seconds")


def _suffix(path: Path, field: str) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            "Verdicts are CSV or JSON lines", field=field, value=str(path), remedy=f"Use {' or '.join(SUFFIXES)}."
        )
    return suffix
