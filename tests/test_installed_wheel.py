"""The wheel alone is enough: built, installed into an empty environment, and put to work far from the source tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import graftset
from graftset.drawn import draw_sample_set

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed, without this repository on its path; returns its stdout."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the hatchling of this environment: no package index is asked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", ROOT, "--no-deps", "--no-build-isolation", "--wheel-dir", folder, "--quiet")
    run(sys.executable, "-m", "pip", *build, cwd=folder)
    return next(folder.glob("graftset-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that has the wheel, and of this one only the dependencies."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    install = ("--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    run(sys.executable, "-m", "pip", *install, cwd=folder)
    # A folder named in a .pth file is searched for packages, but the .pth files in it, such as the one of an editable
    # graftset, are not read.
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    source = ROOT / "src"
    files = {path for path in (source / "graftset").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    needed = {path.relative_to(source).as_posix() for path in files}
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert needed <= held
    assert {"graftset/py.typed", "graftset/pixels/xkcd_colors.tsv", "graftset/audit/words.txt"} <= held
    assert {name.split("/")[0] for name in held} == {"graftset", f"graftset-{graftset.__version__}.dist-info"}


def test_the_installed_command_says_what_it_is(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import graftset; print(graftset.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    assert run(installed / "graftset", "--version", cwd=tmp_path) == f"graftset {graftset.__version__}\n"
    assert "expand" in run(installed / "graftset", "--help", cwd=tmp_path)


def test_the_installed_command_expands_a_project(installed: Path, tmp_path: Path) -> None:
    draw_sample_set(tmp_path / "sample", originals=24, candidates=12)
    folders = ("--originals", "sample/originals", "--candidates", "sample/candidates")
    done = json.loads(run(installed / "graftset", "expand", "mine", *folders, "--json", cwd=tmp_path))
    assert done["ingest"]["added"] == {"original": 24, "generated": 12}
    assert len(done["select"]["selected"]) + len(done["select"]["dropped"]) == 12
    plans = [report["plan"]["name"] for report in done["builds"]] + [entry["plan"] for entry in done["not_built"]]
    assert sorted(plans) == ["equal", "originals", "sequential", "weighted"]
    assert (tmp_path / "mine" / "builds" / "originals" / "24_original").is_dir()
    page = (tmp_path / done["report"]).read_text(encoding="utf-8")
    assert "<style>" in page
    assert json.loads(run(installed / "graftset", "status", "--json", cwd=tmp_path / "mine"))["originals"] == 24
