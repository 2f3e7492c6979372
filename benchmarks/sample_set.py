"""How well the sample set's planted truth is found: faults, copies, repeats, backgrounds, wrong captions.

Both styles, two seeds each, 203 + 203 pictures, through ingest, assess and caption as a user runs them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from graftset.assess import assess
from graftset.caption import propose
from graftset.catalog import Catalog
from graftset.drawn import CandidateTruth, SampleTruth, draw_sample_set
from graftset.ingest import ingest
from graftset.quality import faults
from graftset.records import ImageView

SEEDS = (0, 1)
RENDER_FAULTS = ("blur", "off_grid", "texture_noise", "melted_face")
Pair = tuple[CandidateTruth, ImageView]


def auc(clean: Sequence[float], faulty: Sequence[float]) -> float:
    """Probability that a clean picture scores above a faulty one, ties counting half (Mann and Whitney 1947)."""
    a, b = np.asarray(clean)[:, None], np.asarray(faulty)[None]
    return float(((a > b) + 0.5 * (a == b)).mean())


def assessed(folder: Path, truth: SampleTruth) -> list[Pair]:
    """Every candidate's truth with what was found."""
    catalog = Catalog.open(f"sqlite:///{folder}/catalog.db")
    ingest(catalog, originals=folder / "originals", candidates=folder / "candidates", prompts=None)
    assess(catalog)
    propose(catalog)
    views = {Path(view.path).stem: view for view in catalog.views() if view.origin == "generated"}
    catalog.close()
    return [(candidate, views[candidate.name]) for candidate in truth.candidates]


def report(pairs: Sequence[Pair]) -> list[str]:
    """One line for each question."""
    measured = [(t, v) for t, v in pairs if v.score is not None]
    clean = [v for t, v in measured if not set(t.faults) & set(RENDER_FAULTS)]
    lines = [f"not measured: {len(pairs) - len(measured)}"]
    alarms = sum(bool(faults(v.score_parts)) for v in clean)
    lines.append(f"render faults, false alarms: {alarms} of {len(clean)}")
    scores = [v.score or 0.0 for v in clean]
    for fault in RENDER_FAULTS:
        hit = [v for t, v in pairs if fault in t.faults]
        found = sum(v.score is None or bool(faults(v.score_parts)) for v in hit)
        lines.append(f"{fault:14} found {found} of {len(hit)}, AUC {auc(scores, [v.score or 0.0 for v in hit]):.3f}")
    lines.append(
        "clean scores, quartiles: " + " ".join(f"{q:.1f}" for q in np.percentile(scores, (0, 25, 50, 75, 100)))
    )
    copies = [(t, v) for t, v in pairs if "copy" in t.faults]
    right = sum(v.copy_of is not None and Path(v.copy_of).stem == t.source_original for t, v in copies)
    false = sum(v.copy_of is not None for t, v in pairs if "copy" not in t.faults)
    lines.append(
        f"copies found {sum(v.copy_of is not None for _, v in copies)} of {len(copies)}, {right} right, {false} false"
    )
    repeats = [t for t, _ in pairs if t.repeat_of is not None]
    by_name = {t.name: v for t, v in pairs}
    paired = sum(_paired(by_name[t.name], by_name[t.repeat_of or ""]) for t in repeats)
    involved = {t.name for t in repeats} | {t.repeat_of for t in repeats}
    others = sum(v.repeat_of is not None for t, v in pairs if t.name not in involved)
    lines.append(f"repeats paired {paired} of {len(repeats)}, {others} others called repeats")
    seen = [(t, v) for t, v in measured if v.traits.background and not {"texture_noise"} & set(t.faults)]
    words = sum(_background(v) in {tint.word for tint in t.spec.backdrop.tints} for t, v in seen)
    kinds = sum(v.traits.background is not None and v.traits.background.kind == t.spec.backdrop.kind for t, v in seen)
    lines.append(f"background word {words} of {len(seen)}, kind {kinds} of {len(seen)}")
    wrong = [v for t, v in measured if "wrong_background" in t.faults]
    fine = [v for t, v in measured if "wrong_background" not in t.faults and t.prompt]
    lines.append(
        f"wrong backgrounds flagged {sum(map(_flagged, wrong))} of {len(wrong)}, "
        f"right ones flagged {sum(map(_flagged, fine))} of {len(fine)}"
    )
    unknown = [(t, v) for t, v in measured if t.source_original and v.source_basis != "name"]
    sources = sum(
        v.source_original is not None and Path(v.source_original).stem == t.source_original for t, v in unknown
    )
    lines.append(f"source found by likeness {sources} of {len(unknown)}")
    return lines


def _paired(first: ImageView, second: ImageView) -> bool:
    return first.repeat_of == second.path or second.repeat_of == first.path


def _background(view: ImageView) -> str:
    return view.traits.background.value if view.traits.background else ""


def _flagged(view: ImageView) -> bool:
    return any(claim.slot == "background" and claim.verdict == "contradicted" for claim in view.claims)


def main() -> None:
    for style in ("classic", "soft"):
        for seed in SEEDS:
            with tempfile.TemporaryDirectory() as scratch:
                truth = draw_sample_set(Path(scratch) / "set", style=style, seed=seed)  # type: ignore[arg-type]
                print(f"-- {style}, seed {seed}")
                print("\n".join(report(assessed(Path(scratch) / "set", truth))))


if __name__ == "__main__":
    main()
