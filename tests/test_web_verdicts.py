"""Giving verdicts through the application: what is written, once, and what is refused."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from graftset.review import Item
from graftset.web.pages.sheet import PER_PAGE
from graftset.web.room import Room
from reviewing import CANDIDATES, client_of, copy_project, room_of

PAGE = {"accept": "text/html"}


@pytest.fixture
def room(reviewable: Path, tmp_path: Path) -> Iterator[Room]:
    with room_of(copy_project(reviewable, tmp_path / "project")) as found:
        yield found


@pytest.fixture
def client(room: Room) -> TestClient:
    return client_of(room)


def shown(client: TestClient, url: str) -> str:
    """A page as a browser asks for it, after every redirect."""
    response = client.get(url, headers=PAGE, follow_redirects=True)
    assert response.status_code == 200
    return response.text


def fields(page: str, do: str) -> dict[str, str]:
    """The hidden fields of a page's forms, with what is to be done."""
    found = dict(re.findall(r'<input type="hidden" name="(queue|action|seen)" value="([^"]*)"', page))
    return {name: html.unescape(value) for name, value in found.items()} | {"do": do}


def give(client: TestClient, item: Item, do: str, queue: str = "plan", **more: str) -> Any:
    """Open a candidate's page and press a button on it."""
    page = shown(client, f"/look/{item.id}?queue={queue}")
    return client.post(f"/look/{item.id}", data={**fields(page, do), **more}, headers=PAGE)


def begin(client: TestClient, room: Room, plan: str = "fixed-2") -> tuple[Item, ...]:
    assert client.post("/plan", data={"plan": plan}).status_code == 303
    return room.desk.items(scope="plan")


def test_a_plan_leads_from_picture_to_picture_and_counts(client: TestClient, room: Room) -> None:
    sample = begin(client, room)
    for place, item in enumerate(sample[:3]):
        response = give(client, item, "approve" if place else "reject", reason="not the style")
        assert response.headers["location"].startswith(f"/look/{sample[place + 1].id}?queue=plan")
    verdicts = room.session.catalog.verdicts()
    assert [entry.verdict for entry in verdicts] == ["rejected", "approved", "approved"]
    assert [entry.reason for entry in verdicts] == ["not the style", None, None]
    assert all(entry.plan == 1 for entry in verdicts)
    outcome = room.desk.outcome()
    assert outcome is not None
    assert (outcome.reviewed, outcome.wrong) == (3, 1)


def test_the_same_form_sent_again_acts_once(client: TestClient, room: Room) -> None:
    sample = begin(client, room)
    data = fields(shown(client, f"/look/{sample[0].id}?queue=plan"), "approve")
    answers = [client.post(f"/look/{sample[0].id}", data=data, headers=PAGE) for _ in range(3)]
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(room.session.catalog.verdicts()) == 1


def test_a_page_that_is_out_of_date_is_told_and_changes_nothing(client: TestClient, room: Room) -> None:
    item = begin(client, room)[0]
    old = fields(shown(client, f"/look/{item.id}?queue=plan"), "reject")
    give(client, item, "approve")
    response = client.post(f"/look/{item.id}", data=old, headers=PAGE)
    assert "did=stale" in response.headers["location"]
    assert "Not saved" in shown(client, response.headers["location"])
    assert client.post(f"/look/{item.id}", data=old).status_code == 409
    assert [entry.verdict for entry in room.session.catalog.verdicts()] == ["approved"]


def test_a_verdict_on_an_older_caption_is_refused(client: TestClient, room: Room) -> None:
    item = begin(client, room)[0]
    old = fields(shown(client, f"/look/{item.id}?queue=plan"), "approve")
    give(client, item, "edit", caption="another caption")
    assert "did=stale" in client.post(f"/look/{item.id}", data=old, headers=PAGE).headers["location"]
    assert not room.session.catalog.verdicts()


def test_browsing_freely_does_not_count_for_the_plan(client: TestClient, room: Room) -> None:
    item = begin(client, room)[0]
    response = give(client, item, "approve", queue="uncertain:reviewed:no")
    assert "queue=uncertain" in response.headers["location"]
    assert room.session.catalog.verdicts()[0].plan is None
    outcome = room.desk.outcome()
    assert outcome is not None
    assert outcome.reviewed == 0


def test_undo_and_redo_from_the_page(client: TestClient, room: Room) -> None:
    sample = begin(client, room)
    give(client, sample[0], "reject")
    page = shown(client, f"/look/{sample[1].id}?queue=plan")
    undone = client.post("/undo", data={**fields(page, "undo"), "from": "/"}, headers=PAGE).headers["location"]
    assert undone.startswith(f"/look/{sample[0].id}?queue=plan")
    assert "Taken back" in shown(client, undone)
    assert room.desk.item(sample[0].id).queue == "pending"
    page = shown(client, undone)
    client.post("/undo", data={**fields(page, "redo"), "from": "/"}, headers=PAGE)
    assert room.desk.item(sample[0].id).queue == "rejected"
    nothing = client.post("/undo", data={"do": "redo", "action": "r9", "from": "/sheet"}, headers=PAGE)
    assert nothing.headers["location"] == "/sheet?did=nothing-to-redo"


def test_nothing_is_ever_deleted(client: TestClient, room: Room) -> None:
    sample = begin(client, room)
    files = {item.view.path for item in room.desk.items()}
    give(client, sample[0], "reject")
    client.post("/undo", data={"do": "undo", "action": "u1"})
    assert len(room.session.catalog.verdicts()) == 2
    assert all(Path(path).is_file() for path in files)


def test_the_last_picture_of_a_plan_leads_to_the_numbers(client: TestClient, room: Room) -> None:
    sample = begin(client, room, "fixed-0")
    for place, item in enumerate(sample):
        response = give(client, item, "approve")
        assert (response.headers["location"].startswith("/numbers")) == (place == len(sample) - 1)
    outcome = room.desk.outcome()
    assert outcome is not None
    assert outcome.state == "shown"
    assert "at least 90 %" in shown(client, "/numbers")


def test_a_sequential_plan_says_when_to_stop(client: TestClient, room: Room) -> None:
    sample = begin(client, room, "sequential")
    places = [
        i for i, item in enumerate(sample) if "/numbers?did=shown" in give(client, item, "approve").headers["location"]
    ]
    assert len(places) == 1
    assert 10 < places[0] < len(sample) - 1
    assert '<path class="line"' in shown(client, "/numbers")


def test_accepting_a_part_of_the_proposal(client: TestClient, room: Room) -> None:
    item = next(item for item in room.desk.items() if item.view.changes)
    assert item.view.prompt is not None
    page = shown(client, f"/look/{item.id}")
    assert f'value="{len(item.view.changes) - 1}" checked' in page
    refused = client.post(f"/look/{item.id}", data={**fields(page, "fix"), "caption": "ignored"}, headers=PAGE)
    assert "did=edited" in refused.headers["location"]
    assert room.desk.item(item.id).view.training_caption == item.view.prompt
    page = shown(client, f"/look/{item.id}")
    everything = [str(i) for i in range(len(item.view.changes))]
    client.post(f"/look/{item.id}", data={**fields(page, "fix"), "caption": "ignored", "change": everything})
    view = room.desk.item(item.id).view
    assert (view.training_caption, view.caption_author) == (view.proposed_caption, "ada")


def test_tokens_are_counted_while_writing_and_nothing_is_saved(client: TestClient, room: Room) -> None:
    item = room.desk.items()[0]
    before = room.desk.version
    answer = client.post(f"/compose/{item.id}", json={"text": "a lady, gray background"}).json()
    assert (answer["tokens"], answer["limit"]) == (5, 75)
    assert client.post(f"/compose/{item.id}", json={"accepted": []}).json()["text"] == (item.view.prompt or "")
    assert client.post(f"/compose/{item.id}", json={"text": "x" * 4001}).status_code == 422
    assert room.desk.version == before


# --- several at once, several reviewers -------------------------------------------------------------------------------


def test_a_bulk_action_needs_its_number_and_touches_only_what_is_named(client: TestClient, room: Room) -> None:
    chosen = [item.id for item in room.desk.items()[:5]]
    form: dict[str, Any] = {"do": "reject", "action": "b1", "id": chosen, "reason": "not the style", "q": "score>0"}
    for wrong in ("", "4", "all", "6"):
        assert client.post("/bulk", data={**form, "count": wrong}).status_code == 422
    assert client.post("/bulk", data={**form, "id": [], "count": "0"}).status_code == 422
    assert client.post("/bulk", data={**form, "id": [*chosen, "0" * 64], "count": "6"}).status_code == 404
    assert not room.session.catalog.verdicts()
    response = client.post("/bulk", data={**form, "count": "5"})
    assert response.headers["location"].startswith("/sheet?q=score%3E0&did=bulk")
    assert {item.id for item in room.desk.items(queue="rejected")} == set(chosen)
    assert client.post("/bulk", data={**form, "count": "5"}).status_code == 303
    assert len(room.session.catalog.verdicts()) == 5
    client.post("/undo", data={"do": "undo", "action": "u1", "from": "/sheet"})
    assert not room.desk.items(queue="rejected")


def test_two_reviewers_disagree_and_a_third_settles(room: Room) -> None:
    clients = {}
    for name in ("ada", "grace", "emmy"):
        clients[name] = client_of(room)
        assert clients[name].post("/reviewer", data={"name": name}).status_code == 303
    item = room.desk.items()[0]
    give(clients["ada"], item, "approve", queue="")
    unseen = shown(clients["grace"], f"/look/{item.id}")
    assert "somebody else has looked" in unseen  # what Ada said would sway Grace
    assert "approved" not in re.sub(r"<footer.*", "", unseen, flags=re.S).split('class="now')[1].split("</section>")[0]
    cell = shown(clients["grace"], "/sheet").split(f'data-id="{item.id}"')[1].split("</li>")[0]
    assert "pending" in cell
    assert "approved" not in cell
    assert "approved" in shown(clients["ada"], "/sheet").split(f'data-id="{item.id}"')[1].split("</li>")[0]
    give(clients["grace"], item, "reject", queue="")
    page = shown(clients["emmy"], "/conflicts")
    assert "1 picture is disputed" in page
    clients["emmy"].post(f"/settle/{item.id}", data=fields(page, "approve"))
    assert not room.desk.conflicts()
    assert room.desk.item(item.id).queue == "approved"
    assert {entry.reviewer for entry in room.session.catalog.verdicts()} == {"ada", "grace", "emmy"}


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b", "a\nb\x07"])
def test_a_name_that_cannot_be_is_refused(client: TestClient, name: str) -> None:
    assert client.post("/reviewer", data={"name": name}).status_code == 422


def test_a_name_in_any_script_is_kept(client: TestClient, room: Room) -> None:
    client.post("/reviewer", data={"name": "Zoë 王; drop"})
    give(client, room.desk.items()[0], "approve", queue="")
    assert room.session.catalog.verdicts()[0].reviewer == "Zoë 王; drop"


def test_progress_tells_what_others_did(client: TestClient, room: Room) -> None:
    before = client.get("/progress").json()
    room.desk.give({room.desk.items()[0].id: room.desk.items()[0].version}, "approved", reviewer="grace", action="g1")
    after = client.get("/progress").json()
    assert (before["approved"], after["approved"]) == (0, 1)
    assert before["version"] != after["version"]
    assert (after["pending"], after["can_undo"]) == (CANDIDATES - 1, False)


def test_a_finding_that_is_dismissed_stays_so(client: TestClient, room: Room) -> None:
    finding = room.audit().findings[0]
    assert client.post("/dismiss", data={"id": finding.id, "rule": finding.rule, "page": "1"}).status_code == 303
    assert finding.id in room.session.catalog.dismissals()
    assert finding.id not in shown(client, "/captions")
    assert client.post("/dismiss", data={"id": "nothing"}).status_code == 404
    assert finding.id not in client.get("/captions").text
    away = client.get("/captions", params={"rule": "dismissed"}).text
    assert finding.id in away
    assert 'action="/restore"' in away
    sent = {"id": finding.id, "rule": "dismissed", "page": "1"}
    assert client.post("/restore", data=sent).headers["location"] == "/captions?rule=dismissed&page=1&did=restored"
    assert finding.id not in room.session.catalog.dismissals()
    assert finding.id not in client.get("/captions", params={"rule": "dismissed"}).text
    assert client.post("/restore", data=sent).status_code == 404


# --- lists ------------------------------------------------------------------------------------------------------------


def test_the_sheet_filters_sorts_and_says_what_is_wrong(client: TestClient, room: Room) -> None:
    scores = [item.view.score or 0 for item in room.listed("worst", "score>0")]
    assert scores == sorted(scores)
    assert len(room.listed("best", "")) == CANDIDATES
    page = client.get("/sheet?q=scoer%3C8", headers=PAGE)
    assert page.status_code == 422
    assert "Did you mean &#34;score&#34;" in page.text
    assert client.get("/sheet?sort=nothing").status_code == 422
    assert PER_PAGE >= CANDIDATES
    assert page.text.count("<option") > 5


def test_a_queue_that_a_verdict_leaves_goes_on_behind_it(client: TestClient, room: Room) -> None:
    items = room.listed("worst", "reviewed:no")
    response = give(client, items[3], "approve", queue="worst:reviewed:no")
    assert items[4].id in response.headers["location"]
    page = shown(client, f"/look/{items[3].id}?queue=worst:reviewed:no")
    links = dict(re.findall(r'href="/look/([0-9a-f]{64})[^"]*" data-key="(k|j)', page))
    assert links == {items[2].id: "k", items[4].id: "j"}
