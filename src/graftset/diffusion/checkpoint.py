"""A painter as one file: weights as safetensors, with everything else that paints as JSON in its header."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import safetensors.torch
import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from graftset.diffusion.heads import ContinuousHead, Head, PaletteHead
from graftset.diffusion.network import Network, NetworkShape
from graftset.diffusion.painting import Painter
from graftset.diffusion.palette import Palette
from graftset.diffusion.text import CaptionEncoder
from graftset.errors import UserError

_HEADER = "graftset"


@dataclass(frozen=True, slots=True)
class PainterRecord:
    """What the header of a checkpoint says."""

    shape: NetworkShape
    palette: tuple[str, ...]  # "rrggbb"; empty for a continuous head
    ignored_tags: tuple[str, ...]
    height: int  # cells
    width: int  # cells
    steps: int
    guidance: float
    format_version: int = 1


_RECORD = TypeAdapter(PainterRecord)


def describe_painter(painter: Painter) -> PainterRecord:
    """What a checkpoint's header says of a painter."""
    head = painter.head
    colors = [color.tobytes().hex() for color in head.palette.colors] if isinstance(head, PaletteHead) else []
    return PainterRecord(
        shape=painter.network.shape,
        palette=tuple(colors),
        ignored_tags=tuple(sorted(painter.captions.ignored)),
        height=painter.height,
        width=painter.width,
        steps=painter.steps,
        guidance=painter.guidance,
    )


def painter_bytes(record: PainterRecord, weights: dict[str, Tensor]) -> bytes:
    """A checkpoint file: the weights of the network, float32 on the CPU, under what `record` says."""
    return safetensors.torch.save(weights, {_HEADER: json.dumps(asdict(record))})


def make_painter(
    record: PainterRecord,
    weights: dict[str, Tensor],
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Painter:
    """The painter that a record and weights describe, ready on a device to compute in `dtype`."""
    colors = b"".join(bytes.fromhex(color) for color in record.palette)
    head: Head = PaletteHead(Palette.from_bytes(colors), device) if record.palette else ContinuousHead()
    with torch.device("meta"):
        network = Network(record.shape)
    network.load_state_dict(weights, assign=True)
    captions = CaptionEncoder(rows=record.shape.rows, ignored=record.ignored_tags)
    ready = network.to(device, dtype).requires_grad_(False).eval()
    return Painter(ready, head, captions, record.height, record.width, record.steps, record.guidance)


def load_painter(path: Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Painter:
    """Read a checkpoint file.

    Raises:
        UserError: There is none, or it is damaged or of another program.
    """
    try:
        with safe_open(str(path), "pt") as file:
            record = _RECORD.validate_json((file.metadata() or {})[_HEADER])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
        return make_painter(record, weights, device, dtype)
    except (OSError, SafetensorError, ValidationError, KeyError, RuntimeError, ValueError) as error:
        raise UserError(
            f"This checkpoint cannot be read: {error}",
            field="checkpoint",
            value=str(path),
            remedy="Move the run away and train it again",
        ) from error
