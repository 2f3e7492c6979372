"""Attacks on the review application, each of which must fail, and the one shape of every error."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from graftset.errors import UserError
from graftset.web.failures import Refusal
from graftset.web.room import Room
from graftset.web.safety import HEADERS, MAX_BODY, Guard, guard_for, is_loopback
from reviewing import client_of, copy_project, room_of

TOKEN = "0123456789abcdef-secret"


@pytest.fixture(scope="module")
def room(reviewable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room_of(copy_project(reviewable, tmp_path_factory.mktemp("safety") / "project")) as found:
        yield found


@pytest.fixture(scope="module")
def client(room: Room) -> TestClient:
    return client_of(room)


def an_id(room: Room) -> str:
    return room.desk.items()[0].id


def the_error(response: Any) -> dict[str, Any]:
    """The error of an answer, after seeing that it has the one shape and tells nothing of the inside."""
    document = response.json()
    assert set(document) == {"error"}
    assert set(document["error"]) == {"message", "field", "value", "remedy"}
    assert document["error"]["message"]
    assert document["error"]["remedy"]
    assert "Traceback" not in response.text
    assert not re.search(r'File \\?".*\.py', response.text)
    return dict(document["error"])


# --- DNS rebinding ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.0.0.1@evil.example",
        "",
        "192.168.0.7",
        "[::2]",
    ],
)
def test_a_name_that_is_not_ours_is_not_answered(client: TestClient, host: str) -> None:
    response = client.get("/", headers={"host": host})
    assert response.status_code == 421
    assert the_error(response)["field"] == "Host"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8765", "localhost:8765", "LOCALHOST", "[::1]:8765"])
def test_our_own_names_are(client: TestClient, host: str) -> None:
    assert client.get("/help", headers={"host": host}).status_code == 200


def test_another_port_of_this_machine_is_another_application() -> None:
    guard = Guard(port=8765)
    assert guard.knows("127.0.0.1:8765")
    assert not guard.knows("127.0.0.1:9999")


# --- cross-site requests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://testserver.evil.example"},
        {"origin": "http://testserver:81"},
        {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
        {"sec-fetch-site": "", "origin": "http://testserver"},
    ],
)
def test_another_site_cannot_give_a_verdict(client: TestClient, room: Room, headers: dict[str, str]) -> None:
    before = room.desk.version
    fields = {"do": "undo", "action": "x", "name": "eve", "plan": "fixed-2"}
    for route in (
        "/undo",
        "/plan",
        "/reviewer",
        "/bulk",
        f"/look/{an_id(room)}",
        f"/settle/{an_id(room)}",
        "/dismiss",
        "/restore",
    ):
        response = client.post(route, data=fields, headers=headers)
        assert response.status_code == 403, route
        assert the_error(response)["field"] == "Origin"
    assert room.desk.version == before
    assert room.desk.plan is None


def test_our_own_page_can_and_so_can_a_program(client: TestClient) -> None:
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": "http://testserver"}, {}):
        assert client.post("/reviewer", data={"name": "ada"}, headers=headers).status_code == 303


def test_another_site_cannot_read_or_embed_but_may_link(client: TestClient, room: Room) -> None:
    picture = f"/pixels/{room.desk.items()[0].view.sha256}.png"
    embed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    frame = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert client.get(picture, headers=embed).status_code == 403
    assert client.get("/", headers=frame).status_code == 403
    assert client.get("/", headers=link).status_code == 200


def test_the_script_of_another_site_cannot_send_json_as_a_plain_form(client: TestClient, room: Room) -> None:
    response = client.post(f"/compose/{an_id(room)}", content=b'{"text": "x"}', headers={"content-type": "text/plain"})
    assert response.status_code == 422
    the_error(response)


# --- the token --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.7", "::", "studio.local"])
def test_another_address_than_loopback_needs_a_token_and_says_why(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(UserError, match="Anybody who reaches this address"):
        guard_for(host, 8765, None)
    with pytest.raises(UserError, match="too short"):
        guard_for(host, 8765, "short")
    assert guard_for(host, 8765, TOKEN).token == TOKEN


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "LocalHost"])
def test_loopback_needs_none(host: str) -> None:
    assert guard_for(host, 8765, None).token is None


def test_without_the_token_nothing_is_seen(room: Room) -> None:
    client = client_of(room, Guard(hosts=frozenset({"testserver"}), any_address=True, token=TOKEN))
    paths = ["/", "/sheet", "/progress", "/static/x/app.js", f"/file/{room.desk.items()[0].view.sha256}"]
    for path in paths:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": "graftset_token=wrong"}, {"cookie": ';;"'}):
            response = client.get(path, headers=headers)
            assert response.status_code == 401, path
            assert the_error(response)["field"] == "token"
        assert client.get(path + "?token=wrong").status_code == 401
    assert client.get("/help", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_the_token_goes_from_the_address_into_a_cookie_that_no_script_reads(room: Room) -> None:
    client = client_of(room, Guard(hosts=frozenset({"testserver"}), token=TOKEN))
    response = client.get(f"/sheet?q=score%3C8&token={TOKEN}")
    assert response.status_code == 303
    assert response.headers["location"] == "/sheet?q=score%3C8"
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert client.get("/help").status_code == 200  # the client kept the cookie
    assert client.get(f"//evil.example/?token={TOKEN}").headers.get("location", "/x")[:2] != "//"


# --- what is sent back ------------------------------------------------------------------------------------------------


def test_every_answer_carries_the_headers_and_no_page_holds_inline_code(client: TestClient, room: Room) -> None:
    item = an_id(room)
    pages = [
        "/",
        f"/look/{item}",
        f"/full/{item}",
        "/sheet",
        "/conflicts",
        "/balance",
        "/captions",
        "/numbers",
        "/runs",
        "/help",
    ]
    for path in [*pages, "/nothing", "/progress", f"/pixels/{item[:64]}.png"]:
        response = client.get(path)
        for name, value in HEADERS.items():
            assert response.headers[name] == value, path
        assert "server" not in response.headers
    for path in pages:
        html = client.get(path, headers={"accept": "text/html"}).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", html), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|https?://(?!www\.w3\.org)", html), path
    policy = HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_pages_are_asked_for_again_and_pictures_are_kept_for_ever(client: TestClient, room: Room) -> None:
    assert client.get("/").headers["cache-control"] == "no-store"
    sha256 = room.desk.items()[0].view.sha256
    for path in (f"/pixels/{sha256}.png", f"/file/{sha256}"):
        response = client.get(path)
        assert "immutable" in response.headers["cache-control"], path
        assert response.headers["content-type"] == "image/png"
    assert len(client.get(f"/pixels/{sha256}.png").content) < 4000


@pytest.mark.parametrize(
    "path",
    [
        "/file/..%2f..%2fgraftset.toml",
        "/file/%2e%2e/%2e%2e/etc/passwd",
        "/file//etc/passwd",
        "/pixels/../../etc/passwd.png",
        "/static/x/../../../app.py",
        "/static/x/..%2fapp.py",
        "/file/" + "0" * 64,
        "/file/" + "g" * 64,
        "/file/" + "A" * 64,
        "/look/" + "0" * 64,
        "/look/' OR 1=1 --",
    ],
)
def test_no_address_leads_to_a_file_that_is_not_a_picture_of_the_project(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code in (404, 422)
    the_error(response)


def test_a_file_that_was_swapped_is_not_shown(room: Room, tmp_path: Path) -> None:
    view = room.desk.items()[0].view
    secret, link, pipe = tmp_path / "secret.txt", tmp_path / "link.png", tmp_path / "pipe.png"
    secret.write_text("secret")
    link.symlink_to(secret)
    os.mkfifo(pipe)
    other = Path(room.desk.items()[1].view.path)
    for path in (secret, link, pipe, other, tmp_path / "gone.png", tmp_path):
        with pytest.raises(Refusal) as caught:
            room.pictures.file(replace(view, path=str(path)))
        assert caught.value.status == 404


def test_redirects_after_undo_stay_here(client: TestClient) -> None:
    for lure in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        response = client.post("/undo", data={"do": "undo", "action": "a1", "from": lure})
        assert response.headers["location"].startswith("/?did=")


# --- limits and errors ------------------------------------------------------------------------------------------------


def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(client: TestClient) -> None:
    assert client.post("/reviewer", content=b"x" * (MAX_BODY + 1)).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 1024 + 2):
            yield b"x" * 1024

    response = client.post("/reviewer", content=pieces(), headers={"content-type": "application/x-www-form-urlencoded"})
    assert response.status_code == 413
    the_error(response)
    assert client.post("/reviewer", content=b"", headers={"content-length": "-1"}).status_code == 413
    fits = iter([urlencode({"name": "ada"}).encode()])
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/reviewer", content=fits, headers=headers).status_code == 303


def routes(client: TestClient) -> list[tuple[str, str]]:
    """Every method and path of the application."""
    found: list[tuple[str, str]] = []

    def walk(items: Any) -> None:
        for route in items:
            if isinstance(route, APIRoute):
                found.extend((method, route.path) for method in route.methods)
            for name in ("routes", "original_router"):
                inner = getattr(route, name, None)
                walk(getattr(inner, "routes", inner) or ())

    walk(client.app.app.routes)  # type: ignore[attr-defined]
    assert len(found) > 20
    return found


def filled(path: str, name: str) -> str:
    """A path with its parts filled in."""
    return re.sub(r"\{sha256\}", name[:64], re.sub(r"\{(name|version)\}", name, path))


def test_every_route_errs_in_the_one_shape(client: TestClient, room: Room) -> None:
    seen = set()
    for method, path in routes(client):
        for name in (an_id(room), "0" * 64, "not-a-hash"):
            for options in ({}, {"content": b"\xff\xfe"}, {"params": {"page": "x", "sort": "x", "queue": "x:score<"}}):
                response = client.request(method, filled(path, name), **options)  # type: ignore[arg-type]
                seen.add(response.status_code)
                if response.status_code >= 400:
                    the_error(response)
        for wrong in {"GET", "POST", "PUT", "DELETE", "PATCH"} - {m for m, p in routes(client) if p == path}:
            response = client.request(wrong, filled(path, an_id(room)))
            if response.status_code != 422 and (wrong, path) not in routes(client):
                assert response.status_code in (404, 405), (wrong, path)
            the_error(response)
            seen.add(response.status_code)
    assert {404, 405, 415, 422} <= seen
    assert 500 not in seen


def test_what_breaks_inside_is_logged_and_not_shown(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    client = client_of(room)

    @client.app.app.get("/broken")  # type: ignore[attr-defined]
    def broken() -> None:
        raise RuntimeError("the password is swordfish")

    for accept in ("application/json", "text/html"):
        response = client.get("/broken", headers={"accept": accept})
        assert response.status_code == 500
        assert "swordfish" not in response.text
        assert response.headers["content-security-policy"]
    the_error(client.get("/broken"))
    assert "swordfish" in caplog.text


def test_a_person_gets_the_same_error_as_a_page(client: TestClient) -> None:
    response = client.get("/look/nothing", headers={"accept": "text/html,application/xhtml+xml"})
    assert response.status_code == 422
    assert response.headers["content-type"].startswith("text/html")
    assert "<h1>" in response.text


def test_a_made_up_notice_says_nothing_of_its_own(client: TestClient) -> None:
    lure = urlencode({"did": "bulk", "about": "<b>7</b>", "verdict": "call 0800-EVIL"})
    html = client.get(f"/?{lure}").text
    assert "EVIL" not in html
    assert "<b>7" not in html
