"""LoRA files as kohya's sd-scripts write them: what their header says, and a folder of them by epoch.

Only headers are read: 8 bytes with their length, then JSON with names and shapes. A file that ends before its last
tensor is refused, so that an upload cut short is found before any model is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graftset.errors import EmptyInputError, UserError
from graftset.sampling.job import WeightsError

Base = Literal["sd15", "sd2", "sdxl"]
WIDTHS: Mapping[int, Base] = {768: "sd15", 1024: "sd2", 2048: "sdxl"}  # of what the U-Net reads of a text
NAMES: Mapping[Base, str] = {"sd15": "SD 1.5", "sd2": "SD 2", "sdxl": "SDXL"}

_EPOCH = re.compile(r"(?P<name>.+?)-(?P<kind>step)?(?P<at>\d{6,})")  # NAME-000005, NAME-step00000300
_KEYS = re.compile(r"lora_(unet|te|te1|te2)_.+")
_HASH = "sshs_model_hash"  # in the metadata of every LoRA that sd-scripts saves
_PARTS = (".lora_down.weight", ".lora_up.weight", ".alpha")
_READS_TEXT = re.compile(r"attn2_to_[kv]\.lora_down\.weight$")


@dataclass(frozen=True, slots=True)
class LoraFile:
    """What a LoRA file says of itself. What its metadata does not say is None."""

    path: Path
    modules: frozenset[str]  # layers it changes, as kohya names them
    text_width: int | None  # numbers that each token of a prompt is to its U-Net; None where it leaves that alone
    epoch: int | None
    step: int | None
    images_seen: int | None
    batch_size: int | None
    seed: int | None
    token_limit: int  # content tokens of a caption that training read
    clip_skip: int | None  # last layers of the text encoder that training left out, counted from 1
    weights_hash: str  # sd-scripts' own, over all tensors; empty where the file has none

    @property
    def base(self) -> Base | None:
        """The kind of model it was trained on; None where its shapes do not say."""
        return None if self.text_width is None else WIDTHS.get(self.text_width)


def read_lora(path: Path) -> LoraFile:
    """Read the header of a LoRA file.

    Raises:
        WeightsError: There is no such file, it is damaged or cut short, or it is no LoRA that can be used.
    """
    from safetensors import SafetensorError, safe_open  # an extra, which the table of generators asks for

    if not path.is_file():
        raise WeightsError(
            "This LoRA file is not there",
            field="lora",
            value=str(path),
            remedy="Name the folder of the LoRA files with --loras DIR",
        )
    try:
        with safe_open(str(path), "np") as file:
            said = dict(file.metadata() or {})
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118  not a dict
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"This LoRA file is damaged or cut short ({error})",
            field="lora",
            value=str(path),
            remedy="Copy it again from where it was trained, or leave that checkpoint out",
        ) from error
    modules = frozenset(key.split(".")[0] for key in shapes if key.endswith(_PARTS[0]) and _KEYS.match(key))
    foreign = [key for key in shapes if not (_KEYS.match(key) and key.endswith(_PARTS))]
    if not modules or foreign:
        raise WeightsError(
            f"This file is no LoRA as sd-scripts' networks.lora writes it: it holds {_first(foreign or list(shapes))}",
            field="lora",
            value=str(path),
            remedy="Give the LoRA files of a training, not a whole model, an embedding or a LyCORIS",
        )
    return LoraFile(
        path=path,
        modules=modules,
        text_width=next((shape[1] for key, shape in shapes.items() if _READS_TEXT.search(key)), None),
        epoch=_number(said, "ss_epoch"),
        step=_number(said, "ss_steps"),
        images_seen=_images_seen(said),
        batch_size=_number(said, "ss_total_batch_size") or _number(said, "ss_batch_size_per_device"),
        seed=_number(said, "ss_seed"),
        token_limit=_number(said, "ss_max_token_length") or 75,
        clip_skip=_number(said, "ss_clip_skip"),
        weights_hash=said.get(_HASH, ""),
    )


def check_same(lora: LoraFile, said: object, server: str) -> None:
    """Refuse a LoRA whose namesake on a server holds other weights, those of an earlier training for instance.

    Args:
        lora: The file that is to paint.
        said: The metadata of the server's file of that name. Without a hash in both, nothing can be told.
        server: What the server is, for messages.

    Raises:
        WeightsError: Both have a hash, and they differ.
    """
    there = said.get(_HASH) if isinstance(said, Mapping) else None
    if lora.weights_hash and isinstance(there, str) and there and there != lora.weights_hash:
        raise WeightsError(
            f"{server} has another LoRA under this name: its weights have the hash {there[:12]}, "
            f"those of this file {lora.weights_hash[:12]}",
            field="lora",
            value=str(lora.path),
            remedy="Copy this file over the server's one",
        )


def find_loras(folder: Path) -> tuple[Path, ...]:
    """The LoRA files of one training in a folder, in the order in which they were saved.

    NAME-000005.safetensors is epoch 5, NAME-step00000300.safetensors step 300, NAME.safetensors the last.

    Raises:
        UserError: There is no such folder, or it holds files of several trainings.
        EmptyInputError: It holds none.
    """
    if not folder.is_dir():
        raise UserError("There is no such folder", field="--loras", value=str(folder), remedy="Name an existing folder")
    files = [file for file in folder.glob("*.safetensors") if file.is_file() and not file.name.startswith(".")]
    if not files:
        raise EmptyInputError(
            "There is no LoRA file in this folder",
            field="--loras",
            value=str(folder),
            remedy="Name the folder with the .safetensors files that training saved",
        )
    matches = {file: _EPOCH.fullmatch(file.stem) for file in files}
    names = sorted({file.stem if match is None else match["name"] for file, match in matches.items()})
    if len(names) > 1:
        raise UserError(
            f"These LoRA files are of several trainings: {', '.join(names[:5])}",
            field="--loras",
            value=str(folder),
            remedy="Put those of one training into a folder of its own",
        )
    # Epochs before steps, so that a folder with both keeps each row in order; the one without a number ends training.
    order = {f: (2, 0) if m is None else (int(m["kind"] is not None), int(m["at"])) for f, m in matches.items()}
    return tuple(sorted(files, key=lambda file: order[file]))


def epoch_of(path: Path) -> int | None:
    """The epoch that a file's name tells; None where it tells none."""
    match = _EPOCH.fullmatch(path.stem)
    return None if match is None or match["kind"] else int(match["at"])


def _images_seen(said: Mapping[str, str]) -> int | None:
    """Images shown until then: those of an epoch, repeats counted, times epochs; else steps times batch."""
    epoch, images = _number(said, "ss_epoch"), _number(said, "ss_num_train_images")
    if epoch and images:
        return epoch * images
    step = _number(said, "ss_steps")
    batch = _number(said, "ss_total_batch_size") or _number(said, "ss_batch_size_per_device")
    gathered = _number(said, "ss_gradient_accumulation_steps") or 1
    return step * batch * gathered if step and batch else None


def _number(said: Mapping[str, str], key: str) -> int | None:
    """A whole number of the metadata, which are all texts; kohya writes None as "None"."""
    text = said.get(key, "")
    return int(text) if re.fullmatch(r"\d{1,12}", text) else None


def _first(keys: list[str]) -> str:
    return f"{min(keys)!r}" if keys else "no tensor"
