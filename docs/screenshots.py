"""Takes the pictures of docs/review-pages.md: every page of the review, on a desk and on a phone.

    python docs/screenshots.py [PROJECT]

Without a project the sample set is drawn, expanded and trained on for a moment first, which takes two minutes. The
project gets verdicts, so give none that matters. Needs Chromium; where it lies is asked of `browser_path`.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from graftset.review import Desk
from graftset.train import load_backend
from graftset.web.serving import configured, opened
from graftset.workflows.demo import prepare
from graftset.workflows.evaluating import evaluate_run
from graftset.workflows.expand import expand
from graftset.workflows.known_runs import find_run
from graftset.workflows.steps import open_session
from graftset.workflows.training import open_training

IMAGES = Path(__file__).resolve().parent / "images"
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
COLORS = 160  # of the saved pictures: pixel art and text need few, and files stay small
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@dataclass(frozen=True)
class Shot:
    """One picture: the page, and keys that are pressed first."""

    name: str
    url: str
    keys: tuple[str, ...] = ()
    dark: bool = False


FIRST = Shot("plans", "/")  # before anybody began
SHOTS = (
    Shot("start", "/"),
    Shot("look", "/look?queue=plan"),
    Shot("look-dark", "/look?queue=finding:contradicted:yes reviewed:no", dark=True),
    Shot("reject", "/look?queue=plan", keys=("r",)),
    Shot("sheet", "/sheet?q=-copy:yes&sort=best"),
    Shot("conflicts", "/conflicts"),
    Shot("balance", "/balance"),
    Shot("captions", "/captions"),
    Shot("numbers", "/numbers"),
    Shot("runs", "/runs"),
    Shot("run", "/runs/weighted-s0"),
    Shot("help", "/help"),
)


def browser_path() -> str | None:
    """Where Chromium lies: $CHROMIUM, or what the system calls it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


def give_verdicts(folder: Path) -> None:
    """What two people would say who agree on most, by the score and a little beside it."""
    with open_session(folder) as session:
        desk = Desk(session.catalog)
        if desk.plan is None:
            desk.start_plan("fixed", allowed=2, by="ada")
        number = 0
        for reviewer, scope, every in (("ada", "plan", 2), ("grace", "all", 7)):
            for place, item in enumerate(desk.items(scope=scope)):
                if place % every or item.view.score is None:
                    continue
                number += 1
                good = item.view.score > 7.4 + (0.6 if number % 9 == 0 else 0)
                verdict = "skipped" if number % 23 == 0 else "approved" if good else "rejected"
                reason = None if verdict != "rejected" else "not the style"
                desk.give({item.id: item.version}, verdict, reviewer=reviewer, action=f"shot-{number}", reason=reason)
        contested = [item for item in desk.items() if item.queue in ("approved", "rejected")][3:60:19]
        for place, item in enumerate(contested):
            other = "rejected" if item.queue == "approved" else "approved"
            who = "grace" if item.view.review is not None and item.view.review.reviewer == "ada" else "ada"
            desk.give(
                {item.id: item.version}, other, reviewer=who, action=f"dispute-{place}", reason="caption does not fit"
            )


def paint_runs(folder: Path) -> None:
    """Two short runs with their scorecards; sixty steps teach little, and show how a page is read."""
    for plan in ("originals", "weighted"):
        training = open_training(folder, plan=plan, steps=60)
        load_backend(training.settings.backend).train(training.job)
        with open_session(folder) as session:
            evaluate_run(session, find_run(session, f"{plan}-s0"))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The application, in a thread of this process; gives its address."""
    with open_session(folder) as session, opened(session, reviewer="ada") as (app, listener):
        server = uvicorn.Server(configured(app))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def take(browser: Browser, address: str, shot: Shot, size: str) -> Path:
    """Save one picture."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if shot.dark else "light",
        reduced_motion="reduce",
        has_touch=size == "phone",
    )
    page: Page = context.new_page()
    page.goto(address + shot.url, wait_until="networkidle")
    for key in shot.keys:
        page.keyboard.press(key)
    page.wait_for_timeout(150)
    path = IMAGES / f"review-{shot.name}-{size}.png"
    page.screenshot(path=path)
    context.close()
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def main() -> None:
    executable = browser_path()
    if executable is None:
        raise SystemExit("Chromium was not found: apt-get install chromium, or name it in $CHROMIUM")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch) / "portraits"
        if len(sys.argv) == 1:
            prepare(folder)
            with open_session(folder) as session:
                expand(session)
            paint_runs(folder)
        with served(folder) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
            for shot in (FIRST, *SHOTS):
                if shot is SHOTS[0]:
                    give_verdicts(folder)
                for size in SIZES:
                    path = take(browser, address, shot, size)
                    print(f"{path.relative_to(IMAGES.parent)}  {path.stat().st_size // 1024} KB")
            browser.close()


if __name__ == "__main__":
    main()
