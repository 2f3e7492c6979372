"""Starting the application."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import uvicorn
from fastapi import FastAPI

from graftset.errors import UserError
from graftset.review import Desk
from graftset.tokens import DEFAULT_LIMIT
from graftset.web.app import create_app
from graftset.web.room import Room
from graftset.web.safety import guard_for
from graftset.workflows.steps import open_session

HOST = "127.0.0.1"
PORT = 8765


def serve(
    folder: Path,
    *,
    host: str = HOST,
    port: int = PORT,
    token: str | None = None,
    reviewer: str | None = None,
    token_limit: int = DEFAULT_LIMIT,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the review of a project until Ctrl-C.

    Args:
        folder: The project folder.
        host: Address to listen on. Another one than loopback needs a token.
        port: 0 takes any that is free.
        token: What every request needs, at least 16 characters; None on loopback.
        reviewer: Whose verdicts a browser gives before it says who it is; by default the user of this machine.
        token_limit: CLIP tokens of a caption that are read.
        say: Where the address is told.

    Raises:
        UserError: The project cannot be opened, the address cannot be used, or it is not safe without a token.
    """
    guard_for(host, port, token)  # before anything is opened
    with opened(folder, host=host, port=port, token=token, reviewer=reviewer, token_limit=token_limit) as (
        app,
        listener,
    ):
        say(address(listener, host, token))
        server = uvicorn.Server(_settings(app))
        server.run(sockets=[listener])


@contextmanager
def opened(
    folder: Path,
    *,
    host: str = HOST,
    port: int = 0,
    token: str | None = None,
    reviewer: str | None = None,
    token_limit: int = DEFAULT_LIMIT,
) -> Iterator[tuple[FastAPI, socket.socket]]:
    """The application of a project, and a socket that listens for it; both are closed afterwards."""
    with open_session(folder) as session:
        room = Room(session, Desk(session.catalog, token_limit=token_limit), reviewer or user_name())
        listener = listen(host, port)
        try:
            guard = guard_for(host, listener.getsockname()[1], token)
            Thread(target=_warm, args=(room,), daemon=True, name="audit").start()
            yield create_app(room, guard), listener
        finally:
            listener.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        UserError: The port is taken, or the address is not one of this machine.
    """
    try:
        family = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family[0], family[1])
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(family[4])
        listener.listen(128)
    except OSError as error:
        raise UserError(
            f"The address cannot be used: {error.strerror or error}",
            field="--port" if error.errno == 98 else "--host",
            value=f"{host}:{port}",
            remedy="Another program may use it: give another --port, or 0 for any that is free.",
        ) from error
    return listener


def address(listener: socket.socket, host: str, token: str | None) -> str:
    """What to open in a browser."""
    port = listener.getsockname()[1]
    name = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
    shown = f"[{name}]" if ":" in name and not name.startswith("[") else name
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")


def user_name() -> str:
    """The name of whoever runs this, as the system knows it."""
    try:
        return getpass.getuser()[:60] or "reviewer"
    except (OSError, KeyError, ImportError):
        return "reviewer"


def _settings(app: FastAPI) -> uvicorn.Config:
    # No access log: addresses hold what people look for. No server header, and no more than a few seconds to stop.
    return uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=3
    )


def _warm(room: Room) -> None:
    """Read the captions once while nobody waits for it, so that pages can show what is wrong with them."""
    if len(room.desk.items()) <= 2000:
        room.audit()
