"""Captions that teach little or nothing: every command says so, and does what still can be done."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from graftset.cli.app import app
from graftset.imageio import encode_png

Run = Callable[..., Result]
Project = Callable[..., Run]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose originals have these captions and that names these words; runs commands on it."""

    def make(captions: Sequence[str | None], words: str = "accessories = []") -> Run:
        originals, candidates, folder = tmp_path / "originals", tmp_path / "candidates", tmp_path / "project"
        originals.mkdir()
        candidates.mkdir()
        for i, caption in enumerate(captions):
            (originals / f"lad_{i:02}.png").write_bytes(encode_png(_portrait(i)))
            if caption is not None:
                (originals / f"lad_{i:02}.txt").write_text(caption, encoding="utf-8")
        (candidates / "made.png").write_bytes(encode_png(_portrait(99)))

        def run(command: str, *options: str) -> Result:
            return CliRunner().invoke(app, [command, "--project", str(folder), *options])

        places = ("--originals", str(originals), "--candidates", str(candidates))
        assert CliRunner().invoke(app, ["init", str(folder), *places]).exit_code == 0
        settings = folder / "graftset.toml"
        text = settings.read_text(encoding="utf-8")
        assert "\naccessories = []\n" in text
        settings.write_text(text.replace("accessories = []", words), encoding="utf-8")
        return run

    return make


def _portrait(number: int) -> np.ndarray[Any, Any]:
    """A head on a wall, uint8 [24, 24, 3], no two alike."""
    rng = np.random.default_rng(number)
    picture = np.tile(rng.integers(60, 250, 3).astype(np.uint8), (24, 24, 1))
    picture[6:20, 6:18] = rng.integers(0, 255, (14, 12, 3))
    return picture


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("captions", "note", "terms"),
    [
        ([f"w{i} totally unlike {i * 7}" for i in range(6)], "share no part", set()),
        (["wearing red cap, brown hair"] * 6, "All captions are equal", {"cap"}),
        ([None] * 6, "nothing to learn from", set()),
        (["wearing red cap, brown hair"], "One caption", {"cap"}),
        (["wearing veil, red hair", *["red hair"] * 5], "In one caption only", {"veil"}),
        (["портрет, красная шляпа", "портрет, серьга", "портрет, красная шляпа"], "", {"красная шляпа"}),
        (["肖像、帽子", "肖像、眼鏡", "肖像、帽子"], "", {"帽子"}),
        (["صورة، قبعة", "صورة، قرط", "صورة، قبعة"], "", {"قبعة"}),
    ],
    ids=["unlike", "equal", "none", "one", "a term once", "Cyrillic", "Japanese", "Arabic"],
)
def test_little_is_learned_and_a_note_says_why(
    project: Project, captions: Sequence[str | None], note: str, terms: set[str]
) -> None:
    run = project(captions)
    for command in ("ingest", "assess"):
        document(run(command, "--json"))
    learned = document(run("audit", "--vocabulary", "--json"))
    assert set(learned["terms"]) == terms
    assert learned["captions"] == sum(caption is not None for caption in captions)
    assert any(note in line for line in learned["notes"]) or not note
    assert run("audit", "--vocabulary").exit_code == 0
    found = document(run("audit", "--json"))
    assert {finding["rule"] for finding in found["findings"]} <= {"empty", "duplicate", "boilerplate", "image-id"}
    assert document(run("caption", "--json"))["composed"] == 1


def test_captions_that_nobody_understands_are_counted_with_a_remedy(project: Project) -> None:
    run = project([f"слово{i} и ещё{i * 3}" for i in range(4)])
    document(run("ingest", "--json"))
    learned = document(run("audit", "--vocabulary", "--json"))
    assert len(learned["unread"]) == 4
    assert any("[vocabulary] in graftset.toml" in note for note in learned["notes"])
    assert any("spelling was not judged" in note for note in document(run("audit", "--json"))["notes"])


def test_words_of_the_settings_are_heard_in_any_language(project: Project) -> None:
    run = project(["портрет, красная шляпа", "мужчина в шляпа"], 'accessories = ["шляпа", "monocle"]')
    document(run("ingest", "--json"))
    learned = document(run("audit", "--vocabulary", "--json"))
    assert learned["terms"]["шляпа"]["known_by"] == "settings"
    assert len(learned["terms"]["шляпа"]["captions"]) == 2
    assert any("in no caption: monocle" in note for note in learned["notes"])


def test_contradictory_words_stop_every_command_before_it_begins(project: Project) -> None:
    run = project(["wearing cap"], 'accessories = ["cape", "red", "hair"]')
    for command in ("ingest", "assess", "caption", "audit", "status"):
        refused = run(command, "--json")
        assert refused.exit_code == 1
        error = json.loads(refused.stdout)["error"]
        assert error["field"] == "graftset.toml"
        assert all(f"vocabulary.accessories = '{word}'" in error["message"] for word in ("red", "hair"))
