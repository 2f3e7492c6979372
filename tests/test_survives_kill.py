"""A command that is stopped or killed at any moment leaves whole things only, and can be run again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graftset.build import verify
from running import COMMAND, ENVIRONMENT, Outcome, build_bytes, call, images, pictures, told

Moment = Callable[[Path], bool]


def rows(project: Path, table: str) -> int:
    """How many rows a table of the project's catalog has; 0 while there is no such table."""
    catalog = project / ".graftset" / "catalog.db"
    if not catalog.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{catalog}?mode=ro", uri=True) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.Error:
        return 0


def being_built(project: Path) -> int:
    """How many files of a build lie in its hidden folder."""
    return sum(1 for _ in project.glob("builds/.graftset-*/*/*"))


MOMENTS: dict[str, Moment] = {
    "the settings are written": lambda project: (project / "graftset.toml").exists(),
    "the catalog is made": lambda project: (project / ".graftset" / "catalog.db").exists(),
    "the first pictures are taken in": lambda project: rows(project, "images") > 0,
    "the first are measured": lambda project: rows(project, "measurements") > 0,
    "all are assessed": lambda project: rows(project, "assessments") > 0,
    "the selection is made": lambda project: rows(project, "selections") > 0,
    "a build is under way": lambda project: being_built(project) > 3,
    "one build is there": lambda project: any(project.glob("builds/[!.]*/manifest.json")),
    "the last build is under way": lambda project: (
        (project / "builds" / "weighted").exists() and being_built(project) > 3
    ),
}


@pytest.fixture(scope="module")
def uninterrupted(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], list[Any]]:
    """The builds, and everything known of the images, of a project that nobody disturbed."""
    project = tmp_path_factory.mktemp("uninterrupted") / "project"
    assert call("expand", project, *pictures(sample)).code == 0
    return build_bytes(project), images(project)


def interrupted(project: Path, sample: Path, moment: Moment, number: signal.Signals) -> Outcome:
    """Expand, and send a signal to the whole process group, as a terminal does, once the moment has come."""
    process = subprocess.Popen(
        [*COMMAND, "expand", str(project), *pictures(sample)],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not moment(project) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    if process.poll() is None:
        os.killpg(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert alive(process.pid) == []
    return told(Outcome(process.returncode, out, err))


def alive(group: int) -> list[int]:
    """The processes of a process group that still run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = entry.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it ended meanwhile
            continue
        if int(its_group) == group and state not in "ZX":
            found.append(int(entry.parent.name))
    return found


needs_processes = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")


@needs_processes
@pytest.mark.parametrize("when", MOMENTS)
def test_killed_at_any_moment_it_goes_on_to_the_same_end(
    sample: Path, tmp_path: Path, uninterrupted: tuple[dict[str, bytes], list[Any]], when: str
) -> None:
    project = tmp_path / "project"
    interrupted(project, sample, MOMENTS[when], signal.SIGKILL)
    for manifest in project.glob("builds/[!.]*/manifest.json"):
        assert verify(manifest.parent).intact, "what is there under its name is whole"
    again = call("expand", project)
    assert (again.code, again.err) == (0, "")
    assert build_bytes(project) == uninterrupted[0]
    assert images(project) == uninterrupted[1]
    assert list(project.rglob(".graftset-*")) == [], "what the killed one left is gone"


@needs_processes
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("when", ["the first are measured", "a build is under way"])
def test_stopped_it_says_one_line_and_leaves_nothing_half_done(
    sample: Path,
    tmp_path: Path,
    uninterrupted: tuple[dict[str, bytes], list[Any]],
    when: str,
    number: signal.Signals,
    code: int,
) -> None:
    project = tmp_path / "project"
    done = interrupted(project, sample, MOMENTS[when], number)
    line = "stopped: what was finished is kept, and the same command goes on from there\n"
    assert (done.code, done.out) == (code, "")
    # Libraries that are stopped in the middle of something may say so too: the last word is ours.
    assert done.err.endswith(line)
    assert list(project.rglob(".graftset-*")) == []
    assert call("expand", project).code == 0
    assert build_bytes(project) == uninterrupted[0]


WORK = """
import sys, time
from graftset.cli.console import ending
from graftset.engine import map_each
with ending(as_json=False):
    for _ in map_each(time.sleep, [0.01] * 2000, workers=2):
        print("one", flush=True)
"""


def test_a_process_that_is_killed_is_one_sentence() -> None:
    """As the system does when memory runs out."""
    script = WORK.replace("time.sleep, [0.01] * 2000", "os._exit, [9] * 200").replace("import sys,", "import os,")
    done = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "graftset: A process that measures pictures was killed" in done.stderr
