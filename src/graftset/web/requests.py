"""What comes in: forms, their limits, and who sent them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, quote, unquote

from fastapi import Depends, Path, Request

from graftset.web.failures import Refusal
from graftset.web.pages.frame import Visitor
from graftset.web.room import Room

REVIEWER_COOKIE = "graftset_reviewer"
MAX_NAME = 60  # characters
MAX_FIELDS = 4000

Sha = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
CandidateId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}(-[0-9]{1,6})?$")]


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form that was sent."""

    fields: Mapping[str, list[str]]

    def one(self, name: str, default: str | None = None, *, longest: int = 4000) -> str:
        """The value of a field.

        Raises:
            Refusal: It is missing without a default, is there twice, or is too long.
        """
        values = self.fields.get(name, [])
        if not values and default is not None:
            return default
        if len(values) != 1:
            problem = "is missing" if not values else "is there more than once"
            raise Refusal(
                422, f'The field "{name}" {problem}', field=name, remedy="Load the page again and send it once."
            )
        if len(values[0]) > longest:
            raise Refusal(
                422,
                f'The field "{name}" is too long',
                field=name,
                value=len(values[0]),
                remedy=f"Use at most {longest}.",
            )
        return values[0]

    def all(self, name: str) -> list[str]:
        """Every value of a field that may be there several times."""
        return self.fields.get(name, [])


async def read_form(request: Request) -> Form:
    """The body of a form, as browsers send one without files."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refusal(
            415,
            "This is not a form",
            field="Content-Type",
            value=kind,
            remedy="Send application/x-www-form-urlencoded.",
        )
    body = await request.body()
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Refusal(422, "The form cannot be read", field="body", remedy="Load the page again.") from None
    return Form(fields)


SentForm = Annotated[Form, Depends(read_form)]


def room_of(request: Request) -> Room:
    """The project under review, as it is now."""
    room: Room = request.app.state.room
    room.current()
    return room


InRoom = Annotated[Room, Depends(room_of)]


def visitor_of(request: Request, did: str = "", about: str = "", verdict: str = "") -> Visitor:
    """Who looks, by their cookie, and what the address says just happened."""
    room: Room = request.app.state.room
    name = unquote(request.cookies.get(REVIEWER_COOKIE, ""))
    return Visitor(name if is_name(name) else room.default_reviewer, did[:40], about[:80], verdict[:20])


Looking = Annotated[Visitor, Depends(visitor_of)]


def is_name(text: str) -> bool:
    """Whether a text can stand beside a verdict."""
    return bool(text.strip()) and len(text) <= MAX_NAME and text.isprintable()


def checked_name(text: str) -> str:
    """A reviewer's name.

    Raises:
        Refusal: It is empty, too long or holds characters that cannot be printed.
    """
    name = " ".join(text.split())
    if not is_name(name):
        raise Refusal(
            422,
            "This cannot be a name",
            field="name",
            value=text[:80],
            remedy=f"Use 1 to {MAX_NAME} printable characters.",
        )
    return name


def reviewer_cookie(name: str) -> str:
    """The cookie that holds a name: scripts cannot read it, other sites cannot send it."""
    return f"{REVIEWER_COOKIE}={quote(name)}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"


def new_action() -> str:
    """An id for the next action: whoever sends it twice acts once."""
    return secrets.token_hex(12)


def local(url: str, fallback: str) -> str:
    """An address on this server, from a form: never one that leads elsewhere."""
    plain = url.startswith("/") and not url.startswith("//") and "\\" not in url and url.isprintable()
    return url if plain else fallback


__all__ = [
    "CandidateId",
    "Form",
    "InRoom",
    "Looking",
    "SentForm",
    "Sha",
    "checked_name",
    "local",
    "new_action",
    "reviewer_cookie",
]
