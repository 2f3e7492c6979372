"""The values of one painted picture, from what was seen of it and of the original its prompt is the caption of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graftset.claims import SHOWN
from graftset.claims.judging import ALIKE
from graftset.evaluate.looking import Originals, Seen
from graftset.pixels.fidelity import NEAR, answered, main_color_distance, pixel_exact, ssim
from graftset.records import Background, TraitSeen
from graftset.vocabulary import ACCESSORY

U8 = NDArray[np.uint8]
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Scored:
    """The values of one picture by measure, and what was asked for beside what was seen, by slot."""

    values: dict[str, float]
    asked: dict[str, str]
    seen: dict[str, str]


def score(
    originals: Originals, seen: Sequence[Seen], expects: Sequence[Mapping[str, str]], references: Sequence[str | None]
) -> list[Scored]:
    """The values of painted pictures, but for those that need several pictures, and `overall`.

    Args:
        originals: Fitted.
        seen: The pictures.
        expects: What each prompt asks for: slot -> word, "accessory:TERM" -> "present" or "absent".
        references: For each the hash of the original whose caption the prompt is, None where it is nobody's.
    """
    styles = originals.style.probability([s.picture.data["measures"] for s in seen])
    scored = []
    for picture, asked, style in zip(seen, expects, styles.tolist(), strict=True):
        values = {"style_consistency": style}
        if picture.assessment.score is not None:
            values["quality_preservation"] = picture.assessment.score
        values["copy_rate"] = float(picture.assessment.copy_of is not None)
        scored.append(Scored(values, dict(asked), {}))
    _against_originals(originals, seen, references, scored)
    for picture, one, reference in zip(seen, scored, references, strict=True):
        obeyed = requested(originals, picture, one.asked)
        one.seen.update({slot: told for slot, (told, _) in obeyed.items()})
        counted = [right for _, right in obeyed.values() if right is not None]
        if reference is None and counted:
            one.values["variation_accuracy"] = float(np.mean(counted))
        background = obeyed.get("background")
        if background is not None and background[1] is not None:
            one.values["background_obeyed"] = float(background[1])
    return scored


def requested(originals: Originals, picture: Seen, asked: Mapping[str, str]) -> dict[str, tuple[str, bool | None]]:
    """For each requested slot what was seen, and whether it is what was asked for.

    None where that cannot be judged: no detector of the slot is trusted, or the value is one that people call by the
    asked one's name too. A trusted detector that cannot tell has not seen what was asked for.
    """
    found: dict[str, tuple[str, bool | None]] = {}
    traits = picture.assessment.traits
    for slot, word in asked.items():
        if slot == "background":
            if traits.background is not None:
                found[slot] = (traits.background.value, holds(traits.background, word))
            continue
        if not originals.answers(slot, None if slot.startswith(ACCESSORY) else word):
            continue
        if slot.startswith(ACCESSORY):
            told = traits.accessories.get(slot.removeprefix(ACCESSORY), TraitSeen(UNKNOWN)).value
            found[slot] = (told, told == word)
        else:
            told = traits.slots.get(slot, TraitSeen(UNKNOWN)).value
            alike = told != word and any({told, word} <= group for group in ALIKE.get(slot, ()))
            found[slot] = (told, None if alike else told == word)
    return found


def holds(background: Background, word: str) -> bool:
    """Whether a background may be called by a word: colors that can be called so hold enough of it."""
    words = word.replace(" and ", " ").split()
    return all(sum(c.share for c in background.colors if one in c.words) >= SHOWN for one in words)


def _against_originals(
    originals: Originals, seen: Sequence[Seen], references: Sequence[str | None], scored: Sequence[Scored]
) -> None:
    """Add what is measured against the original that has the prompt as its caption."""
    rows = [i for i, reference in enumerate(references) if reference in originals.place]
    if not rows:
        return
    theirs = [originals.place[str(references[i])] for i in rows]
    ours = np.stack([seen[i].picture.native for i in rows])
    natives = originals.natives[theirs]
    likeness = ssim(ours, natives) if min(ours.shape[1:3]) >= 3 else np.full(len(rows), np.nan)
    exact = pixel_exact(ours, natives)
    for number, (row, place) in enumerate(zip(rows, theirs, strict=True)):
        values = scored[row].values
        values.update(_like(originals, seen[row], originals.seen[place], place))
        values["pixel_exact"] = float(exact[number])
        if np.isfinite(likeness[number]):
            values["overall_similarity"] = float(likeness[number])


def _like(originals: Originals, ours: Seen, theirs: Seen, place: int) -> dict[str, float]:
    """How one picture agrees with its original, trait by trait."""
    values: dict[str, float] = {}
    first, second = ours.picture.data["background"], theirs.picture.data["background"]
    values["background_exact_match"] = float(
        first["kind"] == second["kind"] and answered(first["colors"], second["colors"])
    )
    distance = main_color_distance(first["colors"], second["colors"])
    values["background_distance"] = distance
    values["background_near"] = float(distance <= NEAR)
    seen, known = ours.assessment.traits.background, theirs.assessment.traits.background
    if seen is not None and known is not None:
        values["background_word_match"] = float(seen.value in {known.value, *known.colors[0].words})
    if theirs.hair is not None:
        values["hair_color_exact_match"] = float(ours.hair is not None and answered(ours.hair, theirs.hair))
    worn = _accessories(originals, ours, theirs)
    if worn is not None:
        values["accessory_presence"] = worn
    exact = [values[name] for name in ("background_exact_match", "hair_color_exact_match") if name in values]
    values["original_accuracy"] = float(np.mean(exact))
    nearest = ours.assessment.nearest_original
    own = theirs.picture.path
    values["nearest_is_own"] = float(ours.assessment.copy_of == own or (nearest is not None and nearest.path == own))
    return values


def _accessories(originals: Originals, ours: Seen, theirs: Seen) -> float | None:
    """Accessories rightly there and rightly absent, the mean of both shares; None where none can be verified."""
    shares = []
    for value in ("present", "absent"):
        terms = [
            term
            for term, told in theirs.assessment.traits.accessories.items()
            if told.value == value and originals.answers(ACCESSORY + term)
        ]
        if terms:
            seen = ours.assessment.traits.accessories
            shares.append(np.mean([seen.get(term, TraitSeen(UNKNOWN)).value == value for term in terms]))
    return float(np.mean(shares)) if shares else None
