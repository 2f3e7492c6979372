"""What stands between the application and all else that can reach a port: other sites, other hosts, other people.

The application has no accounts. On loopback whoever sits at the machine is the reviewer; what must be kept out is every
*web page* they have open beside it, because their browser will gladly send requests to 127.0.0.1 for a page:

- **Cross-site requests** change nothing. Browsers say where a request comes from in `Sec-Fetch-Site`, which no page can
  forge: a request that writes must be `same-origin`, or `none` (typed in by the user). Older browsers without that
  header send `Origin` with every POST, which must then be our own. A request with neither comes from no browser (curl,
  a script of the user's) and no page can make one, so it passes: whoever can send it could as well edit the database.
  This needs no secret in each form, so forms survive a restart of the server. The reasoning is Filippo Valsorda's
  (words.filippo.io/csrf, 2025), as Go's CrossOriginProtection and datasette's csrf.py have it.
- **Reads** from other sites are refused too unless they navigate, so that no page can probe or embed pictures.
- **DNS rebinding**: a page of evil.example can point that name at 127.0.0.1 and is then same-origin with us, in the
  browser's eyes. But its requests still carry `Host: evil.example`. Only our own names are answered.
- **Other machines** reach us only where the user asked for it with another `--host`; then everything needs a token. The
  token also ends rebinding there, since a cookie of ours is never sent under another name.

Pure ASGI, so that nothing an inner layer does (an error, a stream) gets around it.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
from collections.abc import MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graftset.errors import UserError

TOKEN_COOKIE = "graftset_token"
MAX_BODY = 256 * 1024  # bytes: a bulk action on 2,000 pictures is 140 kB, a caption at most 16 kB
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS: dict[str, str] = {
    # No inline script or style, nothing from elsewhere, no frames, no <base>; forms go to us only.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": under it browsers send `Origin: null` with a form, and our own forms could not be told.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """Who is answered.

    Attributes:
        hosts: Names that `Host` may hold, without a port, lower case.
        any_address: Whether `Host` may also hold any IP address: no name, so nothing that DNS could rebind.
        token: What everything needs; None on loopback.
        port: The port `Host` must name; None where it is not known (tests, a proxy).
    """

    hosts: frozenset[str] = LOOPBACK_NAMES
    any_address: bool = False
    token: str | None = None
    port: int | None = None

    def knows(self, host: str) -> bool:
        """Whether a `Host` header is ours."""
        name, port = split_host(host)
        if self.port is not None and port not in (None, self.port):
            return False
        return name in self.hosts or (self.any_address and is_address(name))


def guard_for(host: str, port: int | None, token: str | None) -> Guard:
    """The guard of a server that listens on `host`.

    Raises:
        UserError: Another address than loopback without a token.
    """
    if is_loopback(host):
        return Guard(hosts=LOOPBACK_NAMES | {host.lower()}, token=token, port=port)
    if not token:
        raise UserError(
            "Anybody who reaches this address could see the pictures and give verdicts",
            field="--host",
            value=host,
            remedy="Give a --token that only your reviewers know, or leave --host at 127.0.0.1 and use an SSH tunnel.",
        )
    if len(token) < 16:
        raise UserError(
            "The token is too short to be safe from guessing",
            field="--token",
            value="*" * len(token),
            remedy="Use at least 16 characters, for example of `openssl rand -hex 16`.",
        )
    return Guard(hosts=LOOPBACK_NAMES | {host.lower()}, any_address=True, token=token, port=port)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address to listen on."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_address(name: str) -> bool:
    """Whether a host is written as an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def split_host(host: str) -> tuple[str, int | None]:
    """The name, lower case and without brackets, and the port of a `Host` header; ("", None) for nonsense."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return "", None
    plain = not parts.path and not parts.query and not parts.fragment and parts.username is None
    return (name.lower().rstrip("."), port) if plain else ("", None)


def refusal(guard: Guard, method: str, headers: MutableMapping[str, str]) -> tuple[int, UserError] | None:
    """Why a request is refused before anything looks at it; None where it passes. The token is asked for elsewhere.

    Args:
        guard: Who is answered.
        method: "GET", "POST", ...
        headers: By lower-case name.
    """
    host = headers.get("host", "")
    if not guard.knows(host):
        return 421, UserError(
            "This name does not belong to graftset", field="Host", value=host, remedy="Use the address it printed."
        )
    site = headers.get("sec-fetch-site")
    foreign = UserError(
        "A page of another site asked for this",
        field="Origin",
        value=headers.get("origin") or site,
        remedy="Open graftset by its own address.",
    )
    if method in SAFE_METHODS:
        navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return (403, foreign) if site in ("cross-site", "same-site") and not navigates else None
    if site is not None:
        return None if site in ("same-origin", "none") else (403, foreign)
    origin = headers.get("origin")
    if origin is None:
        return None
    parts = urlsplit(origin)
    ours = parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()
    return None if ours else (403, foreign)


class Safety:
    """ASGI middleware: checks every request against a `Guard`, limits bodies, and adds the headers to every answer."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self.app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # there are no web sockets
        headers = _headers(scope)
        answer = _Answer(_with_headers(send))
        refused = refusal(self._guard, scope["method"], headers)
        if refused is not None:
            await answer.error(*refused)
            return
        if self._guard.token is not None:
            given = _given_token(scope, headers)
            if not hmac.compare_digest(given.encode(), self._guard.token.encode()):
                await answer.error(
                    401,
                    UserError(
                        "This needs the token",
                        field="token",
                        remedy="Open the whole address that graftset printed, with ?token=... at its end.",
                    ),
                )
                return
            if _query_token(scope) is not None and scope["method"] == "GET":
                # Into a cookie and out of the address: addresses are copied, logged and shown over shoulders.
                await answer.remember(self._guard.token, _without_token(scope))
                return
        await self._limited(scope, headers, receive, answer)

    async def _limited(self, scope: Scope, headers: dict[str, str], receive: Receive, answer: _Answer) -> None:
        too_much = UserError(
            "The request is too large", field="body", value=headers.get("content-length"), remedy="Send less."
        )
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            await answer.error(413, too_much)
            return
        if headers.get("transfer-encoding"):  # of a length that is not announced: read it here, up to the limit
            body = b""
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > MAX_BODY:
                    await answer.error(413, too_much)
                    return
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    break
            receive = _replayed(body, receive)
        await self.app(scope, receive, answer.send)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A channel that gives a body which was read already, and then goes on with the real one."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_whole() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_whole


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is said where the application is not asked at all."""

    send: Send

    async def error(self, status: int, error: UserError) -> None:
        await self._whole(status, {"content-type": "application/json"}, json.dumps(error.as_json()).encode())

    async def remember(self, token: str, location: str) -> None:
        cookie = f"{TOKEN_COOKIE}={quote(token)}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000"
        await self._whole(303, {"location": location, "set-cookie": cookie, "cache-control": "no-store"}, b"")

    async def _whole(self, status: int, headers: dict[str, str], body: bytes) -> None:
        raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        raw.append((b"content-length", str(len(body)).encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def send_with(message: Message) -> None:
        if message["type"] == "http.response.start":
            have = {name.lower() for name, _ in message["headers"]}
            extra = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in have]
            if b"cache-control" not in have:
                extra.append((b"cache-control", b"no-store"))  # going back asks again, and never shows an old verdict
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return send_with


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        # Two Host headers are an attempt to be read in two ways; joined, they match nothing of ours.
        found[key] = f"{found[key]},{value.decode('latin-1')}" if key in found else value.decode("latin-1")
    return found


def _query(scope: Scope) -> dict[str, list[str]]:
    return parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


def _query_token(scope: Scope) -> str | None:
    return _query(scope).get("token", [None])[0]


def _given_token(scope: Scope, headers: dict[str, str]) -> str:
    bearer = headers.get("authorization", "")
    if bearer.lower().startswith("bearer "):
        return bearer[7:].strip()
    asked = _query_token(scope)
    if asked is not None:
        return asked
    try:
        cookie: Any = SimpleCookie(headers.get("cookie", "")).get(TOKEN_COOKIE)
    except CookieError:
        return ""
    return unquote(cookie.value) if cookie is not None else ""


def _without_token(scope: Scope) -> str:
    rest = {name: values for name, values in _query(scope).items() if name != "token"}
    path = "/" + quote(scope["path"]).lstrip("/")  # never "//host", which would lead elsewhere
    return path + (f"?{urlencode(rest, doseq=True)}" if rest else "")
