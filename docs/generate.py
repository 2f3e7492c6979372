"""Writes the pages of docs/ that say what the code says: the help of every command, the measures, the findings.

`make docs` runs it; tests/test_documentation.py fails while a page differs from what it would write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from graftset import quality
from graftset.build.kohya.preflight import KINDS, SEVERITIES
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


PREFLIGHT = """\
`graftset build --check PLACE` simulates kohya sd-scripts (commit 48d368fa, `train_network.py` and
`sdxl_train_network.py`) without running it: which images it would read, how often, under which captions, at which size,
for how many steps, and what would go wrong without a word. Nothing of it needs torch, OpenCV or a model.

PLACE is one of

- a build of graftset: its files are compared with its manifest, what would be read with its plan;
- a TOML for `--config_file`, with the dataset TOML it names;
- a TOML or JSON for `--dataset_config` alone;
- a folder that holds one such config;
- any other folder, taken for `--train_data_dir`: repeats from names such as `10_lady`.

```
graftset build --check builds/weighted --seconds-per-step 1.2
graftset build --check ~/kohya/train --set resolution=512,512 --set caption_extension=.txt --set enable_bucket
graftset build --check ~/kohya/config.toml --verbose
```

`--set NAME=VALUE` stands for an argument of the trainer's command line and wins over the config file, as there; an
argument that the trainer does not know is refused. `--sdxl` simulates the SDXL script. `--json` has every finding with
its evidence, and for every image its repeats, text, tokens, the words that are cut, bucket, resize and colors.
`--verbose` prints the same a line an image.

It ends with exit code 1 where there is a problem: the trainer would stop, or would silently do something else than the
plan, or than anyone means who writes such a folder. Sizes and captions are read of every image; pictures are opened of
1,000, evenly spread, unless `--pixels` says otherwise.

## The table

| column | meaning |
|---|---|
| images | what the trainer takes for an image, directly in the folder |
| captions | images with a caption file of their own that has words in its first line |
| cut | captions longer than the 75, 150 or 225 tokens that are read |
| repeats, entries | `num_repeats`, and what is shown in one epoch; regularization images after they were filled up or cut |
| planned | images and repeats of the plan, for builds of graftset |
| bucket | the size all of them are trained at, or how many sizes there are |
| colors | median over the pictures that were opened; "19 to 20,113" where resizing changes it |

A step is an optimizer step: the sum over buckets of ceil(entries / batch size), divided by the accumulated batches.
`--seconds-per-step` makes hours of it, saving and sampling left out.

## How it is known to be right

`tests/sd_scripts_cases.py` draws 80 folders with configs; `tests/record_sd_scripts.py` lets sd-scripts itself read each,
by its own parser, schema, dataset classes, latent loader, caption processing and tokenizer, and writes down what it
read. The preflight has to read the same on every case: images, repeats, regularization, captions, texts, tokens,
sizes, buckets, batches, steps, validation lists, and whether it stops. See
[how to record them anew](kohya.md#the-preflight-against-sd-scripts).

Pictures are resized without OpenCV. Against OpenCV 4.10 on random noise, 200 to 300 pairs of sizes from 5 to 300 px:

| `resize_interpolation` | pixels |
|---|---|
| none: `lanczos` to grow, `lanczos`, `box` | Pillow's own, as in sd-scripts: the same |
| `nearest` | the same in all of 300 pairs |
| `area`, and none to shrink | one level off in at most 0.25 % of the values of a picture |
| `bilinear` | one level off in at most 2.1 % |
| `bicubic` | one level off in at most 5.8 % |

so color counts of the last three are near, not exact.

## What it does not know

- Metadata files (`in_json`, `metadata_file`), ControlNet datasets and dataset classes of your own: it says so, and
  checks nothing.
- Which images a validation split without a seed draws, what shuffling, dropout and wildcards draw: the same words are
  counted in the order they are written, the longest of several.
- The base model, the GPU, the memory, more than one process, and whether the training itself is wise.
- Windows: names are compared by the letter, as on Linux. There `.TXT` is found where `.txt` is looked for.
- AVIF and JPEG XL, which sd-scripts reads where a plug-in is installed.
- The TOML library of sd-scripts is older than the standard one used here and stumbles over a few rare forms.

"""


def preflight_page() -> str:
    """What the preflight does, and every finding with its meaning and remedy."""
    words = {"problem": "Problems", "warning": "Warnings", "note": "Notes"}
    sections = []
    for severity in SEVERITIES:
        kinds = [kind for kind in KINDS.values() if kind.severity == severity]
        rows = [
            f"| `{kind.code}`{' (stops)' if kind.stops else ''} | {kind.meaning} | {kind.remedy or '-'} |"
            for kind in kinds
        ]
        sections.append(
            f"### {words[severity]}\n\n| finding | meaning | remedy |\n|---|---|---|\n" + "\n".join(rows) + "\n"
        )
    table = "\n".join(sections)
    return f"# Preflight\n\n{NOTE}\n{PREFLIGHT}## Findings\n\n(stops): sd-scripts ends with an error.\n\n{table}"


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "measures.md": measures_page,
    "preflight.md": preflight_page,
}


def main() -> None:
    """Write every page that differs from what is there."""
    for name, page in PAGES.items():
        path, text = DOCS / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote docs/{name}")


if __name__ == "__main__":
    main()
