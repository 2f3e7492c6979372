"""Rooms import from the layers below them, and from nothing else."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "graftset"

# A room is a module or a folder of the package. One more room is one more name here, in the layer it belongs to.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "phrases", "statistics", "pixels"),
    ("records", "config", "vocabulary", "tokens", "imageio", "files"),
    (
        "engine",
        "traits",
        "quality",
        "measuring",
        "claims",
        "prompts",
        "scorecards",
        "compare",
        "decide",
        "catalog",
        "diffusion",
        "trainerfiles",
        "runs",
        "experiments",
    ),
    (
        "ingest",
        "assess",
        "caption",
        "audit",
        "review",
        "selection",
        "build",
        "train",
        "sampling",
        "pastruns",
        "evaluate",
        "suggest",
        "report",
        "tracking",
        "drawn",
    ),
    ("workflows",),
    ("cli", "web"),
    ("__main__",),
)
LEFTWARDS = 2  # the layer whose rooms may also import those that stand to their left
ARRAYS = ("numpy", "scipy")  # all that the lowest layer has beyond the standard library


@dataclass(frozen=True)
class Import:
    """One imported name: where it is, and its full dotted path."""

    room: str
    file: Path
    line: int
    name: str

    @property
    def other_room(self) -> str | None:
        """The room of ours it leads to; None for the outside and for the package itself (its version)."""
        parts = self.name.split(".")
        return parts[1] if parts[0] == "graftset" and len(parts) > 1 and parts[1] != "__version__" else None

    def __str__(self) -> str:
        return f"{self.file.name}:{self.line}: {self.room} imports {self.name}"


def allowed_rooms(room: str) -> set[str]:
    """The rooms that a room may import, besides itself."""
    layer = next(i for i, rooms in enumerate(LAYERS) if room in rooms)
    if layer == 0:
        return set()
    below = {other for rooms in LAYERS[:layer] for other in rooms}
    beside = LAYERS[layer][: LAYERS[layer].index(room)] if layer == LEFTWARDS else ()
    return below | set(beside)


def rooms_of(package: Path) -> set[str]:
    """Every module and folder of the package."""
    modules = {path.stem for path in package.glob("*.py") if path.stem != "__init__"}
    return modules | {path.parent.name for path in package.glob("*/__init__.py")}


def imports_of(package: Path) -> Iterator[Import]:
    """Every import of the package, also those inside functions and those for type checking only."""
    for file in sorted(package.rglob("*.py")):
        place = file.relative_to(package).with_suffix("").parts
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for name in _imported_names(node, ("graftset", *place[:-1])):
                yield Import(place[0], file, node.lineno, name)  # type: ignore[attr-defined]


def _imported_names(node: ast.AST, folder: tuple[str, ...]) -> Iterable[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = folder[: len(folder) - node.level + 1] if node.level else ()
        base = ".".join((*above, *([node.module] if node.module else [])))
        return [f"{base}.{alias.name}" for alias in node.names]
    return []


def violations(package: Path) -> list[str]:
    """Every import that the layers do not allow, as a sentence."""
    found = []
    known = {room for rooms in LAYERS for room in rooms}
    for entry in imports_of(package):
        outside = entry.name.split(".")[0]
        if entry.room == "__init__":
            legal = outside not in ("graftset", *ARRAYS)  # whoever asks for the version gets nothing else
        elif entry.room not in known:
            legal = False
        elif entry.other_room is None:
            legal = entry.room not in LAYERS[0] or outside in {*sys.stdlib_module_names, *ARRAYS, "graftset"}
        else:
            legal = entry.other_room in {entry.room, *allowed_rooms(entry.room)}
        if not legal:
            found.append(str(entry))
    return found


def test_every_room_stands_in_one_layer() -> None:
    listed = [room for rooms in LAYERS for room in rooms]
    assert sorted(listed) == sorted(rooms_of(PACKAGE))


def test_rooms_import_only_from_the_layers_below() -> None:
    assert violations(PACKAGE) == []


@pytest.fixture(scope="module")
def present() -> set[str]:
    """What is wrong already, so that a planted fault can be told from it."""
    return set(violations(PACKAGE))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package, to plant a wrong import in."""
    return Path(shutil.copytree(PACKAGE, tmp_path / "graftset", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("pixels/grid.py", "from graftset.errors import UserError"),
        ("pixels/grid.py", "import pydantic"),
        ("statistics/finite_pool.py", "from graftset import pixels"),
        ("imageio/png.py", "from graftset.catalog import Catalog"),
        ("quality.py", "from graftset.catalog import Catalog"),
        ("selection/gates.py", "from graftset.build import verify"),
        ("ingest/stage.py", "from ..assess import assess"),
        ("report/page.py", "def late() -> None:\n    import graftset.workflows.expand"),
        ("workflows/expand.py", "from graftset import cli"),
        ("workflows/expand.py", "from graftset.web import serve"),
        ("cli/app.py", "def late() -> None:\n    from graftset.web import serve"),
        ("web/app.py", "from graftset.cli.console import show"),
        ("records.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from graftset.catalog import Catalog"),
    ],
)
def test_a_planted_wrong_import_is_found(copy: Path, present: set[str], file: str, line: str) -> None:
    path = copy / file
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    assert len(set(violations(copy)) - present) == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("pixels/grid.py", "from graftset.pixels.color import to_hex"),
        ("catalog/store.py", "from graftset.quality import MEASURES"),
        ("workflows/expand.py", "from ..report import page"),
        ("cli/show.py", "from graftset import __version__"),
    ],
)
def test_an_import_that_is_allowed_is_let_through(copy: Path, present: set[str], file: str, line: str) -> None:
    path = copy / file
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    assert set(violations(copy)) == present


def test_a_room_that_no_layer_names_is_found(copy: Path, present: set[str]) -> None:
    (copy / "helpers.py").write_text("import os\n", encoding="utf-8")
    assert "helpers" in rooms_of(copy)
    assert set(violations(copy)) - present == {"helpers.py:1: helpers imports os"}


def modules_after(statement: str) -> set[str]:
    """Every module a fresh interpreter has loaded after a statement."""
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_selecting_loads_no_trainer_no_server_and_no_database() -> None:
    loaded = modules_after("import graftset.selection")
    assert "graftset.selection.gates" in loaded
    assert not loaded & {"torch", "fastapi", "sqlalchemy", "alembic", "graftset.catalog"}
