"""Templates: everything is escaped, a name that a page does not have is an error, assets are found by their hash."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from graftset.web.contexts import Page

# Control characters are not allowed in HTML, and lone surrogates (file names that are not UTF-8) not in UTF-8.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

ASSETS = {
    "style.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "mark.svg": "image/svg+xml",
}


def render(template: str, page: Page) -> str:
    """Render a page from its typed context; characters that HTML forbids become the replacement character."""
    html = environment().get_template(template).render(page=page)
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", html)


def asset(name: str) -> bytes:
    """The bytes of a style sheet, script or drawing."""
    return _read(name)


@cache
def asset_url(name: str) -> str:
    """The address of an asset: its content is in it, so that it may be kept for ever."""
    return f"/static/{hashlib.sha256(_read(name)).hexdigest()[:12]}/{name}"


@cache
def _read(name: str) -> bytes:
    return (files("graftset.web") / "static" / name).read_bytes()


@cache
def environment() -> Environment:
    """The templates of the application."""
    environment = Environment(
        loader=PackageLoader("graftset.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset_url
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["counted"] = counted
    environment.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    return environment


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun: `1 candidate`, `25 candidates`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
