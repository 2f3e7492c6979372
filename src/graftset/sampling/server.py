"""Speaking to a server that paints: JSON over HTTP, with a deadline, and every failure as one sentence."""

from __future__ import annotations

import http.client
import ipaddress
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from graftset.errors import UserError
from graftset.imageio.broken import BrokenImageError
from graftset.imageio.pixels import decode, detect_format
from graftset.sampling.job import U8

MOST_BYTES = 256 << 20  # of one answer: a server may list thousands of LoRAs with all their metadata
_BLOCK = 1 << 16
_CONNECT = 10.0  # seconds


class ServerError(UserError):
    """The server refuses, fails, or does not answer. `status` is the HTTP status, where there is one."""

    def __init__(self, message: str, *, url: str, remedy: str, status: int | None = None) -> None:
        super().__init__(message, field="url", value=url, remedy=remedy)
        self.status = status


@dataclass(frozen=True, slots=True)
class Server:
    """A server by its address."""

    name: str  # what it is, for messages
    url: str
    timeout: float  # seconds for one answer
    opener: urllib.request.OpenerDirector = field(repr=False, compare=False)

    def get(self, path: str, **query: str) -> bytes:
        """The answer to GET."""
        return self._ask(urllib.request.Request(self._address(path, query)))

    def get_json(self, path: str, **query: str) -> Any:
        """The answer to GET as JSON."""
        return self._parsed(self.get(path, **query), path)

    def post_json(self, path: str, content: object) -> Any:
        """The answer to POST of JSON as JSON."""
        body = json.dumps(content).encode()
        headers = {"Content-Type": "application/json"}
        answer = self._ask(urllib.request.Request(self._address(path, {}), data=body, headers=headers, method="POST"))
        return self._parsed(answer, path) if answer.strip() else None

    def picture(self, data: bytes) -> U8:
        """The picture that a server sent, as `uint8 [H, W, 3]`.

        Raises:
            ServerError: It is none, or is cut short.
        """
        try:
            return decode(data, detect_format(data))[0]
        except BrokenImageError as error:
            raise self.unexpected(f"sent a picture that cannot be read: it {error}") from error

    def unexpected(self, what: str) -> ServerError:
        """An error of a server that does what it should not."""
        return ServerError(
            f"{self.name} {what}", url=self.url, remedy="See its console, then run the same command again"
        )

    def silent(self, seconds: float) -> ServerError:
        """An error of a server that is not done in time."""
        return ServerError(
            f"{self.name} did not answer within {seconds:g} s",
            url=self.url,
            remedy="See whether it still works, or raise `timeout` under [sampling]; the same command goes on",
        )

    def _address(self, path: str, query: dict[str, str]) -> str:
        return f"{self.url}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")

    def _ask(self, request: urllib.request.Request) -> bytes:
        deadline = monotonic() + self.timeout
        try:
            with self.opener.open(request, timeout=self.timeout) as answer:
                return self._read(answer, deadline)
        except urllib.error.HTTPError as error:
            with error:
                told = _told(error)
            raise ServerError(
                f"{self.name} answered {error.code} to {urllib.parse.urlsplit(request.full_url).path}{told}",
                url=self.url,
                remedy=_remedy(error.code, told),
                status=error.code,
            ) from error
        except TimeoutError as error:
            raise self.silent(self.timeout) from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise self.silent(self.timeout) from error
            raise ServerError(
                f"{self.name} cannot be reached: {getattr(error.reason, 'strerror', None) or error.reason}",
                url=self.url,
                remedy="Start it with its API switched on, or name its address with --url",
            ) from error
        except (http.client.HTTPException, OSError, ValueError) as error:
            raise self.unexpected(f"broke off its answer ({error or type(error).__name__})") from error

    def _read(self, answer: Any, deadline: float) -> bytes:
        """The whole body; the time limit is for all of it, however slowly it drips."""
        blocks, size = [], 0
        while block := answer.read1(_BLOCK):
            blocks.append(block)
            size += len(block)
            if size > MOST_BYTES:
                raise self.unexpected(f"sent more than {MOST_BYTES >> 20} MiB")
            if monotonic() > deadline:
                raise TimeoutError
        announced = answer.headers.get("Content-Length")
        if announced is not None and announced.isdigit() and int(announced) != size:
            raise self.unexpected(f"broke off its answer after {size} of {announced} bytes")
        return b"".join(blocks)

    def _parsed(self, answer: bytes, path: str) -> Any:
        try:
            return json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise self.unexpected(f"answered {path} with something other than JSON") from error


def connect(name: str, url: str, timeout: float) -> Server:
    """A server at an address; nothing is asked yet.

    Raises:
        UserError: The address is none.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(
            "This is no address of a server", field="--url", value=url, remedy="Give one such as http://127.0.0.1:7860"
        )
    # A proxy for the outside cannot reach this machine's own servers.
    handlers = [urllib.request.ProxyHandler({})] if _is_local(parts.hostname) else []
    return Server(name, url.rstrip("/"), timeout, urllib.request.build_opener(*handlers))


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _told(error: urllib.error.HTTPError) -> str:
    """What the body of an error says, cut to a sentence's length."""
    try:
        text = error.read(_BLOCK).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return ""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if isinstance(document, dict):
        found = document.get("error") or document.get("detail") or document.get("errors")
        inner = found.get("message") if isinstance(found, dict) else found
        text = ": ".join(filter(None, (str(document.get("errors") or inner or ""), _node_faults(document))))
    elif text.lstrip().startswith("<"):
        text = ""
    line = " ".join(text.split())
    return f": {line[:200]}" if line else ""


def _node_faults(document: Mapping[str, Any]) -> str:
    """What ComfyUI says of the nodes of a workflow that it refuses: which input has which wrong value."""
    nodes = document.get("node_errors")
    found = []
    for node in nodes.values() if isinstance(nodes, dict) else ():
        faults = node.get("errors") if isinstance(node, dict) else None
        for fault in faults if isinstance(faults, list) else ():
            if isinstance(fault, dict):
                said = fault.get("details") or fault.get("message") or ""
                found.append(f"{node.get('class_type', 'a node')}: {said}")
    return "; ".join(found)


def _remedy(status: int, told: str) -> str:
    if status in (401, 403):
        return "Start it without a password; graftset sends none"
    if status in (400, 422) or (status == 404 and told and told != ": Not Found"):
        return "Change what it names (--model, --sampler, the workflow), then run the same command again"
    if status == 404:
        return "Start it with its API switched on (AUTOMATIC1111: --api), or name another address with --url"
    return "See its console for the reason; the same command goes on from here"
