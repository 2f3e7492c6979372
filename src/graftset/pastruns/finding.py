"""The LoRA files of one run in a folder, and what their metadata tells of the training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graftset.errors import UserError
from graftset.records import Skip
from graftset.trainerfiles import (
    CheckpointName,
    NotWholeError,
    PastTraining,
    checkpoint_of,
    first_unfinite,
    lora_fault,
    read_header,
    read_training,
)


@dataclass(frozen=True, slots=True)
class Weights:
    """One usable LoRA file."""

    path: Path
    name: CheckpointName
    told: PastTraining | None


@dataclass(frozen=True, slots=True)
class Found:
    """The files of one run.

    Attributes:
        name: Their base name; empty where there are none.
        weights: In the order of their names.
        told: What the last of them tells.
        skipped: Files that cannot be used.
        doubts: What of the metadata is not believed, each once.
    """

    name: str
    weights: tuple[Weights, ...]
    told: PastTraining | None
    skipped: tuple[Skip, ...]
    doubts: tuple[str, ...]


def find_training(folder: Path, wanted: str | None = None) -> Found:
    """Find the LoRA files of one run below a folder; states of the trainer are passed over.

    Args:
        folder: Where to look.
        wanted: Their base name, where there are files of several runs.

    Raises:
        UserError: There are files of several runs, and none of them is wanted.
    """
    weights: list[Weights] = []
    skipped: list[Skip] = []
    for path in sorted(folder.rglob("*.safetensors")):
        inside = path.relative_to(folder)
        if any(part.endswith("-state") or part.startswith(".") for part in inside.parts):
            continue
        try:
            header = read_header(path)
            fault = lora_fault(header)
            if fault is None and (bad := first_unfinite(path, header)) is not None:
                fault = f"{bad} holds numbers that are not finite"
        except NotWholeError as error:
            header, fault = None, str(error)
        except OSError as error:
            header, fault = None, f"it cannot be read: {error.strerror or error}"
        if fault is not None or header is None:
            skipped.append(Skip(str(path), fault or ""))
            continue
        weights.append(Weights(path, checkpoint_of(path.stem), read_training(header)))
    names = sorted({each.name.run for each in weights})
    if len(names) > 1 and wanted in names:
        weights = [each for each in weights if each.name.run == wanted]
        names = [str(wanted)]
    if len(names) > 1:
        listed = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
        raise UserError(
            f"There are LoRA files of {len(names)} runs here: {listed}",
            field="--files",
            value=wanted,
            remedy="Say which with --files NAME",
        )
    doubts = dict.fromkeys(doubt for each in weights if each.told for doubt in each.told.doubts)
    told = next((each.told for each in reversed(weights) if each.told is not None), None)
    return Found(names[0] if names else "", tuple(weights), told, tuple(skipped), tuple(doubts))
