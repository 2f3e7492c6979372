"""One candidate with everything a verdict rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from graftset.claims import apply_changes
from graftset.quality import MEASURES, score_text
from graftset.records import Background, Claim, ImageView, TraitSeen
from graftset.report.captions import caption_view, word_difference
from graftset.report.colors import swatch as word_swatch
from graftset.report.colors import valid_hex
from graftset.report.outlines import outline_path, region_mask
from graftset.report.wording import significant, split_reason, words
from graftset.review import Item
from graftset.web.contexts import FullPage, LookPage
from graftset.web.keys import reject_reasons
from graftset.web.pages.frame import Visitor, framed, is_blind, look_url, native_url, title_of, tone_of
from graftset.web.parts import Bar, Candidate, CaptionBox, Chip, Companion, Fact, Swatch, TraitRow
from graftset.web.room import Queue, Room

_MOSTLY_DIFFERENT = 0.5  # share of cells; beyond it outlines would cover the picture and say nothing
_LEAST_SHOWN = 0.03  # share of a color in the strip of a background
_RANK = {"contradicted": 0, "confirmed": 1, "unverifiable": 2, "": 3}
_MEANINGS = {measure.name: measure.meaning for measure in MEASURES}


def look_page(room: Room, item: Item, queue: Queue, visitor: Visitor, action: str) -> LookPage:
    """The page of one candidate."""
    view = item.view
    before, after, place = room.neighbors(queue, item)
    compared = _compared(room, view)
    outlines, difference = _differing(view) if compared is not None and compared.measured else ("", "")
    return LookPage(
        **framed(room, "look", visitor),
        title=title_of(item),
        queue=str(queue),
        queue_label=_queue_label(queue),
        counts=queue.planned and item.place is not None,
        place=place,
        previous=None if before is None else look_url(before, queue),
        next=None if after is None else look_url(after, queue),
        here_url=look_url(item, queue),
        candidate=_candidate(item, outlines),
        companion=None if compared is None else compared.companion,
        difference=difference,
        score=None if view.score is None else score_text(view.score),
        parts=_parts(view.score_parts),
        traits=_traits(room, view),
        caption=_caption(room, item),
        standing="pending" if is_blind(room, item, visitor.reviewer) else item.queue,
        standing_text=_standing(room, item, visitor.reviewer),
        stale=_stale(view),
        reasons=tuple(_sentence(split_reason(reason)[1]) for reason in view.reasons),
        selected=view.selected,
        chance=_chance(room, item),
        reject_reasons=reject_reasons(),
        findings=_findings(room, view),
        facts=_facts(view),
        action=action,
        seen=seen_state(room, item, visitor.reviewer),
    )


def full_page(room: Room, item: Item, queue: Queue, visitor: Visitor) -> FullPage:
    """The stored file at its own size."""
    view = item.view
    return FullPage(
        **framed(room, "look", visitor),
        title=title_of(item),
        candidate=_candidate(item, ""),
        back=look_url(item, queue),
        size=f"{view.width} × {view.height} px",
    )


def seen_state(room: Room, item: Item, reviewer: str) -> str:
    """What a page shows of a candidate: its picture and caption, and this reviewer's own verdict.

    What others say is left out: a verdict of somebody else does not make one's own page stale.
    """
    own = max((entry.number for entry in room.desk.says(item.id) if entry.reviewer == reviewer), default=0)
    return f"{item.version}.{own}"


# --- the pictures -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Compared:
    companion: Companion
    measured: bool  # whether the differing regions concern this companion


def _candidate(item: Item, outlines: str) -> Candidate:
    view = item.view
    seen = view.traits.background
    behind = f", {seen.value} background" if seen is not None and seen.value != "unknown" else ""
    grid = view.grid
    return Candidate(
        sha256=item.id,
        name=title_of(item),
        native=None if grid is None else native_url(view.sha256),
        file=f"/file/{view.sha256}",
        full=f"/full/{item.id}",
        width=view.width if grid is None else grid.width,
        height=view.height if grid is None else grid.height,
        alt=f"candidate {title_of(item)}{behind}",
        outlines=outlines,
    )


def _compared(room: Room, view: ImageView) -> _Compared | None:
    """What it repeats, copies or was made from; else the nearest original."""
    nearest = view.nearest_original
    for label, path in (
        ("Repeats", view.repeat_of),
        ("Copy of", view.copy_of),
        ("Likely made from" if view.source_basis == "nearest" else "Made from", view.source_original),
        ("Nearest original", nearest.path if nearest else None),
    ):
        other = room.desk.view(path) if path else None
        if other is None:
            continue
        measured = nearest is not None and nearest.path == other.path
        mirrored = measured and nearest is not None and nearest.flipped
        note = f"distance {significant(nearest.distance)}" if measured and nearest is not None else ""
        grid = other.grid
        name = PurePath(other.path).name
        companion = Companion(
            label=label,
            name=name,
            native=None if grid is None else native_url(other.sha256),
            file=f"/file/{other.sha256}",
            width=other.width if grid is None else grid.width,
            height=other.height if grid is None else grid.height,
            alt=f"{label.lower()} {name}",
            mirrored=mirrored,
            note=f"{note}, shown mirrored" if mirrored else note,
            caption=other.training_caption or "",
        )
        return _Compared(companion, measured)
    return None


def _differing(view: ImageView) -> tuple[str, str]:
    """Outlines of the regions that differ from the nearest original, and how much that is."""
    nearest = view.nearest_original
    if nearest is None or view.grid is None:
        return "", ""
    cells = sum(region.cells for region in nearest.regions)
    if not cells:
        return "", "no difference beyond render noise"
    changed = region_mask(nearest.regions, view.grid.width, view.grid.height)
    if changed.mean() > _MOSTLY_DIFFERENT:
        return "", f"{100 * cells / changed.size:.0f} % of its cells differ"
    return outline_path(changed), f"{cells} {'cell differs' if cells == 1 else 'cells differ'}"


# --- the measures -----------------------------------------------------------------------------------------------------


def _parts(parts: Mapping[str, float]) -> tuple[Bar, ...]:
    ordered = sorted(parts.items(), key=lambda part: (part[1], part[0]))
    return tuple(
        Bar(_sentence(words(name)), f"{value:.1f}", _limited(10 * value), tone_of(10 * value), _MEANINGS.get(name, ""))
        for name, value in ordered
    )


def _chance(room: Room, item: Item) -> str | None:
    found = room.desk.probability(item)
    if found is None:
        return None
    middle, low, high = found
    return f"{middle:.0%} likely to be approved ({low:.0%} to {high:.0%})"


# --- asked and seen ---------------------------------------------------------------------------------------------------


def _traits(room: Room, view: ImageView) -> tuple[TraitRow, ...]:
    """A row for every slot that was asked for or is known, contradicted ones first."""
    claims: dict[str, list[Claim]] = {}
    for claim in view.claims if view.prompt else ():
        claims.setdefault(claim.slot, []).append(claim)
    seen = _seen(view)
    rows = [_row(room, view, slot, claims.get(slot, []), seen.get(slot)) for slot in dict.fromkeys([*claims, *seen])]
    return tuple(sorted(rows, key=lambda row: _RANK[row.verdict]))


def _seen(view: ImageView) -> dict[str, TraitSeen | Background]:
    """Everything that was seen, by slot; what is not there is of no interest unless it was asked for."""
    found: dict[str, TraitSeen | Background] = {}
    if view.traits.background is not None:
        found["background"] = view.traits.background
    asked = {claim.slot for claim in view.claims}
    found |= {slot: seen for slot, seen in view.traits.slots.items() if seen.value != "unknown" or slot in asked}
    for term, seen in view.traits.accessories.items():
        slot = f"accessory:{term}"
        if seen.value == "present" or slot in asked:
            found[slot] = seen
    return found


def _row(room: Room, view: ImageView, slot: str, claims: list[Claim], seen: TraitSeen | Background | None) -> TraitRow:
    verdict = min((claim.verdict for claim in claims), key=lambda word: _RANK[word], default="")
    claim = next((claim for claim in claims if claim.verdict == verdict), None)
    asked = ", ".join(dict.fromkeys(claim.claimed for claim in claims))
    strip: tuple[Swatch, ...] = ()
    if isinstance(seen, Background):
        strip, text, evidence = _strip(seen), f"{seen.value}, {seen.kind}", ""
    elif seen is not None:
        text, evidence = seen.value, _evidence(view, seen)
    else:
        text, evidence = (claim.seen if claim and claim.seen else ""), ""
    color = slot in ("background", "hair", "eyes")
    known = word_swatch(claim.claimed, room.colors()) if claim is not None and color else None
    confidence = seen.confidence if seen is not None and seen.value not in ("unknown", "") else None
    return TraitRow(
        slot=slot,
        label=_sentence(words(slot.removeprefix("accessory:"))),
        asked=asked,
        asked_swatch=None if known is None else Swatch(known.word, known.hex),
        seen="not known" if text == "unknown" else text,
        seen_swatches=strip,
        verdict=verdict,
        confidence="" if confidence is None else f"{confidence:.0%}",
        evidence=evidence,
    )


def _strip(background: Background) -> tuple[Swatch, ...]:
    """The colors of a background side by side, by their shares."""
    colors = [color for color in background.colors if color.share >= _LEAST_SHOWN]
    total = sum(color.share for color in colors) or 1.0
    strip, start = [], 0.0
    for color in colors:
        share = round(100 * color.share / total, 2)
        strip.append(Swatch(color.word, valid_hex(color.hex), round(start, 2), share))
        start += share
    return tuple(strip)


def _evidence(view: ImageView, seen: TraitSeen) -> str:
    """The outline of the cells that speak for a trait; empty where the detector names none."""
    cells: tuple[tuple[int, int], ...] = getattr(seen, "cells", ())
    if not cells or view.grid is None:
        return ""
    mask = np.zeros((view.grid.height, view.grid.width), dtype=bool)
    for y, x in cells:
        if 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1]:
            mask[y, x] = True
    return outline_path(mask)


# --- the caption ------------------------------------------------------------------------------------------------------


def _caption(room: Room, item: Item) -> CaptionBox:
    state, view = room.desk.caption(item.id), item.view
    asked, text = state.prompt or "", state.text or ""
    shown = caption_view(view)
    return CaptionBox(
        label=f"edited by {state.author}" if state.edited and shown.fate == "edited" else shown.label.lower(),
        text=text,
        asked=asked,
        proposed=state.proposed or "",
        chips=tuple(
            Chip(
                number=chip.index,
                slot=words(chip.change.slot.removeprefix("accessory:")),
                old=chip.change.old.strip(" ,"),
                new=chip.change.new.strip(" ,"),
                why=chip.change.why,
                accepted=chip.accepted,
            )
            for chip in state.chips
        ),
        pieces=word_difference(asked, text) if asked and text != asked else (),
        tokens=state.cut.tokens,
        limit=state.limit,
        differs=state.proposed is not None and text != state.proposed,
    )


def composed(view: ImageView, accepted: frozenset[int]) -> str:
    """The text a candidate came with, with some of the proposed changes."""
    changes = [change for i, change in enumerate(view.changes) if i in accepted]
    return apply_changes(view.prompt or "", changes)


# --- words ------------------------------------------------------------------------------------------------------------


def _queue_label(queue: Queue) -> str:
    if queue.planned:
        return "The plan's sample"
    return f"Free browsing: {queue.query}" if queue.query else "Free browsing"


def _standing(room: Room, item: Item, reviewer: str) -> str:
    """Whose verdict stands, and why."""
    review = item.view.review
    if is_blind(room, item, reviewer):
        return "somebody else has looked at it; what you say is compared with it"
    if review is None:
        return "nobody has looked at it"
    text = f"by {'you' if review.reviewer == reviewer else review.reviewer}, {review.at[:16].replace('T', ' ')}"
    text += f": {review.reason}" if review.reason else ""
    return text + ("; reviewers disagree" if item.conflict else "")


def _stale(view: ImageView) -> str | None:
    stale = view.stale_review
    if stale is None or view.review is not None:
        return None
    return f"It was {stale.verdict} by {stale.reviewer} with another caption; that does not count any more."


def _findings(room: Room, view: ImageView) -> tuple[str, ...]:
    found = room.findings().get(view.path, ())
    return tuple(f"{finding.rule}: {finding.message}" for finding in found)


def _facts(view: ImageView) -> tuple[Fact, ...]:
    made, grid = view.provenance, view.grid
    facts = {
        "Text as it came in": view.prompt,
        "Text from": view.text_source,
        "Native size": None if grid is None else f"{grid.width} × {grid.height} cells of {grid.cell_w:.2f} px",
        "File": f"{view.width} × {view.height} px",
        "Seed": made.seed,
        "Steps": made.steps,
        "Guidance (CFG)": made.cfg_scale,
        "Sampler": made.sampler,
        "Model": made.model,
        "LoRA": ", ".join(made.loras) or None,
        "Negative prompt": made.negative_prompt,
        "Generation": view.generation,
        **{_sentence(words(name)): significant(value) for name, value in sorted(view.measures.items())},
        "SHA-256": view.sha256,
    }
    return tuple(Fact(name, str(value)[:1200]) for name, value in facts.items() if value not in (None, ""))


def _limited(percent: float) -> float:
    return round(min(max(percent, 0.0), 100.0), 1)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
