"""`train.sh`: starts kohya sd-scripts on a build from anywhere, one run for each stage."""

from __future__ import annotations

import shlex

from graftset.build.kohya.training import StageFiles, stage_files
from graftset.build.package import Package

_BASES = {
    "sd15": ("SD 1.5", "train_network.py", "/models/v1-5.safetensors"),
    "sdxl": ("SDXL", "sdxl_train_network.py", "/models/sdxl.safetensors"),
}
_HEAD = """\
#!/usr/bin/env bash
# Trains a LoRA on this folder with kohya sd-scripts. Written by graftset.
#
#   MODEL={example} SD_SCRIPTS=~/sd-scripts ./train.sh [more options of {script}]
#
# MODEL       checkpoint file, folder or hub name of the base model, {base} (required)
# SD_SCRIPTS  checkout of kohya-ss/sd-scripts (required)
# PYTHON      interpreter that has its requirements; default: python
# OUTPUT      folder for checkpoints and samples; default: output/ in this folder
# NAME        base name of the checkpoints; default: the plan's name
set -euo pipefail

fail() { printf 'train.sh: %s\\n' "$1" >&2; exit 1; }

# Paths given by the caller count from where the caller is; a hub name is no path and stays as it is.
absolute() { if [[ -e "$1" && "$1" != /* ]]; then printf '%s/%s' "$PWD" "$1"; else printf '%s' "$1"; fi; }

[[ -n "${MODEL:-}" ]] || fail 'set MODEL to the base model, e.g. MODEL=/models/v1-5.safetensors'
[[ -n "${SD_SCRIPTS:-}" ]] || fail 'set SD_SCRIPTS to a checkout of kohya-ss/sd-scripts'
MODEL="$(absolute "$MODEL")"
SD_SCRIPTS="$(absolute "$SD_SCRIPTS")"
PYTHON="${PYTHON:-python}"
if [[ "$PYTHON" == */* ]]; then PYTHON="$(absolute "$PYTHON")"; fi
if [[ -n "${OUTPUT:-}" && "$OUTPUT" != /* ]]; then OUTPUT="$PWD/$OUTPUT"; fi

# Paths in the configs count from this folder.
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
"""

_CHECKS = """\

[[ -f "$SD_SCRIPTS/$script" ]] || fail "SD_SCRIPTS: $SD_SCRIPTS holds no $script"
command -v -- "$PYTHON" >/dev/null || fail "PYTHON: cannot find $PYTHON"
# sd-scripts only warns about a missing image folder and trains without it.
for folder in "${folders[@]}"; do [[ -d "$folder" ]] || fail "image folder missing: $folder"; done

# One process, without `accelerate launch`: more processes would divide the steps the plan counts on.
train() { "$PYTHON" "$SD_SCRIPTS/$script" --pretrained_model_name_or_path "$MODEL" "$@"; }
"""


def train_sh(package: Package) -> str:
    """The launch script of a build."""
    base, script, example = _BASES[package.base]
    head = _HEAD.replace("{base}", base).replace("{script}", script).replace("{example}", example)
    folders = [package.place(folder) for folder in package.plan.folders()]
    lines = [
        f"script={script}",
        f"default_output={shlex.quote(package.place('output'))}",
        f"folders=({' '.join(shlex.quote(folder) for folder in folders)})",
        f"default_name={shlex.quote(package.plan.name)}",
        'NAME="${NAME:-$default_name}"',
        'OUTPUT="${OUTPUT:-$default_output}"',
    ]
    if package.base == "sd15":
        # An older train.sh had a switch for SDXL; its settings are another build's now.
        lines.append("[[ \"${SDXL:-0}\" != 1 ]] || fail 'this build is for SD 1.5: build one with --base sdxl'")
    stages = stage_files(package)
    runs = _single_run(package, stages[0]) if len(stages) == 1 else _staged_runs(package, stages)
    return head + "\n" + "\n".join(lines) + "\n" + _CHECKS + "\n" + "\n".join(runs) + "\n"


def _single_run(package: Package, files: StageFiles) -> list[str]:
    return [_launch(package, files, '"$OUTPUT"') + ' "$@"']


def _staged_runs(package: Package, stages: list[StageFiles]) -> list[str]:
    lines = ["# Each stage starts afresh from the weights of the one before; a finished stage is not trained again."]
    weights = ""
    for number, files in enumerate(stages, start=1):
        output = f'"$OUTPUT/stage{number}"'
        finished = f'"$OUTPUT/stage{number}/$NAME.safetensors"'
        given = f" --network_weights {weights}" if weights else ""
        lines += [
            f"if [[ -f {finished} ]]; then",
            f"  printf 'stage {number} is done: delete %s to train it again\\n' {finished}",
            "else",
            f'  {_launch(package, files, output)}{given} "$@"',
            "fi",
        ]
        weights = finished
    return lines


def _launch(package: Package, files: StageFiles, output: str) -> str:
    config = shlex.quote(package.place(files.training))
    logs = output[:-1] + '/logs"'
    return f'train --config_file {config} --output_dir {output} --output_name "$NAME" --logging_dir {logs}'
