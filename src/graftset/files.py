"""Writing files and folders whole or not at all, and hashing them.

Everything is first written under a hidden temporary name in the folder where it will end up, so that the last step is
a rename on one file system: a killed command leaves the old state or the new one, never half of either. A folder cannot
be renamed over another, so that the old one first stands aside; where a command is killed in that moment, the next one
that writes there puts it back.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from graftset.errors import UserError

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

TEMPORARY_PREFIX = ".graftset-"
_TEMPORARY, _ASIDE = ".tmp", ".old"
_HASH_BLOCK = 1 << 20  # bytes
_SYNCED_TOGETHER = 8
_RETRY = 0.02  # seconds between two tries to lock
_SYNC_BLOCK = 1024  # files that wait in line at a time: memory stays flat


def write_whole(path: Path, data: bytes | str) -> None:
    """Write `data` to `path` so that the file is there completely or is what it was before.

    Text is written as UTF-8 without changing its line ends. A symbolic link at `path` is replaced, not followed.
    Whether an existing file may be replaced at all is the caller's decision.

    Raises:
        UserError: The folder is missing, read-only or full; nothing is left behind.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    temporary = _temporary_name(path)
    try:
        # The mode is narrowed by the umask, as for any file a user makes; tempfile would give 0600.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _cannot_write(path, error) from error
    _sync_folder(path.parent)


def write_new(path: Path, data: bytes | str) -> bool:
    """Write `data` to a file that is not there yet, whole or not at all; tells whether it did.

    Of two commands that write the same name at once, one does and the other is told.

    Raises:
        UserError: The folder is missing, read-only or full; nothing is left behind.
    """
    temporary = _temporary_name(path)
    write_whole(temporary, data)
    try:
        os.link(temporary, path)  # unlike a rename, this never replaces anything
    except FileExistsError:
        return False
    except OSError as error:
        if path.exists():
            return False
        try:  # a file system without hard links
            os.rename(temporary, path)
        except OSError:
            raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return True


def copy_whole(source: Path, path: Path) -> None:
    """Copy a file so that it is there completely or is what it was before; the source stays as it is.

    Raises:
        UserError: The source cannot be read, or the folder is missing, read-only or full; nothing is left behind.
    """
    temporary = _temporary_name(path)
    try:
        try:
            shutil.copyfile(source, temporary)
            _sync(temporary)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _cannot_write(path, error) from error
    _sync_folder(path.parent)


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits, reading it in blocks.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def replace_folder(temporary: Path, final: Path) -> None:
    """Publish the folder `temporary` as `final`, in place of whatever folder is there.

    Both must lie in the same file system. An old `final` stands aside whole until `temporary` has its name: a failure
    in between puts it back. After a kill in between there is no `final`; the next `temporary_folder` or
    `staged_folder` beside it puts the old one back (not on Windows, nor on a file system without locks: there it stays
    in the hidden folder). Whether it may be replaced at all is the caller's decision.

    Raises:
        UserError: The folder cannot be renamed; `final` is what it was before.
    """
    try:
        _sync_tree(temporary)
        if final.exists():
            _exchange(temporary, final)
        else:
            os.rename(temporary, final)
    except OSError as error:
        raise _cannot_write(final, error) from error
    _sync_folder(final.parent)


def _exchange(temporary: Path, final: Path) -> None:
    """Put `temporary` in the place of `final`, which stands aside under its own name in a hidden folder meanwhile."""
    aside = _temporary_name(final, _ASIDE)
    aside.mkdir()
    with lock_folder(aside):  # so that another command does not take it for what a killed one left
        try:
            os.rename(final, aside / final.name)
            os.rename(temporary, final)
        except BaseException:
            _put_back(aside)
            raise
        _sync_folder(final.parent)
        _discard(aside)


def _put_back(aside: Path) -> None:
    """Give what stands aside its place again where that is free, and delete the rest."""
    for old in list(aside.iterdir()):
        place = aside.parent / old.name
        if not os.path.lexists(place):
            os.rename(old, place)
    _discard(aside)


def _discard(aside: Path) -> None:
    # Under a name that is never put back: deleting takes a while, and may be killed half way.
    doomed = _temporary_name(aside)
    os.rename(aside, doomed)
    shutil.rmtree(doomed, ignore_errors=True)


@contextlib.contextmanager
def staged_folder(final: Path) -> Iterator[Path]:
    """Give an empty hidden folder beside `final`; publish it as `final` on success, delete it on any failure.

    Missing parents of `final` are made.

    Raises:
        UserError: The folder cannot be made or renamed.
    """
    with contextlib.ExitStack() as stack:
        try:
            temporary = stack.enter_context(temporary_folder(final))
        except OSError as error:
            raise _cannot_write(final, error) from error
        yield temporary
        replace_folder(temporary, final)


@contextlib.contextmanager
def temporary_folder(final: Path) -> Iterator[Path]:
    """Give an empty hidden folder beside `final`, whose missing parents are made; gone afterwards unless renamed.

    What killed commands left there is deleted first; an old folder that they had set aside is put back.

    Raises:
        OSError: The folder cannot be made.
    """
    temporary = _temporary_name(final)
    temporary.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(temporary.parent)
    temporary.mkdir()
    try:
        with lock_folder(temporary):
            yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_leftovers(parent: Path) -> None:
    for aside in _unused(parent, _ASIDE):
        _put_back(aside)
    for leftover in _unused(parent, _TEMPORARY):
        shutil.rmtree(leftover, ignore_errors=True)


def _unused(parent: Path, suffix: str) -> Iterator[Path]:
    """The hidden folders in `parent` that no running command holds, each locked until the next is asked for."""
    for folder in list(parent.glob(f"{TEMPORARY_PREFIX}*{suffix}")):
        if folder.is_dir() and not folder.is_symlink():
            with lock_folder(folder) as is_ours:
                if is_ours:
                    yield folder


@contextlib.contextmanager
def lock_folder(folder: Path, *, patience: float = 0.0) -> Iterator[bool]:
    """Lock a folder for as long as the block or the process lasts, however it ends; tell whether that could be done.

    Args:
        folder: It must be there.
        patience: Seconds to try again for; whoever asks `is_locked` holds it for a moment.
    """
    if fcntl is None:  # Windows: nothing tells the folder of a killed command from one in use
        yield False
        return
    until = time.monotonic() + patience
    with contextlib.ExitStack() as stack:
        try:
            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= until:
                        raise
                    time.sleep(_RETRY)
        except OSError:  # in use, gone, or on a file system without locks
            yield False
            return
        yield True


def is_locked(path: Path) -> bool | None:
    """Whether a process holds the lock of a folder or file; None where nothing can tell.

    The kernel gives a lock back when its process ends, however it ends: a killed one holds none.
    """
    if fcntl is None:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two that ask do not see one another
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return None
    finally:
        os.close(descriptor)
    return False


def _temporary_name(path: Path, suffix: str = _TEMPORARY) -> Path:
    # The name is not built on the final one, which may already be as long as the file system allows.
    return path.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{suffix}"


def _cannot_write(path: Path, error: OSError) -> UserError:
    return UserError(
        f"Cannot write {path.name!r}: {error.strerror or error}",
        field="path",
        value=str(path),
        remedy="Check that the folder exists, may be written to and has space left",
    )


def _sync_tree(folder: Path) -> None:
    """Make every file of a folder durable. Several at a time: a file system commits waiting ones together."""
    with ThreadPoolExecutor(_SYNCED_TOGETHER) as pool:
        for root, _, names in os.walk(folder):
            for start in range(0, len(names), _SYNC_BLOCK):
                block = [Path(root) / name for name in names[start : start + _SYNC_BLOCK]]
                deque(pool.map(_sync, block), maxlen=0)  # raises the first failure
            _sync_folder(Path(root))


def _sync_folder(folder: Path) -> None:
    # Some systems (Windows, some network mounts) cannot open or sync a folder; the rename is whole there all the same.
    with contextlib.suppress(OSError):
        _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
