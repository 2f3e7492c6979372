"""graftset run as its user runs it, in a process of its own or in this one; and what a project then holds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from graftset.cli.app import app

COMMAND = (sys.executable, "-m", "graftset")
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


def run(*arguments: str | Path, **options: Any) -> Outcome:
    """Run graftset in a process of its own."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=ENVIRONMENT,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
        **options,
    )
    return told(Outcome(done.returncode, done.stdout, done.stderr))


def call(*arguments: str | Path) -> Outcome:
    """Run graftset in this process, which is quicker; an exception that no command turns into a sentence comes out."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="graftset")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return told(Outcome(result.exit_code, result.stdout, result.stderr))


def told(outcome: Outcome) -> Outcome:
    """The same outcome, after seeing that nobody was shown a traceback."""
    assert "Traceback" not in outcome.out + outcome.err, outcome.err
    return outcome


def sentence(outcome: Outcome) -> str:
    """The one line of an error that a person can mend, of a command that printed nothing else."""
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("graftset: ")
    assert outcome.err.count("\n") == 1, outcome.err
    return outcome.err.removeprefix("graftset: ").rstrip()


def pictures(sample: Path) -> tuple[str, ...]:
    """The options that name a sample set's pictures."""
    return ("--originals", str(sample / "originals"), "--candidates", str(sample / "candidates"))


def copy_of(sample: Path, folder: Path) -> Path:
    """A copy of a sample set, to change."""
    return Path(shutil.copytree(sample, folder))


def build_bytes(project: Path) -> dict[str, bytes]:
    """Every file below `builds/` by its relative path."""
    builds = project / "builds"
    return {path.relative_to(builds).as_posix(): path.read_bytes() for path in builds.rglob("*") if path.is_file()}


def images(project: Path) -> list[dict[str, Any]]:
    """What `graftset images --json` says."""
    outcome = call("images", "--project", project, "--json")
    assert outcome.code == 0
    return [json.loads(line) for line in outcome.out.splitlines()]


def status(project: Path) -> dict[str, Any]:
    """What `graftset status --json` says."""
    outcome = call("status", "--project", project, "--json")
    assert outcome.code == 0
    document: dict[str, Any] = outcome.json
    return document


def admitted(document: dict[str, Any]) -> int:
    """How many candidates an expansion admitted."""
    return len(document["select"]["selected"])


def names(paths: Sequence[str]) -> list[str]:
    """The file names of paths, sorted."""
    return sorted(Path(path).name for path in paths)
