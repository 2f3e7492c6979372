"""The strict schema of a kohya sd-scripts dataset TOML.

Source: `library/config_util.py`, class `ConfigSanitizer`, of kohya-ss/sd-scripts at commit 48d368fa (February 2026),
for DreamBooth-style subsets (a folder of images with caption files) with caption dropout. The schema refuses unknown
keys; a key of an inner table wins over the same key of an outer one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

_NUMBER = (int, float)

ANYWHERE: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "caption_dropout_every_n_epochs": (int,),
        "caption_dropout_rate": _NUMBER,
        "caption_extension": (str,),
        "caption_prefix": (str,),
        "caption_separator": (str,),
        "caption_suffix": (str,),
        "caption_tag_dropout_rate": _NUMBER,
        "cache_info": (bool,),
        "class_tokens": (str,),
        "color_aug": (bool,),
        "custom_attributes": (dict,),
        "enable_wildcard": (bool,),
        "face_crop_aug_range": (list,),  # two floats
        "flip_aug": (bool,),
        "keep_tokens": (int,),
        "keep_tokens_separator": (str,),
        "num_repeats": (int,),
        "random_crop": (bool,),
        "resize_interpolation": (str,),
        "secondary_separator": (str,),
        "shuffle_caption": (bool,),
        "token_warmup_min": (int,),
        "token_warmup_step": _NUMBER,
    }
)
"""Keys that `[general]`, `[[datasets]]` and `[[datasets.subsets]]` all take, with the types they accept."""

DATASET_ONLY: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "batch_size": (int,),
        "bucket_no_upscale": (bool,),
        "bucket_reso_steps": (int,),
        "enable_bucket": (bool,),
        "max_bucket_reso": (int,),
        "min_bucket_reso": (int,),
        "network_multiplier": (float,),
        "resolution": (int, list),  # one side, or [width, height]
        "validation_seed": (int,),
        "validation_split": (float,),
    }
)
"""Keys of `[general]` and `[[datasets]]`."""

SUBSET_ONLY: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {"alpha_mask": (bool,), "image_dir": (str,), "is_reg": (bool,)}
)
"""Keys of `[[datasets.subsets]]`; `image_dir` is required."""

DATASET_KEYS: Mapping[str, tuple[type, ...]] = MappingProxyType({**ANYWHERE, **DATASET_ONLY})
SUBSET_KEYS: Mapping[str, tuple[type, ...]] = MappingProxyType({**ANYWHERE, **SUBSET_ONLY})


_PAIRS: Mapping[str, type] = MappingProxyType({"resolution": int, "face_crop_aug_range": float})


def schema_faults(config: Mapping[str, object]) -> list[str]:
    """What sd-scripts would refuse in a parsed dataset TOML, as phrases; empty where it would load."""
    faults = [f"{key}: unknown table" for key in config if key not in ("general", "datasets")]
    faults += _table_faults("general", config.get("general", {}), DATASET_KEYS)
    datasets = config.get("datasets", [])
    for number, dataset in _tables(datasets):
        place = f"datasets[{number}]"
        subsets = dataset.get("subsets", [])
        faults += _table_faults(place, {key: dataset[key] for key in dataset if key != "subsets"}, DATASET_KEYS)
        for inner, subset in _tables(subsets):
            faults += _table_faults(f"{place}.subsets[{inner}]", subset, SUBSET_KEYS)
            if "image_dir" not in subset:
                faults.append(f"{place}.subsets[{inner}].image_dir: missing")
    return faults


def _tables(value: object) -> Iterator[tuple[int, Mapping[str, object]]]:
    if isinstance(value, list):
        yield from ((number, table) for number, table in enumerate(value) if isinstance(table, dict))


def _table_faults(place: str, table: object, keys: Mapping[str, tuple[type, ...]]) -> Iterator[str]:
    if not isinstance(table, Mapping):
        yield f"{place}: not a table"
        return
    for key, value in table.items():
        if key not in keys:
            yield f"{place}.{key}: unknown key"
        elif not _has_type(value, keys[key]):
            names = " or ".join(kind.__name__ for kind in keys[key])
            yield f"{place}.{key}: {value!r} is not {names}"
        elif isinstance(value, list) and not (len(value) == 2 and all(type(each) is _PAIRS[key] for each in value)):
            yield f"{place}.{key}: {value!r} is not two of {_PAIRS[key].__name__}"


def _has_type(value: object, kinds: tuple[type, ...]) -> bool:
    # Python counts a bool as an int and so does the validator of sd-scripts; a number is never meant by it here.
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds)
