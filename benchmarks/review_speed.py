"""How quick the review application is at ten thousand candidates, over HTTP and in a browser.

Usage: python benchmarks/review_speed.py [CANDIDATES]

Every request goes over a kept connection to a server in this process. Wall-clock time is what a reviewer waits; where
other work shares the cores, CPU time (of server and client together) tells what the request itself costs. The grid is
scrolled from its first row to its last in Chromium: what moves that was not asked to is a layout shift. Allowed: 50 ms
for the 95th percentile of any action, 300 ms for the first page, no shift.
"""

from __future__ import annotations

import http.client
import itertools
import os
import re
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from urllib.parse import quote, urlencode

import numpy as np
import uvicorn
from playwright.sync_api import sync_playwright
from review_desk import fill

from graftset.assess.stage import PRODUCER
from graftset.imageio import encode_png
from graftset.measuring import VERSION
from graftset.web.serving import configured, opened
from graftset.workflows.starting import init_or_agree
from graftset.workflows.steps import Session, open_session

ROUNDS = 120
ALLOWED = {"first page": 300.0}
ALLOWED_ACTION = 50.0  # ms
FILTERS = ("", "score<8", "score<8 background:gray reviewed:no", "-background:red tokens:>20 selected:yes", "p<0.5")


@dataclass
class Times:
    """Wall-clock and CPU times of each action, ms."""

    wall: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


class Reviewer:
    """A client with one kept connection, which measures everything it asks for."""

    def __init__(self, port: int, times: Times) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._times = times
        self._actions = itertools.count()

    def get(self, path: str, called: str) -> str:
        """Ask for a page."""
        return self._ask("GET", path, None, called)[1]

    def post(self, path: str, called: str, **fields: object) -> str:
        """Send a form; returns where it leads."""
        return self._ask("POST", path, urlencode(fields, doseq=True), called)[0]

    def press(self, url: str, page: str, do: str, called: str, **more: object) -> str:
        """Press a button of a candidate's page; returns where it leads."""
        seen = re.search(r'name="seen" value="([^"]*)"', page)
        queue = re.search(r'name="queue" value="([^"]*)"', page)
        assert seen is not None
        assert queue is not None
        fields = {"do": do, "action": self.action(), "seen": seen[1], "queue": queue[1], **more}
        return self.post(url.split("?")[0], called, **fields)

    def action(self) -> str:
        """A fresh id."""
        return f"benchmark-{next(self._actions)}"

    def _ask(self, method: str, path: str, body: str | None, called: str) -> tuple[str, str]:
        headers = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}
        wall, cpu = time.perf_counter(), time.process_time()
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        text = response.read()
        self._times.wall[called].append(1000 * (time.perf_counter() - wall))
        self._times.cpu[called].append(1000 * (time.process_time() - cpu))
        assert response.status < 400, (method, path, response.status, text[:300])
        return response.headers.get("location", ""), text.decode("utf-8", "replace")


def paint(session: Session) -> None:
    """Native pictures for every candidate: noise over a flat color, as large as real ones are."""
    rng = np.random.default_rng(0)
    rows = []
    for view in session.catalog.views():
        picture = np.full((24, 24, 3), rng.integers(0, 256, 3), dtype=np.uint8)
        picture[4:, 6:18] = rng.integers(0, 8, (20, 12, 1)) * 30
        rows.append((view.sha256, {}, encode_png(picture)))
    session.catalog.save_measurements(PRODUCER, f"{VERSION}:24x24", rows)


@contextmanager
def serving(session: Session) -> Iterator[int]:
    """The application in a thread; gives its port."""
    with opened(session, reviewer="ada") as (app, listener):
        server = uvicorn.Server(configured(app))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield int(listener.getsockname()[1])
        server.should_exit = True
        thread.join(10)


def review(one: Reviewer) -> None:
    """Every action of a reviewer, many times."""
    one.get("/", "first page")
    url = one.post("/plan", "begin a plan", plan="sequential")
    while url.startswith("/look?"):
        url = _followed(one, url)
    for number in range(ROUNDS):
        page = one.get(url, "look at a picture")
        if number % 10 == 3:
            url = one.press(url, page, "reject", "reject", reason="not the style")
        elif number % 10 == 6:
            url = one.press(url, page, "skip", "skip")
        else:
            url = one.press(url, page, "approve", "approve")
        if number % 12 == 5:
            for do in ("undo", "redo"):
                one.post("/undo", do, do=do, action=one.action(), **{"from": "/"})
        one.get("/progress", "progress")
        one.get(f"/sheet?q={quote(FILTERS[number % len(FILTERS)])}", "grid after a verdict")
        one.get(f"/sheet/cells?page={number % 40 + 1}", "grid, further cells")
        if number % 6 == 0:
            for path in ("/", "/numbers", "/conflicts", "/balance"):
                one.get(path, f"page {path}")
            free = _free(one)
            page = one.get(free, "look, free browsing")
            one.press(free, page, "edit", "edit a caption", caption=f"a caption, number {number}")
            page = one.get(free, "look, free browsing")
            one.press(free, page, "approve", "approve, free browsing")
            ids = re.findall(
                r'data-id="([0-9a-f]{64})"',
                one.get(f"/sheet/cells?page={number + 2}&sort=worst", "grid, further cells"),
            )
            one.post(
                "/bulk", "bulk verdict on 100", do="skip", id=ids[:100], count=min(100, len(ids)), action=one.action()
            )
        for sha256 in re.findall(r"/pixels/([0-9a-f]{64})", page)[:1]:
            one.get(f"/pixels/{sha256}.png", "native picture")


def _followed(one: Reviewer, url: str) -> str:
    return one._ask("GET", url, None, "to the next picture")[0]


def _free(one: Reviewer) -> str:
    return _followed(one, "/look?queue=" + quote("uncertain:reviewed:no"))


SCROLL = """async () => {
  let shift = 0;
  const add = (list) => { for (const entry of list.getEntries()) shift += entry.value; };
  new PerformanceObserver(add).observe({type: 'layout-shift', buffered: true});
  const height = document.documentElement.scrollHeight, frames = [];
  let before = performance.now();
  for (let y = 0; y < height; y += 700) {
    scrollTo(0, y);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - before);
    before = now;
  }
  // The last rows are asked for when they come into sight; under load that takes a while.
  const cells = () => [...document.querySelectorAll('#sheet .cell')];
  const sheet = document.querySelector('#sheet'), last = Number(sheet.dataset.total) - 1;
  for (let i = 0; i < 200 && !cells().some((c) => Number(c.dataset.index) === last); i++)
    await new Promise((done) => setTimeout(done, 100));
  return {shift, frames, cells: cells().length, last: Math.max(...cells().map((c) => Number(c.dataset.index))),
          grown: document.documentElement.scrollHeight - height};
}"""


def scroll(port: int, count: int) -> list[str]:
    """Scroll the whole grid in Chromium; lines that say what moved."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        return ["the grid in a browser: not measured, Chromium was not found"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        started = time.perf_counter()
        page.goto(f"http://127.0.0.1:{port}/sheet")
        loaded = 1000 * (time.perf_counter() - started)
        found = page.evaluate(SCROLL)
        browser.close()
    return [
        f"the grid in Chromium: loaded in {loaded:.0f} ms, scrolled to cell {found['last'] + 1} of {count}",
        f"layout shift {found['shift']:.4f}, height changed by {found['grown']} px, cells in the page {found['cells']}",
        f"frames while scrolling: median {np.median(found['frames']):.0f} ms, 95th percentile "
        f"{np.percentile(found['frames'], 95):.0f} ms, {len(found['frames'])} steps of 700 px",
    ]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and CPU time, s."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        (Path(scratch) / "originals").mkdir()
        (Path(scratch) / "candidates").mkdir()
        init_or_agree(folder, Path(scratch) / "originals", [Path(scratch) / "candidates"], None)
        times = Times()
        print(f"{count} candidates; load average before {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        with open_session(folder) as session:
            fill(session.catalog, count)
            paint(session)
            started = time.perf_counter(), time.process_time()
            with serving(session) as port:
                wall, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
                print(f"from the command to the address: {wall:.1f} s, {cpu:.1f} s of CPU time")
                review(Reviewer(port, times))
                lines = scroll(port, count)
        print(f"load average after {os.getloadavg()[0]:.1f}\n")
        print("| action | n | CPU ms, median | CPU ms, 95th | wall ms, median | wall ms, 95th | allowed |")
        print("|---|---|---|---|---|---|---|")
        for name, wall_ms in times.wall.items():
            cpu_ms, allowed = times.cpu[name], ALLOWED.get(name, ALLOWED_ACTION)
            print(
                f"| {name} | {len(wall_ms)} | {np.median(cpu_ms):.1f} | {np.percentile(cpu_ms, 95):.1f} "
                f"| {np.median(wall_ms):.1f} | {np.percentile(wall_ms, 95):.1f} | {allowed:.0f} |"
            )
        print("\n".join(["", *lines]))


if __name__ == "__main__":
    main()
