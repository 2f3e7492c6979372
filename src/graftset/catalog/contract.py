"""The JSON of one image, as `graftset images --json` prints it: a contract. Keys are added, never renamed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from graftset.quality import faults
from graftset.records import Background, ImageView, Review, TraitSeen


def image_json(view: ImageView) -> dict[str, Any]:
    """Everything known of one image, JSON-ready."""
    grid = view.grid
    return {
        "path": view.path,
        "sha256": view.sha256,
        "origin": view.origin,
        "generation": view.generation,
        "width": view.width,
        "height": view.height,
        "prompt": view.prompt,
        "caption": view.caption,
        "caption_author": view.caption_author,
        "proposed_caption": view.proposed_caption,
        "composed": view.composed,
        "text_source": view.text_source,
        "native": None
        if grid is None
        else {
            "width": grid.width,
            "height": grid.height,
            "cell_px": round((grid.cell_w + grid.cell_h) / 2, 2),
            "cell_w": round(grid.cell_w, 3),
            "cell_h": round(grid.cell_h, 3),
            "offset_x": round(grid.offset_x, 2),
            "offset_y": round(grid.offset_y, 2),
            "confidence": round(grid.confidence, 3),
        },
        "score": view.score,
        "score_parts": view.score_parts,
        "faults": list(faults(view.score_parts)),
        "measures": view.measures,
        "traits": {
            **({"background": _background(view.traits.background)} if view.traits.background else {}),
            **{slot: _trait(seen) for slot, seen in view.traits.slots.items()},
            "accessories": {term: _trait(seen) for term, seen in view.traits.accessories.items()},
        },
        "claims": [
            {"slot": c.slot, "claimed": c.claimed, "seen": c.seen, "verdict": c.verdict, "span": c.span}
            for c in view.claims
        ],
        "changes": [asdict(change) for change in view.changes],
        "copy_of": view.copy_of,
        "repeat_of": view.repeat_of,
        "source_original": view.source_original,
        "source_basis": view.source_basis,
        "nearest_original": None
        if view.nearest_original is None
        else {
            **asdict(view.nearest_original),
            "regions": [asdict(region) for region in view.nearest_original.regions],
        },
        "provenance": {k: v for k, v in asdict(view.provenance).items() if v not in (None, (), {})},
        "review": _review(view.review),
        "stale_review": _review(view.stale_review),
        "selected": view.selected,
        "reasons": list(view.reasons),
    }


def _background(seen: Background) -> dict[str, Any]:
    return {
        "kind": seen.kind,
        "value": seen.value,
        "colors": [{"word": c.word, "hex": c.hex, "share": c.share, "words": list(c.words)} for c in seen.colors],
        "confidence": seen.confidence,
    }


def _review(review: Review | None) -> dict[str, Any] | None:
    return None if review is None else asdict(review)


def _trait(seen: TraitSeen) -> dict[str, Any]:
    if seen.confidence is None:
        return {"value": seen.value}
    more: dict[str, Any] = {}
    if seen.reliability is not None:
        more["reliability"] = seen.reliability
    if seen.words:
        more["words"] = list(seen.words)
    if seen.cells:
        more["cells"] = [list(cell) for cell in seen.cells]
    return {"value": seen.value, "confidence": seen.confidence, **more}
