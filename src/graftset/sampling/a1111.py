"""Paints with a running server that has the web API of AUTOMATIC1111: one txt2img call a picture.

Calls: GET /sdapi/v1/loras (names and metadata), POST /sdapi/v1/refresh-loras, GET /sdapi/v1/sd-models, POST
/sdapi/v1/refresh-checkpoints, GET /sdapi/v1/samplers, GET /sdapi/v1/schedulers, POST /sdapi/v1/txt2img (base64
pictures). The LoRA is named in the prompt as <lora:NAME:1>; the file has to lie in the server's own folder of LoRAs.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from graftset.errors import UserError
from graftset.sampling.job import U8, How, Weights, WeightsError, Wish
from graftset.sampling.loras import check_same, read_lora
from graftset.sampling.server import Server, ServerError, connect

DEFAULT_URL = "http://127.0.0.1:7860"
_PX = 512
_SPECIAL = re.compile(r"(\\*)([()\[\]])")
_KEYWORDS = re.compile(r"\b(AND|BREAK)\b")  # of its prompts: they would mix several, or begin a new chunk
_SHOWN = 8  # names in a message
_PNG = b"\x89PNG\r\n\x1a\n"


@contextmanager
def open_generator(how: How) -> Iterator[WebUi]:
    """Ask the server for its LoRAs, model and sampler, so that one that does not answer is found at once."""
    server = connect("The web UI", how.url or DEFAULT_URL, how.timeout)
    server.post_json("/sdapi/v1/refresh-loras", {})
    loras = _loras(server.get_json("/sdapi/v1/loras"), server)
    if how.model:
        _check_model(server, how.model)
    if how.sampler:
        _check_sampler(server, how.sampler)
    yield WebUi(server, loras, how)


class WebUi:
    """A server with the LoRAs it knows."""

    notes: Sequence[str] = ()

    def __init__(self, server: Server, known: Mapping[str, object], how: How) -> None:
        side = how.width or _PX
        self._server, self._known = server, known
        self._how = replace(how, width=side, height=how.height or side)

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
            "sampler": how.sampler,
            "lora_scale": f"{how.lora_scale:g}",
        }

    def check(self, weights: Weights) -> None:
        """Refuse a damaged LoRA, and one that the server does not have, or has another of, under the same name."""
        lora = read_lora(weights.file)
        if weights.name not in self._known:
            raise WeightsError(
                f"The web UI has no LoRA of the name {weights.name}",
                field="lora",
                value=str(weights.file),
                remedy=f"Copy the file into its folder models/Lora as {weights.name}.safetensors",
            )
        check_same(lora, self._known[weights.name], "The web UI")

    def paint(self, weights: Weights, wishes: Sequence[Wish]) -> Iterator[tuple[Wish, U8]]:
        """Paint the wishes one after the other: pictures of one call would get consecutive seeds."""
        for wish in wishes:
            yield wish, self._picture(self._server.post_json("/sdapi/v1/txt2img", self.request(weights, wish)))

    def request(self, weights: Weights, wish: Wish) -> dict[str, Any]:
        """The call that paints one wish."""
        how = self._how
        content: dict[str, Any] = {
            "prompt": f"{literal(wish.prompt.text)} <lora:{weights.name}:{how.lora_scale:g}>",
            "negative_prompt": literal(how.negative),
            "seed": wish.seed,
            "steps": how.steps,
            "cfg_scale": how.scale,
            "width": how.width,
            "height": how.height,
            "batch_size": 1,
            "n_iter": 1,
            "do_not_save_samples": True,
            "do_not_save_grid": True,
        }
        if how.sampler:
            content["sampler_name"] = how.sampler
        if how.model:
            content["override_settings"] = {"sd_model_checkpoint": how.model}
        return content

    def _picture(self, answer: object) -> U8:
        images = answer.get("images") if isinstance(answer, dict) else None
        if not isinstance(images, list) or not images or not isinstance(images[0], str):
            raise self._server.unexpected("answered without a picture")
        try:
            data = base64.b64decode(images[0].rpartition(",")[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._server.unexpected("sent a picture that is not base64") from error
        picture = self._server.picture(data)
        if not data.startswith(_PNG):
            raise ServerError(
                "The web UI sends pictures with losses, which blur what is measured",
                url=self._server.url,
                remedy="Set its File format for images to png",
            )
        return picture


def literal(text: str) -> str:
    """A prompt that means what it says: parentheses and brackets would weigh words, <lora:...> would load another.

    >>> literal("a hat (red), 8 [bit] AND a cat")
    'a hat \\\\(red\\\\), 8 \\\\[bit\\\\] and a cat'
    """
    escaped = _SPECIAL.sub(lambda m: m[1] + m[2] if len(m[1]) % 2 else f"{m[1]}\\{m[2]}", text)
    without = re.sub(r"<(\w+:[^<>]*)>", r"\1", escaped)
    return _KEYWORDS.sub(lambda m: m[1].lower(), without)  # CLIP reads small letters only


def _check_model(server: Server, model: str) -> None:
    """Refuse a base model that the server does not know: it would paint with the present one and say nothing.

    Raises:
        UserError: It has no model that is called so.
    """
    names = _models(server)
    if not any(model in known for known in names.values()):
        server.post_json("/sdapi/v1/refresh-checkpoints", {})  # a file that was copied there just now
        names = _models(server)
    if not any(model in known for known in names.values()):
        raise UserError(
            "The web UI has no model of this name",
            field="--model",
            value=model,
            remedy=f"Use one of: {_listed(names)}" if names else "Copy one into its folder",
        )


def _check_sampler(server: Server, sampler: str) -> None:
    """Refuse a sampler that the server does not know: it would paint with its default one and say nothing.

    "DPM++ 2M Karras" is the sampler "DPM++ 2M" with the scheduler "Karras".
    Source: `get_sampler_and_scheduler` in `modules/sd_samplers.py`, which compares names, not aliases.

    Raises:
        UserError: It has no sampler that is called so.
    """
    names = _texts(server.get_json("/sdapi/v1/samplers"), ("name",))
    if sampler in names:
        return
    try:
        schedulers = _texts(server.get_json("/sdapi/v1/schedulers"), ("label", "name", "aliases"))
    except ServerError as error:
        if error.status != 404:  # before 1.9 the samplers' names held those of the schedulers
            raise
        schedulers = []
    if not any(sampler == f"{name} {scheduler}" for name in names for scheduler in schedulers):
        raise UserError(
            "The web UI has no sampler of this name",
            field="--sampler",
            value=sampler,
            remedy=f"Use one of: {_listed(names)}",
        )


def _listed(names: Iterable[str]) -> str:
    """Some names for a message."""
    known = list(names)
    return ", ".join(known[:_SHOWN]) + (f", and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")


def _texts(listed: object, keys: Sequence[str]) -> list[str]:
    """The texts that the entries of a list hold under some keys, one each or several."""
    found = []
    for entry in listed if isinstance(listed, list) else ():
        for key in keys if isinstance(entry, dict) else ():
            value = entry.get(key)
            found += value if isinstance(value, list) else [value]
    return [text for text in found if isinstance(text, str)]


def _models(server: Server) -> dict[str, frozenset[str]]:
    """The models of a server by file name, each with all that it may be called by.

    Source: `CheckpointInfo.ids` in `modules/sd_models.py`.
    """
    listed = server.get_json("/sdapi/v1/sd-models")
    if not isinstance(listed, list):
        raise server.unexpected("does not list its models")
    found = {}
    for entry in listed:
        if isinstance(entry, dict) and entry.get("title"):
            title = str(entry["title"])
            name = title.rpartition(" [")[0] or title
            file = PurePosixPath(str(entry.get("filename") or name).replace("\\", "/"))
            told = (str(entry.get(key) or "") for key in ("model_name", "hash", "sha256"))
            stem = PurePosixPath(name).stem
            found[name] = frozenset({title, name, stem, f"{stem}{title.removeprefix(name)}", file.stem, *told} - {""})
    return found


def _loras(listed: object, server: Server) -> dict[str, object]:
    """The LoRAs of a server by name, with what the header of each says."""
    if not isinstance(listed, list):
        raise server.unexpected("does not list its LoRAs")
    return {
        str(entry["name"]): entry.get("metadata") for entry in listed if isinstance(entry, dict) and entry.get("name")
    }
