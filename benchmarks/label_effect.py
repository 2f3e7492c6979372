"""Do wrong labels do harm, and does correcting them help? The embedded trainer on three arms, several seeds each.

Arms: the originals; with every candidate that came with a prompt, under that prompt; the same pictures under corrected
captions. Between the last two nothing differs but words. Measured is obeyed background: the share of painted pictures
whose background is the color that was asked for, by the reading and the words that captions are checked with. Primary
are the candidates' own wordings, which the second arm has learned as captions; generic wordings are reported beside.

    python benchmarks/label_effect.py --out FOLDER [--real FOLDER] [--seeds 5] [--steps 400]

The drawn sample set is always measured, a real one (a folder with originals/ and generated/) where it is named. --out
keeps every run's figures and what an unfinished run needs: the same command goes on from there. One process, one
thread; a run of 400 steps takes about two minutes of processor time. The table comes at the end, or of what is there
with --table.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from graftset.assess import load_native
from graftset.claims import judge
from graftset.diffusion.checkpoint import load_painter
from graftset.diffusion.painting import Wish, paint
from graftset.diffusion.palette import make_palette
from graftset.drawn import draw_sample_set
from graftset.files import write_whole
from graftset.pixels.background import read_background
from graftset.pixels.color import ColorWords, to_hex
from graftset.records import ImageView, SamplePrompt, Traits
from graftset.runs import open_run
from graftset.train import TrainingJob, TrainingSet, TrainingStage
from graftset.train.native import train
from graftset.traits.background import learn_words, name_background
from graftset.workflows import steps
from graftset.workflows.starting import init_or_agree

U8 = NDArray[np.uint8]

ARMS = ("originals", "as asked", "corrected")
WORDINGS = ("candidate", "generic")
COLORS = ("red", "green", "blue", "yellow", "purple", "orange", "pink", "gray")
SAMPLE_SEEDS = (0, 1)
LEVEL = 0.95
RESULTS = "results.jsonl"
_FIGURE = re.compile(r"[^\n]*?\b(lad|lady|man|woman)\b")


@dataclass(frozen=True)
class Material:
    """One set: pictures with what is said of them, and what to ask for."""

    pictures: U8  # originals, then candidates
    originals: int
    asked: tuple[str, ...]  # captions of originals, then prompts of candidates
    corrected: tuple[str, ...]
    words: ColorWords
    prompts: tuple[SamplePrompt, ...]

    def arm(self, name: str) -> TrainingSet:
        """The training set of one arm, every picture equally often; all arms share one palette."""
        count = self.originals if name == "originals" else len(self.pictures)
        captions = self.corrected if name == "corrected" else self.asked
        return TrainingSet(
            build=name,
            build_sha256="",
            plan="originals" if name == "originals" else "equal",
            pictures=self.pictures[:count],
            captions=captions[:count],
            generated=np.arange(count) >= self.originals,
            stages=(TrainingStage("all", 1.0, np.ones(count, dtype=np.int64)),),
            sources=tuple(f"{number:064x}" for number in range(count)),
            palette=make_palette(self.pictures[: self.originals], self.pictures[self.originals :]),
        )


@dataclass(frozen=True)
class Result:
    """What one run came to; shares in [0, 1]."""

    set: str
    arm: str
    seed: int
    steps: int
    candidate: float
    generic: float
    processor_seconds: float


def gather(project: Path, originals: Path, candidates: Path) -> Material:
    """Let the stages up to captions run on a set, and take what they say."""
    init_or_agree(project, originals, [candidates], None)
    with steps.open_session(project) as session:
        steps.ingest(session)
        steps.assess(session)
        steps.caption(session)
        views = session.catalog.views()
        natives = {view.sha256: load_native(session.catalog, view.sha256, view.grid) for view in views}
    clean = [v for v in views if v.origin == "original" and v.caption and natives[v.sha256] is not None]
    asked = [v for v in views if _is_usable(v) and natives[v.sha256] is not None]
    pictures = np.stack([natives[view.sha256] for view in (*clean, *asked)])  # type: ignore[type-var]
    captions = [view.caption or "" for view in clean]
    return Material(
        pictures=pictures,
        originals=len(clean),
        asked=(*captions, *(view.prompt or "" for view in asked)),
        corrected=(*captions, *(view.training_caption or view.prompt or "" for view in asked)),
        words=learn_words(captions, [_reading(picture) for picture in pictures[: len(clean)]]),
        prompts=(*_candidate_prompts(asked), *_generic_prompts(captions)),
    )


def _is_usable(view: ImageView) -> bool:
    return view.origin == "generated" and bool(view.prompt) and view.copy_of is None and view.repeat_of is None


def _candidate_prompts(views: Sequence[ImageView]) -> Iterator[SamplePrompt]:
    """The wordings the candidates were asked for in, where they ask for a background of one color."""
    texts = dict.fromkeys(view.prompt or "" for view in views)
    asks = [text for text in texts if any(phrase.slot == "background" for phrase, _ in judge(text, Traits()))]
    for number, text in enumerate(asks[:40]):
        yield SamplePrompt(f"candidate-{number:03d}", "candidate", text)


def _generic_prompts(captions: Sequence[str]) -> Iterator[SamplePrompt]:
    """Every color behind each figure, in no more words than the originals' captions begin with."""
    heads = Counter(match[0] for caption in captions if (match := _FIGURE.match(caption)))
    for number, (head, _) in enumerate(heads.most_common(2)):
        for word in COLORS:
            yield SamplePrompt(f"generic-{number}-{word}", "generic", f"{head}, {word} background")


def _reading(native: U8) -> dict[str, object]:
    found = read_background(native)
    return {
        "kind": found.kind,
        "colors": [[to_hex(color), share] for color, share in found.colors],
        "coverage": found.coverage,
    }


def obeys(picture: U8, text: str, words: ColorWords) -> bool:
    """Whether the background that a text asks for is seen in a painted picture."""
    seen = Traits(background=name_background(_reading(picture), words))
    verdicts = [claim.verdict for phrase, claim in judge(text, seen) if phrase.slot == "background"]
    return bool(verdicts) and all(verdict == "confirmed" for verdict in verdicts)


def measure(out: Path, name: str, material: Material, arm: str, seed: int, count: int) -> Result:
    """Train one run, or go on with it, and paint its last checkpoint."""
    folder = out / "unfinished" / f"{name} {arm} {seed}"
    begun = time.process_time()
    train(
        TrainingJob(
            folder=folder,
            data=material.arm(arm),
            prompts=(),
            sample_seeds=(),
            seed=seed,
            steps=count,
            device="cpu",
        )
    )
    run = open_run(folder)
    painter = load_painter(run.weights_file(run.checkpoints()[-1].name))
    subjects = [(prompt, number) for prompt in material.prompts for number in SAMPLE_SEEDS]
    pictures = paint(painter, [Wish(prompt.text, prompt.id, number) for prompt, number in subjects])
    obeyed: dict[str, list[bool]] = {kind: [] for kind in WORDINGS}
    for (prompt, _), picture in zip(subjects, pictures, strict=True):
        obeyed[prompt.kind].append(obeys(picture, prompt.text, material.words))
    shares = {kind: float(np.mean(verdicts)) for kind, verdicts in obeyed.items()}
    return Result(name, arm, seed, count, shares["candidate"], shares["generic"], time.process_time() - begun)


def known(out: Path) -> list[Result]:
    """The results that are there."""
    path = out / RESULTS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [Result(**json.loads(line)) for line in lines]


def interval(values: Sequence[float]) -> str:
    """Mean and half width of the t interval on means of seeds."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:+.3f} (one seed)"
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return f"{mean:+.3f} +- {half:.3f}"


def table(results: Sequence[Result], count: int) -> None:
    """Arms, and differences seed by seed, with intervals."""
    taken = [result for result in results if result.steps == count]
    for name in dict.fromkeys(result.set for result in taken):
        print(f"\n{name} set, {count} steps: obeyed background, mean over seeds with {LEVEL:.0%} t interval")
        print(f"{'':<26}{'seeds':>6}  {'candidates wordings':<22}{'generic wordings':<22}")
        by_arm = {arm: {r.seed: r for r in taken if (r.set, r.arm) == (name, arm)} for arm in ARMS}
        for arm, runs in by_arm.items():
            if runs:
                figures = [interval([getattr(run, kind) for run in runs.values()]) for kind in WORDINGS]
                print(f"{arm:<26}{len(runs):>6}  {figures[0]:<22}{figures[1]:<22}")
        for first, second in (("corrected", "as asked"), ("as asked", "originals"), ("corrected", "originals")):
            seeds = sorted(by_arm[first].keys() & by_arm[second].keys())
            if seeds:
                figures = [
                    interval([getattr(by_arm[first][s], kind) - getattr(by_arm[second][s], kind) for s in seeds])
                    for kind in WORDINGS
                ]
                print(f"{f'{first} - {second}':<26}{len(seeds):>6}  {figures[0]:<22}{figures[1]:<22}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.table:
        table(known(options.out), options.steps)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    sets: dict[str, Material] = {}
    if options.real is not None:
        sets["real"] = gather(options.out / "real", options.real / "originals", options.real / "generated")
    sample = options.out / "sample"
    draw_sample_set(sample, force=True)
    sets["drawn"] = gather(options.out / "drawn", sample / "originals", sample / "candidates")
    for name, material in sets.items():
        wrong = sum(a != b for a, b in zip(material.asked, material.corrected, strict=True))
        candidates = len(material.pictures) - material.originals
        print(
            f"{name}: {material.originals} originals, {candidates} candidates of which {wrong} get another caption, "
            f"{len(material.prompts)} prompts x {len(SAMPLE_SEEDS)} pictures",
            flush=True,
        )
    # Seed by seed, so that all arms of a seed are there early.
    for seed in range(options.seeds):
        for name, material in sets.items():
            for arm in ARMS:
                done = known(options.out)
                if any((r.set, r.arm, r.seed, r.steps) == (name, arm, seed, options.steps) for r in done):
                    continue
                result = measure(options.out, name, material, arm, seed, options.steps)
                lines = [json.dumps(asdict(one)) + "\n" for one in (*done, result)]
                write_whole(options.out / RESULTS, "".join(lines))
                shutil.rmtree(options.out / "unfinished" / f"{name} {arm} {seed}")
                print(json.dumps(asdict(result)), flush=True)
    table(known(options.out), options.steps)


if __name__ == "__main__":
    sys.exit(main())
