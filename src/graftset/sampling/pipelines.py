"""Base models as diffusers reads them: what is there, what is missing, and loading it without asking any hub."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from graftset.errors import UserError
from graftset.sampling.job import How
from graftset.sampling.loras import NAMES, WIDTHS

_CLASSES = {"StableDiffusionPipeline": False, "StableDiffusionXLPipeline": True}  # -> whether it is SDXL
_PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
_XL_PARTS = ("text_encoder_2", "tokenizer_2")
_SAMPLED = 1 << 16  # bytes from the middle of a file that its digest reads
_REMEDY = (
    "Give a folder as diffusers saves one (model_index.json, unet/, vae/, text_encoder/, tokenizer/, scheduler/), or a "
    ".safetensors file with `config` under [sampling]"
)


@dataclass(frozen=True, slots=True)
class Model:
    """A base model as it lies on disk, or the name of one of the hub."""

    name: str
    folder: Path | None  # as diffusers saves one; of a single file, the folder with its configs
    file: Path | None  # a single file
    is_xl: bool | None  # None: known when it is loaded
    text_width: int | None  # numbers that its U-Net reads of each token; None likewise
    variant: str | None = None  # "fp16": the part before the suffix of its weight files
    digest: str = ""  # changes with the weights

    @property
    def kind(self) -> str:
        """What it is called in messages."""
        return kind_of(self.text_width)


def kind_of(text_width: int | None) -> str:
    """The name of a kind of base model by how wide its texts are."""
    if text_width is None:
        return "an unknown model"
    base = WIDTHS.get(text_width)
    return NAMES[base] if base else f"a model of text width {text_width}"


def find_model(how: How) -> Model:
    """The base model that is asked for; nothing is loaded yet.

    Raises:
        UserError: There is none, or parts of it are missing.
    """
    if not how.model:
        raise UserError(
            "The base model is not named",
            field="--model",
            remedy="Name its folder or file with --model PATH, or set `model` under [sampling]",
        )
    path = Path(how.model).expanduser()
    if path.is_dir():
        return _of_folder(path)
    if path.is_file():
        return _of_file(path, how.config)
    if how.hub and len(how.model.split("/")) == 2:
        return Model(how.model, None, None, None, None)
    raise UserError(
        "There is no such model here, and the hub is not asked" if not how.hub else "There is no such model here",
        field="--model",
        value=how.model,
        remedy=_REMEDY,
    )


def load_pipeline(model: Model, how: How, device: torch.device, dtype: torch.dtype) -> Any:
    """The pipeline of a model, ready on a device, without a safety checker: black pictures would be judged as painted.

    Raises:
        UserError: It cannot be loaded, or there is no such scheduler.
    """
    import diffusers

    kind: Any = diffusers.StableDiffusionXLPipeline if model.is_xl else diffusers.StableDiffusionPipeline
    options: dict[str, Any] = {"torch_dtype": dtype, "local_files_only": model.folder is not None}
    if not model.is_xl:
        options |= {"safety_checker": None, "requires_safety_checker": False, "feature_extractor": None}
    try:
        if model.file is not None:
            options.pop("requires_safety_checker", None)
            pipe = kind.from_single_file(str(model.file), config=str(model.folder), **options)
        elif model.folder is not None:
            pipe = kind.from_pretrained(str(model.folder), use_safetensors=True, variant=model.variant, **options)
        else:
            options.pop("requires_safety_checker", None)
            pipe = diffusers.DiffusionPipeline.from_pretrained(model.name, use_safetensors=True, **options)
        pipe.scheduler = _scheduler(how, pipe.scheduler)
        pipe = pipe.to(device)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise UserError(
            "Memory does not hold this model", field="--model", value=model.name, remedy="Use --device cpu"
        ) from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, TypeError, AttributeError) as error:
        raise UserError(
            f"The model cannot be loaded: {first_line(error)}", field="--model", value=model.name, remedy=_REMEDY
        ) from error
    pipe.set_progress_bar_config(disable=True)
    pipe.vae.enable_slicing()  # decoding takes the memory of one picture, and no picture's pixels depend on others
    return pipe


def first_line(error: BaseException) -> str:
    """The beginning of an error's message, for a sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0].rstrip(".") if lines else type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]} ..."


def _of_folder(folder: Path) -> Model:
    is_xl = _is_xl(folder)
    missing = [part for part in _needed(is_xl) if not _has_config(folder / part)]
    if missing:
        raise _incomplete(folder, missing)
    weights = {part: _weight_files(folder / part) for part in _needed(is_xl) if _has_weights(part)}
    missing = [f"{part}/*.safetensors" for part, files in weights.items() if not files]
    if missing:
        raise _incomplete(folder, missing)
    plain = {part: [f for f in files if ".fp16." not in f.name] for part, files in weights.items()}
    variant = None if all(plain.values()) else "fp16"
    used = [file for part in weights for file in (plain[part] if variant is None else weights[part])]
    return Model(folder.name, folder, None, is_xl, _text_width(folder), variant, _digest(used))


def _of_file(file: Path, config: str) -> Model:
    if file.suffix.lower() != ".safetensors":
        raise UserError(
            "This kind of file may run code when it is loaded",
            field="--model",
            value=str(file),
            remedy="Convert it to .safetensors",
        )
    try:
        with safe_open(str(file), "np") as content:
            shapes = {key: content.get_slice(key).get_shape() for key in content.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"This model file is damaged or cut short ({error})",
            field="--model",
            value=str(file),
            remedy="Copy it again from where it came from",
        ) from error
    width = next((shape[1] for key, shape in shapes.items() if key.endswith("attn2.to_k.weight")), None)
    if width is None or not any(key.startswith("model.diffusion_model.") for key in shapes):
        raise UserError(
            "This file is no whole Stable Diffusion model", field="--model", value=str(file), remedy=_REMEDY
        )
    if not config:
        raise UserError(
            "A single file holds weights only, and nothing is fetched from a hub",
            field="--model",
            value=str(file),
            remedy="Name a folder with model_index.json, the tokenizer and the configs of all parts as `config` under "
            "[sampling]; those of the model's diffusers folder will do, without its weights",
        )
    folder = Path(config).expanduser()
    is_xl = _is_xl(folder)
    missing = [part for part in _needed(is_xl) if not _has_config(folder / part)]
    if missing:
        raise _incomplete(folder, missing)
    if _text_width(folder) != width:
        raise UserError(
            f"The configs are of {kind_of(_text_width(folder))}, the file is {kind_of(width)}",
            field="sampling.config",
            value=config,
            remedy="Name the configs of this model",
        )
    return Model(file.name, folder, file, is_xl, width, None, _digest([file]))


def _needed(is_xl: bool) -> tuple[str, ...]:
    return (*_PARTS, *_XL_PARTS) if is_xl else _PARTS


def _has_weights(part: str) -> bool:
    return not part.startswith(("tokenizer", "scheduler"))


def _has_config(part: Path) -> bool:
    if part.name.startswith("tokenizer"):
        whole = (part / "tokenizer.json").is_file()
        return whole or all((part / name).is_file() for name in ("vocab.json", "merges.txt"))
    return (part / ("scheduler_config.json" if part.name == "scheduler" else "config.json")).is_file()


def _weight_files(part: Path) -> list[Path]:
    return sorted(file for file in part.glob("*.safetensors") if not file.name.startswith("."))


def _incomplete(folder: Path, missing: list[str]) -> UserError:
    return UserError(
        f"This model folder lacks {', '.join(missing)}", field="--model", value=str(folder), remedy=_REMEDY
    )


def _is_xl(folder: Path) -> bool:
    index = _json(folder / "model_index.json", folder)
    name = index.get("_class_name")
    if name not in _CLASSES:
        raise UserError(
            f"This is a {name}, not Stable Diffusion 1.5 or XL", field="--model", value=str(folder), remedy=_REMEDY
        )
    return _CLASSES[str(name)]


def _text_width(folder: Path) -> int:
    width = _json(folder / "unet" / "config.json", folder).get("cross_attention_dim")
    if not isinstance(width, int):
        raise UserError(
            "The U-Net's config does not say how wide its texts are",
            field="--model",
            value=str(folder / "unet" / "config.json"),
            remedy=_REMEDY,
        )
    return width


def _json(path: Path, folder: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise _incomplete(folder, [path.relative_to(folder).as_posix()]) from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path.name} cannot be read: {first_line(error)}", field="--model", value=str(path), remedy=_REMEDY
        ) from error
    return document if isinstance(document, dict) else {}


def _digest(files: list[Path]) -> str:
    """Changes with the weights: sizes, and a piece from the middle of every file. Hashing gigabytes takes minutes."""
    digest = hashlib.sha256()
    for file in files:
        size = file.stat().st_size
        digest.update(f"{file.parent.name}/{file.name}:{size}\n".encode())
        with file.open("rb") as stream:
            stream.seek(max(0, size // 2 - _SAMPLED // 2))
            digest.update(stream.read(_SAMPLED))
    return digest.hexdigest()[:16]


def _scheduler(how: How, present: Any) -> Any:
    if not how.sampler:
        return present
    import diffusers

    kind = getattr(diffusers, how.sampler, None) if how.sampler.endswith("Scheduler") else None
    if kind is None or not hasattr(kind, "from_config"):
        raise UserError(
            "diffusers has no such scheduler",
            field="--sampler",
            value=how.sampler,
            remedy="Give the name of a class of diffusers, such as EulerDiscreteScheduler",
        )
    return kind.from_config(present.config)
