"""The build folder on disk: complete or absent, and never over anything of the user's."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from graftset.build.manifest import MANIFEST, read_manifest, review_told, verify
from graftset.errors import BuildError, ExistsError, UserError
from graftset.files import temporary_folder, write_whole
from graftset.phrases import counted

_SHOWN = 5  # names in a message


def write_file(staging: Path, path: str, content: bytes) -> str:
    """Write one file below the staging folder; returns the SHA-256 of its content."""
    target = staging / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    if target.suffix == ".sh":
        target.chmod(target.stat().st_mode | 0o111)
    return hashlib.sha256(content).hexdigest()


def same_build_warnings(folder: Path, digest: str) -> list[str] | None:
    """Warnings on the same build where it is there already and whole; None where it is not."""
    if not (folder / MANIFEST).exists() or read_manifest(folder).get("build_sha256") != digest:
        return None
    found = verify(folder)
    if found.missing or found.changed:
        return None
    if not found.trained_on:
        return []
    return [f"Files that graftset did not write lie beside the training images: {some_names(found.trained_on)}."]


def update_review(folder: Path, staging: Path) -> None:
    """Let the manifest of a build say where the review stands now; the build is the one in `staging` otherwise."""
    if review_told(read_manifest(folder)) != review_told(read_manifest(staging)):
        write_whole(folder / MANIFEST, (staging / MANIFEST).read_bytes())


def refuse_foreign(folder: Path) -> None:
    """Refuse, before any work, a folder that is not a build of ours."""
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if (folder / MANIFEST).exists():
        try:
            read_manifest(folder)
            return
        except BuildError as error:
            raise ExistsError(
                f"A build is there, but what of it is yours cannot be told: {error.message}",
                field="folder",
                value=str(folder),
                remedy="Move it away, or build under another --name",
            ) from error
    raise ExistsError(
        "Something that is not a build of graftset is there",
        field="folder",
        value=str(folder),
        remedy="Build under another --name",
    )


def refuse_loss(folder: Path, *, force: bool) -> None:
    """Refuse to replace a different build unless asked to, and files that graftset did not write in any case."""
    if not (folder / MANIFEST).exists():
        return
    if not force:
        raise ExistsError(
            "A different build is there, or files of it were changed",
            field="folder",
            value=str(folder),
            remedy="Use --force to replace it, or another --name",
        )
    extra = verify(folder).extra
    if extra:
        raise ExistsError(
            f"The build to be replaced also holds {counted(len(extra), 'file')} that graftset did not "
            f"write: {some_names(extra)}",
            field="folder",
            value=str(folder),
            remedy="Move them away, or build under another --name",
        )


@contextlib.contextmanager
def staging_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder` to write into; gone afterwards unless it was renamed."""
    try:
        with temporary_folder(folder) as staging:
            yield staging
    except OSError as error:
        raise UserError(
            f"The build cannot be written: {error.strerror or error}",
            field="folder",
            value=str(folder),
            remedy="Check that the folder may be written to and has space left",
        ) from error


def some_names(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
