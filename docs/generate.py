"""Writes the pages of docs/ that say what the code says: the help of every command, and the measures.

`make docs` runs it; tests/test_documentation.py fails while a page differs from what it would write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from graftset import quality, scorecards
from graftset.cli.app import app
from graftset.evaluate import LEAST_AUC
from graftset.scorecards import course

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


def evaluation_page() -> str:
    """Every figure of a scorecard, and how a run is judged by them."""
    rows = [
        f"| `{m.name}` | {m.meaning} | {m.unit} | {_range(m.low, m.high)} | {m.better} | {m.against} | {m.source} |"
        for m in scorecards.MEASURES
    ]
    windows = [
        f"- checkpoints {first} to {last}: `{measure}` ({group})" for measure, group, first, last in course.WINDOWS
    ]
    return EVALUATION.format(note=NOTE, rows="\n".join(rows), windows="\n".join(windows), least=LEAST_AUC)


def _range(low: float | None, high: float | None) -> str:
    return f"{'' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'}".strip()


EVALUATION = """# Evaluation

{note}
`graftset evaluate` looks at what a checkpoint painted and writes a scorecard (`runs/NAME/scorecards/CHECKPOINT.json`,
and the catalog) and the page `reports/run-NAME.html`. It works for any folder of pictures with its prompts, whoever
painted them: pictures are reduced to the originals' native grid first, so any size will do. Listed in
`src/graftset/scorecards/measures.py`.

| figure | meaning | unit | range | better | prompts | source |
|---|---|---|---|---|---|---|
{rows}

## Two kinds of prompts

A small model learns its captions by heart within minutes. What it paints from them shows what it remembers; whether it
does what it is told shows only in wordings it was not trained on. The groups are never mixed: *training* (recall),
*held_out* (captions of originals that the run's build left out), and *candidate*, *generic* and *unseen*, together
*obedience*. A prompt that is an original's caption is compared with that original. Other prompts are asked trait by
trait: a trusted detector that cannot tell has not seen what was asked for, and slots without a trusted detector do not
count at all.

## Intervals

Prompts are the unit: two seeds of one prompt are no two pieces of evidence. Shares have Wilson's 95 % interval at the
effective number of independent pictures, n / (1 + (m - 1) rho); means a bootstrap over prompts. Bounds of goals are
one-sided at 95 % (Clopper and Pearson 1934): on 203 prompts "95 % right" is certain from 199 right on.

## Sets of pictures

Variety is the Vendi score of the first seed of every prompt, over that of as many originals drawn at random. The
distance to the originals is the unbiased squared maximum mean discrepancy of native OKLab cells, with a permutation
test (999 permutations). There is no FID: at 203 pictures it says more of the sample size than of the model.

## Style consistency

A ridge logistic regression on what the render and structure parts of the score lack tells the originals, clean and as a
good painter would have enlarged them, from the same originals with known style faults: blur, texture, warp, wavering
colors, blotches, soft cells. It counts as a goal only where it has told faults it was not fitted on from clean pictures
with an AUC of {least} or more: the planted ones of the drawn sample set, and those of originals kept from the fit. Both
figures are on every card. A cell that changed places with another of the picture's own colors is no fault it can see.

## A row of checkpoints

A run has ten checkpoints, evenly spaced in its budget; in other runs the windows keep their share. Read in parts:

{windows}

Goals are judged at checkpoint 7; they and the checkpoint are settings, see `[evaluate]` in graftset.toml.

- **Convergence**: the first checkpoint whose median of three reaches the mean of the last fifth less delta, and that no
  later one leaves. Where the slope over the last two fifths, taken prompt by prompt, has a 95 % interval without 0, the
  run has not converged.
- **Stability**: the standard deviation of successive differences over the square root of 2, over the standard error, of
  the part after convergence. Over 1.5 a run swings. All checkpoints paint from the same noise, so a calm run lies well
  under 1.
- **Best checkpoint**: chosen by `overall` on every second prompt, reported on the others. The best of ten is too good
  on the prompts that chose it.

Cards of different evaluator versions, prompt sets or originals are never put side by side.

## Files of prompts and names of pictures

`--prompts` takes kohya's `sample_prompts.txt`, a text file with a prompt a line, JSON (a list of texts or objects, or a
map from id to either), JSON lines, or CSV with a column `prompt`. Objects may say `id`, `kind`, `expects` and
`reference` themselves. File names as kohya writes them (`NAME_e000003_02_TIME_SEED.png`) tell epoch, prompt and seed.
Else every subfolder is a checkpoint, and its pictures are dealt out along the prompts in the order of their names.
"""


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "measures.md": measures_page,
    "evaluation.md": evaluation_page,
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
