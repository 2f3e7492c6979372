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
    "tensorboardx": "tensorboardX",
}  # distribution -> what it is imported as, where the two differ
# Run, not imported: plug-ins, checkers, the builder of the wheel, and what Starlette's test client sends with.
TOOLS = {"pytest-xdist", "ruff", "mypy", "hatchling", "httpx2"}
# These run inside an interpreter of sd-scripts and use what is there.
ELSEWHERE = {ROOT / "tests" / name for name in ("sd_scripts_reading.py", "sd_scripts_dataset.py")}
ELSEWHERE |= set((ROOT / "tests" / "sd_scripts_stand_in").rglob("*.py"))


# What benchmarks compare with where it is there, and skip where not: installing it would double the set up.
COMPARED_WITH = {"diffusers"}


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
    ours = {"graftset"} | {file.stem for file in files}
    return found - ours - set(sys.stdlib_module_names)


def test_the_package_declares_what_it_imports_and_imports_what_it_declares() -> None:
    extras = (names for extra, names in PROJECT["optional-dependencies"].items() if extra != "dev")
    needed = declared(PROJECT["dependencies"]).union(*map(declared, extras))
    assert as_imported(needed) == third_party_imports("src")


def test_tests_and_benchmarks_need_only_the_declared_extra() -> None:
    extra = declared(PROJECT["optional-dependencies"]["dev"])
    used = third_party_imports("tests", "benchmarks", "docs") - COMPARED_WITH
    assert used <= as_imported(declared(PROJECT["dependencies"]) | extra)
    assert as_imported(extra - TOOLS) <= used


def test_every_declared_dependency_is_pinned_for_set_up() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0].lower() for line in lines if "==" in line and not line.startswith("#")}
    needed = declared(PROJECT["dependencies"]) | declared(PROJECT["optional-dependencies"]["dev"])
    assert needed <= pinned
