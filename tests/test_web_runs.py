"""Runs in the review: beside one another, a page each, nothing of them that runs in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from graftset.runs import Run, RunRecord, create_run, hold_run
from graftset.web.room import Room
from reviewing import client_of, copy_project, room_of
from scored_runs import LEARNS, cards


@pytest.fixture
def room(reviewable: Path, tmp_path: Path) -> Iterator[Room]:
    with room_of(copy_project(reviewable, tmp_path / "project")) as found:
        yield found


@pytest.fixture
def client(room: Room) -> TestClient:
    return client_of(room)


def evaluated(room: Room, name: str = "arm", prompts: str = "p" * 64) -> None:
    """Cards of a run of somebody else's trainer, whose pictures are gone."""
    for card in cards(LEARNS):
        room.session.catalog.save_scorecard(replace(card, run=name, prompts_sha256=prompts), "/gone")


def begun(room: Room, name: str) -> Run:
    """A run of ours that has only begun."""
    steps = (10, 20)
    record = RunRecord(
        name, "native", "weighted", "b" * 64, "weighted", 24, 24, 24, 3, 1, 20, 32, "cpu", steps, (0,), "0" * 64, 4,
        created="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    return create_run(room.session.project.runs / name, record)


def test_runs_stand_beside_one_another_and_each_has_a_page(room: Room, client: TestClient) -> None:
    evaluated(room)
    evaluated(room, "other")
    page = client.get("/runs").text
    assert 'href="/runs/arm"' in page
    assert "100 % (99 % to 100 %)" in page
    assert "All were evaluated alike" in page
    assert 'http-equiv="refresh"' not in page
    one = client.get("/runs/arm")
    assert one.status_code == 200
    assert 'href="/runs"' in one.text
    assert "<script" not in one.text


def test_runs_on_other_prompts_are_not_held_beside_one_another(room: Room, client: TestClient) -> None:
    evaluated(room)
    evaluated(room, "other", prompts="q" * 64)
    assert "Not all were evaluated alike" in client.get("/runs").text


def test_a_run_that_goes_on_is_loaded_again_and_has_no_page_before_it_was_looked_at(
    room: Room, client: TestClient
) -> None:
    with hold_run(begun(room, "young")):
        page = client.get("/runs").text
    assert "young" in page
    assert "training, 0 of 2 checkpoints" in page
    assert 'http-equiv="refresh"' in page
    assert 'href="/runs/young"' not in page
    answer = client.get("/runs/young", headers={"accept": "application/json"})
    assert answer.status_code == 404
    assert "graftset evaluate young" in answer.json()["error"]["remedy"]


def test_a_run_that_was_stopped_is_said_to_be_and_how_it_goes_on(room: Room, client: TestClient) -> None:
    run = begun(room, "weighted-s1")
    assert "unfinished, 0 of 2 checkpoints" in client.get("/runs").text  # it may be trained elsewhere
    with hold_run(run):
        pass
    build = room.session.project.builds / "weighted"
    build.mkdir(parents=True, exist_ok=True)
    (build / "manifest.json").touch()
    page = client.get("/runs").text
    assert "stopped, 0 of 2 checkpoints" in page
    assert "<code>graftset train --plan weighted --seed 1 --steps 20 --checkpoints 2</code>" in page
    assert 'http-equiv="refresh"' not in page


@pytest.mark.parametrize("name", ["nobody", "..%2f..%2fetc%2fpasswd", "<script>alert(1)</script>", "a" * 400])
def test_a_name_that_is_no_run_is_not_found(room: Room, client: TestClient, name: str) -> None:
    evaluated(room)
    response = client.get(f"/runs/{name}", headers={"accept": "text/html"})
    assert response.status_code in (404, 422)
    assert "<script>alert" not in response.text


def test_the_page_of_a_run_may_load_nothing_and_run_nothing(room: Room, client: TestClient) -> None:
    evaluated(room)
    response = client.get("/runs/arm")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert "img-src data:" in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert client.get("/runs/arm", headers={"host": "evil.example"}).status_code == 421
