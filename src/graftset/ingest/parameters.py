"""The generation parameters AUTOMATIC1111, Forge and their kin write into their images.

    a lady, brown hair <lora:portraits:0.8>
    Negative prompt: blurry
    Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Model hash: 45dee52b, Model: v1-5, Lora hashes: "portraits: 1f"

Prompt and negative prompt may run over several lines. A value with a comma, colon or line break is a JSON string.

Source: `create_infotext` and `parse_generation_parameters` of stable-diffusion-webui, whose reading this follows.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from graftset.ingest.decoding import one_line
from graftset.records import Provenance

PNG_PARAMETERS = "PNG parameters"
EXIF_COMMENT = "EXIF UserComment"
SOURCES = frozenset({PNG_PARAMETERS, EXIF_COMMENT})
"""The values of `text_source` that mean the image file itself."""

_NEGATIVE = "Negative prompt:"
_KEY = re.compile(r"\s*(\w[\w \-/]{1,60}):\s*")  # bounded, so that arbitrary text is read in linear time
_LORA = re.compile(r"<(?i:lora|lyco):([^<>]+)>")
_MARK = "\x00"
_STEPS = re.compile(r"\s*Steps: ?\d")
_USUAL_KEYS = frozenset({"Steps", "Sampler", "CFG scale", "Seed", "Size", "Model", "Model hash"})
_MAX_INTEGER = 2**64
"""Seeds are below it; a longer number is kept as text."""
_LONGEST = 1 << 16
"""Characters; anything longer is no prompt, and reading it could be made slow on purpose."""
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Embedded:
    """What an image says of its own making: the prompt without its LoRA tags, where it stood, and the rest."""

    prompt: str | None = None
    source: str | None = None  # one of `SOURCES`
    provenance: Provenance = field(default_factory=Provenance)


def read_embedded(texts: Mapping[str, str]) -> Embedded:
    """Read the texts found inside an image file.

    A PNG's `parameters` are a prompt whatever they look like, unless they are JSON, which other tools write there. A
    UserComment counts only when it looks like parameters: cameras and screenshots write there too.
    """
    texts = {keyword: text for keyword, text in texts.items() if len(text) <= _LONGEST}
    parameters = texts.get("parameters", "").strip()
    if parameters and not parameters.startswith("{"):
        return _embedded(parameters, PNG_PARAMETERS)
    comment = texts.get("UserComment", "").strip()
    if _NEGATIVE in comment or any(_STEPS.match(line) for line in comment.splitlines()):
        return _embedded(comment, EXIF_COMMENT)
    return Embedded()


def parse_parameters(text: str) -> tuple[str | None, Provenance]:
    """Split generation parameters into the prompt without LoRA tags, and everything else.

    Any text is accepted; one without parameters is all prompt.
    """
    lines = text.strip().splitlines() or [""]
    settings = _read_settings(lines[-1])
    if _looks_like_settings(settings, lines[-1]):
        lines.pop()
    else:
        settings = {}
    starts = [number for number, line in enumerate(lines) if line.strip().startswith(_NEGATIVE)]
    split = starts[0] if starts else len(lines)
    negative = " ".join(line.strip().removeprefix(_NEGATIVE) for line in lines[split:])
    prompt, loras = _take_loras("\n".join(lines[:split]))
    return prompt, _provenance(settings, one_line(negative), loras)


def _embedded(text: str, source: str) -> Embedded:
    prompt, provenance = parse_parameters(text)
    return Embedded(prompt, source, provenance)


def _looks_like_settings(settings: Mapping[str, str], line: str) -> bool:
    # The web UI asks for any three pairs, which takes "lighting: soft, mood: calm, style: pixel" for parameters.
    return bool(_STEPS.match(line)) or len(settings.keys() & _USUAL_KEYS) >= 2


def _read_settings(line: str) -> dict[str, str]:
    """Read `key: value, key: value`, passing over what is not of that kind."""
    settings: dict[str, str] = {}
    position = 0
    while position < len(line):
        match = _KEY.match(line, position)
        if match is None:
            position = _after_comma(line, position)
            continue
        value, position = _read_value(line, match.end())
        settings.setdefault(match[1].strip(), value)
    return settings


def _read_value(line: str, start: int) -> tuple[str, int]:
    """Return the value that starts at `start`, and the position after the comma that ends it."""
    if line[start : start + 1] in ('"', "{", "["):
        try:
            value, end = _DECODER.raw_decode(line, start)
        except (ValueError, RecursionError):
            pass
        else:
            return value if isinstance(value, str) else line[start:end], _after_comma(line, end)
    end = line.find(",", start)
    end = len(line) if end < 0 else end
    return line[start:end].strip(), end + 1


def _after_comma(line: str, position: int) -> int:
    comma = line.find(",", position)
    return len(line) if comma < 0 else comma + 1


def _take_loras(prompt: str) -> tuple[str | None, tuple[str, ...]]:
    """Take the LoRA tags out of a prompt, with the comma parts that held nothing else."""
    line = one_line(prompt) or ""
    marked = _LORA.sub(_MARK, line)  # a character `one_line` has dropped
    kept = [part for part in marked.split(",") if _MARK not in part or part.strip(_MARK + " ")]
    return one_line(",".join(map(_without_marks, kept))), tuple(_LORA.findall(line))


def _without_marks(part: str) -> str:
    pieces = [piece.strip() for piece in part.split(_MARK)]
    return " " + " ".join(piece for piece in pieces if piece) if len(pieces) > 1 else part


def _provenance(settings: dict[str, str], negative: str | None, loras: tuple[str, ...]) -> Provenance:
    rest = {key: stored for key, value in settings.items() if (stored := one_line(value)) is not None}
    return Provenance(
        negative_prompt=negative,
        seed=_take_integer(rest, "Seed"),
        steps=_take_integer(rest, "Steps"),
        cfg_scale=_take_number(rest, "CFG scale"),
        sampler=rest.pop("Sampler", None),
        model=rest.pop("Model", None),
        loras=loras,
        extra=rest,
    )


def _take_integer(settings: dict[str, str], key: str) -> int | None:
    """Take a whole number out of the settings; anything else stays there as text."""
    value = settings.get(key, "")
    if not (value.isascii() and value.isdigit()) or len(value) > 20 or int(value) >= _MAX_INTEGER:
        return None
    del settings[key]
    return int(value)


def _take_number(settings: dict[str, str], key: str) -> float | None:
    try:
        number = float(settings.get(key, ""))
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    del settings[key]
    return number
