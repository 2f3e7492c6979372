"""The review in a real Chromium, as a person uses it: keys only, and everything that may happen in between."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from graftset.catalog import Catalog
from graftset.records import VerdictEntry
from reviewing import CHROMIUM, Server, copy_project

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.fail("Chromium was not found: install it with `apt-get install chromium`, or name it in $CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def project(reviewable: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(reviewable, tmp_path_factory.mktemp("browser") / "project")


@pytest.fixture(scope="module")
def server(project: Path) -> Iterator[Server]:
    server = Server(project)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=server.address, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which nothing may go wrong unseen: errors of scripts and refusals by the policy fail the test."""
    problems: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    yield page
    # A server that a test took down does not answer, and a filter that is wrong is answered with 422.
    assert [p for p in problems if "ERR_CONNECTION_REFUSED" not in p and "status of 422" not in p] == []


def verdicts(project: Path) -> list[VerdictEntry]:
    """What the catalog holds, read beside the server."""
    catalog = Catalog.open(f"sqlite:///{project / '.graftset' / 'catalog.db'}")
    found = catalog.verdicts()
    catalog.close()
    return found


def candidate(page: Page) -> str:
    """The id of the candidate on the screen."""
    found = re.search(r"/look/([0-9a-f]{64})", page.url)
    assert found, page.url
    return found.group(1)


def press_on(page: Page, *keys: str) -> None:
    """Press keys, the last of which leads to another picture, and wait for it."""
    here = page.url.split("?")[0]
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_url(lambda url: url.split("?")[0] != here, wait_until="load")


def name_oneself(page: Page, name: str) -> None:
    page.goto("/")
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#status")).to_contain_text("this name")


def test_thirty_pictures_by_keys_alone_with_everything_that_may_happen_in_between(
    browser: Browser, page: Page, server: Server, project: Path
) -> None:
    """Refresh, back, a second browser, a crash and restart of the server: no verdict is lost or doubled."""
    page.goto("/")
    page.keyboard.press("1")  # the recommended plan
    page.wait_for_url("**/look/**")
    given: dict[str, str] = {}
    for number in range(30):
        here = candidate(page)
        assert here not in given
        if number % 10 == 4:
            given[here] = "rejected"
            press_on(page, "r", "2")
        elif number % 10 == 7:
            given[here] = "skipped"
            press_on(page, "s")
        else:
            given[here] = "approved"
            press_on(page, "a")
        expect(page.locator("#status")).to_contain_text(given[here].capitalize())
        if number == 8:  # refresh in the middle
            page.reload()
            assert len(verdicts(project)) == 9
        if number == 12:  # back, look again, and forward: nothing is given twice
            page.go_back()
            expect(page.locator(".now")).to_contain_text(given[here])
            page.go_forward()
            assert candidate(page) not in given
        if number == 16:  # undo and give it again
            page.keyboard.press("u")
            page.wait_for_url(f"**/look/{here}**")
            expect(page.locator("#status")).to_contain_text("Taken back")
            press_on(page, "a")
        if number == 20:  # a crash of the server, and a restart on the same port
            server.kill()
            server.start()
        if number == 24:  # another browser on the same picture, which is not disturbed and disturbs nothing
            other = browser.new_context(base_url=server.address)
            second = other.new_page()
            name_oneself(second, "grace")
            second.goto(f"/look/{candidate(page)}?queue=plan")
            expect(second.locator(".now")).to_contain_text("nobody has looked")
            press_on(second, "a")
            other.close()
    newest = {e.sha256: e.verdict for e in verdicts(project) if e.reviewer != "grace"}
    assert newest == given
    assert Counter(e.act for e in verdicts(project)) == {"give": 32, "undo": 1}
    assert [e.verdict for e in verdicts(project) if e.reviewer == "grace"] == ["approved"]
    page.goto("/numbers")
    expect(page.locator("h1")).to_contain_text(re.compile(r"^\d+ of 36 reviewed"))


def test_a_key_that_is_pressed_twice_counts_once(page: Page, project: Path) -> None:
    page.goto("/look?queue=worst:reviewed:no")
    before = len(verdicts(project))
    here = candidate(page)
    press = "dispatchEvent(new KeyboardEvent('keydown', {key: 'a', bubbles: true, cancelable: true}))"
    page.evaluate(f"for (let i = 0; i < 3; i++) {press}")
    page.wait_for_url(lambda url: here not in url, wait_until="load")
    page.wait_for_timeout(300)
    assert len(verdicts(project)) == before + 1


def test_the_same_picture_in_two_windows_is_safe(context: BrowserContext, project: Path) -> None:
    one, two = context.new_page(), context.new_page()
    one.goto("/look?queue=worst:reviewed:no")
    here = candidate(one)
    two.goto(one.url)
    press_on(one, "a")
    two.keyboard.press("r")
    two.keyboard.press("1")
    expect(two.locator("#status")).to_contain_text("Not saved")
    expect(two.locator(".now")).to_contain_text("approved")
    assert [e.verdict for e in verdicts(project) if e.sha256 == here] == ["approved"]


def test_words_and_digits_typed_into_a_field_are_no_keys(page: Page, project: Path) -> None:
    page.goto("/look?queue=worst:reviewed:no")
    before, here = len(verdicts(project)), page.url
    page.keyboard.press("e")
    page.keyboard.type(" as r 1")
    expect(page.locator("#caption")).to_have_value(re.compile(" as r 1$"))
    expect(page.locator("#tokens")).to_contain_text(re.compile(r"\d+ of 75 tokens"))
    page.keyboard.press("Escape")
    for key in ("a", "j", "s"):  # what was written is not dropped for another key
        page.keyboard.press(key)
        expect(page.locator("#status")).to_contain_text("not saved")
    assert page.url == here
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.keyboard.press("r")
    page.keyboard.type("a mouth too many, drawn upside down")  # of these letters nine are keys
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != here)
    after = verdicts(project)
    assert len(after) == before + 1
    assert (after[-1].verdict, after[-1].reason) == ("rejected", "a mouth too many, drawn upside down")


def test_the_caption_by_keys_and_by_its_changes(page: Page) -> None:
    page.goto("/look?queue=finding:contradicted:yes")
    text = page.locator("#caption")
    proposed = text.input_value()
    page.locator(".chip").first.click()
    expect(text).not_to_have_value(proposed)
    page.locator(".chip").first.click()
    expect(text).to_have_value(proposed)
    page.locator(".chip").first.click()
    expect(text).not_to_have_value(proposed)
    page.keyboard.press("e")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#status")).to_contain_text("saved")
    expect(page.locator(".chip input").first).not_to_be_checked()
    page.locator(".chip").first.click()
    page.locator("h1").click()
    page.keyboard.press("f")
    expect(page.locator("#status")).to_contain_text("saved")
    expect(page.locator("#caption")).to_have_value(proposed)


def test_looking_by_keys(page: Page) -> None:
    page.goto("/look?queue=best:")
    first = candidate(page)
    press_on(page, "j")
    second = candidate(page)
    press_on(page, "ArrowRight")
    press_on(page, "k")
    assert candidate(page) == second != first
    page.keyboard.press("c")
    expect(page.locator("#pair")).to_have_class(re.compile("comparing"))
    page.keyboard.press("c")
    expect(page.locator("#pair")).not_to_have_class(re.compile("comparing"))
    for key, place in (("z", "**/full/**"), ("z", "**/look/**"), ("g", "**/sheet"), ("?", "**/help"), ("h", "**/")):
        page.keyboard.press(key)
        page.wait_for_url(place)


def test_the_grid_by_keys_and_a_bulk_verdict_on_what_is_shown(page: Page, project: Path) -> None:
    page.goto("/sheet?q=reviewed%3Ano&sort=name")
    before = len(verdicts(project))
    for key in ("ArrowRight", "x", "ArrowRight", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator("#picked")).to_have_text("3")
    chosen = set(page.locator(".cell:has(:checked)").evaluate_all("cells => cells.map(cell => cell.dataset.id)"))
    page.get_by_role("button", name="Skip them").click()
    expect(page.locator("#status")).to_contain_text("Type 3")
    page.locator("[name=count]").fill("3")
    page.get_by_role("button", name="Skip them").click()
    expect(page.locator("#status")).to_contain_text("3 pictures: skipped")
    new = verdicts(project)[before:]
    assert {entry.sha256 for entry in new} == chosen
    assert {entry.verdict for entry in new} == {"skipped"}
    page.goto("/sheet")
    page.keyboard.press("/")
    page.keyboard.type("score<2 foo:1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text('There is no field "foo"')


def test_without_a_script_verdicts_can_be_given(browser: Browser, server: Server, project: Path) -> None:
    context = browser.new_context(base_url=server.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/look?queue=worst:reviewed:no")
    here, before = candidate(page), len(verdicts(project))
    page.get_by_text("Reject", exact=False).first.click()
    page.get_by_role("button", name="not the style").click()
    assert here not in page.url.split("?")[0]
    assert len(verdicts(project)) == before + 1
    page.goto("/sheet")
    assert page.locator(".cell").count() > 50
    context.close()


# --- for everybody ----------------------------------------------------------------------------------------------------

AUDIT = (Path(__file__).parent / "web_accessibility.js").read_text(encoding="utf-8")

PATHS = ("/", "/look?queue=finding:contradicted:yes", "/look?queue=best:verdict:approved", "/sheet", "/conflicts")
PATHS += ("/balance", "/captions", "/numbers", "/runs", "/help")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_every_control_has_a_name_text_has_contrast_and_nothing_is_cut_off(
    browser: Browser, server: Server, scheme: str, width: int
) -> None:
    context = browser.new_context(
        base_url=server.address,
        viewport={"width": width, "height": 844},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    page = context.new_page()
    for path in PATHS:
        page.goto(path)
        found = page.evaluate(AUDIT)
        assert found["nameless"] == [], path
        assert found["poor"] == [], (path, scheme)
        assert found["repeated"] == [], path
        assert found["small"] == [] or width > 400, path
        assert found["width"] <= width, path
        assert page.locator("h1").count() == 1 or path == "/sheet", path
    context.close()


def test_focus_is_seen_and_goes_in_the_order_of_the_page(page: Page) -> None:
    page.goto("/look?queue=best:")
    tops = []
    for _ in range(14):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
            return [e.outerHTML.slice(0, 80), s.outlineStyle, parseFloat(s.outlineWidth)] }"""
        )
        assert at[1] != "none", at
        assert at[2] >= 1, at
        tops.append(at[0])
    assert "skip" in tops[0]
    assert len(set(tops)) == len(tops)


def test_what_happens_is_announced(page: Page) -> None:
    page.goto("/look?queue=worst:reviewed:no")
    status = page.locator("#status")
    assert (status.get_attribute("role"), status.get_attribute("aria-live")) == ("status", "polite")
    press_on(page, "s")
    expect(status).to_contain_text("Skipped")
    page.reload()
    expect(status).to_have_text("")
