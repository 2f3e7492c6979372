"""The table of generators. One more is one module with `open_generator`, and one line here."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from graftset.errors import UserError
from graftset.sampling.job import GeneratorModule

_TRAIN, _DIFFUSERS = "pip install 'graftset[train]'", "pip install 'graftset[diffusers]'"


@dataclass(frozen=True, slots=True)
class GeneratorKind:
    """One line of the table."""

    summary: str
    module: str  # imported when the generator is asked for
    needs: Mapping[str, str]  # module it uses -> how to install it


GENERATORS: Mapping[str, GeneratorKind] = MappingProxyType(
    {
        "diffusers": GeneratorKind(
            "SD 1.5 or SDXL with a LoRA file, in this process",
            "graftset.sampling.diffusers",
            # diffusers itself does without the last two, until a LoRA is loaded.
            dict.fromkeys(("torch", "safetensors", "diffusers", "transformers", "accelerate", "peft"), _DIFFUSERS),
        ),
        "a1111": GeneratorKind(
            "a running server with the web API of AUTOMATIC1111 (also Forge, SD.Next)",
            "graftset.sampling.a1111",
            {"safetensors": _TRAIN},
        ),
        "comfyui": GeneratorKind("a running ComfyUI", "graftset.sampling.comfyui", {"safetensors": _TRAIN}),
        "native": GeneratorKind(
            "a checkpoint of the embedded trainer, at native size",
            "graftset.sampling.native",
            {"torch": _TRAIN, "safetensors": _TRAIN},
        ),
    }
)


def load_generator(name: str) -> GeneratorModule:
    """The module of a generator.

    Raises:
        UserError: No such generator, or what it needs is not installed.
    """
    kind = GENERATORS.get(name)
    if kind is None:
        raise UserError(
            "There is no such generator", field="--generator", value=name, remedy=f"Use one of: {', '.join(GENERATORS)}"
        )
    for module, remedy in kind.needs.items():
        if importlib.util.find_spec(module) is None:
            raise _missing(name, module, remedy)
    try:
        found: GeneratorModule = importlib.import_module(kind.module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing not in kind.needs:
            raise
        raise _missing(name, missing, kind.needs[missing]) from error
    return found


def _missing(name: str, module: str, remedy: str) -> UserError:
    return UserError(
        f"Sampling with the generator {name} needs {module}, which is not installed",
        field="--generator",
        value=name,
        remedy=f"Install it: {remedy}",
    )
