"""Asking for help is quick, and mistakes in a command end in a sentence.

How quick, as a ratio to importing numpy, is measured in benchmarks/command_line_start.py; what makes it so is held
here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import graftset

HEAVY = {
    "numpy",
    "scipy",
    "PIL",
    "sqlalchemy",
    "alembic",
    "pydantic",
    "rich",
    "jinja2",
    "joblib",
    "tomlkit",
    "instant_clip_tokenizer",
    "torch",
}
START = "import sys; from graftset.cli import main; sys.argv[0] = 'graftset'; main()"


def run(*arguments: str, code: str = START) -> subprocess.CompletedProcess[str]:
    """Run graftset as a shell would."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)


def loaded_by(*arguments: str) -> set[str]:
    """The top-level modules that a command has loaded when it is done."""
    code = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {START}"
    done = run(*arguments, code=code)
    assert done.returncode == 0
    return {name.split(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_loads_nothing_that_takes_time(argument: str) -> None:
    loaded = loaded_by(argument)
    assert "graftset" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("command", ["expand", "select", "images"])
def test_the_help_of_a_command_loads_no_stage(command: str) -> None:
    # typer itself reads a command's defaults with pydantic.
    assert loaded_by(command, "--help") & (HEAVY - {"pydantic"}) == set()


def test_the_version_is_the_package_s() -> None:
    assert run("--version").stdout == f"graftset {graftset.__version__}\n"


def test_no_command_shows_the_help_and_is_wrong_usage() -> None:
    done = run()
    assert done.returncode == 2
    assert "Commands:" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments", [("no-such-command",), ("select", "--count", "many"), ("build", "--no-such-option")]
)
def test_wrong_usage_exits_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Usage: graftset" in done.stderr
    assert done.stdout == ""


def test_a_folder_that_is_no_project_is_one_sentence_and_exits_1(tmp_path: Path) -> None:
    done = run("status", "--project", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("graftset: No graftset.toml here")
    assert done.stderr.count("\n") == 1


def test_an_error_is_json_where_json_was_asked_for(tmp_path: Path) -> None:
    done = run("status", "--project", str(tmp_path), "--json")
    assert done.returncode == 1
    assert set(json.loads(done.stdout)["error"]) == {"message", "field", "value", "remedy"}
