"""What pictures show, trait by trait, as far as it was read: quotas, distances and alarms count by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from graftset.pixels.diversity import Quotas, quota_targets
from graftset.records import ImageView
from graftset.statistics import total_variation

BACKGROUND = "background"
WORN = "accessory:"
UNKNOWN = "unknown"
PRESENT = "present"
TARGET_POWER = 0.5  # rare values are asked for more often than the originals have them, common ones less
RARE = 5  # originals up to which a trait is for a person to judge: detectors have seen too little of it
READ = 0.5  # share of the admitted on which a trait must be read for its distance to mean something
_MOST_NAMED = 4


def shown(view: ImageView) -> dict[str, str]:
    """The value of every trait that was read: "background", "hair", ..., and "accessory:crown" present or absent."""
    background = view.traits.background
    values = {BACKGROUND: UNKNOWN if background is None else background.value}
    values |= {slot: seen.value for slot, seen in view.traits.slots.items()}
    values |= {WORN + term: seen.value for term, seen in view.traits.accessories.items()}
    return {slot: value for slot, value in values.items() if value != UNKNOWN}


def counts_of(views: Iterable[ImageView]) -> dict[str, Counter[str]]:
    """How many pictures show each value, by slot; pictures where it was not read are not counted."""
    counts: dict[str, Counter[str]] = {}
    for view in views:
        for slot, value in shown(view).items():
            counts.setdefault(slot, Counter())[value] += 1
    return counts


def trait_quotas(passing: Sequence[ImageView], originals: Sequence[ImageView], k: int) -> Quotas:
    """Quotas T_t over all verifiable traits, proportional to count^0.5 among the originals, within what has passed.

    Each slot shares out k places. Of what is worn only the wearing is asked for: that most wear no crown needs no
    quota. A picture belongs to a group in every slot that was read on it.
    """
    wanted, there = counts_of(originals), counts_of(passing)
    slots = [slot for slot in sorted(there, key=lambda slot: (slot != BACKGROUND, slot)) if wanted.get(slot)]
    groups = np.full((len(passing), max(1, len(slots))), -1, dtype=np.intp)
    seen = [shown(view) for view in passing]
    targets: list[float] = []
    for column, slot in enumerate(slots):
        values = sorted(there[slot])
        due = quota_targets(
            np.array([wanted[slot][value] for value in values], dtype=np.float64),
            np.array([there[slot][value] for value in values], dtype=np.float64),
            k,
            TARGET_POWER,
        )
        numbers = {}
        for value, target in zip(values, due.tolist(), strict=True):
            if not slot.startswith(WORN) or value == PRESENT:
                numbers[value] = len(targets)
                targets.append(target)
        groups[:, column] = [numbers.get(view.get(slot, UNKNOWN), -1) for view in seen]
    return Quotas(groups, np.array(targets, dtype=np.float64))


def distance(wanted: Counter[str], got: Counter[str]) -> float | None:
    """Total variation between what is shown and count^0.5 of the originals; None without either."""
    values = sorted(wanted | got)
    target = np.array([wanted[value] for value in values], dtype=np.float64) ** TARGET_POWER
    alone = np.array([got[value] for value in values], dtype=np.float64)
    return total_variation(alone, target) if target.any() and alone.any() else None


def distances(admitted: Sequence[ImageView], originals: Sequence[ImageView]) -> dict[str, float]:
    """`distance` of every slot but the background, where it was read on enough of the admitted."""
    wanted, got = counts_of(originals), counts_of(admitted)
    found = {
        slot: distance(wanted[slot], counts)
        for slot, counts in got.items()
        if slot in wanted and slot != BACKGROUND and sum(counts.values()) >= READ * len(admitted)
    }
    return {slot: value for slot, value in sorted(found.items()) if value is not None}


def distance_note(found: dict[str, float], most: float) -> str | None:
    """A sentence where traits stray further from their target than the floor, the furthest first."""
    over = sorted((slot for slot in found if found[slot] > most), key=lambda slot: (-found[slot], slot))
    if not over:
        return None
    named = ", ".join(f"{name_of(slot)} ({found[slot]:.2f})" for slot in over[:_MOST_NAMED])
    more = f" and {len(over) - _MOST_NAMED} more" if len(over) > _MOST_NAMED else ""
    return f"traits: total variation to their target is over {most:.2f} for {named}{more}"


def rare_note(admitted: Sequence[ImageView], originals: Sequence[ImageView]) -> str | None:
    """A sentence where admitted pictures show, or are captioned with, what hardly any original has."""
    wanted = counts_of(originals)
    worn = Counter(slot for view in originals for slot in _claimed(view))
    rare: Counter[str] = Counter()
    for view in admitted:
        values = shown(view)
        told = {slot for slot in _claimed(view) if worn[slot] <= RARE}
        told |= {slot for slot, value in values.items() if _worn_rarely(slot, value, worn)}
        rare.update(name_of(slot) for slot in told)
        rare.update(
            f"{value} {slot}"
            for slot, value in values.items()
            if not slot.startswith(WORN) and slot in wanted and wanted[slot][value] <= RARE
        )
    if not rare:
        return None
    named = ", ".join(f"{name} ({count})" for name, count in sorted(rare.items(), key=lambda item: (-item[1], item[0])))
    return (
        f"rare: {RARE} or fewer originals have these traits of admitted pictures, too few to trust what is read of "
        f"them; look at them: {named}"
    )


def name_of(slot: str) -> str:
    """A slot as a person says it: "crown" for "accessory:crown"."""
    return slot.removeprefix(WORN).replace("_", " ")


def _worn_rarely(slot: str, value: str, worn: Counter[str]) -> bool:
    return slot.startswith(WORN) and value == PRESENT and worn[slot] <= RARE


def _claimed(view: ImageView) -> set[str]:
    """Accessories that the text an image came with names, but for those that its picture contradicts."""
    return {claim.slot for claim in view.claims if claim.slot.startswith(WORN) and claim.verdict != "contradicted"}
