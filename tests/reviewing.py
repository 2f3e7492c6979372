"""A small project to review, served in this process or by a server of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient

from graftset.drawn import draw_sample_set
from graftset.selection import policy_from_settings
from graftset.web.app import create_app
from graftset.web.room import Room
from graftset.web.safety import Guard
from graftset.workflows import steps
from graftset.workflows.reviewing import open_desk
from graftset.workflows.starting import init_or_agree
from running import ENVIRONMENT

CANDIDATES = 56
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def make_project(folder: Path) -> None:
    """Draw a sample set and take it through every stage up to the selection, which admits nearly all."""
    draw_sample_set(folder / "sample", originals=24, candidates=CANDIDATES, size=96, seed=5)
    init_or_agree(folder, folder / "sample" / "originals", [folder / "sample" / "candidates"], None)
    with steps.open_session(folder) as session:
        steps.ingest(session)
        steps.assess(session)
        steps.caption(session)
        policy = policy_from_settings(session.project.settings.select)
        steps.choose(session, replace(policy, min_score=3.0))


@contextmanager
def room_of(folder: Path) -> Iterator[Room]:
    """A project under review."""
    with steps.open_session(folder) as session:
        yield Room(session, open_desk(session), "ada")


def client_of(room: Room, guard: Guard | None = None) -> TestClient:
    """A client that follows no redirect and sees an error as a browser would."""
    guard = guard or Guard(hosts=Guard().hosts | {"testserver"})
    return TestClient(create_app(room, guard), raise_server_exceptions=False, follow_redirects=False)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`graftset review` in a process of its own, on a port that stays the same when it is started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[str] | None = None
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it prints its address."""
        command = (sys.executable, "-m", "graftset", "review", "--project", str(self.folder), "--port", str(self.port))
        self.process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert self.address in line, line
        self._wait()

    def _wait(self) -> None:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the server did not answer within ten seconds")

    def kill(self) -> None:
        """End it as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def copy_project(project: Path, folder: Path) -> Path:
    """A copy to review; paths in its catalog lead to the first one's pictures, which nothing changes."""
    shutil.copytree(project, folder)
    return folder
