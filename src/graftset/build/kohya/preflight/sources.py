"""What a folder or file of the user means to the trainer: where training starts, its arguments, its dataset config.

Source: `load_user_config` and `generate_dreambooth_subsets_config_by_subdirs` in `library/config_util.py`, and
`NetworkTrainer.train` in `train_network.py`, of kohya-ss/sd-scripts at commit 48d368fa.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graftset.build.kohya.preflight.arguments import Arguments, flat, known_arguments, settle
from graftset.build.kohya.preflight.disk import Disk, pictures_in
from graftset.errors import UserError

Kind = Literal["config", "dataset", "folder"]
_MANY = 3  # keys of the trainer that make a TOML one of its config files


@dataclass(frozen=True, slots=True)
class Folder:
    """A sub-folder of a `train_data_dir`: repeats from its name, None where the name has none."""

    name: str
    repeats: int | None
    pictures: int
    is_reg: bool


@dataclass(frozen=True, slots=True)
class Source:
    """One run of the trainer, before anything is looked at.

    Attributes:
        kind: What was given: a `--config_file`, a `--dataset_config`, or a folder for `--train_data_dir`.
        name: The file or folder, to say what a finding is about.
        dataset_name: The dataset TOML; "" where folder names decide.
        dataset: Its content, or what the trainer makes of folder names.
        folders: Sub-folders, where their names decide.
        elsewhere: Training has to be started in this folder for the paths to lead anywhere, and it is not the present
            one.
        outside: Why the images are read in a way that is not simulated; "" where they are.
        unreadable: Why a config cannot be read, as phrases with the file's name.
    """

    kind: Kind
    name: str
    disk: Disk
    arguments: Arguments
    dataset_name: str
    dataset: Mapping[str, object]
    folders: tuple[Folder, ...] = ()
    elsewhere: Path | None = None
    outside: str = ""
    unreadable: tuple[str, ...] = ()


def source_of(path: Path, over: Mapping[str, object], *, sdxl: bool = False) -> Source:
    """What a folder or a config file that graftset did not write means to the trainer.

    Args:
        path: A folder for `--train_data_dir`, a folder with one config file, or a TOML or JSON file.
        over: Arguments of the command line.

    Raises:
        UserError: There is no such file, or more than one config to choose from.
    """
    if path.is_file():
        return _of_file(path, over, sdxl=sdxl)
    if not path.is_dir():
        raise UserError(
            "There is no such file or folder",
            field="--check",
            value=str(path),
            remedy="Give a build folder, a folder of training images, or a TOML of sd-scripts.",
        )
    configs = _configs_in(path)
    for kind in ("config", "dataset"):
        files = [file for file, what in configs.items() if what == kind]
        if len(files) > 1:
            raise UserError(
                f"The folder holds {len(files)} configs of sd-scripts: {', '.join(file.name for file in files)}",
                field="--check",
                value=str(path),
                remedy="Give the one that training is started with.",
            )
        if files:
            return _of_file(files[0], over, sdxl=sdxl)
    # An absolute path, as most people give it: how the text is cut apart at "_" depends on it.
    values = {"train_data_dir": str(path.resolve()), **over}
    disk = Disk(Path.cwd(), shown=path.resolve())
    return run_source("folder", path.name or str(path), disk, settle({}, values, sdxl=sdxl))


def run_source(
    kind: Kind,
    name: str,
    disk: Disk,
    arguments: Arguments,
    *,
    elsewhere: Path | None = None,
    given: str = "",
    unreadable: Sequence[str] = (),
) -> Source:
    """The run that these arguments start.

    Args:
        kind: What was given.
        name: The file or folder, to say what a finding is about.
        disk: Where its paths lead.
        arguments: Of the run.
        elsewhere: As in `Source`.
        given: A dataset TOML that stands in for `dataset_config`.
        unreadable: What could not be read of the config before.
    """
    dataset_name = given or arguments.text("dataset_config") or ""
    dataset: Mapping[str, object] = {}
    folders: tuple[Folder, ...] = ()
    outside, faults = "", list(unreadable)
    if dataset_name:
        try:
            dataset = read_config(disk.at(dataset_name))
        except UnreadableError as error:
            faults.append(f"{disk.name(dataset_name)} {error}")
        outside = _outside(dataset)
    elif arguments.text("in_json") is not None:
        outside = "in_json names a metadata file, and captions come from there"
    else:
        folders = (
            *_folders(disk, arguments.text("train_data_dir"), is_reg=False),
            *_folders(disk, arguments.text("reg_data_dir"), is_reg=True),
        )
        dataset = {"datasets": [{"subsets": [_subset(arguments, folder) for folder in folders if folder.repeats]}]}
    if arguments.text("dataset_class") is not None:
        outside = "dataset_class names a dataset of your own"
    return Source(kind, name, disk, arguments, dataset_name, dataset, folders, elsewhere, outside, tuple(faults))


class UnreadableError(ValueError):
    """A config that is missing or damaged; the message goes on from the file's name."""


def stage_source(folder: Path, config: str, root: str | None) -> Source:
    """One stage of a build of ours, as its `train.sh` starts it: in the build folder, with `config`.

    Args:
        folder: The build folder.
        config: The stage's training TOML, relative to it.
        root: The absolute path that its configs were written for; None where their paths are relative.
    """
    values: Mapping[str, object] = {}
    unreadable = []
    try:
        values = flat(read_config(folder / config))
    except UnreadableError as error:
        unreadable.append(f"{config} {error}")
    disk = Disk(folder.absolute(), root)
    given = "" if not unreadable else config.replace("train.toml", "dataset.toml")
    return run_source("config", config, disk, settle(values, {}), given=given, unreadable=unreadable)


def read_config(path: Path) -> dict[str, object]:
    """A TOML or JSON file of sd-scripts.

    Raises:
        UnreadableError: It is missing, of another kind or damaged.
    """
    ending = path.suffix.lower()
    if ending not in (".toml", ".json"):
        raise UnreadableError("cannot be read: sd-scripts takes .toml and .json only")
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if ending == ".json" else tomllib.loads(text)
    except FileNotFoundError as error:
        raise UnreadableError("is missing") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableError(f"cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise UnreadableError("cannot be read: it is no table")
    return content


def _of_file(path: Path, over: Mapping[str, object], *, sdxl: bool) -> Source:
    try:
        content = read_config(path)
    except UnreadableError as error:
        raise UserError(
            f"The file {error}", field="--check", value=str(path), remedy="Give a TOML of sd-scripts that can be read."
        ) from error
    if _is_dataset(content):
        start, elsewhere = _start(path, [str(each) for each in _image_dirs(content)])
        disk = Disk(start)
        return run_source(
            "dataset", path.name, disk, settle({}, over, sdxl=sdxl), elsewhere=elsewhere, given=str(path.resolve())
        )
    arguments = settle(flat(content), over, sdxl=sdxl)
    names = [arguments.text(name) for name in ("dataset_config", "train_data_dir", "reg_data_dir")]
    start, elsewhere = _start(path, [name for name in names if name])
    return run_source("config", path.name, Disk(start), arguments, elsewhere=elsewhere)


def _start(config: Path, paths: list[str]) -> tuple[Path, Path | None]:
    """Where training has to be started for `paths` to lead somewhere: here, else beside the config or one above."""
    here, beside = Path.cwd(), config.resolve().parent
    best = max((here, beside, beside.parent), key=lambda place: sum((place / path).exists() for path in paths))
    return best, None if best == here else best


def _configs_in(folder: Path) -> dict[Path, Kind]:
    found: dict[Path, Kind] = {}
    for file in sorted(folder.glob("*.toml")):
        try:
            content = read_config(file)
        except UnreadableError:
            continue
        if _is_dataset(content):
            found[file] = "dataset"
        elif len(flat(content).keys() & known_arguments().keys()) >= _MANY:
            found[file] = "config"
    return found


def _is_dataset(content: Mapping[str, object]) -> bool:
    return isinstance(content.get("datasets"), list)


def _image_dirs(dataset: Mapping[str, object]) -> list[object]:
    return [subset.get("image_dir", "") for subset in _subsets(dataset)]


def _subsets(dataset: Mapping[str, object]) -> list[Mapping[str, object]]:
    datasets = dataset.get("datasets")
    found: list[Mapping[str, object]] = []
    for each in datasets if isinstance(datasets, list) else []:
        subsets = each.get("subsets") if isinstance(each, dict) else None
        found += [subset for subset in subsets if isinstance(subset, dict)] if isinstance(subsets, list) else []
    return found


def _outside(dataset: Mapping[str, object]) -> str:
    keys = {key for subset in _subsets(dataset) for key in subset}
    if "metadata_file" in keys:
        return "metadata_file names a metadata file, and captions come from there"
    if "conditioning_data_dir" in keys:
        return "conditioning_data_dir makes it a dataset for ControlNet"
    return ""


def _folders(disk: Disk, base: str | None, *, is_reg: bool) -> list[Folder]:
    if base is None or not disk.at(base).is_dir():
        return []
    # Training folders by name; the order of regularization folders decides which images are used, so theirs stays.
    found = [place for place in disk.at(base).iterdir() if place.is_dir()]
    if not is_reg:
        found.sort()
    return [Folder(place.name, _repeats(place.name), pictures_in(place), is_reg) for place in found]


def _repeats(name: str) -> int | None:
    try:
        repeats = int(name.split("_")[0])
    except ValueError:
        return None
    return repeats if repeats >= 1 else None


def _subset(arguments: Arguments, folder: Folder) -> dict[str, object]:
    base = arguments.text("reg_data_dir" if folder.is_reg else "train_data_dir") or ""
    return {
        "image_dir": str(Path(base) / folder.name),
        "num_repeats": folder.repeats,
        "is_reg": folder.is_reg,
        "class_tokens": "_".join(folder.name.split("_")[1:]),
    }
