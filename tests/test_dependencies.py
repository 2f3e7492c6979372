"""What is imported is declared, and what is declared is imported."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

MODULES = {
    "pillow": "PIL",
    "scikit-image": "skimage",
    "mlflow-skinny": "mlflow",
    "tensorboardx": "tensorboardX",
}  # distribution -> what it is imported as, where the two differ
# Used by a library that is imported, in ways that its own requirements leave open: diffusers loads a LoRA with peft, a
# large model with accelerate, and text encoders with transformers.
CALLED_BY_OTHERS = {"accelerate", "peft", "transformers"}
# Run, not imported: plug-ins, checkers, the builder of the wheel, and what Starlette's test client sends with.
TOOLS = {"pytest-xdist", "ruff", "mypy", "hatchling", "httpx2"}
# These run inside an interpreter of sd-scripts and use what is there.
ELSEWHERE = {ROOT / "tests" / name for name in ("sd_scripts_reading.py", "sd_scripts_dataset.py")}
ELSEWHERE |= set((ROOT / "tests" / "sd_scripts_stand_in").rglob("*.py"))


# The suite uses them where they are there, and a stand-in where not: installing them would take a minute.
WHERE_THERE = {"mlflow", "wandb"}


def declared(requirements: Iterable[str]) -> set[str]:
    """The distributions that requirements name."""
    return {re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


def as_imported(distributions: Iterable[str]) -> set[str]:
    """The modules that distributions are imported as."""
    return {MODULES.get(name, name.replace("-", "_")) for name in distributions}


def third_party_imports(*folders: str) -> set[str]:
    """The top-level modules from outside that files below folders of the repository import."""
    found = set()
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py") if file not in ELSEWHERE]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add((node.module or "").split(".")[0])
    # Files of tests import one another by name; those of the package are imported as graftset.something only.
    ours = {"graftset"} | {file.stem for file in files if not file.is_relative_to(ROOT / "src")}
    return found - ours - set(sys.stdlib_module_names)


def test_the_package_declares_what_it_imports_and_imports_what_it_declares() -> None:
    extras = (names for extra, names in PROJECT["optional-dependencies"].items() if extra != "dev")
    needed = declared(PROJECT["dependencies"]).union(*map(declared, extras))
    assert as_imported(needed - CALLED_BY_OTHERS) == third_party_imports("src") - CALLED_BY_OTHERS


def test_tests_and_benchmarks_need_only_the_declared_extra() -> None:
    extra = declared(PROJECT["optional-dependencies"]["dev"])
    used = third_party_imports("tests", "benchmarks", "docs") - WHERE_THERE
    assert used <= as_imported(declared(PROJECT["dependencies"]) | extra)
    assert as_imported(extra - TOOLS - CALLED_BY_OTHERS) <= used


def test_every_declared_dependency_is_pinned_for_set_up() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0].lower() for line in lines if "==" in line and not line.startswith("#")}
    needed = declared(PROJECT["dependencies"]) | declared(PROJECT["optional-dependencies"]["dev"])
    assert needed <= pinned
