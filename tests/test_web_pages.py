"""Every page: its context is documented and used, what is hostile is escaped, and help says what the code does."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import get_type_hints

import pytest
from starlette.testclient import TestClient

from graftset.records import CaptionProposal, ImageRecord
from graftset.web import contexts
from graftset.web.keys import KEYS, REASONS
from graftset.web.rendering import environment
from graftset.web.room import Room
from reviewing import client_of, copy_project, room_of

TEMPLATES = Path(contexts.__file__).parent / "templates"
SCRIPT = (Path(contexts.__file__).parent / "static" / "app.js").read_text(encoding="utf-8")
PAGES = {
    "error.html": contexts.ErrorPage,
    "start.html": contexts.StartPage,
    "look.html": contexts.LookPage,
    "full.html": contexts.FullPage,
    "sheet.html": contexts.SheetPage,
    "conflicts.html": contexts.ConflictsPage,
    "balance.html": contexts.BalancePage,
    "captions.html": contexts.CaptionsPage,
    "numbers.html": contexts.NumbersPage,
    "runs.html": contexts.RunsPage,
    "help.html": contexts.HelpPage,
}
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"' onmouseover=alert(3) {{ 7 * 7 }}"


class Tags(HTMLParser):
    """The names of all attributes of a page, and how many scripts it has."""

    def __init__(self) -> None:
        super().__init__()
        self.attributes: set[str] = set()
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes |= {name for name, _ in attrs}
        self.scripts += tag == "script"


@pytest.fixture
def room(reviewable: Path, tmp_path: Path) -> Iterator[Room]:
    with room_of(copy_project(reviewable, tmp_path / "project")) as found:
        yield found


@pytest.fixture
def client(room: Room) -> TestClient:
    return client_of(room)


def source(name: str) -> str:
    """A template with those it extends and includes."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return text + "".join(source(other) for other in re.findall(r'{% (?:extends|include) "([^"]+)" %}', text))


def test_every_template_of_a_page_has_a_context_and_every_context_a_template() -> None:
    pages = {name for name in environment().list_templates() if "{% extends" in source(name) or name == "error.html"}
    assert pages == set(PAGES)
    concrete = {c for c in vars(contexts).values() if isinstance(c, type) and issubclass(c, contexts.Page)}
    assert set(PAGES.values()) == concrete - {contexts.Page, contexts.Framed}


@pytest.mark.parametrize(("template", "context"), PAGES.items())
def test_what_a_page_holds_is_documented_and_used(template: str, context: type) -> None:
    hints = get_type_hints(context, include_extras=True)
    fields = {field.name for field in dataclasses.fields(context)}
    for name in fields:
        assert len(getattr(hints[name], "__metadata__", ("",))[0]) > 10, f"{context.__name__}.{name} is not documented"
    used = set(re.findall(r"\bpage\.(\w+)", source(template)))
    assert used == fields


def test_every_page_answers_before_anything_was_done_and_after(client: TestClient, room: Room) -> None:
    item = room.desk.items()[0].id
    paths = [
        "/",
        f"/look/{item}",
        f"/full/{item}",
        "/sheet",
        "/conflicts",
        "/balance",
        "/captions",
        "/numbers",
        "/runs",
    ]
    for _ in range(2):
        for path in [*paths, "/help"]:
            response = client.get(path)
            assert response.status_code == 200, path
            assert "<h1" in response.text or path.startswith(("/sheet", "/full")), path
        client.post("/plan", data={"plan": "fixed-2"})
        for place, one in enumerate(room.desk.items()):
            verdict = ("approved", "rejected", "skipped")[place % 3]
            room.desk.give({one.id: one.version}, verdict, reviewer="ada", action=f"a{place}", reason="why")  # type: ignore[arg-type]


def test_hostile_names_captions_and_reasons_are_shown_as_text(room: Room, client: TestClient) -> None:
    path = str(Path("/pool") / f"{EVIL[:60].replace('/', '')}.png")
    record = ImageRecord(path, "e" * 64, "generated", 1, 24, 24, "PNG", 100, 1, EVIL, f"{EVIL}.txt")
    room.session.catalog.save_images([record])
    room.session.catalog.save_proposals("proposed", "x", {path: CaptionProposal(EVIL + " twice", True, (), ())})
    room.desk.refresh(force=True)
    client.post("/reviewer", data={"name": EVIL[:60]})
    page = client.get(f"/look/{'e' * 64}").text
    fields = dict(re.findall(r'<input type="hidden" name="(queue|action|seen)" value="([^"]*)"', page))
    client.post(f"/look/{'e' * 64}", data={**fields, "do": "reject", "reason": EVIL})
    assert room.session.catalog.verdicts()[0].reason == " ".join(EVIL.split())
    for url in (
        f"/look/{'e' * 64}",
        "/sheet",
        "/sheet?q=%22%3Cscript%3E%22",
        "/conflicts",
        "/numbers",
        "/captions",
        "/",
    ):
        html = client.get(url, headers={"accept": "text/html"}).text
        parsed = Tags()
        parsed.feed(html)
        assert not [name for name in parsed.attributes if name.startswith("on")], url
        assert parsed.scripts == 1, url
    assert "&lt;script&gt;alert(1)" in client.get(f"/look/{'e' * 64}").text


def test_the_keys_on_the_help_page_are_those_on_the_pages(client: TestClient, room: Room) -> None:
    item = next(item for item in room.listed("best", "")[1:] if item.view.changes)
    look = client.get(f"/look/{item.id}?queue=best:").text
    everything = look + client.get("/sheet").text
    bound = {key for keys in re.findall(r'data-key="([^"]*)"', everything) for key in keys.split()}
    arrows = {"→": "ArrowRight", "←": "ArrowLeft"}
    for key in KEYS:
        for name in key.keys:
            assert arrows.get(name, name) in bound or f'"{name}"' in SCRIPT, name
    told = {arrows.get(name, name) for key in KEYS for name in key.keys}
    assert bound - told <= {str(i) for i in range(1, len(REASONS) + 1)} | {"Enter"}
    assert len(REASONS) <= 9


def test_changes_can_be_chosen_and_evidence_is_drawn_in_cells(client: TestClient, room: Room) -> None:
    item = next(item for item in room.desk.items() if item.view.changes)
    page = client.get(f"/look/{item.id}").text
    assert page.count('name="change"') == len(item.view.changes)
    assert "contradicted" in page
    grid = item.view.grid
    assert grid is not None
    assert f'viewBox="0 0 {grid.width} {grid.height}"' in page
    assert "of 75 tokens" in page


def test_evidence_cells_of_a_trait_are_outlined() -> None:
    from graftset.records import Grid, ImageView, TraitSeen
    from graftset.web.pages.looking import _evidence

    @dataclasses.dataclass(frozen=True)
    class Seen:
        value: str = "present"
        confidence: float = 0.9
        cells: tuple[tuple[int, int], ...] = ((2, 3), (2, 4), (99, 99))

    view = ImageView("/a.png", "a" * 64, "generated", 1, 24, 24, grid=Grid(24, 24, 1, 1, 0, 0, 1))
    assert _evidence(view, Seen()) == "M3 2H5M3 3H5M3 2V3M5 2V3"  # type: ignore[arg-type]
    assert _evidence(view, TraitSeen("present", 0.9)) == ""
