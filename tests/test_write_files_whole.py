"""Files and folders are written completely or not at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graftset.errors import UserError
from graftset.files import replace_folder, sha256_file, staged_folder, write_whole


def test_text_and_bytes_are_written_as_given(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "crème\r\n")
    write_whole(tmp_path / "b.bin", b"\x00\xff")
    assert (tmp_path / "a.txt").read_bytes() == "crème\r\n".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\xff"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.bin"]


def test_a_new_file_has_the_mode_the_umask_allows(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write_whole(tmp_path / "a.txt", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


def test_a_failing_rename_leaves_the_old_file_and_no_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(UserError, match="No space left"):
        write_whole(tmp_path / "a.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_an_interrupt_leaves_the_old_file_and_no_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_writing_into_a_missing_folder_names_the_file_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Check that the folder exists"):
        write_whole(tmp_path / "missing" / "a.txt", "x")


def test_the_longest_file_name_can_be_written(tmp_path: Path) -> None:
    name = "a" * 251 + ".txt"
    write_whole(tmp_path / name, "x")
    assert (tmp_path / name).read_text() == "x"


def test_a_symbolic_link_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("theirs")
    (tmp_path / "link").symlink_to("target")
    write_whole(tmp_path / "link", "ours")
    assert (tmp_path / "target").read_text() == "theirs"
    assert (tmp_path / "link").read_text() == "ours"


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000  # more than one block
    (tmp_path / "a").write_bytes(data)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_a_staged_folder_appears_only_when_complete(tmp_path: Path) -> None:
    final = tmp_path / "builds" / "equal"
    with staged_folder(final) as folder:
        (folder / "a.txt").write_text("x")
        assert not final.exists()
    assert (final / "a.txt").read_text() == "x"
    assert [path.name for path in final.parent.iterdir()] == ["equal"]


def test_a_failure_while_staging_keeps_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    final = tmp_path / "equal"
    final.mkdir()
    (final / "old.txt").write_text("old")

    def stage_and_be_interrupted() -> None:
        with staged_folder(final) as folder:
            (folder / "half.txt").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage_and_be_interrupted()
    assert [path.name for path in tmp_path.iterdir()] == ["equal"]
    assert [path.name for path in final.iterdir()] == ["old.txt"]


def test_a_published_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)
    replace_folder(tmp_path / "new", tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["new.txt"]


def test_a_folder_that_cannot_be_published_leaves_the_old_one_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)
    rename = os.rename

    def fail_on_new(source: Path, target: Path) -> None:
        if source.name == "new":
            raise OSError(18, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail_on_new)
    with pytest.raises(UserError, match="cross-device"):
        replace_folder(tmp_path / "new", tmp_path / "old")
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["old.txt"]


KILLED = """
import os, signal, sys
from pathlib import Path
from graftset.files import staged_folder

parent, renames = Path(sys.argv[1]), int(sys.argv[2])
rename = os.rename

def rename_and_die(source, target):
    global renames
    rename(source, target)
    renames -= 1
    if not renames:
        os.kill(os.getpid(), signal.SIGKILL)

os.rename = rename_and_die
with staged_folder(parent / "equal") as folder:
    (folder / "new.txt").write_text("new")
"""


def killed_while_replacing(parent: Path, renames: int) -> None:
    """Replace `parent`/equal, which holds old.txt, in a process that is killed after so many renames."""
    (parent / "equal").mkdir()
    (parent / "equal" / "old.txt").write_text("old")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(parent), str(renames)], env=environment, capture_output=True, check=False
    )
    assert done.returncode == -9, done.stderr


needs_locks = pytest.mark.skipif(sys.platform == "win32", reason="nothing is put back without locks")


@needs_locks
@pytest.mark.parametrize("name", ["equal", "weighted"])
@pytest.mark.parametrize(("renames", "there"), [(1, "old.txt"), (2, "new.txt"), (3, "new.txt")])
def test_a_kill_while_a_folder_is_replaced_loses_neither(tmp_path: Path, name: str, renames: int, there: str) -> None:
    killed_while_replacing(tmp_path, renames)

    def look_and_fail() -> None:
        with staged_folder(tmp_path / name):
            assert [path.name for path in (tmp_path / "equal").iterdir()] == [there]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look_and_fail()
    assert [path.name for path in tmp_path.iterdir()] == ["equal"]


@needs_locks
def test_what_another_command_sets_aside_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)
    rename = os.rename

    def rename_while_another_begins(source: Path, target: Path) -> None:
        if source.name == "new":
            monkeypatch.setattr(os, "rename", rename)
            with staged_folder(tmp_path / "other"):
                assert not (tmp_path / "old").exists()
        rename(source, target)

    monkeypatch.setattr(os, "rename", rename_while_another_begins)
    replace_folder(tmp_path / "new", tmp_path / "old")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "other"]
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["new.txt"]
