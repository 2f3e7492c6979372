"""Turns drafts into candidates: file names, prompts, provenance and the record of what differs from the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from typing import get_args

import numpy as np

from graftset.drawn.captions import describe
from graftset.drawn.portrait import draw_original
from graftset.drawn.shares import deal
from graftset.drawn.specs import CandidateTruth, OriginalTruth, PortraitSpec, RenderFault, Style, TextKind
from graftset.drawn.variations import Draft, invent
from graftset.records import Provenance, Region

RENDER_FAULTS: tuple[RenderFault, ...] = get_args(RenderFault)
TEXT_SHARES: dict[TextKind, float] = {"sidecar": 178, "parameters": 20, "none": 5}
NAMED_SHARE = 0.6  # of the candidates with a source, whose file name tells it
UNSEEN = ("texture", "wording")  # fields of a spec that are not layers

NEGATIVE_PROMPT = "blurry, smooth gradients, photo, frame"
SAMPLERS = ("Euler a", "DPM++ 2M Karras", "DDIM", "UniPC")
STEPS = (20, 25, 30, 40)
CFG_SCALES = (6.0, 7.0, 7.5, 9.0)
MODEL = "v1-5-pruned-emaonly"
LORA = "punk_portraits-000006"


def plan_candidates(
    originals: Sequence[OriginalTruth], style: Style, count: int, size: int, rng: np.random.Generator
) -> list[CandidateTruth]:
    """The truth of `count` candidates of these originals, in the order of their files; `size` is px per side."""
    drafts = invent(originals, style, count, rng)
    named = _named(drafts, rng)
    names = _names(drafts, named, originals)
    texts = _texts(drafts, rng)
    truths = []
    for draft, name, in_name, text in zip(drafts, names, named, texts, strict=True):
        source = None if draft.source is None else originals[draft.source]
        news = source is not None and draft.asked.backdrop != source.spec.backdrop
        asked = describe(draft.asked, style, name_background=news or "wrong_background" in draft.faults)
        region, rows = (None, ()) if source is None else differing_cells(source.spec, draft.shown, style)
        rendered_badly = any(fault in RENDER_FAULTS for fault in draft.faults)
        truths.append(
            CandidateTruth(
                name=name,
                spec=draft.shown,
                prompt=None if text == "none" else asked.text,
                claims={} if text == "none" else asked.claims,
                text=text,
                provenance=_provenance(size, rng) if text == "parameters" else Provenance(),
                source_original=None if source is None else source.name,
                source_in_name=in_name,
                change=() if source is None else _changed_layers(source.spec, draft.shown),
                region=region,
                region_rows=rows,
                faults=draft.faults,
                severity=round(float(rng.random()), 3) if rendered_badly else None,
                repeat_of=None if draft.repeat_of is None else names[draft.repeat_of],
                render_seed=int(rng.integers(2**31)),
            )
        )
    return truths


def parameters_text(prompt: str, provenance: Provenance) -> str:
    """The `parameters` chunk that A1111 and Forge leave in their PNGs."""
    loras = "".join(f" <lora:{name}:0.8>" for name in provenance.loras)
    settings = {
        "Steps": provenance.steps,
        "Sampler": provenance.sampler,
        "CFG scale": f"{provenance.cfg_scale:g}",
        "Seed": provenance.seed,
        **provenance.extra,
        "Model": provenance.model,
    }
    return "\n".join(
        (
            prompt + loras,
            f"Negative prompt: {provenance.negative_prompt}",
            ", ".join(f"{key}: {value}" for key, value in settings.items()),
        )
    )


def differing_cells(source: PortraitSpec, shown: PortraitSpec, style: Style) -> tuple[Region | None, tuple[str, ...]]:
    """Where two portraits differ: the bounding box with the number of cells (None where nowhere), and a map of rows."""
    differs = np.any(draw_original(source, style) != draw_original(shown, style), axis=-1)
    rows = tuple("".join("#" if cell else "." for cell in row) for row in differs)
    if not differs.any():
        return None, rows
    ys, xs = np.nonzero(differs)
    box = Region(int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1, int(differs.sum()))
    return box, rows


def _changed_layers(source: PortraitSpec, shown: PortraitSpec) -> tuple[str, ...]:
    names = [field.name for field in fields(PortraitSpec) if field.name not in UNSEEN]
    return tuple(name for name in names if getattr(source, name) != getattr(shown, name))


def _named(drafts: Sequence[Draft], rng: np.random.Generator) -> list[bool]:
    """Whether each candidate's file name tells its source."""
    return [draft.source is not None and bool(rng.random() < NAMED_SHARE) for draft in drafts]


def _names(drafts: Sequence[Draft], named: Sequence[bool], originals: Sequence[OriginalTruth]) -> list[str]:
    """File stems: `lady_014_saffron_var2` where the source is told, `sample_00017` elsewhere."""
    variations: Counter[int] = Counter()
    names = []
    for index, (draft, tells) in enumerate(zip(drafts, named, strict=True)):
        if tells and draft.source is not None:
            variations[draft.source] += 1
            names.append(f"{originals[draft.source].name}_var{variations[draft.source]}")
        else:
            names.append(f"sample_{index + 1:05d}")
    return names


def _texts(drafts: Sequence[Draft], rng: np.random.Generator) -> list[TextKind]:
    """Where each candidate's prompt is; never nowhere where the fault lies in the prompt."""
    texts = deal(TEXT_SHARES, len(drafts), rng)
    for index, draft in enumerate(drafts):
        if texts[index] == "none" and "wrong_background" in draft.faults:
            other = next(
                i for i, d in enumerate(drafts) if texts[i] == "sidecar" and "wrong_background" not in d.faults
            )
            texts[index], texts[other] = texts[other], texts[index]
    return texts


def _provenance(size: int, rng: np.random.Generator) -> Provenance:
    """Settings a person might have generated with."""
    return Provenance(
        negative_prompt=NEGATIVE_PROMPT,
        seed=int(rng.integers(2**32)),
        steps=int(rng.choice(STEPS)),
        cfg_scale=float(rng.choice(CFG_SCALES)),
        sampler=SAMPLERS[int(rng.integers(len(SAMPLERS)))],
        model=MODEL,
        loras=(LORA,),
        extra={"Size": f"{size}x{size}"},
    )
