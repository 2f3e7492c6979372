"""The grid with more candidates than a page may hold: nothing jumps, every cell stands where its number says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from graftset.assess.stage import PRODUCER
from graftset.records import Assessment
from graftset.web.pages.sheet import PER_PAGE
from graftset.workflows import steps
from reviewing import CHROMIUM, Server, copy_project

COPIES = 1500
SCROLL = """async () => {
  let shift = 0;
  const add = (list) => { for (const entry of list.getEntries()) shift += entry.value; };
  new PerformanceObserver(add).observe({type: 'layout-shift', buffered: true});
  const root = document.documentElement, height = root.scrollHeight;
  for (let y = 0; y < height; y += 600) {
    scrollTo(0, y);
    await new Promise(requestAnimationFrame);
  }
  const last = `#sheet [data-index="${document.querySelector('#sheet').dataset.total - 1}"]`;
  for (let i = 0; i < 200 && !document.querySelector(last); i++) await new Promise((done) => setTimeout(done, 100));
  return {shift, grown: root.scrollHeight - height};
}"""
PLACES = """() => {
  const list = document.querySelector('#sheet'), box = list.getBoundingClientRect();
  const cells = [...list.querySelectorAll('.cell')].map((cell) => {
    const at = cell.getBoundingClientRect();
    return [Number(cell.dataset.index), Math.round(at.x - box.x), Math.round(at.y - box.y), cell.dataset.id];
  });
  return cells.sort((a, b) => a[0] - b[0]);
}"""


@pytest.fixture(scope="module")
def address(reviewable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A project with many candidates more, each known as one of the drawn ones is."""
    folder = copy_project(reviewable, tmp_path_factory.mktemp("grid") / "project")
    with steps.open_session(folder) as session:
        catalog = session.catalog
        files = [file for file in catalog.known_files().values() if file.origin == "generated"]
        assessed: dict[str, Assessment] = catalog.assessments()
        [version] = {v for file in files for v in catalog.versions(file.sha256, PRODUCER)}
        fresh, known, pictures = [], {}, []
        for number in range(COPIES):
            file = files[number % len(files)]
            sha256 = hashlib.sha256(str(number).encode()).hexdigest()
            copy = replace(file, path=f"/pool/{number:05d}.png", sha256=sha256)
            fresh.append(copy)
            known[copy.path] = assessed[file.path]
            pictures.append((sha256, {}, catalog.blob(file.sha256, PRODUCER, version)))
        catalog.save_images(fresh)
        catalog.save_assessments("test", known)
        catalog.save_measurements(PRODUCER, version, pictures)
    server = Server(folder)
    server.start()
    yield server.address
    server.kill()


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.fail("Chromium was not found: install it with `apt-get install chromium`, or name it in $CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(base_url=address, viewport={"width": 1280, "height": 800})
        page.set_default_timeout(20_000)
        yield page
        browser.close()


def test_scrolling_to_the_end_moves_nothing_and_shows_everything_in_order(page: Page) -> None:
    page.goto("/sheet?q=name%3A0&sort=name")
    total = int(page.locator("#sheet").get_attribute("data-total") or 0)
    assert total > 1000
    found = page.evaluate(SCROLL)
    assert (found["shift"], found["grown"]) == (0, 0)
    cells = page.evaluate(PLACES)
    assert cells[-1][0] == total - 1
    assert len(cells) < 400  # not all of them at once
    columns = len({x for _, x, _, _ in cells})
    rows = sorted({y for _, _, y, _ in cells})
    steps_down = {after - before for before, after in pairwise(rows)}
    assert max(steps_down) - min(steps_down) <= 1
    for index, x, y, _ in cells:
        assert abs(y - index // columns * (rows[1] - rows[0])) <= 1 + index // columns / 2
        assert abs(x - sorted({x for _, x, _, _ in cells})[index % columns]) <= 1
    assert len({name for *_, name in cells}) == len(cells)


def test_every_place_has_an_address_and_going_back_comes_back_to_it(page: Page) -> None:
    page.goto("/sheet?sort=name")
    page.evaluate("scrollTo(0, 9000)")
    page.wait_for_url("**page=*")
    place = page.evaluate("scrollY")
    page.locator(".cell a").nth(30).click()
    page.wait_for_url("**/look/**")
    page.go_back()
    page.wait_for_url("**page=*")
    expect(page.locator(".cell").first).to_be_visible()
    # Waited for: a busy machine lays the cells out some time after they are there. Not by wait_for_function, which
    # evaluates text within the page when it has to wait; the page's policy forbids that.
    for _ in range(100):
        if abs(page.evaluate("scrollY") - place) < PER_PAGE / 9 * 170:
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail(f"comes back to {page.evaluate('scrollY')} px, not {place}")
    page.goto("/sheet?sort=name&page=5")
    first = page.evaluate(
        "() => Math.min(...[...document.querySelectorAll('.cell')].map(c => Number(c.dataset.index)))"
    )
    assert first <= 4 * PER_PAGE
    assert page.evaluate("scrollY") > 1000


def test_what_was_selected_stays_so_far_away_and_is_all_that_is_sent(page: Page) -> None:
    page.goto("/sheet?sort=name")
    page.locator('[data-index="2"] input').check()
    page.evaluate("scrollTo(0, 9000)")
    expect(page.locator('[data-index="590"]')).to_be_attached()
    page.get_by_role("button", name="Select those on the screen").click()
    seen = int(page.locator("#picked").inner_text())
    assert 20 < seen < 150
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator('[data-index="2"] input')).to_be_checked()
    page.locator("[name=count]").fill(str(seen))
    page.get_by_role("button", name="Skip them").click()
    expect(page.locator("#status")).to_contain_text(f"{seen} pictures: skipped")
    page.goto("/sheet?q=verdict%3Askipped")
    expect(page.locator(".count b").first).to_have_text(str(seen))
