"""What is looked at before sd-scripts is started: checkout, interpreter, base model, disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from graftset.config import KohyaSettings
from graftset.errors import UserError
from graftset.train.job import BuildFiles, TrainingJob
from graftset.train.kohya.base_model import check_model

KNOWN_COMMIT = "48d368fa557731ad0488c07304dfeba8c07910eb"  # that all of this was read from and run against
SCRIPTS: Mapping[str, str] = {"sd15": "train_network.py", "sdxl": "sdxl_train_network.py"}
# What graftset decides; the same option among the user's own would make the run another one than it is taken for.
OURS = (
    "config_file", "dataset_config", "pretrained_model_name_or_path", "output_dir", "output_name", "logging_dir",
    "seed", "sample_prompts", "sample_every_n_epochs", "sample_every_n_steps", "sample_at_first", "save_every_n_epochs",
    "save_every_n_steps", "save_n_epoch_ratio", "save_last_n_epochs", "save_last_n_steps", "save_last_n_epochs_state",
    "save_last_n_steps_state", "save_state", "save_state_on_train_end", "save_model_as", "max_train_epochs",
    "max_train_steps", "resume", "initial_epoch", "initial_step", "skip_until_initial_step", "network_weights",
    "dim_from_weights", "gradient_accumulation_steps", "train_data_dir", "reg_data_dir", "train_batch_size",
)  # fmt: skip
_OPTIONS = ("--initial_epoch", "--initial_step", "--dim_from_weights", "--sample_at_first")
_PACKAGES = (
    "torch", "accelerate", "diffusers", "transformers", "safetensors", "toml", "voluptuous", "imagesize", "cv2",
    "einops", "tensorboard",
)  # fmt: skip
_PROBE = """
import importlib.util, json, sys
missing = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
found = {"missing": missing, "python": ".".join(map(str, sys.version_info[:3]))}
if "torch" not in missing:
    import torch
    found["torch"] = torch.__version__
    found["cuda"] = torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
    found["mps"] = bool(getattr(torch.backends, "mps", None) and torch.backends.mps.is_available())
    found["memory"] = torch.cuda.get_device_properties(0).total_memory if found["cuda"] else 0
print("graftset:" + json.dumps(found))
"""
_PROBE_SECONDS = 300  # a cold disk takes a minute to import torch
# Bytes of a LoRA for each rank, at two bytes a number: U-Net and text encoder of SD 1.5, U-Net of SDXL.
_RANK_BYTES: Mapping[str, int] = {"sd15": 1_183_000, "sdxl": 5_320_000}
_STATE_SIZE = 6  # of a state, in checkpoints: weights and both moments of Adam in four bytes each
_PICTURE_BYTES = 1_000_000  # of a sample
_SPARE = 1.1


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run is trained with, after it was looked at."""

    settings: KohyaSettings
    build: BuildFiles
    commit: str  # of the checkout; empty where it is no git checkout
    versions: Mapping[str, str]
    device: str  # "cuda", "mps" or "cpu"
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    model: str
    checkpoint_bytes: int  # about, of one
    needed_bytes: int  # about, of the whole run
    notes: tuple[str, ...]

    @property
    def script(self) -> str:
        """Which of the trainer's scripts."""
        return SCRIPTS[self.build.base]


def kohya_settings(job: TrainingJob) -> tuple[KohyaSettings, BuildFiles]:
    """The settings and the build of a job.

    Raises:
        UserError: It has no build for sd-scripts, or a setting of another type.
    """
    build = job.build
    if build is None or build.format != "kohya":
        raise UserError(
            "This is no build for kohya sd-scripts",
            field="build",
            value=job.data.build,
            remedy="Build it with --format kohya",
        )
    try:
        settings = KohyaSettings.model_validate(dict(job.settings))
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(
            f"A setting of the backend kohya is wrong: {first['msg']}",
            field=".".join(["train.kohya", *map(str, first["loc"])]),
            value=first.get("input"),
            remedy="See [train.kohya] in graftset.toml",
        ) from error
    for word in settings.arguments:
        name = word.removeprefix("--").split("=")[0]
        if word.startswith("--") and name in OURS:
            raise UserError(
                "This option is decided by the build and the run",
                field="train.kohya.arguments",
                value=word,
                remedy="Take it out; see docs/kohya.md for what decides it",
            )
    return settings, build


def check(job: TrainingJob) -> Setup:
    """Look at everything that can be looked at before the trainer starts; nothing is written.

    Raises:
        UserError: Something is missing, of another version, or the disk is too small.
    """
    settings, build = kohya_settings(job)
    if sys.platform == "win32":
        raise UserError(
            "Training with kohya needs Linux or macOS",
            field="--backend",
            value="kohya",
            remedy="Use the Windows subsystem for Linux, or graftset train --script DIR",
        )
    checkout = _checkout(settings, build)
    probe = _probe(settings.python, str(checkout))
    notes = []
    commit = commit_of(checkout)
    if commit and commit != KNOWN_COMMIT:
        notes.append(f"sd-scripts is at commit {commit[:8]}; graftset was run against {KNOWN_COMMIT[:8]}")
    if not commit:
        notes.append(f"the version of sd-scripts cannot be told; graftset was run against commit {KNOWN_COMMIT[:8]}")
    device = _device(job.device, probe)
    model, told = check_model(settings.model, build.base)
    notes += told
    arguments, environment = list(settings.arguments), {}
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
        if "--mixed_precision" not in arguments:
            arguments += ["--mixed_precision", "no"]
            notes.append("there is no GPU, so everything is computed in 32 bits: --mixed_precision no")
    size, needed = _disk_needed(job, build, settings)
    _check_disk(job.folder, needed)
    return Setup(
        settings=settings,
        build=build,
        commit=commit,
        versions={"sd-scripts": commit or "unknown", "torch": str(probe["torch"]), "python": str(probe["python"])},
        device=device,
        arguments=tuple(arguments),
        environment=environment,
        model=model,
        checkpoint_bytes=size,
        needed_bytes=needed,
        notes=tuple(notes),
    )


def commit_of(checkout: Path) -> str:
    """The commit of a git checkout; empty where it is none."""
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _checkout(settings: KohyaSettings, build: BuildFiles) -> Path:
    """The checkout, after seeing that it holds what the build needs."""
    remedy = "Set sd_scripts under [train.kohya] to a checkout of https://github.com/kohya-ss/sd-scripts"
    if not settings.sd_scripts:
        raise UserError("Training with kohya needs sd-scripts", field="train.kohya.sd_scripts", remedy=remedy)
    checkout, script = Path(settings.sd_scripts), SCRIPTS[build.base]
    missing = [
        name for name in (script, "library/train_util.py", "library/config_util.py") if not (checkout / name).is_file()
    ]
    if missing:
        raise UserError(
            f"There is no sd-scripts here: {missing[0]} is missing",
            field="train.kohya.sd_scripts",
            value=str(checkout),
            remedy=remedy,
        )
    text = "".join(_text(checkout / name) for name in (script, "train_network.py", "library/train_util.py"))
    lacking = [option for option in _OPTIONS if option not in text]
    schema = _text(checkout / "library/config_util.py")
    for stage in build.stages:
        dataset = _toml(build.folder / Path(stage.config).with_name("dataset.toml"))
        lacking += [
            key for key in _keys(dataset) if key not in ("general", "datasets", "subsets") and key not in schema
        ]
    if lacking:
        raise UserError(
            f"This sd-scripts is another version: it does not know {lacking[0]}",
            field="train.kohya.sd_scripts",
            value=str(checkout),
            remedy=f"Check out the commit that graftset was run against: git checkout {KNOWN_COMMIT[:8]}",
        )
    return checkout


@lru_cache
def _probe(python: str, checkout: str) -> dict[str, Any]:
    """What the trainer's interpreter has."""
    remedy = (
        "Set python under [train.kohya] to an interpreter with its requirements: "
        f"pip install -r {Path(checkout) / 'requirements.txt'}"
    )
    try:
        done = subprocess.run(
            [python, "-c", _PROBE, *_PACKAGES],
            cwd=checkout,
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = error.strerror if isinstance(error, OSError) else f"it did not answer in {_PROBE_SECONDS} s"
        raise UserError(
            f"The trainer's interpreter cannot be started: {why}",
            field="train.kohya.python",
            value=python,
            remedy=remedy,
        ) from error
    line = next((text for text in done.stdout.splitlines() if text.startswith("graftset:")), None)
    if line is None:
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise UserError(
            f"torch does not work in the trainer's interpreter: {last[:200]}",
            field="train.kohya.python",
            value=python,
            remedy=remedy,
        )
    found: dict[str, Any] = json.loads(line.removeprefix("graftset:"))
    if found["missing"]:
        raise UserError(
            f"The trainer's interpreter lacks {', '.join(found['missing'])}",
            field="train.kohya.python",
            value=python,
            remedy=remedy,
        )
    return found


def _device(wanted: str, probe: Mapping[str, Any]) -> str:
    there = {"cuda": bool(probe["cuda"]), "mps": bool(probe["mps"]), "cpu": True}
    if wanted == "auto":
        return next(name for name, here in there.items() if here)
    if not there.get(wanted, False):
        raise UserError(
            "The trainer's torch does not see this device",
            field="--device",
            value=wanted,
            remedy=f"Use one of: auto, {', '.join(name for name, here in there.items() if here)}",
        )
    return wanted


def _disk_needed(job: TrainingJob, build: BuildFiles, settings: KohyaSettings) -> tuple[int, int]:
    """About how many bytes one checkpoint and the whole run take."""
    config = _toml(build.folder / build.stages[0].config)
    flat = {key: value for table in config.values() if isinstance(table, Mapping) for key, value in table.items()}
    words = list(settings.arguments)
    rank = flat.get("network_dim", 4)
    if "--network_dim" in words[:-1]:
        rank = words[words.index("--network_dim") + 1]
    try:
        size = int(rank) * _RANK_BYTES[build.base]
    except (ValueError, TypeError):
        size = 4 * _RANK_BYTES[build.base]
    checkpoints = len(build.checkpoints)
    pictures = checkpoints * len(job.prompts) * len(job.sample_seeds) * _PICTURE_BYTES
    # At the end of a stage: the last state beside the one before it.
    return size, int(_SPARE * (checkpoints * size + 2 * _STATE_SIZE * size + 2 * pictures))


def _check_disk(folder: Path, needed: int) -> None:
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    done = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else 0
    free = shutil.disk_usage(there).free
    if free < needed - done:
        raise UserError(
            f"The disk is too small for this run: about {needed / 1e9:.1f} GB are needed for checkpoints, states and "
            f"pictures, {free / 1e9:.1f} GB are free",
            field="run",
            value=str(folder),
            remedy="Make room, or keep the project on a larger disk",
        )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            "A config of the build cannot be read", field="build", value=str(path), remedy="Build it again"
        ) from error


def _keys(table: object) -> Iterator[str]:
    """Every key of a table and the tables in it."""
    if isinstance(table, Mapping):
        for key, value in table.items():
            yield str(key)
            yield from _keys(value)
    elif isinstance(table, list):
        for value in table:
            yield from _keys(value)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
