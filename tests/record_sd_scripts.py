"""Writes tests/sd_scripts_cases.json anew: what kohya sd-scripts itself reads of every case.

SD_SCRIPTS=/path/to/sd-scripts SD_SCRIPTS_PYTHON=/path/to/its/python CLIP_TOKENIZER=DIR \\
    python tests/record_sd_scripts.py

CLIP_TOKENIZER is a `--tokenizer_cache_dir` of sd-scripts: a folder that holds `openai_clip-vit-large-patch14/` with
CLIP's vocabulary. The table of the trainer's arguments is written anew as well. Where the folder of real portraits is
beside the repository, what is read of them is kept as a hash.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sd_scripts_cases import CASES, digest_of, write_real

RECORD = Path(__file__).with_name("sd_scripts_cases.json")
ROOT = Path(__file__).resolve().parents[1]
ARGUMENTS = ROOT / "src" / "graftset" / "build" / "kohya" / "preflight" / "arguments.tsv"
PORTRAITS = ROOT.parent / "shared" / "data" / "portraits"


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
    result: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return result


def arguments_table(arguments: dict[str, Any]) -> str:
    """The trainer's arguments as `arguments.tsv` has them."""
    lines = ["name\tkind\tdefault\tchoices\tscripts"]
    for name, (kind, default, choices, scripts) in sorted(arguments.items()):
        offered = json.dumps(choices) if choices else ""
        lines.append("\t".join([name, kind, json.dumps(default), offered, "+".join(scripts)]))
    return "\n".join(lines) + "\n"


def summary(read: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a run on images that are not ours to keep: counts, and a hash of the rest."""
    (dataset,) = read["datasets"]
    keys = ("repeats", "caption", "tokens", "tokens_read", "size", "bucket", "resized", "colors", "pixels")
    rows = [[path, *(image[key] for key in keys)] for path, image in dataset["images"].items()]
    return {
        "images": len(rows),
        "batches": read["batches"],
        "steps": read["steps"],
        "over_75_tokens": sum(image["tokens"] > 75 for image in dataset["images"].values()),
        "sha256": digest_of(rows),
    }


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
        if PORTRAITS.is_dir():
            real = Path(place) / "real"
            real.mkdir()
            write_real(PORTRAITS, real)
            runs.append({"folder": str(real), "arguments": ["--config_file", "train.toml"], "sdxl": False})
        *read, arguments = read_by_sd_scripts([*runs, {"arguments_table": True}])
    ARGUMENTS.write_text(arguments_table(arguments), encoding="utf-8")
    known = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    record = {
        "commit": commit_of(Path(os.environ["SD_SCRIPTS"])),
        "cases": dict(zip(CASES, read, strict=False)),
        "real": summary(read[-1]) if PORTRAITS.is_dir() else known.get("real"),
    }
    RECORD.write_text(written(record) + "\n", encoding="utf-8")
    print(f"{len(read)} cases, {sum('refused' in each for each in read)} of them refused", file=sys.stderr)


if __name__ == "__main__":
    main()
