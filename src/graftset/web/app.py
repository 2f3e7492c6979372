"""The application: routes in, safety around them."""

from __future__ import annotations

from fastapi import FastAPI

from graftset.web import failures, reading, writing
from graftset.web.room import Room
from graftset.web.safety import Guard, Safety


def create_app(room: Room, guard: Guard | None = None) -> Safety:
    """The review application of one project.

    Args:
        room: The project under review.
        guard: Who is answered; by default this machine alone, on any port.
    """
    # No schema and no generated documentation: those pages load scripts from elsewhere.
    app = FastAPI(title="graftset", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.room = room
    failures.install(app)
    app.include_router(reading.router)
    app.include_router(writing.router)
    # Around everything, so also around what answers when something breaks; `add_middleware` would put it inside that.
    return Safety(app, guard or Guard())
