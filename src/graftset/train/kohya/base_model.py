"""The base model that sd-scripts starts from: whether it is there, whole, and of the kind that the build is for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from graftset.errors import UserError
from graftset.trainerfiles import Header, NotWholeError, read_header

BASES: Mapping[str, str] = {"sd15": "SD 1.5", "sdxl": "SDXL"}
_KINDS: Mapping[str, str] = {  # a tensor that only this kind of checkpoint has
    "sdxl": "conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight",
    "sd15": "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight",
}


def check_model(model: str, base: str) -> tuple[str, list[str]]:
    """The base model as the trainer gets it, and notes on it.

    Raises:
        UserError: It is missing, cut short, or of another kind.
    """
    field, kind = "train.kohya.model", BASES[base]
    if not model:
        raise UserError(
            f"Training with kohya needs a base model, {kind}",
            field=field,
            remedy="Set model under [train.kohya] to its file or folder",
        )
    path = Path(model)
    if not path.exists():
        if model.count("/") == 1 and not model.startswith((".", "~", "/")):
            return model, [f"{model} is no file here: sd-scripts downloads it from the model hub"]
        raise UserError(
            "There is no base model here", field=field, value=model, remedy=f"Name the file or folder of {kind}"
        )
    if path.is_dir():
        found = _folder_kind(path)
    elif path.suffix == ".safetensors":
        header = _whole_header(path, field)
        found = next((name for name, tensor in _KINDS.items() if tensor in header.tensors), None)
    else:
        return str(path), []  # a pickle is looked at by nobody but the trainer
    if found is not None and found != base:
        raise UserError(
            f"This base model is {BASES[found]}, and the build is for {kind}",
            field=field,
            value=model,
            remedy=f"Name a model of {kind}, or build with --base {found}",
        )
    notes = [] if found is not None else [f"whether {path.name} is {kind} cannot be told"]
    return str(path), notes


def _folder_kind(folder: Path) -> str | None:
    """Which base model a diffusers folder holds."""
    try:
        index = json.loads((folder / "model_index.json").read_bytes())
        name = str(index.get("_class_name", ""))
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(
            "This folder is no diffusers model: its model_index.json is missing or damaged",
            field="train.kohya.model",
            value=str(folder),
            remedy="Name a checkpoint file, or a folder that diffusers saved",
        ) from error
    for part in ("unet", "vae"):
        for file in sorted((folder / part).glob("*.safetensors")):
            _whole_header(file, "train.kohya.model")
    return "sdxl" if "XL" in name else "sd15" if name.startswith("StableDiffusion") else None


def _whole_header(path: Path, field: str) -> Header:
    try:
        return read_header(path)
    except NotWholeError as error:
        raise UserError(
            f"The base model cannot be read: {error}", field=field, value=str(path), remedy="Copy or download it again"
        ) from error
    except OSError as error:
        raise UserError(
            f"The base model cannot be read: {error.strerror or error}",
            field=field,
            value=str(path),
            remedy="Make it a file that you may read",
        ) from error
