"""The documentation says what is so: generated pages are current, links lead somewhere, commands and targets exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import graftset
from graftset import config
from graftset.audit import RULES
from graftset.cli.app import app
from graftset.quality import MEASURES
from graftset.vocabulary import SLOTS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
COMMANDS = sorted(getattr(get_command(app), "commands", {}))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def page_name(path: Path) -> str:
    """A page as its path in the repository."""
    return path.relative_to(ROOT).as_posix()


def load_generator() -> ModuleType:
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_generator()


@pytest.mark.parametrize("name", sorted(GENERATOR.PAGES))
def test_generated_pages_are_current(name: str) -> None:
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == GENERATOR.PAGES[name](), f"docs/{name} is out of date: run `make docs`"


def test_every_command_and_every_measure_is_documented() -> None:
    commands = (DOCS / "commands.md").read_text(encoding="utf-8")
    measures = (DOCS / "measures.md").read_text(encoding="utf-8")
    assert len(COMMANDS) > 5
    assert [name for name in COMMANDS if f"\n## {name}\n" not in commands] == []
    assert [m.name for m in MEASURES if f"| `{m.name}` | {m.meaning} |" not in measures] == []


def test_every_rule_of_the_audit_stands_in_its_table_and_every_word_setting_is_shown() -> None:
    page = (DOCS / "captions.md").read_text(encoding="utf-8")
    rows = [f"| `{r.name}` | {r.severity} | {r.meaning} | {'yes' if r.fixable else 'no'} |" for r in RULES]
    assert [line for line in page.splitlines() if line.startswith("| `") and line.count("|") == 5] == rows
    shown = re.search(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert shown is not None
    table = config.parse(('[project]\noriginals = "o"\ncandidates = "c"\n' + shown.group(1)).encode()).vocabulary
    assert all(getattr(table, key) for key in type(table).model_fields)
    assert [slot for slot in SLOTS if f"| `{slot}` |" not in page] == []


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links and pictures that lie in the repository."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        name, _, anchor = target.partition("#")
        other = page.parent / name if name else page
        assert other.exists(), target
        if anchor:
            assert anchor in {heading_anchor(line) for line in other.read_text(encoding="utf-8").splitlines()}, target


def heading_anchor(line: str) -> str | None:
    """The anchor that GitHub gives a heading; None for other lines."""
    heading = re.match(r"#+ (.*)", line)
    return None if heading is None else re.sub(r"[^\w\- ]", "", heading.group(1).lower()).strip().replace(" ", "-")


def test_the_index_names_every_page() -> None:
    index = DOCS / "index.md"
    named = {(DOCS / target.split("#")[0]).resolve() for target in links(index)}
    assert [page_name(page) for page in DOCS.rglob("*.md") if page != index and page not in named] == []


def shell_commands(page: Path) -> Iterator[list[str]]:
    """The words of every graftset or make command in a page's code blocks, or between backticks."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    for line in [*lines, *re.findall(r"`([^`\n]+)`", text)]:
        if re.match(r"(graftset|make) ", line):
            yield shlex.split(line, comments=True)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_commands_that_are_shown_exist_with_their_options(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for program, *words in shell_commands(page):
        if program == "make":
            assert {word for word in words if re.fullmatch(r"[a-z-]+", word)} <= targets, words
            continue
        known = words[0] in COMMANDS or words[0].startswith("--")
        assert known, words
        command = [words[0]] if words[0] in COMMANDS else []
        shown = CliRunner().invoke(app, [*command, "--help"]).output
        options = {word.split("=")[0] for word in words if re.match(r"--[a-z]", word)}
        assert options <= set(re.findall(r"--[a-z-]+", shown)), words


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("*.md")), ids=page_name)
def test_a_decision_gives_its_context_and_its_consequence(page: Path) -> None:
    headings = re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequence"]


def test_the_change_log_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == graftset.__version__


def test_the_log_is_dated_newest_first() -> None:
    days = re.findall(r"^## (\d{4}-\d{2}-\d{2})", (DOCS / "log.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert days
    assert days == sorted(days, reverse=True)
