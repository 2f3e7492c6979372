"""Starting a project: graftset.toml, and the folders of pictures it names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from graftset.catalog import Catalog
from graftset.config import FILE_NAME, Project, default_toml, open_project
from graftset.errors import ExistsError, UserError
from graftset.files import write_whole


def init(folder: Path, originals: Path, candidates: Sequence[Path], prompts: Path | None, *, force: bool) -> Path:
    """Write graftset.toml with every default; returns its path.

    Raises:
        ExistsError: There is another one already and `force` is not given.
        UserError: A folder that is named is not there or holds the project, or the project folder cannot be made.
    """
    for field, path in [("--originals", originals), *(("--candidates", c) for c in candidates)]:
        if not path.is_dir():
            raise UserError("There is no such folder", field=field, value=str(path), remedy="Name an existing folder.")
        refuse_around(path, folder, field)
    if prompts is not None and not prompts.is_file():
        raise UserError("There is no such file", field="--prompts", value=str(prompts), remedy="Name an existing file.")
    target = folder / FILE_NAME
    text = default_toml(
        _as_written(originals, folder),
        [_as_written(c, folder) for c in candidates],
        None if prompts is None else _as_written(prompts, folder),
    )
    if target.exists() and not force and target.read_bytes() != text.encode():
        raise ExistsError(
            "The project has settings already", field="DIR", value=str(target), remedy="Edit them, or pass --force."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The project folder cannot be made: {error.strerror}",
            field="DIR",
            value=str(folder),
            remedy="Name a folder where you may write.",
        ) from error
    write_whole(target, text)
    return target


def init_or_agree(
    folder: Path, originals: Path | None, candidates: Sequence[Path], prompts: Path | None, *, force: bool = False
) -> None:
    """Write graftset.toml where there is none; else see that the pictures named now are those it names.

    Settings that were edited stay. Those that nobody edited and nothing rests on, as after a first try with the wrong
    folder, are written anew. Raises what `init` raises, and:

    Raises:
        ExistsError: The project is about other pictures.
        UserError: A new project without its pictures.
    """
    known = open_project(folder) if (folder / FILE_NAME).exists() else None
    if known is not None:
        other = _other_pictures(known, originals, candidates, prompts)
        if other is None:
            return
        if not _is_fresh(known):
            raise other
    if originals is None or not candidates:
        raise UserError(
            "There is no project here yet, and a new one needs its pictures",
            field="DIR",
            value=str(folder),
            remedy="Name both folders, --originals PATH --candidates PATH; graftset.toml remembers them.",
        )
    init(folder, originals, candidates, prompts, force=force or known is not None)


def _other_pictures(
    project: Project, originals: Path | None, candidates: Sequence[Path], prompts: Path | None
) -> ExistsError | None:
    """What is named and is not what the project's settings name, as the error it may be."""
    named: tuple[tuple[str, Sequence[Path], Sequence[Path]], ...] = (
        ("--originals", [originals] if originals else [], [project.originals]),
        ("--candidates", candidates, project.candidates),
        ("--prompts", [prompts] if prompts else [], [project.prompts] if project.prompts else []),
    )
    for field, given, known in named:
        if given and {os.path.realpath(path) for path in given} != {os.path.realpath(path) for path in known}:
            return ExistsError(
                f"The project has other pictures: its {FILE_NAME} names {', '.join(map(str, known)) or 'none'}",
                field=field,
                value=", ".join(map(str, given)),
                remedy=f"Leave the option out to go on with those, edit {FILE_NAME}, or name another project folder.",
            )
    return None


def _is_fresh(project: Project) -> bool:
    """Whether the settings are as `init` wrote them and nothing was selected under them."""
    named = project.settings.project
    text = default_toml(named.originals, named.candidates, named.prompts)
    if (project.root / FILE_NAME).read_bytes() != text.encode():
        return False
    catalog = Catalog.open(project.catalog_url)
    try:
        return catalog.selection() is None
    finally:
        catalog.close()


def refuse_around(pictures: Path, project: Path, field: str) -> None:
    """Refuse a folder of pictures that the project lies in: what is built would come back as candidates."""
    if Path(os.path.realpath(project)).is_relative_to(os.path.realpath(pictures)):
        raise UserError(
            "The project would lie inside this folder of pictures, and its builds would be taken for pictures to read",
            field=field,
            value=str(pictures),
            remedy="Name a project folder outside of it.",
        )


def _as_written(path: Path, folder: Path) -> str:
    """A path as graftset.toml keeps it: relative where it lies in the project, so that the project can move."""
    absolute, root = Path(os.path.abspath(path)), Path(os.path.abspath(folder))
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else str(absolute)
