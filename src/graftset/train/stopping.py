"""Stopping between two steps: a request is noted, the step under way is finished, then the request is carried out."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether a stop was asked for."""

    def __init__(self) -> None:
        self.asked = False
        self._request: tuple[int, FrameType | None] | None = None

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: remember the first; a second one ends at once."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked, self._request = True, (number, frame)

    @property
    def request(self) -> tuple[int, FrameType | None] | None:
        """The signal that came; None where none did."""
        return self._request


@contextmanager
def stopping() -> Iterator[Stop]:
    """Note SIGINT and SIGTERM inside the block; afterwards they are handled as they would have been without it.

    Outside of the main thread nothing is changed: signals do not come there.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {int(number): signal.signal(number, stop.note) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for caught, handler in before.items():
            signal.signal(caught, handler)
    if stop.request is not None:
        number, frame = stop.request
        former = before[number]
        if callable(former):
            former(number, frame)
        raise KeyboardInterrupt
