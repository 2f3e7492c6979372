"""Writes the pages of docs/ that say what the code says: the help of every command, measures, mixing plans, findings.

`make docs` runs it; tests/test_documentation.py fails while a page differs from what it would write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from graftset import quality, scorecards
from graftset.build.kohya.preflight import KINDS, SEVERITIES
from graftset.build.plans import PLANS, at_equal_exposures, plan_mix
from graftset.cli.app import app
from graftset.config.plans import PlanSettings, StageSettings, UseSettings
from graftset.errors import BuildError
from graftset.evaluate import LEAST_AUC
from graftset.scorecards import course
from graftset.suggest import KNOBS
from graftset.suggest.believing import TRANSFER
from graftset.suggest.ranking import DEFAULT_SECONDS

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
| repeats, entries | `num_repeats`, and what is shown in one epoch, regularization images filled up or cut |
| planned | images and repeats of the plan, for builds of graftset |
| bucket | the size all of them are trained at, or how many sizes there are |
| colors | median over the pictures that were opened; "19 to 20,113" where resizing changes it |

A step is an optimizer step: the sum over buckets of ceil(entries / batch size), divided by the accumulated batches.
`--seconds-per-step` makes hours of it, saving and sampling left out.

## How it is known to be right

`tests/sd_scripts_cases.py` draws 80 folders with configs; `tests/record_sd_scripts.py` lets sd-scripts read each,
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


def plans_page() -> str:
    """Every built-in plan with its figures for sets of real sizes, and the keys of plans of one's own."""
    keys = [("[plans.NAME]", PlanSettings), ("stages", StageSettings), ("use", UseSettings)]
    key_rows = [
        f"| {place} | `{name}` | {field.description} |"
        for place, section in keys
        for name, field in section.model_fields.items()
    ]
    sizes = ((203, 50), (203, 203), (203, 406))
    figures = "\n".join(_plan_table(originals, generated) for originals, generated in sizes)
    summaries = "\n".join(f"| `{name}` | {spec.summary} |" for name, spec in PLANS.items())
    return f"""# Mixing plans

{NOTE}
A plan says which images are trained on, how often each is shown, in which order and for how many steps. It is
worked out and checked before anything is written: `graftset build --plan NAME --dry-run` prints it, `--json` gives
every figure.

| plan | shows |
|---|---|
{summaries}

- `weighted` repeats originals twice, and more where fewer than 2/3 of what is shown would be originals. `sequential`
  spends half of its length on originals; in its second half at least every second image shown is an original.
- `as-asked`, `corrected` and `random` are controls. The first has the admitted under the prompts they were asked for
  in, the second the same pictures under corrected captions: where both do as well, correcting did not matter.
  Candidates that came without a prompt are in neither; they are listed. `random` has as many candidates as are
  admitted, drawn by the seed of `[build]` from all that can be trained on, under their corrected captions: where it
  does as well, the gates did not matter.
- `relabeled` and `mislabeled` hold, besides the originals, only the admitted whose caption was corrected: under the
  corrected one, and as asked. They cannot be built where no caption was.
- `--count N` takes the first N of the ranking of `select`. The controls then take as many.

## Words

**Entry**: an image at one repeat. **Exposures**: how often one image is shown over the run. **Real mass**: the
share of originals in all that is shown. A plan that shows fewer originals than generated images, in any of its
stages, is refused unless `--override-real-mass REASON` is given; the reason is kept in the build. Images of a
generation above `[select] max_generation` are left out, and those of generation 2 or more also where nobody
approved them.

## Equal steps

Larger sets take more steps in as many epochs, and a run that is longer learns more whatever it is shown. `--steps
N`, or `budget` under `[build]`, gives every plan N optimizer steps in place of epochs. Each run then has ten
checkpoints, evenly spaced in its steps; N is rounded up to a multiple of ten, and said. Stages share the budget.

At equal steps each original of a mixed set is shown less often, and that alone lowers how well it is recalled. So
original accuracy is compared at equal exposures: the plan names, for each of its checkpoints, the one of
`originals` that has shown each original most nearly as often. Where a budget ends inside an epoch, exposures are
the mean over the random order of batches.

## Figures

At batch 4: `epochs` trains 10 epochs, `steps` has a budget of 510, which are the steps of 10 epochs of 203
originals. The last column is the checkpoint of `originals`, under the same budget, of most nearly as many exposures
as the plan's last one (its exposures).

{figures}

## Sample prompts

Every build holds the same prompts, in `prompts.json` and in its trainer's form, with the same seeds: captions of
originals (recall), wordings of candidates, plain wordings in the originals' grammar over figures and background
colors, and combinations that no caption of any arm holds (obedience). Each says what it asks for, slot by slot.
They follow from the originals, from all candidates and from the seed, never from the plan or the selection. They
are kept in `.graftset/prompts.json` while originals and settings stay as they are, so that pictures of runs from
before and after new candidates can be compared. `[build.samples]` says how many of each kind.

## Plans of your own

In graftset.toml:

```toml
[plans.half]
summary = "the better half three times as often as the rest"
[[plans.half.stages]]
name = "combined"
use = [
  {{ images = "originals", repeats = 4 }},
  {{ images = "best", count = 25, repeats = 3 }},
  {{ images = "admitted" }},
]
```

Images that a stage treats alike lie in one folder; where an origin has several, their names end in the repeats,
stage by stage: `25_generated_x3`. Weights that are no whole numbers become repeats of exactly that ratio where at
most 20 are enough; otherwise the nearest ratio is written, and the plan says which weights it achieves.

| in | key | meaning |
|---|---|---|
{chr(10).join(key_rows)}
"""


def _plan_table(originals: int, generated: int) -> str:
    """The figures of every built-in plan for one size of set."""
    rows = [f"{originals} originals and {generated} generated images:\n"]
    rows += [
        "| plan | length | repeats | epochs | steps | each original | each generated | real mass | baseline |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in PLANS:
        for length, steps in (("epochs", None), ("steps", 510)):
            try:
                plan = plan_mix(name, originals=originals, generated=generated, steps=steps)
            except BuildError:
                rows.append(f"| {name} | {length} | refused: under half originals | | | | | | |")
                continue
            baseline = plan_mix("originals", originals=originals, generated=0, steps=steps)
            last = at_equal_exposures(plan, baseline)[-1].baseline
            repeats = ", then ".join(
                " : ".join(str(subset.repeats) for subset in stage.subsets) for stage in plan.stages
            )
            passes = " + ".join(f"{stage.passes:.4g}" for stage in plan.stages)
            shown = f"{plan.exposures('original'):.4g} | {plan.exposures('generated'):.4g}"
            rows.append(
                f"| {name} | {length} | {repeats} | {passes} | {plan.steps} | {shown} | {plan.real_mass:.3f} | "
                f"{last.number} ({last.exposures:.3g}) |"
            )
    return "\n".join(rows) + "\n"


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
count at all. Held-out captions measure something only where no generated picture was trained on (`holdout_clean` of a
card): its generator was tuned on originals, and nobody records on which.

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
Where there are more pictures than prompts and they do not come out even,
the subfolder is left out.
"""


SUGGESTIONS = """\
`graftset suggest` says which experiment to run next. It reads the catalog (traits that the admitted lack, alarms of the
selection, wrong claims, findings of the audit), the builds, and every run and experiment of the project. Nothing is
trained, and nothing is kept.

Each suggestion has

- a **hypothesis**, and reasons with the figures they rest on;
- the **expected effect** in points of one endpoint, with a 95 % interval, and the **confidence** that it is above 0;
- what it **costs**: images to make, runs, CPU hours of the embedded trainer (as timed on this project's runs,
  else {seconds} s a step), GPU hours of your own (`gpu_seconds_per_step` under `[suggest]`);
- when it counts as a **success**, the lines of TOML, and the command.

`first` are those without which nothing else can be judged: a run on the originals alone, and seeds where everything so
far is directional only. The others are ranked by the expected gain over the square root of one plus the hours.

## How much is believed

An effect is normal. It starts at the stated prior N(m0, s0²) and moves only by what this project recorded:

    1 / s² = 1 / s0² + Σ 1 / (e² + t²)
    m      = s² (m0 / s0² + Σ y / (e² + t²))

y and e are a recorded difference and its standard error (half its interval over the t quantile of its seeds), and
t = {transfer} is how far a trial may lie from the effect where it will be used: a judgment. Confidence is Φ(m / s), the
expected gain E[max(effect, 0)] = m Φ(m / s) + s φ(m / s) (expected improvement, Mockus 1975).

What counts as a trial: an arm of a mixed plan against the originals (expansion); corrected captions against as-asked or
mislabeled ones of the same experiment (captions); the more and the less mixed of two arms (real mass); runs of one
build that differ in one setting of `[train.native]`, paired by seed.

A move whose newest trial with 5 or more seeds is HURT is shown as **rejected**, one that is EQUIVALENT as **no
difference**, one that HELPED as **helped**; none of them is suggested again. Fewer seeds, and INCONCLUSIVE ones, move
belief and settle nothing.

## The priors

Points are hundredths of a share, of quality tenths of its scale. Where a project says something of a move, such as how
many claims are wrong, the move brings a prior of its own, and says from what.

| knob | endpoint | mean | sd | source |
|---|---|---|---|---|
{rows}

## Numeric knobs

Without runs of another value the neighbor of the value in use is suggested. From two values on, Optuna's
tree-structured Parzen estimator proposes values (`pip install 'graftset[suggest]'`; without it, a grid does), and a
Gaussian process over the runs says which of them has the largest expected improvement over the value in use, and how
unsure that is. After two or three runs the interval is wide, and says so. The score is `overall` over all prompts at
the last checkpoint. Only the knobs of the embedded trainer are searched: of sd-scripts no run folders are known, so its
knobs stay at their priors, and what you found out of them goes into no record yet.

## One more knob

A knob is an entry in `src/graftset/suggest/table.py`: name, endpoint, prior with its source, and a function from the
project's facts to moves. `tests/test_suggest.py` runs over the table.
"""


def suggestions_page() -> str:
    """How suggestions are made, and the prior of every knob."""
    rows = "\n".join(
        f"| {knob.title} | {knob.endpoint} | {100 * knob.prior.mean:+.0f} | {100 * knob.prior.sd:.0f} | "
        f"{knob.prior.source} |"
        for knob in KNOBS
    )
    text = SUGGESTIONS.format(seconds=f"{DEFAULT_SECONDS:g}", transfer=f"{TRANSFER:g}", rows=rows)
    return f"# Suggestions\n\n{NOTE}\n{text}"


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "measures.md": measures_page,
    "preflight.md": preflight_page,
    "plans.md": plans_page,
    "evaluation.md": evaluation_page,
    "suggestions.md": suggestions_page,
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
