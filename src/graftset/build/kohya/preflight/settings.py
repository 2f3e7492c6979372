"""The datasets and subsets of a run with every setting settled: subset > dataset > general > arguments > default.

Pure.

Source: `BlueprintGenerator` and the parameter classes in `library/config_util.py` of kohya-ss/sd-scripts at commit
48d368fa.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from graftset.build.kohya.preflight.arguments import Arguments
from graftset.build.kohya.preflight.buckets import Refusal, Size


@dataclass(frozen=True, slots=True)
class SubsetSettings:
    """One image folder; named and defaulted as in sd-scripts."""

    image_dir: str = ""
    num_repeats: int = 1
    is_reg: bool = False
    class_tokens: str | None = None
    caption_extension: str = ".caption"
    cache_info: bool = False
    alpha_mask: bool = False
    shuffle_caption: bool = False
    caption_separator: str = ","
    keep_tokens: int = 0
    keep_tokens_separator: str = ""
    secondary_separator: str | None = None
    enable_wildcard: bool = False
    color_aug: bool = False
    flip_aug: bool = False
    face_crop_aug_range: tuple[float, float] | None = None
    random_crop: bool = False
    caption_prefix: str | None = None
    caption_suffix: str | None = None
    caption_dropout_rate: float = 0.0
    caption_dropout_every_n_epochs: int = 0
    caption_tag_dropout_rate: float = 0.0
    token_warmup_min: int = 1
    token_warmup_step: float = 0
    resize_interpolation: str | None = None

    @property
    def reorders(self) -> bool:
        """Whether captions are taken apart at their separators: only then does `keep_tokens` act."""
        return self.shuffle_caption or self.token_warmup_step > 0 or self.caption_tag_dropout_rate > 0


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """One `[[datasets]]`: images that share their buckets."""

    subsets: tuple[SubsetSettings, ...] = ()
    resolution: Size | None = None
    batch_size: int = 1
    enable_bucket: bool = False
    min_bucket_reso: int = 256
    max_bucket_reso: int = 1024
    bucket_reso_steps: int = 64
    bucket_no_upscale: bool = False
    validation_seed: int | None = None
    validation_split: float = 0.0
    resize_interpolation: str | None = None


_RENAMED: Mapping[str, str] = MappingProxyType({"train_batch_size": "batch_size", "dataset_repeats": "num_repeats"})
_Settings = TypeVar("_Settings", SubsetSettings, DatasetSettings)


def settle_datasets(config: Mapping[str, object], arguments: Arguments) -> tuple[DatasetSettings, ...]:
    """Every dataset of a parsed dataset TOML that the schema accepts.

    Raises:
        Refusal: An argument that the trainer cannot read.
    """
    values = {_RENAMED.get(name, name): value for name, value in arguments.values.items()}
    values["resolution"] = resolution_of(arguments)
    values["face_crop_aug_range"] = _range_of(arguments)
    general = _table(config.get("general"))
    datasets = []
    for dataset in _tables(config.get("datasets")):
        outer = [dataset, general, values]
        subsets = tuple(
            _with_dot(_settled(SubsetSettings, [subset, *outer])) for subset in _tables(dataset.get("subsets"))
        )
        datasets.append(dataclasses.replace(_settled(DatasetSettings, outer), subsets=subsets))
    return tuple(datasets)


def resolution_of(arguments: Arguments) -> Size | None:
    """The argument `resolution`: the text "576" or "576,768".

    Raises:
        Refusal: It is no such text.
    """
    given = arguments.values.get("resolution")
    if given is None:
        return None
    try:
        sides = [int(side) for side in given.split(",")] if isinstance(given, str) else []
    except ValueError:
        sides = []
    if len(sides) not in (1, 2):
        raise Refusal(f'resolution is {given!r}, and must be a text such as "576,576"')
    return sides[0], sides[-1]


def _range_of(arguments: Arguments) -> tuple[float, float] | None:
    given = arguments.values.get("face_crop_aug_range")
    if given is None:
        return None
    try:
        low, high = (float(side) for side in str(given).split(","))
    except ValueError:
        low, high = 1.0, 0.0
    if low > high:
        raise Refusal(f'face_crop_aug_range is {given!r}, and must be a text such as "1.0,2.0"')
    return low, high


def _settled(kind: type[_Settings], tables: Sequence[Mapping[str, object]]) -> _Settings:
    """The first value that is set, table by table; the class's default otherwise."""
    found: dict[str, object] = {}
    for field in dataclasses.fields(kind):
        if field.name == "subsets":
            continue
        value = next((table[field.name] for table in tables if table.get(field.name) is not None), None)
        if value is not None:
            found[field.name] = _shaped(field.name, value)
    return kind(**found)  # type: ignore[arg-type]  # the schema has looked at the types


def _shaped(name: str, value: object) -> object:
    if name == "resolution" and isinstance(value, int):
        return (value, value)
    return tuple(value) if isinstance(value, list) else value


def _with_dot(subset: SubsetSettings) -> SubsetSettings:
    extension = subset.caption_extension
    if extension and not extension.startswith("."):
        return dataclasses.replace(subset, caption_extension=f".{extension}")
    return subset


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _tables(value: object) -> list[Mapping[str, object]]:
    return [table for table in value if isinstance(table, Mapping)] if isinstance(value, list) else []
