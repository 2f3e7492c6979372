"""A folder to train on another machine: the build, its job, a script that installs, trains and packs the results."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from graftset.errors import ExistsError
from graftset.files import staged_folder, write_whole
from graftset.runs import create_run
from graftset.train.job import TrainingJob
from graftset.train.kohya import driver
from graftset.train.kohya.base_model import BASES
from graftset.train.kohya.carrying import TRAINER, job_table, write_trainer_folder
from graftset.train.kohya.checking import KNOWN_COMMIT, commit_of, kohya_settings
from graftset.train.kohya.recording import run_record

BUILD = "build"
# What sd-scripts' own README installs at the commit above, for CUDA 12.4.
TORCH = "torch==2.6.0 torchvision==0.21.0 --index-url https://download.pytorch.org/whl/cu124"

_RUN_SH = """\
#!/usr/bin/env bash
# Trains {name}: installs kohya sd-scripts here, trains, and packs the results. Written by graftset.
#
#   MODEL=/models/{base_file} ./run.sh
#
# MODEL       base model, {base}: a checkpoint file or a folder (required)
# SD_SCRIPTS  a checkout of kohya-ss/sd-scripts; default: cloned here, at commit {short}
# PYTHON      an interpreter with its requirements; default: venv/ here, made with python3 and pinned versions
# TORCH       what pip installs as torch there; default: {torch}
#
# Run again after a stop, it goes on from the newest whole state. Results are packed however it ends:
#   {name}-results.tar.gz; at home: graftset runs import {name}-results.tar.gz
set -euo pipefail

fail() {{ printf 'run.sh: %s\\n' "$1" >&2; exit 1; }}
say() {{ printf 'run.sh: %s\\n' "$1"; }}
absolute() {{ if [[ -e "$1" && "$1" != /* ]]; then printf '%s/%s' "$PWD" "$1"; else printf '%s' "$1"; fi; }}

[[ -n "${{MODEL:-}}" ]] || fail 'set MODEL to the base model, e.g. MODEL=/models/{base_file}'
[[ -e "$MODEL" || "$MODEL" == */* ]] || fail "MODEL: there is no $MODEL"
MODEL="$(absolute "$MODEL")"
if [[ -n "${{SD_SCRIPTS:-}}" ]]; then SD_SCRIPTS="$(absolute "$SD_SCRIPTS")"; fi
if [[ "${{PYTHON:-}}" == */* ]]; then PYTHON="$(absolute "$PYTHON")"; fi

unset CDPATH
cd -- "$(dirname -- "${{BASH_SOURCE[0]}}")"

if [[ -z "${{SD_SCRIPTS:-}}" ]]; then
  SD_SCRIPTS="$PWD/sd-scripts"
  if [[ ! -d "$SD_SCRIPTS" ]]; then
    say 'cloning sd-scripts at {short}'
    # Under a name of its own until it is whole: what a stop leaves of a clone, no checkout repairs.
    rm -rf .sd-scripts
    git clone --quiet https://github.com/kohya-ss/sd-scripts .sd-scripts
    git -C .sd-scripts checkout --quiet {commit}
    mv .sd-scripts "$SD_SCRIPTS"
  fi
fi
[[ -f "$SD_SCRIPTS/{script}" ]] || fail "SD_SCRIPTS: $SD_SCRIPTS holds no {script}"

if [[ -z "${{PYTHON:-}}" ]]; then
  PYTHON="$PWD/venv/bin/python"
  if [[ ! -f venv/.installed ]]; then
    say 'installing torch and the requirements of sd-scripts into venv/: some gigabytes, some minutes'
    python3 -m venv --clear venv # nothing of an installation that was stopped
    # shellcheck disable=SC2086  # several words
    "$PYTHON" -m pip install --quiet ${{TORCH:-{torch}}}
    (cd "$SD_SCRIPTS" && "$PYTHON" -m pip install --quiet -r requirements.txt)
    touch venv/.installed
  fi
fi
command -v -- "$PYTHON" >/dev/null || fail "PYTHON: cannot find $PYTHON"

pack() {{
  "$PYTHON" - "$SD_SCRIPTS" > {trainer}/machine.json <<'PROBE' || true
import json, platform, subprocess, sys
import torch
commit = subprocess.run(["git", "-C", sys.argv[1], "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
device = "cuda" if gpu else "cpu"
print(json.dumps({{"sd-scripts": commit or "unknown", "torch": torch.__version__, "python": platform.python_version(),
                  "device": device, "gpu": gpu}}))
PROBE
  # Under a name of its own until it is whole. States stay here: they are large, and only going on needs them.
  tar -czf .results.tar.gz --exclude='*-state' --transform 's,^,{name}/,' run.json {build}/manifest.json \\
    {build}/prompts.json {trainer}
  mv .results.tar.gz {quoted}-results.tar.gz
  printf '\\nresults: %s/%s\\n' "$PWD" {quoted}-results.tar.gz
}}
trap pack EXIT

"$PYTHON" driver.py {trainer} --echo --build "$PWD/{build}" --sd-scripts "$SD_SCRIPTS" --python "$PYTHON" \\
  --model "$MODEL"
"""


def write_script(job: TrainingJob, folder: Path, *, leave_out: Collection[str] = ()) -> Path:
    """Write a folder to train a job on another machine.

    Args:
        job: The run.
        folder: Where it goes.
        leave_out: Files of the build folder, relative to it, that the build did not write.

    Raises:
        ExistsError: Something is there.
        UserError: It cannot be written, or the build is not one for sd-scripts.
    """
    settings, build = kohya_settings(job)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExistsError(
            "Something is there already", field="--script", value=str(folder), remedy="Name a folder that is not there"
        )
    checkout = Path(settings.sd_scripts) if settings.sd_scripts else None
    commit = (commit_of(checkout) if checkout is not None and checkout.is_dir() else "") or KNOWN_COMMIT
    # Everything in the folder is named from within it: the machine is another one.
    elsewhere = replace(build, folder=Path(BUILD))
    with staged_folder(folder) as staging:
        record = run_record(job, settings, build)
        create_run(staging, replace(record, device="cuda"))
        (staging / "checkpoints").rmdir()
        for file in sorted(build.folder.rglob("*")):
            place = file.relative_to(build.folder)
            if file.is_file() and place.as_posix() not in leave_out:
                (staging / BUILD / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, staging / BUILD / place)
        table = job_table(job, settings, elsewhere) | {"sd_scripts": "", "python": "", "model": ""}
        write_trainer_folder(staging / TRAINER, job, json.loads(json.dumps(table)))
        shutil.copyfile(driver.__file__, staging / "driver.py")
        script = staging / "run.sh"
        text = _RUN_SH.format(
            name=record.name,
            quoted=shlex.quote(record.name),
            base=BASES[build.base],
            base_file="v1-5.safetensors" if build.base == "sd15" else "sdxl.safetensors",
            script=str(table["script"]),
            commit=commit,
            short=commit[:8],
            torch=TORCH,
            trainer=TRAINER,
            build=BUILD,
        )
        write_whole(script, text)
        script.chmod(script.stat().st_mode | 0o111)
    return folder
