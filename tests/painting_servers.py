"""Servers that paint, on this machine, with the calls of AUTOMATIC1111 and of ComfyUI, or that misbehave."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from graftset.imageio import encode_png

Answer = tuple[int, bytes]


def painted(key: str, width: int, height: int) -> bytes:
    """The PNG of a picture that its key decides: cells of 8 px in random colors."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little"))
    cells = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return encode_png(cells.repeat(8, axis=0).repeat(8, axis=1))


def as_json(content: object, status: int = 200) -> Answer:
    """An answer of JSON."""
    return status, json.dumps(content).encode()


class Painting:
    """What both servers have in common.

    Attributes:
        loras: File names without suffix.
        hashes: Of the weights of some of them, as sd-scripts writes it to a file's metadata.
        calls: Path and body of every call, in order.
        misbehave: Looked at before every call; what it gives is answered in place of the right answer.
    """

    def __init__(self, loras: list[str]) -> None:
        self.loras = loras
        self.hashes: dict[str, str] = {}
        self.calls: list[tuple[str, Any]] = []
        self.misbehave: Callable[[str, int], Answer | str | None] = lambda path, number: None
        self.released = threading.Event()

    def answer(self, path: str, query: dict[str, str], body: Any) -> Answer:
        """The answer to a call."""
        raise NotImplementedError

    def metadata(self, name: str) -> dict[str, str]:
        """What the header of a LoRA says."""
        return {"sshs_model_hash": self.hashes[name]} if name in self.hashes else {}

    @property
    def jobs(self) -> list[Any]:
        """The bodies of the calls that ask for a picture."""
        return [body for path, body in self.calls if path in ("/sdapi/v1/txt2img", "/prompt")]


class WebUi(Painting):
    """AUTOMATIC1111's calls.

    Attributes:
        models: File names of base models.
        copied: Those that were copied there since it looked into its folder.
        samplers: Names.
    """

    def __init__(self, loras: list[str]) -> None:
        super().__init__(loras)
        self.models, self.copied = ["sd15.safetensors", "sub/other.safetensors"], list[str]()
        self.samplers = ["DPM++ 2M", "Euler a"]

    def answer(self, path: str, query: dict[str, str], body: Any) -> Answer:
        if path == "/sdapi/v1/refresh-loras":
            return as_json(None)
        if path == "/sdapi/v1/refresh-checkpoints":
            self.models, self.copied = self.models + self.copied, []
            return as_json(None)
        if path == "/sdapi/v1/loras":
            return as_json(
                [
                    {"name": name, "alias": f"{name} alias", "path": "x", "metadata": self.metadata(name)}
                    for name in self.loras
                ]
            )
        if path == "/sdapi/v1/sd-models":
            return as_json([_model(name) for name in self.models])
        if path == "/sdapi/v1/samplers":
            return as_json([{"name": name, "aliases": [], "options": {}} for name in self.samplers])
        if path == "/sdapi/v1/schedulers":
            return as_json([{"name": "karras", "label": "Karras", "aliases": None}])
        if path == "/sdapi/v1/txt2img":
            key = f"{body['prompt']}|{body['negative_prompt']}|{body['seed']}|{body['steps']}|{body['cfg_scale']}"
            picture = base64.b64encode(painted(key, body["width"], body["height"])).decode()
            return as_json({"images": [picture], "parameters": body, "info": "{}"})
        return as_json({"detail": "Not Found"}, 404)


def _model(name: str) -> dict[str, Any]:
    """A base model as the web UI lists it; a file that it never loaded has no hash."""
    digest = hashlib.sha256(name.encode()).hexdigest() if name.startswith("sd15") else None
    return {
        "title": f"{name} [{digest[:10]}]" if digest else name,
        "model_name": name.rpartition(".")[0].replace("/", "_"),
        "hash": digest[:10] if digest else None,
        "sha256": digest,
        "filename": f"/models/Stable-diffusion/{name}",
    }


class ComfyUi(Painting):
    """ComfyUI's calls: a workflow is done after it was asked for twice.

    A LoRA stays in memory under its file name until it is told to forget it, whatever becomes of the file.
    """

    def __init__(self, loras: list[str], form: str = "list") -> None:
        super().__init__(loras)
        self._form = form
        self._asked: dict[str, int] = {}
        self._queued: dict[str, Any] = {}
        self._loaded: dict[str, str] = {}
        self.failing = False

    def answer(self, path: str, query: dict[str, str], body: Any) -> Answer:
        if path == "/object_info/LoraLoader":
            files = [f"{name}.safetensors" for name in self.loras]
            spec = [files, {}] if self._form == "list" else ["COMBO", {"options": files}]
            return as_json({"LoraLoader": {"input": {"required": {"lora_name": spec}}}})
        if path == "/view_metadata/loras":
            said = self.metadata(query["filename"].removesuffix(".safetensors"))
            return as_json(said) if said else (404, b"")
        if path == "/free":
            self._loaded.clear()
            return 200, b""
        if path == "/prompt":
            name = f"job-{len(self._queued)}"
            self._queued[name] = body["prompt"]
            return as_json({"prompt_id": name, "number": len(self._queued), "node_errors": {}})
        if path.startswith("/history/"):
            return as_json(self._history(path.rpartition("/")[2]))
        if path == "/view":
            inputs = [node["inputs"] for node in self._queued[query["filename"]].values()]
            file = next(str(i["lora_name"]) for i in inputs if "lora_name" in i).removesuffix(".safetensors")
            held = self._loaded.setdefault(file, self.hashes.get(file, ""))
            key = json.dumps([i for i in inputs if "filename_prefix" not in i], sort_keys=True) + held
            size = next(i for i in inputs if "width" in i)
            return 200, painted(key, size["width"], size["height"])
        return as_json({}, 404)

    def _history(self, name: str) -> dict[str, Any]:
        self._asked[name] = self._asked.get(name, 0) + 1
        if self._asked[name] < 2:
            return {}
        if self.failing:
            message = ["execution_error", {"node_type": "KSampler", "exception_message": "CUDA out\nof memory"}]
            return {name: {"outputs": {}, "status": {"status_str": "error", "completed": False, "messages": [message]}}}
        image = {"filename": name, "subfolder": "", "type": "output"}
        preview = {"filename": "preview", "subfolder": "", "type": "temp"}
        status = {"status_str": "success", "completed": True, "messages": []}
        return {name: {"outputs": {"8": {"images": [preview]}, "9": {"images": [image]}}, "status": status}}


@contextmanager
def serving(painting: Painting) -> Iterator[str]:
    """Run a server; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null"))

        def _answer(self, body: Any) -> None:
            with contextlib.suppress(ConnectionError):  # of who asked nothing may be left
                self._handle(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _handle(self, body: Any) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            painting.calls.append((parts.path, body))
            planned = painting.misbehave(parts.path, len(painting.calls))
            if planned == "hang":
                painting.released.wait(30)
                return
            if planned == "close":
                return
            status, data = planned if isinstance(planned, tuple) else painting.answer(parts.path, query, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(data) + 100 if planned == "cut" else len(data)))
            self.end_headers()
            if planned == "drip":
                for byte in data[:200]:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(0.02)
                return
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        painting.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
