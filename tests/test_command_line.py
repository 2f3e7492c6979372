"""What a shell sees of every command: streams, exit codes, JSON, help; and what a full disk or a closed pipe does."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import select
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from graftset.cli.app import app
from running import COMMAND, ENVIRONMENT, build_bytes, call, copy_of, images, pictures, run, sentence, status

COMMANDS: dict[str, Any] = dict(getattr(get_command(app), "commands", {}))
ON_A_PROJECT = ("ingest", "assess", "caption", "select", "build", "report", "status", "images")


@pytest.fixture(scope="module")
def ready(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An expanded project whose settings ask for two plans only, to keep it quick."""
    project = tmp_path_factory.mktemp("ready") / "project"
    call("init", project, *pictures(sample))
    settings = project / "graftset.toml"
    text = settings.read_text()
    settings.write_text(re.sub(r"^plans = .*$", 'plans = ["originals", "equal"]', text, flags=re.MULTILINE))
    assert call("expand", project).code == 0
    return project


@pytest.fixture
def project(ready: Path, tmp_path: Path) -> Path:
    """A copy of the project, to change."""
    return Path(shutil.copytree(ready, tmp_path / "project"))


def options_of(command: str, project: Path) -> list[str]:
    """What a command needs beside --json to do something in a finished project."""
    return ["--project", str(project), *(["--plan", "equal"] if command == "build" else [])]


class TestStreams:
    """Results on stdout, everything else on stderr."""

    @pytest.mark.parametrize("command", [name for name in ON_A_PROJECT if name != "images"])
    def test_json_is_one_document_and_nothing_else(self, project: Path, command: str) -> None:
        done = call(command, *options_of(command, project), "--json")
        assert (done.code, done.err) == (0, "")
        assert isinstance(done.json, dict)

    def test_images_is_one_object_a_line_under_the_contract(self, project: Path) -> None:
        listed = images(project)
        assert len(listed) == 24
        keys = {
            *("path", "sha256", "origin", "generation", "prompt", "caption", "proposed_caption", "composed", "native"),
            *("score", "score_parts", "measures", "traits", "claims", "copy_of", "repeat_of", "source_original"),
            *("nearest_original", "review", "selected", "reasons"),
        }
        assert all(keys <= image.keys() for image in listed)
        assert all(image["native"]["width"] == image["native"]["height"] == 24 for image in listed)

    @pytest.mark.parametrize("command", ON_A_PROJECT)
    def test_without_json_people_get_lines(self, project: Path, command: str) -> None:
        done = call(command, *options_of(command, project))
        assert (done.code, done.err) == (0, "")
        assert done.out.strip()
        assert not done.out.startswith(("{", "["))

    def test_init_and_expand_speak_json_too(self, sample: Path, project: Path, tmp_path: Path) -> None:
        written = call("init", tmp_path / "new", *pictures(sample), "--json")
        assert Path(written.json["settings"]).is_file()
        expanded = call("expand", project, "--json")
        assert {"ingest", "assess", "caption", "select", "builds", "not_built", "report"} <= expanded.json.keys()

    def test_json_is_utf_8_whatever_the_terminal_speaks(self, sample: Path, tmp_path: Path) -> None:
        mine = copy_of(sample, tmp_path / "größe 日本")
        call("init", tmp_path / "project", *pictures(mine))
        call("ingest", "--project", tmp_path / "project")
        shown = [*COMMAND, "images", "--project", str(tmp_path / "project")]
        latin = ENVIRONMENT | {"PYTHONIOENCODING": "latin-1"}
        document = subprocess.run([*shown, "--json"], env=latin, capture_output=True, check=True).stdout
        assert json.loads(document.decode("utf-8").splitlines()[0])["path"].startswith(str(mine))
        lines = subprocess.run(shown, env=latin, capture_output=True, check=True).stdout.decode("latin-1")
        assert "größe \\u65e5\\u672c" in lines

    def test_names_cannot_move_the_cursor(self, sample: Path, tmp_path: Path) -> None:
        mine = copy_of(sample, tmp_path / "mine")
        (mine / "candidates" / "a\x1b[2J\nb.png").write_bytes(b"")
        done = call("expand", tmp_path / "project", *pictures(mine))
        assert "skipped a\\x1b[2J\\nb.png: is empty (0 bytes)" in done.out.splitlines()
        assert status(tmp_path / "project")["skipped"][0]["path"].endswith("a\x1b[2J\nb.png")

    def test_caption_shows_and_applies_its_proposals(self, project: Path) -> None:
        shown = call("caption", "--project", project, "--diff")
        corrected = [image for image in images(project) if image["changes"]]
        assert corrected
        for image in corrected:
            name, old, new = Path(image["path"]).name, image["prompt"], image["proposed_caption"]
            assert f"{name}\n- {old}\n+ {new}\n" in shown.out
        diff = call("caption", "--project", project, "--diff", "--apply", "--json").json
        assert diff["applied"] == 12
        assert {each["path"] for each in diff["diff"]} == {image["path"] for image in corrected}
        assert status(project)["captions"]["applied"] == 12


class TestEndings:
    """Exit codes: 0 done, 1 the user can mend it, 2 wrong usage."""

    @pytest.mark.parametrize("command", ON_A_PROJECT)
    def test_a_folder_that_is_no_project(self, tmp_path: Path, command: str) -> None:
        assert sentence(call(command, *options_of(command, tmp_path))).startswith("No graftset.toml here")
        told = call(command, *options_of(command, tmp_path), "--json")
        assert told.code == 1
        assert set(told.json["error"]) == {"message", "field", "value", "remedy"}
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("select", "--count", "3", "--all"), "--count and --all contradict each other"),
            (("select", "--wrong-background", "paint"), "There is no such way with a wrong background"),
            (("build",), "Give one of --plan, --check and --verify"),
            (("build", "--plan", "equal", "--check", "x"), "Give one of --plan, --check and --verify"),
            (("build", "--plan", "best"), "No such mixing plan"),
            (("build", "--plan", "equal", "--format", "png"), "No such format"),
            (("build", "--plan", "equal", "--size", "9"), "A training image of 24 x 24 cells must be"),
            (("build", "--plan", "equal", "--root", "here"), "The root must be the absolute path"),
        ],
    )
    def test_options_that_cannot_be(self, ready: Path, arguments: tuple[str, ...], said: str) -> None:
        assert sentence(call(*arguments, "--project", ready)).startswith(said)

    @pytest.mark.parametrize(
        "arguments",
        [
            ("select", "--count", "0"),
            ("select", "--min-score", "11"),
            ("select", "--seed", "-1"),
            ("expand",),
            ("init", "x"),
            ("status", "extra"),
        ],
    )
    def test_wrong_usage(self, arguments: tuple[str, ...]) -> None:
        done = call(*arguments)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("Usage: graftset ")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[project]\noriginals = 3\n", "graftset.toml"),
            ("not toml at all", "graftset.toml"),
            ("", "graftset.toml"),
        ],
    )
    def test_broken_settings(self, project: Path, text: str, said: str) -> None:
        (project / "graftset.toml").write_text(text)
        for arguments in (("status", "--project", project), ("expand", project)):
            done = call(*arguments)
            assert (done.code, done.out) == (1, "")
            assert done.err.startswith("graftset: ")

    def test_steps_out_of_order_say_which_is_missing(self, sample: Path, tmp_path: Path) -> None:
        call("init", tmp_path, *pictures(sample))
        at = ("--project", tmp_path)
        assert "Run `graftset ingest` first" in sentence(call("assess", *at))
        assert "Run `graftset ingest`" in sentence(call("select", *at))
        assert "Run `graftset ingest`" in sentence(call("build", "--plan", "equal", *at))
        call("ingest", *at)
        assert "Run `graftset select` first" in sentence(call("build", "--plan", "equal", *at))

    def test_settings_are_not_overwritten(self, sample: Path, tmp_path: Path) -> None:
        call("init", tmp_path, *pictures(sample))
        settings = tmp_path / "graftset.toml"
        settings.write_text(settings.read_text() + "# mine\n")
        assert sentence(call("init", tmp_path, *pictures(sample))).startswith("The project has settings already")
        assert settings.read_text().endswith("# mine\n")
        assert call("init", tmp_path, *pictures(sample), "--force").code == 0
        assert not settings.read_text().endswith("# mine\n")

    @pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere"])
    def test_a_project_where_nobody_can_write(self, sample: Path, tmp_path: Path, place: str) -> None:
        (tmp_path / "file").write_text("mine")
        refused = sentence(call("expand", tmp_path / place, *pictures(sample)))
        assert refused.startswith("The project folder cannot be made: ")
        assert (tmp_path / "file").read_text() == "mine"

    def test_demo_does_not_draw_over_what_is_there(self, tmp_path: Path) -> None:
        (tmp_path / "sample").mkdir()
        (tmp_path / "sample" / "holiday.png").write_bytes(b"mine")
        assert "files that are not of a sample set" in sentence(call("demo", tmp_path))
        (tmp_path / "sample" / "truth.json").write_text('{"seed": 5}')
        assert sentence(call("demo", tmp_path)).startswith("A sample set of seed 5 is there already")

    @pytest.mark.parametrize("damage", ["garbage", "torn"])
    def test_a_damaged_catalog(self, project: Path, damage: str) -> None:
        catalog = project / ".graftset" / "catalog.db"
        with sqlite3.connect(catalog) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        content = catalog.read_bytes()
        catalog.write_bytes(b"\xff" * 5000 if damage == "garbage" else content[: len(content) // 3])
        for arguments in (("status", "--project", project), ("expand", project)):
            assert sentence(call(*arguments)).startswith("The catalog ")


class TestPipesAndDisks:
    """A reader that goes, an output that is full, a disk that is full: a line at most, and nothing half-written."""

    @pytest.mark.parametrize(("option", "reader"), [((), "true"), (("--json",), "head -c 10")])
    def test_a_reader_that_had_enough(self, ready: Path, option: tuple[str, ...], reader: str) -> None:
        command = shlex.join([*COMMAND, "images", "--project", str(ready), *option])
        script = f"set -o pipefail; {command} | {reader} >/dev/null"
        done = subprocess.run(["bash", "-c", script], env=ENVIRONMENT, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    @pytest.mark.parametrize("arguments", [("images",), ("status", "--json")])
    def test_an_output_that_is_full(self, ready: Path, arguments: tuple[str, ...]) -> None:
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [*COMMAND, *arguments, "--project", str(ready)],
                env=ENVIRONMENT,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 1
        assert done.stderr.startswith("graftset: The system refuses: No space left on device")
        assert done.stderr.count("\n") == 1

    def test_a_disk_that_is_full_while_taking_pictures_in(self, sample: Path, tmp_path: Path) -> None:
        done = run("expand", tmp_path / "project", *pictures(sample), preexec_fn=files_up_to(120))
        assert sentence(done).startswith("The catalog ")
        assert list(tmp_path.rglob(".graftset-*")) == []
        assert not (tmp_path / "project" / "builds").exists()
        assert call("expand", tmp_path / "project", *pictures(sample)).code == 0

    def test_a_disk_that_is_full_while_building(self, project: Path) -> None:
        shutil.rmtree(project / "builds" / "equal")
        before = build_bytes(project)
        build = ("build", "--project", project, "--plan", "equal", "--root")
        done = run(*build, "/" + "x" * 60_000, preexec_fn=files_up_to(50))
        assert sentence(done).startswith("The build cannot be written: File too large")
        assert build_bytes(project) == before
        assert [path.name for path in (project / "builds").iterdir()] == ["originals"]
        assert call(*build, "/workspace").code == 0


def files_up_to(kilobytes: int) -> Callable[[], None]:
    """What makes a process fail on writing beyond that size, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, kilobytes << 10))


def test_a_terminal_sees_bars_with_rate_gets_its_cursor_back_and_stdout_stays_json(
    sample: Path, tmp_path: Path
) -> None:
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "expand", str(tmp_path / "project"), *pictures(sample), "--json"],
        env=ENVIRONMENT | {"TERM": "xterm-256color", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=end,
    )
    os.close(end)
    screen = b"".join(written_to(terminal))
    assert json.loads(process.communicate(timeout=60)[0])["not_built"] == []
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.decode())
    for label, count in (("ingest", 24), ("assess candidates", 12), ("build originals", 12)):
        assert re.search(rf"{label} +\S+ {count}/{count} +[\d,]+/s", text), text
    assert screen.rfind(b"\x1b[?25h") > screen.rfind(b"\x1b[?25l") >= 0


def written_to(terminal: int) -> Iterator[bytes]:
    """What is written to a terminal until its other end is closed."""
    while select.select([terminal], [], [], 60)[0]:
        try:
            yield os.read(terminal, 1 << 16)
        except OSError:  # the other end is closed
            break
    os.close(terminal)


class TestHelp:
    """Every option says what it does, and what happens without it."""

    @pytest.mark.parametrize("name", sorted(COMMANDS))
    def test_every_option_is_explained(self, name: str) -> None:
        for parameter in COMMANDS[name].params:
            assert len(parameter.help or "") > 10, parameter.name

    @pytest.mark.parametrize("name", sorted(COMMANDS))
    def test_the_first_sentence_fits_the_list_of_commands(self, name: str) -> None:
        assert "..." not in next(line for line in call("--help").out.splitlines() if line.startswith(f"  {name} "))

    @pytest.mark.parametrize("name", ["expand", "select", "build"])
    def test_examples_can_be_typed(self, name: str) -> None:
        shown = call(name, "--help").out
        examples = re.findall(r"^ +(graftset .+)$", shown, re.MULTILINE)
        assert len(examples) >= 3
        for example in examples:
            _, command, *words = shlex.split(example)
            assert command == name
            COMMANDS[name].make_context(name, words)

    def test_help_is_the_same_by_its_short_name_and_as_a_module(self) -> None:
        shown = call("select", "--help").out
        assert call("select", "-h").out == shown
        assert run("select", "--help").out.split() == shown.split()  # lines are as wide as the terminal

    def test_no_command_shows_the_help(self) -> None:
        done = call()
        assert done.code == 2
        assert "Begin with `graftset demo`" in done.out + done.err
