"""Every failure has one shape: `{"error": {"message", "field", "value", "remedy"}}`, whatever route it came from.

A browser that navigates (its Accept header names text/html) gets the same four things as a page. What went wrong
inside is logged on the server and never shown.
"""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from graftset.errors import UserError
from graftset.web.contexts import ErrorPage
from graftset.web.rendering import render

log = logging.getLogger("graftset.web")

_MAX_VALUE = 200  # characters of a wrong value that are repeated to whoever sent it
_REMEDIES = {
    404: "Check the address, or start again from /.",
    405: "Use another method; the pages send what is right.",
    413: "Send less.",
    500: "The terminal that runs graftset shows what happened. Nothing was half saved; try again.",
}


class Refusal(UserError):  # noqa: N818  like SkipFile: a reasoned no, not a failure of ours
    """A request that is refused, with its HTTP status."""

    def __init__(self, status: int, message: str, *, field: str, value: object = None, remedy: str) -> None:
        super().__init__(message, field=field, value=value, remedy=remedy)
        self.status = status


def not_found(what: str, value: str, remedy: str = "It may have been removed since; go back to the grid.") -> Refusal:
    """A thing that is not there."""
    return Refusal(404, f"There is no such {what}", field=what, value=value, remedy=remedy)


def respond(request: Request, status: int, error: UserError) -> Response:
    """An error in the shape that whoever asked can read."""
    document = error.as_json()
    content: Any = document["error"]
    if content["value"] is not None:
        content["value"] = content["value"][:_MAX_VALUE]
    if wants_page(request):
        page = ErrorPage(title=content["message"], status=status, **content)
        return HTMLResponse(render("error.html", page), status)
    return JSONResponse(document, status)


def wants_page(request: Request) -> bool:
    """Whether a person looks at the answer: a navigating browser asks for text/html by name."""
    return "text/html" in request.headers.get("accept", "")


def install(app: FastAPI) -> None:
    """Let every failure of an application end in the one shape."""

    @app.exception_handler(UserError)
    def _mendable(request: Request, error: UserError) -> Response:
        return respond(request, error.status if isinstance(error, Refusal) else 422, error)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path")) or "request"
        value = first.get("input")
        shown = value if isinstance(value, str | int | float) else None
        problem = UserError(str(first["msg"]), field=field, value=shown, remedy="Mend that field and send it again.")
        return respond(request, 422, problem)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        remedy = _REMEDIES.get(error.status_code, "Check the request.")
        problem = UserError(str(error.detail), field="request", value=request.url.path, remedy=remedy)
        response = respond(request, error.status_code, problem)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    def _ours(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        problem = UserError("Something went wrong inside graftset", field="request", remedy=_REMEDIES[500])
        return respond(request, 500, problem)
