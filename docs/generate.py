"""Writes the pages of docs/ that say what the code says: the help of every command, and the measures.

`make docs` runs it; tests/test_documentation.py fails while a page differs from what it would write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from graftset import quality
from graftset.cli.app import app

DOCS = Path(__file__).resolve().parent
NOTE = "<!-- Written by `make docs` from the code; edit that instead. -->\n"


def commands_page() -> str:
    """The help of graftset and of each of its commands, as the terminal shows it at 80 columns."""
    sections = [f"# Commands\n\n{NOTE}\n{_help()}"]
    sections += [f"## {name}\n\n{_help(name)}" for name in command_names()]
    return "\n".join(sections)


def command_names() -> list[str]:
    """The commands in the order `graftset --help` lists them."""
    group = get_command(app)
    commands: Mapping[str, object] = getattr(group, "commands", {})
    return list(commands)


def _help(*command: str) -> str:
    result = CliRunner().invoke(app, [*command, "--help"], prog_name="graftset", env={"COLUMNS": "80"})
    return f"```\n{result.output.rstrip()}\n```\n"


def measures_page() -> str:
    """Every measure with its unit and meaning, and how they become a score."""
    title, _, text = (quality.__doc__ or "").partition("\n\n")
    rows = [f"| `{m.name}` | {m.meaning} | {m.unit} | {m.better} |" for m in quality.MEASURES]
    return f"""# Measures

{NOTE}
Listed in `src/graftset/quality.py` and computed in `src/graftset/pixels/`, whose docstrings give formulas and sources.
A measurement is kept under the hash of the file and the version of the code. No threshold is part of it: thresholds
are in graftset.toml, and only `select` applies them.

| measure | meaning | unit | better |
|---|---|---|---|
{chr(10).join(rows)}

`color_count`, `off_palette` and `orphan_cells` count from the 99.5 percentile of the originals on, each left out of its
own comparison.

## {title.rstrip(".")}

{text.strip()}
"""


PAGES: Mapping[str, Callable[[], str]] = {"commands.md": commands_page, "measures.md": measures_page}


def main() -> None:
    """Write every page that differs from what is there."""
    for name, page in PAGES.items():
        path, text = DOCS / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote docs/{name}")


if __name__ == "__main__":
    main()
