"""Mapping a function over many images: in order, lazily, on as many processes as are worth it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import graftset
from graftset.engine import _WORTH_A_POOL, available_cores, map_each

MANY = 3 * _WORTH_A_POOL


def square(number: int) -> int:
    return number * number


def process_of(number: int) -> int:
    return os.getpid()


def fragile(number: int) -> int:
    if number == 100:
        raise ValueError("number 100")
    return number


def test_nothing_gives_nothing() -> None:
    assert list(map_each(square, [])) == []
    assert list(map_each(square, [], workers=4)) == []


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("count", [1, 7, MANY])
def test_results_come_in_the_order_of_the_inputs(workers: int, count: int) -> None:
    assert list(map_each(square, range(count), workers=workers)) == [n * n for n in range(count)]


def test_one_worker_is_this_process() -> None:
    assert set(map_each(process_of, range(MANY), workers=1)) == {os.getpid()}


def test_two_workers_are_others() -> None:
    assert os.getpid() not in set(map_each(process_of, range(MANY), workers=2))


def test_few_inputs_are_not_worth_a_process() -> None:
    assert set(map_each(process_of, range(_WORTH_A_POOL), workers=8)) == {os.getpid()}


def test_inputs_that_are_blocks_of_pictures_are_worth_more() -> None:
    blocks = range(4)
    assert os.getpid() not in set(map_each(process_of, blocks, workers=2, each_worth=_WORTH_A_POOL))


def test_in_this_process_nothing_runs_ahead_of_what_is_asked_for() -> None:
    done: list[int] = []
    results = map_each(done.append, [1, 2, 3], workers=1)
    assert done == []
    next(results)
    assert done == [1]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_reaches_the_caller_after_what_came_before(workers: int) -> None:
    taken: list[int] = []
    with pytest.raises(ValueError, match="number 100"):
        taken.extend(map_each(fragile, range(MANY), workers=workers))
    assert taken == list(range(len(taken)))


def test_results_may_be_left_untaken() -> None:
    results: Iterator[int] = map_each(square, range(MANY), workers=2)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert list(map_each(square, range(MANY), workers=2))[-1] == (MANY - 1) ** 2


def test_there_is_a_core() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
def test_ctrl_c_in_the_middle_stops_at_once_without_a_traceback_of_the_workers(tmp_path: Path) -> None:
    """A terminal sends the signal to every process of the group; only the parent may speak of it."""
    code = """
        import time
        from graftset.engine import map_each

        def slow(number):
            time.sleep(0.05)
            return number

        if __name__ == "__main__":
            try:
                for number in map_each(slow, range(4000), workers=2):
                    print(number, flush=True)
            except KeyboardInterrupt:
                print("stopped", flush=True)
    """
    script = tmp_path / "slow.py"
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    path = os.pathsep.join([str(Path(graftset.__file__).parents[1]), *sys.path])
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"0\n"
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert out.endswith(b"stopped\n")
    assert err == b""
    assert time.monotonic() - begun < 20
