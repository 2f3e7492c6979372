"""What kohya sd-scripts would read in a build folder: its configs as they are now, not as they were written."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard

from graftset.build.kohya.balancing import balanced
from graftset.build.kohya.dataset import CAPTION_EXTENSION
from graftset.build.kohya.schema import schema_faults
from graftset.build.package import StageRead, SubsetRead
from graftset.build.plans import batches


def read_stages(folder: Path, stages: int, root: str | None) -> list[StageRead]:
    """Every stage of a build folder, read from its dataset and training TOML.

    Args:
        folder: The build folder.
        stages: How many stages its plan has.
        root: The absolute path that its configs were written for; None where their paths are relative.
    """
    prefixes = [""] if stages == 1 else [f"stage{number}/" for number in range(1, stages + 1)]
    return [_read_stage(folder, prefix, root) for prefix in prefixes]


def _read_stage(folder: Path, prefix: str, root: str | None) -> StageRead:
    faults: list[str] = []
    dataset = _read_toml(folder, f"{prefix}dataset.toml", faults)
    training = _read_toml(folder, f"{prefix}train.toml", faults)
    faults += [f"{prefix}dataset.toml: {fault}" for fault in schema_faults(dataset)]
    tables = [table for table in _list(dataset.get("datasets")) if isinstance(table, dict)]
    general = dataset.get("general")
    inherited: Mapping[str, Any] = general if isinstance(general, dict) else {}
    subsets = [
        _read_subset(folder, {**inherited, **table, **subset}, root)
        for table in tables
        for subset in _list(table.get("subsets"))
        if isinstance(subset, dict)
    ]
    batch_size = _number({**inherited, **(tables[0] if tables else {})}.get("batch_size"))
    reg = [
        bool(subset.get("is_reg")) for table in tables for subset in _list(table.get("subsets")) if _is_table(subset)
    ]
    per_epoch = batches([_entries(subsets, reg)], batch_size) if batch_size else 0
    epochs, steps = _length(_flat(training), per_epoch)
    return StageRead(
        config=f"{prefix}dataset.toml",
        epochs=epochs,
        batch_size=batch_size,
        subsets=tuple(subsets),
        faults=tuple(faults),
        steps=steps,
    )


def _length(training: Mapping[str, Any], per_epoch: int) -> tuple[int, int]:
    """Epochs that are begun, and steps in all: epochs win over a number of steps."""
    epochs, steps = _number(training.get("max_train_epochs")), _number(training.get("max_train_steps"))
    if epochs or not per_epoch:
        return epochs, epochs * per_epoch
    return math.ceil(steps / per_epoch), steps


def _entries(subsets: Sequence[SubsetRead], reg: Sequence[bool]) -> int:
    """Entries in one epoch: regularization images are made as many as all others."""
    pairs = list(zip(subsets, reg, strict=True))
    trained = sum(subset.images * subset.repeats for subset, is_reg in pairs if not is_reg)
    groups = [(subset.images, subset.repeats) for subset, is_reg in pairs if is_reg and subset.images]
    if not groups or not trained:
        return trained
    return trained + sum(
        uneven.first * uneven.more + (images - uneven.first) * uneven.rest
        for uneven, (images, _) in zip(balanced(groups, trained), groups, strict=True)
    )


def _is_table(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _read_subset(folder: Path, settings: Mapping[str, Any], root: str | None) -> SubsetRead:
    place = str(settings.get("image_dir", ""))
    if root is not None and PurePosixPath(place).is_relative_to(root):
        place = str(PurePosixPath(place).relative_to(root))
    suffix = settings.get("caption_extension", CAPTION_EXTENSION)
    images = sorted((folder / place).glob("*.png")) if place else []
    captioned = sum(1 for image in images if _holds_text(image.with_suffix(str(suffix))))
    return SubsetRead(place, len(images), captioned, _number(settings.get("num_repeats", 1)))


def _holds_text(path: Path) -> bool:
    try:
        return bool(path.read_bytes().strip())
    except OSError:
        return False


def _read_toml(folder: Path, name: str, faults: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        faults.append(f"{name} is missing")
    except (OSError, ValueError) as error:
        faults.append(f"{name} cannot be read: {error}")
    return {}


def _flat(training: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of all sections in one table, as sd-scripts takes them."""
    return {key: value for section in training.values() if isinstance(section, dict) for key, value in section.items()}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
