"""A user writes, mends and reads graftset.toml."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graftset import config
from graftset.config.settings import items_of, section_of, tables
from graftset.errors import ConfigError, UserError

PROJECT = '[project]\noriginals = "o"\ncandidates = "c"\n'


def refused(text: str) -> str:
    """The message that a settings file earns."""
    with pytest.raises(ConfigError) as caught:
        config.parse(text.encode())
    return str(caught.value)


def keys_of(table: dict[str, Any], path: str = "") -> set[str]:
    """Dotted names of every key of a parsed TOML document that does not hold a table with keys."""
    names: set[str] = set()
    for key, value in table.items():
        name = f"{path}.{key}".lstrip(".")
        names |= keys_of(value, name) if isinstance(value, dict) and value else {name}
    return names


def test_the_file_that_init_writes_holds_exactly_the_defaults() -> None:
    written = config.parse(config.default_toml("o", "c", "p.json").encode())
    bare = config.parse((PROJECT + 'prompts = "p.json"').encode())
    assert written == bare


def test_the_file_that_init_writes_names_every_setting() -> None:
    names = keys_of(tomllib.loads(config.default_toml("o", ["c", "d"], "p.json")))
    expected = {
        f"{path}.{key}"
        for path, section in tables()
        for key, field in section.model_fields.items()
        if path and section_of(field) is None
    }
    assert names == expected
    assert "select.floors.vendi_ratio" in names


def test_every_setting_says_what_it_means_right_above_itself() -> None:
    whole = config.default_toml("o", "c")
    for path, section in tables():
        assert section.__doc__
        here = whole[whole.index(f"\n[{path}]") if path else 0 :]  # a key may stand in several tables
        for key, field in section.model_fields.items():
            assert field.description, f"{key} has no description"
            if section_of(field) is None and items_of(field) is None:
                first_words = " ".join(field.description.split()[:6])
                before = here[: here.index(f"\n{key} = " if f"\n{key} = " in here else f"\n# {key} = ")]
                assert first_words in before.rsplit("\n\n", 1)[1]


def test_prompts_that_are_not_given_are_a_comment_to_uncomment() -> None:
    text = config.default_toml("o", "c")
    assert config.parse(text.encode()).project.prompts is None
    uncommented = text.replace('# prompts = "prompts.json"', 'prompts = "prompts.json"')
    assert config.parse(uncommented.encode()).project.prompts == "prompts.json"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.lists(st.text(min_size=1), min_size=1))
def test_any_folder_name_survives_writing_and_reading(originals: str, candidates: list[str]) -> None:
    settings = config.parse(config.default_toml(originals, candidates).encode())
    assert settings.project.originals == originals
    assert settings.project.candidates == tuple(candidates)


def test_a_folder_name_that_is_not_unicode_is_refused_in_a_sentence() -> None:
    with pytest.raises(UserError, match="not valid Unicode"):
        config.default_toml("caf\udce9", "c")


def test_every_fault_is_reported_at_once() -> None:
    message = refused(
        """
        [project]
        originals = "o"
        candidates = ["c", 3]
        [select]
        min_score = 11
        wrong_background = "recolour"
        counts = 50
        [build]
        epochs = 0
        batch_size = "4"
        """
    )
    for part in (
        "6 faults",
        "project.candidates[1] = 3",
        "select.min_score = 11: Should be less than or equal to 10. Write for example `min_score = 8.0`",
        "select.wrong_background = 'recolour': Should be 'recaption' or 'drop'",
        "select.counts = 50: Unknown key. Did you mean `count`?",
        "build.epochs = 0",
        "build.batch_size = '4'",
    ):
        assert part in message


def test_one_fault_names_field_value_and_remedy() -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(f"{PROJECT}[select]\nmin_scor = 8".encode())
    fault = caught.value
    assert (fault.field, fault.value, fault.remedy) == ("select.min_scor", 8, "Did you mean `min_score`?")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (f"{PROJECT}[selct]\ncount = 5", "Did you mean `select`?"),
        (f"{PROJECT}epochs = 5", "It belongs under [build]"),
        (f"{PROJECT}[select.floor]\nvendi_ratio = 1.0", "Did you mean `floors`?"),
        (f"{PROJECT}colour = 5", "known here: originals, candidates, prompts"),
        ("", "Write its keys under [project]"),
        ('[project]\noriginals = "o"', 'candidates = "generated"'),
        (f"{PROJECT}[build]\nplans = []", "Should not be empty"),
        (f"{PROJECT}[build]\nplans = ['equal', 'equal']", "named twice"),
        (f"{PROJECT}[build]\nname = 'mine'", "A build name holds {plan}"),
        (f"{PROJECT}[build]\nname = '../{{plan}}'", "plain folder name"),
        (f"{PROJECT}[build]\nname = '{{plan'", "Not a template"),
        (f"{PROJECT}[build]\nname = '{{plan.__class__}}'", "and no other field"),
        (f"{PROJECT}[select]\nmin_score = nan", "finite number"),
        (f"{PROJECT}[select]\ncount = true", "valid integer"),
        (f"{PROJECT}select = 5", "[select] is a table of its own"),
        (f"select = 5\n{PROJECT}", "Should be a table"),
    ],
)
def test_a_fault_comes_with_its_remedy(text: str, remedy: str) -> None:
    assert remedy in refused(text)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"[project]\noriginals = o\n", "line 2, column 13"),
        (b"[project]\noriginals = [\n'a',", "line 3, column 5"),
        (b"[project]\n\noriginals = 'caf\xe9'", "line 3 holds the byte 0xe9"),
        (b"a = " + b"9" * 5000, "not valid TOML"),
        (b"\x00", "line 1, column 1"),
        (b"a = " + b"[" * 5000, "not valid TOML"),
    ],
)
def test_a_file_that_is_not_toml_says_where(data: bytes, place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        config.parse(data)


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    assert config.parse(b"\xef\xbb\xbf" + PROJECT.replace("\n", "\r\n").encode()).project.originals == "o"


VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-5, 20), st.floats(width=16), st.text("ab#{}01", max_size=7)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=5,
)
KEYS = sorted({key for _, section in tables() for key in section.model_fields} | {"other"})


@given(st.dictionaries(st.sampled_from(KEYS), VALUES | st.dictionaries(st.sampled_from(KEYS), VALUES)))
def test_any_toml_gives_settings_or_a_config_error(document: dict[str, Any]) -> None:
    with contextlib.suppress(ConfigError):
        config.parse(tomlkit.dumps(document).encode())


@given(st.binary(max_size=200))
def test_any_bytes_give_settings_or_a_config_error(data: bytes) -> None:
    with pytest.raises(ConfigError):
        config.parse(data)


def test_settings_cannot_be_changed_after_reading() -> None:
    settings = config.parse(PROJECT.encode())
    with pytest.raises(ValidationError):
        settings.select.count = 3


def test_a_folder_without_settings_asks_for_init(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="graftset init") as caught:
        config.load(tmp_path)
    assert not isinstance(caught.value, ConfigError)
    with pytest.raises(UserError, match="graftset init"):
        config.load(tmp_path / "no such folder")


def test_settings_that_are_a_folder_are_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "graftset.toml").mkdir()
    with pytest.raises(UserError, match="cannot be read"):
        config.load(tmp_path)


def test_a_project_knows_where_everything_lies(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    text = config.default_toml("../art", ["generated", str(elsewhere)], "p.json")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "graftset.toml").write_text(text, encoding="utf-8")
    project = config.open_project(tmp_path / "mine")
    assert project.originals == tmp_path / "art"
    assert project.candidates == (tmp_path / "mine" / "generated", elsewhere)
    assert project.prompts == tmp_path / "mine" / "p.json"
    assert project.catalog_url == f"sqlite:///{(tmp_path / 'mine' / '.graftset' / 'catalog.db').as_posix()}"
    assert (project.builds, project.runs, project.reports) == tuple(
        tmp_path / "mine" / name for name in ("builds", "runs", "reports")
    )


def test_a_catalog_url_of_the_settings_is_taken_as_it_is(tmp_path: Path) -> None:
    url = "postgresql+psycopg://me@host/db"
    project = config.Project(tmp_path, config.parse(f"{PROJECT}[catalog]\nurl = '{url}'".encode()))
    assert project.catalog_url == url


def test_a_question_mark_in_the_project_path_is_refused_for_the_default_catalog(tmp_path: Path) -> None:
    project = config.Project(tmp_path / "why?", config.parse(PROJECT.encode()))
    with pytest.raises(UserError, match="question mark"):
        _ = project.catalog_url


def test_reading_settings_loads_no_numpy() -> None:
    code = "import sys, graftset.config; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
