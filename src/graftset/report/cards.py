"""One candidate as a card: beside the picture it is compared with, what was asked beside what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from graftset.quality import score_text
from graftset.records import Choice, Claim, ImageView, TraitSeen
from graftset.report.captions import CHANGED, caption_view
from graftset.report.colors import WordColors, swatch, valid_hex
from graftset.report.glossary import measure_meaning
from graftset.report.outlines import outline_path, region_mask
from graftset.report.page import AskedSeen, Card, ClaimRow, Companion, Part, Status, Swatch, TraitRow
from graftset.report.pictures import Album
from graftset.report.wording import (
    below,
    counted,
    finite,
    listed,
    percent,
    sentence_case,
    shortened,
    significant,
    split_reason,
    words,
)

_MOSTLY_DIFFERENT = 0.5  # share of cells; beyond it outlines would cover the picture and say nothing
_VISIBLE_SHARE = 0.1  # of a background; smaller colors are not named


class CardMaker:
    """Makes cards from images that know of each other by path.

    Args:
        images: Every image of the project.
        choices: The selection's verdicts by path.
        album: Where the pictures are collected.
        colors: Colors for color words.
        folder: Folder that names are shown from.
    """

    def __init__(
        self,
        images: Sequence[ImageView],
        choices: Mapping[str, Choice],
        album: Album,
        colors: WordColors,
        folder: PurePath | None,
    ) -> None:
        self._by_path = {image.path: image for image in images}
        self._choices = choices
        self._album = album
        self._colors = colors
        self._folder = folder

    def card(self, image: ImageView) -> Card:
        """Make the card of one candidate."""
        companion = self._companion(image)
        nearest_is_shown = image.nearest_original is not None and companion is not None and companion.note != ""
        outlines, difference = _differing(image) if nearest_is_shown else ("", "")
        name = PurePath(image.path).name
        caption = caption_view(image)
        choice = self._choices.get(image.path)
        score = finite(image.score)
        return Card(
            name=name,
            path=below(image.path, self._folder),
            status=status_of(choice),
            tile=self._album.tile(image, _described(image, name)),
            outlines=outlines,
            difference=difference,
            companion=companion,
            score=None if score is None else score_text(score),
            score_percent=0.0 if score is None else percent(score, 10),
            parts=_score_parts(image.score_parts),
            background=_asked_seen(image, self._colors),
            caption=caption,
            changed=caption.fate in CHANGED,
            reasons=tuple(_reason_text(reason) for reason in choice.reasons) if choice else (),
            claims=tuple(_claim_row(claim) for claim in image.claims),
            traits=_trait_rows(image),
            measures=tuple(
                Part(measure_meaning(name).title, significant(value), 0.0)
                for name, value in sorted(image.measures.items())
            ),
            facts=_facts(image),
        )

    def _companion(self, image: ImageView) -> Companion | None:
        """Choose what to compare with: what it repeats, copies or was made from, else the nearest original."""
        nearest = image.nearest_original
        for label, path in (
            ("Repeats", image.repeat_of),
            ("Copy of", image.copy_of),
            ("Likely made from" if image.source_basis == "nearest" else "Made from", image.source_original),
            ("Nearest original", nearest.path if nearest else None),
        ):
            other = self._by_path.get(path) if path else None
            if other is None:
                continue
            name = PurePath(other.path).name
            measured = nearest is not None and nearest.path == other.path
            mirrored = measured and nearest is not None and nearest.flipped
            note = ""
            if measured and nearest is not None:
                note = f"distance {significant(nearest.distance)}" + (", shown mirrored" if mirrored else "")
            tile = self._album.tile(other, f"{label.lower()} {name}")
            return Companion(label=label, tile=tile, name=name, note=note, mirrored=mirrored)
        return None


def status_of(choice: Choice | None) -> Status:
    """Say what the selection made of a candidate; one it has not seen is pending."""
    if choice is None:
        return "pending"
    return "admitted" if choice.selected else "dropped"


def _differing(image: ImageView) -> tuple[str, str]:
    """Outline the regions in which a candidate differs from its nearest original, and say how much that is."""
    nearest = image.nearest_original
    if nearest is None:
        return "", ""
    cells = sum(region.cells for region in nearest.regions)
    if not cells:
        return "", "no difference beyond render noise"
    if image.grid is None:
        return "", f"{counted(cells, 'cell')} differ"
    changed = region_mask(nearest.regions, image.grid.width, image.grid.height)
    if changed.mean() > _MOSTLY_DIFFERENT:
        return "", f"{100 * cells / changed.size:.0f} % of its cells differ"
    return outline_path(changed), f"{counted(cells, 'cell')} differ"


def _described(image: ImageView, name: str) -> str:
    seen = image.traits.background
    behind = f", {seen.value} background" if seen and seen.value != "unknown" else ""
    return f"candidate {name}{behind}"


def _score_parts(parts: Mapping[str, float]) -> tuple[Part, ...]:
    """Every part of the score, the weakest first: it decides."""
    return tuple(
        Part(sentence_case(words(name)), f"{value:.1f}", min(max(percent(value, 10), 0.0), 100.0))
        for name, value in sorted(parts.items(), key=lambda part: (part[1], part[0]))
    )


def _asked_seen(image: ImageView, colors: WordColors) -> AskedSeen | None:
    # A candidate without a prompt asked for nothing; claims it has are those of the caption composed for it.
    claims = image.claims if image.prompt else ()
    claim = next((claim for claim in claims if claim.slot == "background"), None)
    seen = image.traits.background
    if claim is None and seen is None:
        return None
    swatches = tuple(
        Swatch(word=color.word, hex=valid_hex(color.hex), share=percent(color.share, 1.0))
        for color in (seen.colors if seen else ())
    )
    if seen is None:
        text = claim.seen if claim and claim.seen else "not read"
    else:
        named = [color.word for color in seen.colors if color.share >= _VISIBLE_SHARE] or [seen.value]
        text = f"{listed(dict.fromkeys([seen.value, *named]))}, {seen.kind}"
    return AskedSeen(
        asked=swatch(claim.claimed, colors) if claim else None,
        seen=swatches,
        seen_text=text,
        verdict=claim.verdict if claim else None,
    )


def _claim_row(claim: Claim) -> ClaimRow:
    return ClaimRow(
        slot=words(claim.slot),
        claimed=shortened(claim.claimed),
        seen=shortened(claim.seen) if claim.seen else "",
        verdict=claim.verdict,
    )


def _trait_rows(image: ImageView) -> tuple[TraitRow, ...]:
    """Slots with a value, and what is worn; what is absent or unknown fills no card."""
    seen = {slot: trait for slot, trait in image.traits.slots.items() if trait.value != "unknown"}
    seen |= {term: trait for term, trait in image.traits.accessories.items() if trait.value == "present"}
    return tuple(
        TraitRow(
            name=sentence_case(words(name)),
            value=shortened(trait.value),
            detail=_trust(trait),
            outlines=outline_path(_cells_mask(trait, image)) if trait.cells and image.grid else "",
        )
        for name, trait in seen.items()
    )


def _trust(trait: TraitSeen) -> str:
    """How sure an answer is, and how good its detector."""
    sure = [] if trait.confidence is None else [f"{percent(trait.confidence, 1.0):.0f} % sure"]
    good = [] if trait.reliability is None else [f"detector right on {percent(trait.reliability, 1.0):.0f} %"]
    return ", ".join([*sure, *good])


def _cells_mask(trait: TraitSeen, image: ImageView) -> NDArray[np.bool_]:
    """The cells that speak for an answer, bool [height, width]."""
    grid = image.grid
    mask = np.zeros((grid.height, grid.width) if grid else (0, 0), dtype=bool)
    for y, x in trait.cells:
        if y < mask.shape[0] and x < mask.shape[1]:
            mask[y, x] = True
    return mask


def _reason_text(reason: str) -> str:
    return shortened(sentence_case(split_reason(reason)[1]))


def _facts(image: ImageView) -> tuple[Part, ...]:
    made = image.provenance
    facts = {
        "Text from": image.text_source,
        "Seed": made.seed,
        "Steps": made.steps,
        "Guidance (CFG)": made.cfg_scale,
        "Sampler": made.sampler,
        "Model": made.model,
        "LoRA": ", ".join(made.loras) or None,
        "Generation": image.generation,
        "Review": f"{image.review.verdict} by {image.review.reviewer}" if image.review else None,
    }
    return tuple(Part(name, shortened(str(value)), 0.0) for name, value in facts.items() if value is not None)
