"""Starting the application."""

from __future__ import annotations

import getpass
import json
import socket
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn

from graftset.errors import UserError
from graftset.web.app import create_app
from graftset.web.pages.frame import Visitor
from graftset.web.pages.sheet import Asked, sheet_page
from graftset.web.pages.starting import start_page
from graftset.web.room import Room
from graftset.web.safety import Safety, guard_for
from graftset.workflows.reviewing import open_desk
from graftset.workflows.steps import Session

HOST = "127.0.0.1"
PORT = 8765
AUDITED_AT_ONCE = 2000  # candidates up to which captions are audited before anybody asks


def serve(
    session: Session,
    *,
    host: str = HOST,
    port: int = PORT,
    token: str | None = None,
    open_browser: bool = False,
    as_json: bool = False,
) -> None:
    """Serve the review of a project until Ctrl-C, and print its address.

    Args:
        session: The open project.
        host: Address to listen on. Another one than loopback needs a token.
        port: 0 takes any that is free.
        token: What every request needs, at least 16 characters; None on loopback.
        open_browser: Open the address in this machine's browser.
        as_json: Print `{"review": ADDRESS}` in place of a sentence.

    Raises:
        UserError: The address cannot be used, or it is not safe without a token.
    """
    guard_for(host, port, token)  # before anything is worked out
    with opened(session, host=host, port=port, token=token) as (app, listener):
        url = address(listener, host, token)
        print(json.dumps({"review": url}) if as_json else f"review at {url}   (Ctrl-C ends it)", flush=True)
        if open_browser:
            webbrowser.open(url)
        uvicorn.Server(configured(app)).run(sockets=[listener])


@contextmanager
def opened(
    session: Session, *, host: str = HOST, port: int = 0, token: str | None = None, reviewer: str | None = None
) -> Iterator[tuple[Safety, socket.socket]]:
    """The application of an open project, and a socket that listens for it; the socket is closed afterwards.

    Args:
        session: The open project.
        host: Address to listen on.
        port: 0 takes any that is free.
        token: What every request needs.
        reviewer: Whose verdicts a browser gives before it says who it is; by default the user of this machine.
    """
    listener = listen(host, port)
    try:
        guard = guard_for(host, listener.getsockname()[1], token)
        room = Room(session, open_desk(session), reviewer or user_name())
        # The first pages are worked out before anybody asks for them: at ten thousand candidates that takes a while.
        start_page(room, Visitor(""))
        sheet_page(room, Asked(), Visitor(""), "")
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
        # With the protocol named: asyncio turns Nagle's algorithm off only where it is, and with it on every answer
        # waits 40 ms for the client's acknowledgement of its first half.
        listener = socket.socket(family[0], family[1], socket.IPPROTO_TCP)
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


def configured(app: Safety) -> uvicorn.Config:
    """How the application is served.

    Its own signal handling ends it on Ctrl-C; whoever runs it in a thread of their own sets `should_exit`.
    """
    # No access log: addresses hold what people look for. No server header, and no more than a few seconds to stop.
    return uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=3
    )


def _warm(room: Room) -> None:
    """Read the captions once while nobody waits for it, so that pages can show what is wrong with them."""
    if len(room.desk.items()) <= AUDITED_AT_ONCE:
        room.audit()
