"""Writes tests/sd_scripts_cases.json anew: what kohya sd-scripts itself reads of every case.

SD_SCRIPTS=/path/to/sd-scripts SD_SCRIPTS_PYTHON=/path/to/its/python CLIP_TOKENIZER=DIR \\
    python tests/record_sd_scripts.py

CLIP_TOKENIZER is a `--tokenizer_cache_dir` of sd-scripts: a folder that holds `openai_clip-vit-large-patch14/` with
CLIP's vocabulary.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sd_scripts_cases import CASES

RECORD = Path(__file__).with_name("sd_scripts_cases.json")


def commit_of(checkout: Path) -> str:
    """The commit of a checkout; a file COMMIT in it says so where it is no repository."""
    noted = checkout / "COMMIT"
    if noted.exists():
        return noted.read_text().strip()
    done = subprocess.run(["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def read_by_sd_scripts(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What sd-scripts reads in each of `runs`, in one process of its own interpreter."""
    done = subprocess.run(
        [
            os.environ["SD_SCRIPTS_PYTHON"],
            str(Path(__file__).with_name("sd_scripts_dataset.py")),
            os.environ["SD_SCRIPTS"],
            os.environ["CLIP_TOKENIZER"],
        ],
        input=json.dumps(runs),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""},
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    # Libraries print to stdout while they are imported.
    result: list[dict[str, Any]] = json.loads(
        done.stdout[done.stdout.rindex("\n[{") + 1 if "\n[{" in done.stdout else 0 :]
    )
    return result


def written(value: Any, indent: str = "") -> str:
    """JSON with an image a line, so that a change shows where it is."""
    inner = f"{indent} "
    if isinstance(value, dict) and any(isinstance(each, dict | list) and each for each in value.values()):
        if "bucket" not in value:
            lines = [
                f"{inner}{json.dumps(key, ensure_ascii=False)}: {written(value[key], inner)}" for key in sorted(value)
            ]
            return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return "[\n" + ",\n".join(inner + written(each, inner) for each in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def main() -> None:
    """Draw every case, let sd-scripts read it, and write down what it read."""
    with tempfile.TemporaryDirectory() as place:
        runs = []
        for number, case in enumerate(CASES.values()):
            folder = Path(place) / f"case{number}"
            folder.mkdir()
            case.write(folder)
            runs.append({"folder": str(folder), "arguments": list(case.arguments), "sdxl": case.sdxl})
        read = read_by_sd_scripts(runs)
    record = {"commit": commit_of(Path(os.environ["SD_SCRIPTS"])), "cases": dict(zip(CASES, read, strict=True))}
    RECORD.write_text(written(record) + "\n", encoding="utf-8")
    print(f"{len(read)} cases, {sum('refused' in each for each in read)} of them refused", file=sys.stderr)


if __name__ == "__main__":
    main()
