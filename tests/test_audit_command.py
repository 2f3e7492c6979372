"""`graftset audit` shows what is wrong with captions, and changes them only where it is asked to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from graftset.cli.app import app
from graftset.imageio import encode_png
from graftset.workflows import steps
from graftset.workflows.starting import init

Audit = Callable[..., Result]

CAPTIONS = {
    "lad_1": "portrait, brown hair, golden stud stud earring, gray background",
    "lad_2": "portrait, brown hair and, gray background",
    "lad_3": "portrait, black hair, gray background\nnever read",
}


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Three originals with a fault each, ingested; runs the command on them."""
    originals, candidates = tmp_path / "originals", tmp_path / "candidates"
    originals.mkdir()
    candidates.mkdir()
    for number, (name, caption) in enumerate(CAPTIONS.items()):
        pixels = np.random.default_rng(number).integers(0, 255, (24, 24, 3)).astype(np.uint8)
        (originals / f"{name}.png").write_bytes(encode_png(pixels))
        (originals / f"{name}.txt").write_text(caption, encoding="utf-8")
    (candidates / "made.png").write_bytes(encode_png(np.zeros((24, 24, 3), dtype=np.uint8)))
    init(tmp_path / "project", originals, [candidates], None, force=False)
    with steps.open_session(tmp_path / "project") as session:
        steps.ingest(session)

    def run(*options: str) -> Result:
        return CliRunner().invoke(app, ["audit", "--project", str(tmp_path / "project"), *options])

    return run


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_findings_are_counted_by_rule_with_their_evidence(audit: Audit) -> None:
    found = document(audit("--json"))
    assert found["counts"] == {"empty": 1, "truncated": 1, "doubled": 1, "further-lines": 1}
    assert found["captions"] == 3
    doubled = next(finding for finding in found["findings"] if finding["rule"] == "doubled")
    assert doubled["words"] == "stud stud"
    assert doubled["fix"] == CAPTIONS["lad_1"].replace("stud stud", "stud")
    assert len({finding["id"] for finding in found["findings"]}) == 4


def test_people_read_a_line_a_finding_and_a_table(audit: Audit) -> None:
    shown = audit()
    assert shown.exit_code == 0
    assert "lad_3.png" in shown.stdout
    assert "never read" in shown.stdout
    assert "4 findings in 3 captions" in shown.stdout


def test_one_rule_is_looked_for_where_one_is_named(audit: Audit) -> None:
    assert document(audit("--json", "--rule", "doubled"))["counts"] == {"doubled": 1}
    wrong = audit("--json", "--rule", "grammar")
    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)["error"]["field"] == "--rule"


def test_nothing_changes_without_apply(audit: Audit, tmp_path: Path) -> None:
    before = document(audit("--json"))
    assert document(audit("--json")) == before
    applied = document(audit("--json", "--apply", "--rule", "doubled"))
    assert applied["applied"] == 1
    after = document(audit("--json"))
    assert after["counts"] == {"empty": 1, "truncated": 1, "further-lines": 1}
    assert document(audit("--json", "--apply"))["applied"] == 1
    for name, caption in CAPTIONS.items():
        assert (tmp_path / "originals" / f"{name}.txt").read_text(encoding="utf-8") == caption


def test_a_dismissed_finding_is_not_shown_again(audit: Audit) -> None:
    name = next(f["id"] for f in document(audit("--json"))["findings"] if f["rule"] == "truncated")
    assert "truncated" not in document(audit("--json", "--dismiss", name))["counts"]
    later = document(audit("--json"))
    assert "truncated" not in later["counts"]
    assert [finding["id"] for finding in later["dismissed"]] == [name]
    assert document(audit("--json", "--apply"))["applied"] == 1  # what was dismissed is not mended
    assert "1 dismissed" in audit().stdout


def test_a_dismissed_finding_can_be_shown_again(audit: Audit) -> None:
    name = next(f["id"] for f in document(audit("--json"))["findings"] if f["rule"] == "truncated")
    document(audit("--json", "--dismiss", name))
    restored = document(audit("--json", "--restore", name))
    assert restored["counts"]["truncated"] == 1
    assert restored["dismissed"] == []
    wrong = audit("--json", "--restore", name)
    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)["error"]["field"] == "--restore"


def test_what_was_applied_is_taken_back_application_by_application(audit: Audit) -> None:
    before = document(audit("--json"))
    assert document(audit("--json", "--undo"))["undone"] == 0
    document(audit("--json", "--apply", "--rule", "doubled"))
    between = document(audit("--json"))
    document(audit("--json", "--apply", "--rule", "truncated"))
    assert document(audit("--json", "--undo"))["undone"] in (1, 2)  # 2 where both fell into one second
    document(audit("--json", "--undo"))
    assert between != before
    assert document(audit("--json")) == before
    assert document(audit("--json", "--undo"))["undone"] == 0
    assert audit("--apply", "--undo").exit_code == 2


def test_a_name_that_no_finding_has_is_refused(audit: Audit) -> None:
    wrong = audit("--json", "--dismiss", "0123456789ab")
    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)["error"]["value"] == "0123456789ab"


def test_what_was_learned_is_shown_with_the_captions_it_comes_from(audit: Audit) -> None:
    learned = document(audit("--json", "--vocabulary"))
    assert learned["captions"] == 3
    assert learned["head"] == ["portrait"]
    assert learned["terms"]["earring"]["known_by"] == "beforehand"
    assert [Path(path).name for path in learned["terms"]["earring"]["captions"]] == ["lad_1.png"]
    assert learned["unread"] == []
    (gray,) = learned["slots"]["background"]
    assert gray["claimed"] == "gray"
    assert [Path(path).name for path in gray["captions"]] == ["lad_1.png", "lad_2.png", "lad_3.png"]
    assert "nearly all begin with: portrait" in audit("--vocabulary").stdout


def test_a_configured_trigger_is_asked_of_every_caption(audit: Audit, tmp_path: Path) -> None:
    settings = tmp_path / "project" / "graftset.toml"
    text = settings.read_text(encoding="utf-8")
    assert 'trigger = ""' in text
    settings.write_text(text.replace('trigger = ""', 'trigger = "inkline"'), encoding="utf-8")
    assert document(audit("--json", "--rule", "no-trigger"))["counts"] == {"no-trigger": 3}
