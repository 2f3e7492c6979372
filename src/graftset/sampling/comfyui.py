"""Paints with a running ComfyUI: a workflow in API format, its placeholders filled in for every picture.

Calls: GET /object_info/LoraLoader (the LoRAs it has), GET /view_metadata/loras (whether one is the file that is meant),
POST /free (forget LoRAs read before), POST /prompt (queues a workflow), GET /history/ID (until it is done), GET /view
(the picture).
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from graftset.errors import UserError
from graftset.runs import sha256_hex
from graftset.sampling.job import U8, How, Weights, WeightsError, Wish
from graftset.sampling.loras import check_same, read_lora
from graftset.sampling.server import Server, ServerError, connect

DEFAULT_URL = "http://127.0.0.1:8188"
_NEEDED = ("prompt", "seed", "lora")  # without these all pictures of all checkpoints would be the same
_PX = 512
_POLL = (0.05, 1.0)  # seconds between two questions: the first, and the longest
_KSAMPLER = {"sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}

PLAIN: dict[str, Any] = {
    "model": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "%model%"}},
    "lora": {
        "class_type": "LoraLoader",
        "inputs": {
            "lora_name": "%lora%",
            "strength_model": "%lora_scale%",
            "strength_clip": "%lora_scale%",
            "model": ["model", 0],
            "clip": ["model", 1],
        },
    },
    "positive": {"class_type": "CLIPTextEncode", "inputs": {"text": "%prompt%", "clip": ["lora", 1]}},
    "negative": {"class_type": "CLIPTextEncode", "inputs": {"text": "%negative%", "clip": ["lora", 1]}},
    "latent": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": "%width%", "height": "%height%", "batch_size": 1},
    },
    "sampler": {
        "class_type": "KSampler",
        "inputs": {
            "model": ["lora", 0],
            "positive": ["positive", 0],
            "negative": ["negative", 0],
            "latent_image": ["latent", 0],
            "seed": "%seed%",
            "steps": "%steps%",
            "cfg": "%scale%",
            **_KSAMPLER,
        },
    },
    "decoded": {"class_type": "VAEDecode", "inputs": {"samples": ["sampler", 0], "vae": ["model", 2]}},
    "saved": {"class_type": "SaveImage", "inputs": {"images": ["decoded", 0], "filename_prefix": "%name%"}},
}


@contextmanager
def open_generator(how: How) -> Iterator[Comfy]:
    """Read the workflow and ask the server for its LoRAs."""
    workflow = read_workflow(how.workflow) if how.workflow else _plain(how)
    server = connect("ComfyUI", how.url or DEFAULT_URL, how.timeout)
    known = _known(server)
    # It keeps the LoRA that it painted with last and does not look whether the file was replaced since.
    with suppress(ServerError):  # one that cannot forget has nothing better to offer
        server.post_json("/free", {"free_memory": True, "unload_models": True})
    yield Comfy(server, known, workflow, how)


class Comfy:
    """A server, the LoRAs it has, and the workflow it is given."""

    notes: Sequence[str] = ()

    def __init__(self, server: Server, known: Sequence[str], workflow: Mapping[str, Any], how: How) -> None:
        side = how.width or _PX
        self._server, self._workflow = server, workflow
        self._known = {PurePosixPath(name.replace("\\", "/")).name: name for name in reversed(known)}
        self._how = replace(how, width=side, height=how.height or side)
        self._client = uuid.uuid4().hex

    @property
    def facts(self) -> Mapping[str, str]:
        """What decides how pictures look, as far as it can be known from here."""
        how = self._how
        return {
            "model": how.model,
            "size": f"{how.width}x{how.height}",
            "steps": str(how.steps),
            "scale": f"{how.scale:g}",
            "negative": how.negative,
            "workflow_sha256": sha256_hex(json.dumps(self._workflow, sort_keys=True).encode()),
            "lora_scale": f"{how.lora_scale:g}",
        }

    def check(self, weights: Weights) -> None:
        """Refuse a damaged LoRA, and one that the server does not have, or has another of, under the same file name."""
        lora = read_lora(weights.file)
        place = self._known.get(f"{weights.name}.safetensors")
        if place is None:
            raise WeightsError(
                f"ComfyUI has no LoRA of the name {weights.name}",
                field="lora",
                value=str(weights.file),
                remedy=f"Copy the file into its folder models/loras as {weights.name}.safetensors",
            )
        check_same(lora, self._metadata(place), "ComfyUI")

    def paint(self, weights: Weights, wishes: Sequence[Wish]) -> Iterator[tuple[Wish, U8]]:
        """Paint the wishes one after the other."""
        for wish in wishes:
            yield wish, self._picture(filled(self._workflow, self._values(weights, wish)))

    def _metadata(self, place: str) -> object:
        """What the header of one of its LoRAs says; None where it does not tell."""
        try:
            return self._server.get_json("/view_metadata/loras", filename=place)
        except ServerError as error:
            if error.status == 404:  # no metadata in the file, more than it reads, or a server without this call
                return None
            raise

    def _values(self, weights: Weights, wish: Wish) -> dict[str, str | int | float]:
        how = self._how
        return {
            "prompt": literal(wish.prompt.text),
            "negative": literal(how.negative),
            "seed": wish.seed,
            "steps": how.steps,
            "scale": how.scale,
            "width": how.width,
            "height": how.height,
            "model": how.model,
            "lora": self._known[f"{weights.name}.safetensors"],
            "lora_scale": how.lora_scale,
            # A name of its own: of a workflow that it knows already, a server may answer without painting.
            "name": f"graftset-{uuid.uuid4().hex[:12]}",
        }

    def _picture(self, workflow: Mapping[str, Any]) -> U8:
        queued = self._server.post_json("/prompt", {"prompt": workflow, "client_id": self._client})
        if not isinstance(queued, dict) or not isinstance(queued.get("prompt_id"), str):
            raise self._server.unexpected("queued the workflow without an id")
        name = queued["prompt_id"]
        entry = self._wait(name)
        images = [
            image
            for output in entry.get("outputs", {}).values()
            if isinstance(output, dict)
            for image in output.get("images", ())
            if isinstance(image, dict) and image.get("filename")
        ]
        # What is saved comes before what is only previewed.
        images.sort(key=lambda image: image.get("type") != "output")
        if not images:
            raise self._server.unexpected("ran the workflow to its end without a picture; it needs a SaveImage node")
        query = {key: str(images[0].get(key, "")) for key in ("filename", "subfolder", "type")}
        return self._server.picture(self._server.get("/view", **query))

    def _wait(self, name: str) -> dict[str, Any]:
        """The entry of the history, when the workflow is done."""
        deadline, pause = time.monotonic() + self._how.timeout, _POLL[0]
        while True:
            history = self._server.get_json(f"/history/{name}")
            entry = history.get(name) if isinstance(history, dict) else None
            if isinstance(entry, dict):
                said = entry.get("status")
                status: dict[str, Any] = said if isinstance(said, dict) else {}
                if status.get("status_str") == "error":
                    raise self._server.unexpected(f"failed at the workflow{_reason(status)}")
                if status.get("completed", True):
                    return entry
            if time.monotonic() + pause > deadline:
                raise self._server.silent(self._how.timeout)
            time.sleep(pause)
            pause = min(2 * pause, _POLL[1])


def read_workflow(path: Path) -> dict[str, Any]:
    """A workflow in API format.

    Raises:
        UserError: It cannot be read, is of the editor's format, or lacks a placeholder without which nothing changes.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(path, f"cannot be read: {error}") from error
    if isinstance(document, dict) and "nodes" in document:
        raise _unusable(path, "is in the editor's format")
    if not isinstance(document, dict) or not all(
        isinstance(node, dict) and "class_type" in node and isinstance(node.get("inputs"), dict)
        for node in document.values()
    ):
        raise _unusable(path, "is not in API format")
    text = json.dumps(document)
    missing = [f"%{name}%" for name in _NEEDED if f"%{name}%" not in text]
    if missing:
        raise _unusable(path, f"has no {', '.join(missing)}")
    return document


def filled(workflow: Any, values: Mapping[str, str | int | float]) -> Any:
    """A workflow with values in place of its placeholders: a text that is nothing else becomes the value itself.

    >>> filled({"seed": "%seed%", "text": "punk, %prompt%"}, {"seed": 7, "prompt": "50%seed%"})
    {'seed': 7, 'text': 'punk, 50%seed%'}
    """
    if isinstance(workflow, dict):
        return {key: filled(value, values) for key, value in workflow.items()}
    if isinstance(workflow, list):
        return [filled(value, values) for value in workflow]
    if not isinstance(workflow, str):
        return workflow
    if workflow.startswith("%") and workflow.endswith("%") and workflow[1:-1] in values:
        return values[workflow[1:-1]]
    parts = workflow.split("%")  # what was filled in is not looked at again, whatever a prompt holds
    text, position = parts[0], 1
    while position < len(parts):
        if position + 1 < len(parts) and parts[position] in values:
            text += f"{values[parts[position]]}{parts[position + 1]}"
            position += 2
        else:
            text += f"%{parts[position]}"
            position += 1
    return text


def literal(text: str) -> str:
    """A prompt that means what it says: parentheses would weigh words, embedding:NAME would load one.

    >>> literal("a hat (red), 8 [bit]")
    'a hat \\\\(red\\\\), 8 [bit]'
    """
    # CLIP reads "embedding :NAME" as it reads "embedding:NAME": the colon is a token of its own.
    return re.sub(r"(?<!\\)([()])", r"\\\1", text).replace("embedding:", "embedding :")


def _plain(how: How) -> dict[str, Any]:
    if not how.model:
        raise UserError(
            "The base model is not named",
            field="--model",
            remedy="Give its name in ComfyUI with --model, or a workflow of your own under [sampling]",
        )
    workflow: dict[str, Any] = json.loads(json.dumps(PLAIN))
    if how.sampler:
        workflow["sampler"]["inputs"]["sampler_name"] = how.sampler
    return workflow


def _known(server: Server) -> list[str]:
    try:
        info = server.get_json("/object_info/LoraLoader")
        names = info["LoraLoader"]["input"]["required"]["lora_name"]
        listed = names[0] if isinstance(names[0], list) else names[1]["options"]  # the second form since 2025
        return [str(name) for name in listed]
    except (KeyError, IndexError, TypeError) as error:
        raise server.unexpected("does not list its LoRAs") from error


def _reason(status: Mapping[str, Any]) -> str:
    """What the messages of a failed workflow say: node and exception."""
    for message in status.get("messages") or ():
        if isinstance(message, list) and len(message) == 2 and message[0] == "execution_error":
            told = message[1] if isinstance(message[1], dict) else {}
            text = " ".join(str(told.get("exception_message", "")).split())[:200]
            return f" in {told.get('node_type', 'a node')}" + (f": {text}" if text else "")
    return ""


def _unusable(path: Path, why: str) -> UserError:
    return UserError(
        f"The workflow {why}",
        field="sampling.workflow",
        value=str(path),
        remedy="Save it with Export (API), and put %prompt%, %seed% and %lora% where they belong; see docs/sampling.md",
    )
