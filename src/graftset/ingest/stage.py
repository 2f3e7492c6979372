"""The stage itself: two folders of images and what is said of them -> records in the catalog."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from graftset.errors import EmptyInputError, SkipFile, UserError
from graftset.ingest.describe import Originals, describe
from graftset.ingest.folders import Folders, find_images
from graftset.ingest.notes import Notes, enumerate_names
from graftset.ingest.prompts import assign, read_prompts
from graftset.ingest.statements import Statement
from graftset.ingest.texts import Stated, StatedTexts
from graftset.ingest.walk import Found
from graftset.records import ImageRecord, Origin, Skip

BATCH = 256
"""Files between two commits: a killed run loses at most so many."""

_CHANGES = ("added", "changed", "unchanged", "moved", "missing")
_NONE: Mapping[Origin, int] = {"original": 0, "generated": 0}


class Catalog(Protocol):
    """What this stage needs of the catalog. Paths are absolute; every call is one transaction."""

    def known_files(self) -> Mapping[str, ImageRecord]:
        """Return the images of earlier runs by path, without those marked missing."""
        ...

    def known_skips(self) -> Mapping[str, tuple[int, int, str]]:
        """Return the skipped files of earlier runs: path -> size in bytes, modification time in ns, reason."""
        ...

    def save_images(self, records: Sequence[ImageRecord], /) -> None:
        """Insert or replace by path; a path marked missing is present again."""
        ...

    def save_skips(self, skips: Sequence[tuple[Skip, int, int]], /) -> None:
        """Insert or replace by path, with size in bytes and modification time in ns."""
        ...

    def forget_skips(self, paths: Sequence[str], /) -> None:
        """Forget that these files were skipped."""
        ...

    def mark_missing(self, paths: Sequence[str], /) -> None:
        """Remember that these images are gone, and keep what is known of them."""
        ...

    def rename(self, old_path: str, new_path: str, /) -> None:
        """Carry everything known of an image over to its new path."""
        ...


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one run found, by origin; `skips` are all files that cannot be used, found now or before."""

    added: Mapping[Origin, int]
    changed: Mapping[Origin, int]  # the file itself, or what is said of it
    unchanged: Mapping[Origin, int]
    moved: Mapping[Origin, int]
    missing: Mapping[Origin, int]  # known before; now gone, or no longer usable
    skips: tuple[Skip, ...]
    notes: tuple[str, ...]


def ingest(
    catalog: Catalog,
    *,
    originals: Path,
    candidates: Path | Sequence[Path],
    prompts: Path | None,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> IngestReport:
    """Take the images of the folders into the catalog, with text, provenance, source and generation.

    Running it again reads only image files whose size or modification time changed; captions are cheap and read every
    time. An image that vanished from one path and turned up at another is moved, with all that is known of it.

    Args:
        catalog: Where the records go, in batches.
        originals: The folder of originals, searched at any depth.
        candidates: The folder or folders of generated images; none is allowed.
        prompts: A prompts file for the candidates; what it says goes before the files beside the images.
        strict: Make files that cannot be used an error, after the usable ones are taken.
        progress: Called with files done and files in all.

    Raises:
        EmptyInputError: A folder without a usable image.
        UserError: A folder or the prompts file is missing or not what it should be; with `strict`, any skip.
    """
    notes = Notes()
    candidate_folders = [candidates] if isinstance(candidates, Path) else candidates
    folders = find_images(originals, candidate_folders, notes)
    prompts_file = Path(os.path.abspath(prompts)) if prompts is not None else None
    said = _assigned(folders, prompts_file, notes)
    run = _Run(catalog, folders, Originals(folders.originals, prompts_file and prompts_file.parent), notes)
    done, total = 0, sum(len(found.images) for found in folders.all())
    for found in folders.all():
        texts = StatedTexts(found, {} if found is folders.originals else said, prompts_file, notes)
        run.skip([*found.skips, *texts.captions_without_image(found)])
        for path in found.images:
            run.take(path, "original" if found is folders.originals else "generated", texts.of(path))
            done += 1
            if done % BATCH == 0:
                run.commit()
            if progress is not None:
                progress(done, total)
    report = run.finish()
    if strict and report.skips:
        shown = enumerate_names([f"{Path(skip.path).name} {skip.reason}" for skip in report.skips])
        raise UserError(
            f"Files that cannot be used ({len(report.skips)}): {shown}",
            field="strict",
            remedy="Mend or remove them, or run without --strict to leave them out",
        )
    return report


def _assigned(folders: Folders, prompts_file: Path | None, notes: Notes) -> dict[Path, Statement]:
    if prompts_file is None:
        return {}
    images = [path for found in folders.candidates for path in found.images]
    bases = [*(found.root for found in folders.candidates), prompts_file.parent]
    return assign(read_prompts(prompts_file), images, bases, notes)


class _Run:
    """What earlier runs knew, and what this one has found so far."""

    def __init__(self, catalog: Catalog, folders: Folders, originals: Originals, notes: Notes) -> None:
        self._catalog = catalog
        self._folders = folders
        self._originals = originals
        self._notes = notes
        self._known = dict(catalog.known_files())
        self._vanished = self._known_by_content(except_paths={str(p) for found in folders.all() for p in found.images})
        self._counts: dict[str, Counter[Origin]] = {change: Counter(_NONE) for change in _CHANGES}
        self._taken: dict[str, ImageRecord] = {}
        self._pending: list[ImageRecord] = []
        self._skips: list[Skip] = []

    def skip(self, skips: Sequence[Skip]) -> None:
        """Remember files that cannot be used."""
        self._skips.extend(skips)

    def take(self, path: Path, origin: Origin, stated: Stated) -> None:
        """Take one image file, or remember why it cannot be used."""
        known = self._known.get(str(path))
        try:
            record = describe(path, origin, stated, known)
        except SkipFile as refused:
            self._skips.append(Skip(refused.path, refused.reason))
            return
        if origin == "generated":
            source, basis = self._originals.source_of(path, stated, self._notes)
            record = replace(record, source_original=source, source_basis=basis)
        self._counts[self._change(record, known)][origin] += 1
        self._taken[record.path] = record
        if record != known:
            self._pending.append(record)

    def commit(self) -> None:
        """Write what has been taken since the last commit."""
        if self._pending:
            self._catalog.save_images(self._pending)
            self._pending = []

    def finish(self) -> IngestReport:
        """Write the rest, settle what is gone, and report.

        Raises:
            EmptyInputError: Not one image of an origin can be used; nothing is marked missing then.
        """
        self.commit()
        self._save_skips()
        self._require_usable("original", [self._folders.originals])
        self._require_usable("generated", self._folders.candidates)
        missing = sorted(self._known.keys() - self._taken.keys())
        if missing:
            self._catalog.mark_missing(missing)
        self._counts["missing"].update(self._known[path].origin for path in missing)
        self._remark_identical()
        return IngestReport(
            **{change: dict(counts) for change, counts in self._counts.items()},
            skips=tuple(self._skips),
            notes=self._notes.sentences(),
        )

    def _change(self, record: ImageRecord, known: ImageRecord | None) -> str:
        """Say what became of an image, and carry over what is known of one that moved."""
        if known is not None:
            return "unchanged" if record == known else "changed"
        old_paths = self._vanished.get((record.sha256, record.origin))
        if not old_paths:
            return "added"
        old_path = old_paths.pop(0)
        self._catalog.rename(old_path, record.path)
        del self._known[old_path]
        return "moved"

    def _known_by_content(self, except_paths: Collection[str]) -> dict[tuple[str, Origin], list[str]]:
        by_content: dict[tuple[str, Origin], list[str]] = defaultdict(list)
        for path in sorted(self._known.keys() - except_paths):
            by_content[self._known[path].sha256, self._known[path].origin].append(path)
        return by_content

    def _save_skips(self) -> None:
        known = self._catalog.known_skips()
        stated = {skip.path: (*_size_and_time(skip.path), skip.reason) for skip in self._skips}
        fresh = [
            (Skip(path, reason), size, mtime)
            for path, (size, mtime, reason) in stated.items()
            if known.get(path) != (size, mtime, reason)
        ]
        if fresh:
            self._catalog.save_skips(fresh)
        mended = sorted(known.keys() - stated.keys())
        if mended:
            self._catalog.forget_skips(mended)

    def _require_usable(self, origin: Origin, folders: Sequence[Found]) -> None:
        if not folders or any(record.origin == origin for record in self._taken.values()):
            return
        field = "originals" if origin == "original" else "candidates"
        images = {str(path) for found in folders for path in found.images}
        refused = [skip for skip in self._skips if skip.path in images]
        raise EmptyInputError(
            f"No image of the {field} folder can be used: "
            + enumerate_names([f"{Path(skip.path).name} {skip.reason}" for skip in refused]),
            field=field,
            value=", ".join(str(found.root) for found in folders),
            remedy="Give a folder with whole PNG, JPEG, WebP, BMP or TIFF images",
        )

    def _remark_identical(self) -> None:
        originals = {record.sha256 for record in self._taken.values() if record.origin == "original"}
        for record in self._taken.values():
            if record.origin == "generated" and record.sha256 in originals:
                self._notes.add("Candidates that are the very file of an original", Path(record.path).name)


def _size_and_time(path: str) -> tuple[int, int]:
    """Return size in bytes and modification time in ns, or zeros for what cannot even be asked."""
    try:
        status = os.lstat(path)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
