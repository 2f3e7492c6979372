"""What `train_network.py` takes for its arguments: the config file flattened, the command line over it, defaults below.

Pure, but for reading its own table once. A config file is not checked by the trainer: a key it does not know is
ignored, and a value keeps the type it has in the TOML.

Source: `setup_parser` of `train_network.py` and `sdxl_train_network.py`, and `read_config_from_file` and
`prepare_dataset_args` in `library/train_util.py`, of kohya-ss/sd-scripts at commit 48d368fa; `arguments.tsv` is that
parser's list and is written anew by tests/record_sd_scripts.py.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

# What people write for a setting that has another name here, where the letters alone do not lead to it.
_MEANT: Mapping[str, str] = MappingProxyType(
    {
        "batch_size": "train_batch_size",
        "num_repeats": "dataset_repeats",
        "image_dir": "train_data_dir",
        "bucket_resolution": "resolution",
        "epochs": "max_train_epochs",
        "epoch": "max_train_epochs",
        "max_epochs": "max_train_epochs",
        "steps": "max_train_steps",
        "lr": "learning_rate",
        "dim": "network_dim",
        "rank": "network_dim",
        "alpha": "network_alpha",
        "optimizer": "optimizer_type",
        "scheduler": "lr_scheduler",
        "model": "pretrained_model_name_or_path",
    }
)
_TYPES: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "switch": (bool,),
        "int": (int,),
        "float": (int, float),
        "int_or_float": (int, float),
        "str": (str,),
        "Path": (str,),
    }
)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of the trainer."""

    name: str
    kind: str  # "switch", "int", "float", "str", ...; a star at its end where a list is meant
    default: object
    choices: tuple[object, ...]
    scripts: tuple[str, ...]  # "sd", "sdxl": the scripts that know it


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one run.

    Attributes:
        values: Every argument by name.
        given: The names that a config file or the command line sets.
        unknown: Keys of the config file that are ignored, each with the nearest real one or "".
        mistyped: What is wrong with a value that the trainer takes as it is, by name.
    """

    values: Mapping[str, object]
    given: frozenset[str]
    unknown: Mapping[str, str]
    mistyped: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """A text argument; None where it is not set."""
        value = self.values.get(name)
        return None if value is None else str(value)

    def whole(self, name: str) -> int | None:
        """A whole number; None where it is not set or none."""
        value = self.values.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def on(self, name: str) -> bool:
        """Whether a switch is on."""
        return bool(self.values.get(name))


@cache
def known_arguments() -> Mapping[str, Argument]:
    """Every argument of the trainer by name."""
    text = files(__package__).joinpath("arguments.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return MappingProxyType(
        {
            name: Argument(name, kind, json.loads(default), tuple(json.loads(choices or "[]")), tuple(on.split("+")))
            for name, kind, default, choices, on in rows
        }
    )


def flat(config: Mapping[str, object]) -> dict[str, object]:
    """The keys of all sections in one table, as sd-scripts takes them; a later section wins."""
    flattened: dict[str, object] = {}
    for key, value in config.items():
        flattened.update(value if isinstance(value, Mapping) else {key: value})
    return flattened


def settle(config: Mapping[str, object], over: Mapping[str, object], *, sdxl: bool = False) -> Arguments:
    """The arguments of a run: the command line (`over`) wins over the flattened `config`, defaults fill the rest."""
    known = {name: each for name, each in known_arguments().items() if ("sdxl" if sdxl else "sd") in each.scripts}
    values: dict[str, object] = {name: argument.default for name, argument in known.items()}
    given = {name: value for name, value in {**config, **over}.items() if name in known}
    values.update(given)
    if values.get("caption_extention") is not None:  # the old misspelling wins
        values["caption_extension"] = values["caption_extention"]
    if values["cache_latents_to_disk"]:
        values["cache_latents"] = True
    return Arguments(
        values=MappingProxyType(values),
        given=frozenset(given),
        unknown=MappingProxyType({key: nearest(key, known) for key in config if key not in known}),
        mistyped=MappingProxyType(
            {name: fault for name, value in given.items() if (fault := _type_fault(known[name], value))}
        ),
    )


def nearest(key: str, names: Mapping[str, object] | Sequence[str]) -> str:
    """The real name that was probably meant; "" where none is near."""
    meant = _MEANT.get(key.lower().replace("-", "_"), "")
    if meant in names:
        return meant
    found = difflib.get_close_matches(key.lower().replace("-", "_"), list(names), n=1, cutoff=0.7)
    return found[0] if found else ""


def from_command_line(name: str, text: str, *, sdxl: bool = False) -> object:
    """One argument as the command line gives it: converted, and refused where the parser would refuse it.

    Raises:
        ValueError: No such argument, or a value of another kind; the message says which.
    """
    argument = known_arguments().get(name)
    if argument is None or ("sdxl" if sdxl else "sd") not in argument.scripts:
        meant = nearest(name, known_arguments())
        raise ValueError(f"sd-scripts has no argument {name}" + (f"; {meant} is near" if meant else ""))
    if argument.kind == "switch":
        if text.lower() not in ("", "true", "false"):
            raise ValueError(f"{name} is a switch: true or false")
        return text.lower() != "false"
    try:
        converted = [_converted(argument.kind.rstrip("*"), part) for part in text.split()]
        value = converted if argument.kind.endswith("*") else _converted(argument.kind, text)
    except ValueError as error:
        raise ValueError(f"{name} takes {argument.kind}, not {text!r}") from error
    if argument.choices and value not in argument.choices:
        raise ValueError(f"{name} is one of {', '.join(str(each) for each in argument.choices if each is not None)}")
    return value


def _converted(kind: str, text: str) -> object:
    if kind == "int":
        return int(text)
    if kind == "float":
        return float(text)
    if kind == "int_or_float":
        return float(text) if "." in text else int(text)
    return text


def _type_fault(argument: Argument, value: object) -> str:
    """What is wrong with a value of a config file, for which the trainer looks at nothing."""
    if argument.kind.endswith("*"):
        return "" if isinstance(value, list) else f"{value!r} is no list"
    kinds = _TYPES[argument.kind]
    right = bool in kinds if isinstance(value, bool) else isinstance(value, kinds)
    if not right:
        names = " or ".join(
            {"str": "text", "bool": "true or false"}.get(each.__name__, each.__name__) for each in kinds
        )
        return f"{value!r} is not {names}"
    if argument.choices and value not in argument.choices:
        return f"{value!r} is none of {', '.join(str(each) for each in argument.choices if each is not None)}"
    return ""
