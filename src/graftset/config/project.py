"""A project folder: its settings, and where everything in it lies."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from graftset.config.reading import parse
from graftset.config.settings import FILE_NAME, Settings
from graftset.errors import UserError


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder and its settings. `root` is absolute."""

    root: Path
    settings: Settings

    @property
    def originals(self) -> Path:
        """Folder of the originals."""
        return self.path(self.settings.project.originals)

    @property
    def candidates(self) -> tuple[Path, ...]:
        """Folders of the candidates."""
        return tuple(self.path(text) for text in self.settings.project.candidates)

    @property
    def prompts(self) -> Path | None:
        """The prompts file, where there is one."""
        text = self.settings.project.prompts
        return None if text is None else self.path(text)

    @property
    def catalog_url(self) -> str:
        """SQLAlchemy URL of the catalog.

        Raises:
            UserError: The project folder's path holds a "?", where the database path of a URL would end.
        """
        if self.settings.catalog.url:
            return self.settings.catalog.url
        path = (self.root / ".graftset" / "catalog.db").as_posix()
        if "?" in path:
            raise UserError(
                "A catalog cannot lie in a folder with a question mark in its path",
                field="--project",
                value=str(self.root),
                remedy="Rename the folder, or set `url` under [catalog] in graftset.toml",
            )
        return f"sqlite:///{path}"

    @property
    def builds(self) -> Path:
        """Folder that holds one folder for each build."""
        return self.root / "builds"

    @property
    def runs(self) -> Path:
        """Folder that holds one folder for each training run."""
        return self.root / "runs"

    @property
    def experiments(self) -> Path:
        """Folder that holds one folder for each experiment."""
        return self.root / "experiments"

    @property
    def evaluations(self) -> Path:
        """Folder of the scorecards of pictures that no run folder of ours holds."""
        return self.root / "evaluations"

    @property
    def decisions(self) -> Path:
        """Folder of the decisions, a numbered file each."""
        return self.root / "decisions"

    @property
    def reports(self) -> Path:
        """Folder of the HTML reports."""
        return self.root / "reports"

    def path(self, text: str) -> Path:
        """A path of the settings as an absolute one: `~` is the home folder, a relative path starts at `root`."""
        return Path(os.path.normpath(self.root / os.path.expanduser(text)))


def open_project(project_dir: Path) -> Project:
    """The project in a folder, with its settings read. Raises what `load` raises."""
    return Project(Path(os.path.abspath(project_dir)), load(project_dir))


def load(project_dir: Path) -> Settings:
    """Read the settings of a project folder.

    Whether the folders named in them exist is not asked here: a report can be made after the candidates moved away.

    Raises:
        UserError: There is no graftset.toml, or it cannot be read.
        ConfigError: The file is not TOML (with line and column), or holds faults; all of them are named.
    """
    path = Path(project_dir) / FILE_NAME
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"No {FILE_NAME} here",
            field="--project",
            value=str(project_dir),
            remedy="Run `graftset init DIR --originals PATH --candidates PATH`, or name the project with --project DIR",
        ) from None
    except OSError as error:
        raise UserError(
            f"{FILE_NAME} cannot be read: {error.strerror}",
            field=FILE_NAME,
            value=str(path),
            remedy="Make it a file that you may read",
        ) from error
    return parse(data)
