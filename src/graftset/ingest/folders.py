"""The folders of one run: checked, searched, and every image given to exactly one of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graftset.errors import EmptyInputError, UserError
from graftset.ingest.notes import Notes, printable
from graftset.ingest.walk import Found, walk

_REMEDY = "Give a folder with PNG, JPEG, WebP, BMP or TIFF images"


@dataclass(frozen=True, slots=True)
class Folders:
    """What the folders hold."""

    originals: Found
    candidates: tuple[Found, ...]

    def all(self) -> tuple[Found, ...]:
        """Return the originals' folder and the candidates'."""
        return (self.originals, *self.candidates)


def find_images(originals: Path, candidates: Sequence[Path], notes: Notes) -> Folders:
    """Search the folders. Where one lies inside another, its images are its own alone, and that is remarked.

    Raises:
        EmptyInputError: A folder of originals, or all those of candidates together, without an image.
        UserError: A folder is missing or no folder, or originals and candidates are the same.
    """
    originals = _checked(originals, "originals")
    unique: dict[str, Path] = {}
    for folder in candidates:
        unique.setdefault(os.path.realpath(folder), _checked(folder, "candidates"))
    if os.path.realpath(originals) in unique:
        raise UserError(
            "Originals and candidates are the same folder",
            field="candidates",
            value=str(originals),
            remedy="Keep the generated images in a folder of their own",
        )
    roots = [originals, *unique.values()]
    # All other folders, not only those inside: a link can lead into any of them.
    found = [walk(root, exclude=[other for other in roots if other != root]) for root in roots]
    for root in unique.values():
        if root in _inside(originals, roots):
            notes.add("Candidates inside the originals folder count as candidates only", printable(root.name))
        if originals in _inside(root, roots):
            notes.add("Originals inside the candidates folder count as originals only", printable(originals.name))
    folders = Folders(found[0], tuple(found[1:]))
    _require_images([folders.originals], "originals")
    if folders.candidates:
        _require_images(folders.candidates, "candidates")
    return folders


def _checked(folder: Path, field: str) -> Path:
    """Return the folder's absolute path, links unresolved, so that images keep the names the user knows."""
    absolute = Path(os.path.abspath(folder))
    if not absolute.exists():
        raise UserError(f"The {field} folder does not exist", field=field, value=str(folder), remedy=_REMEDY)
    if not absolute.is_dir():
        raise UserError(f"The {field} path is a file, not a folder", field=field, value=str(folder), remedy=_REMEDY)
    if not str(absolute).isprintable():
        try:
            str(absolute).encode("utf-8")
        except UnicodeEncodeError as error:
            raise UserError(
                f"The path of the {field} folder is not valid UTF-8",
                field=field,
                value=printable(str(absolute)),
                remedy="Rename the folder",
            ) from error
    return absolute


def _inside(root: Path, roots: Sequence[Path]) -> list[Path]:
    real = Path(os.path.realpath(root))
    return [other for other in roots if other != root and Path(os.path.realpath(other)).is_relative_to(real)]


def _require_images(found: Sequence[Found], field: str) -> None:
    if any(folder.images for folder in found):
        return
    others: Counter[str] = Counter()
    for folder in found:
        others += folder.others + Counter(path.suffix.lower() for path in folder.captions + folder.metadata)
    described = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
    raise EmptyInputError(
        f"The {field} folder holds no image, {f'only other files: {described}' if others else 'nor any other file'}",
        field=field,
        value=", ".join(str(folder.root) for folder in found),
        remedy=_REMEDY,
    )
