"""Which images a plan uses: originals, what was admitted, the best of it, a random draw, a trait.

The answer depends on what the images are and on the seed, never on the order or the folders they come in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graftset.build.plans.mixing import ImageClass
from graftset.build.plans.table import PlanSpec, Use
from graftset.errors import BuildError
from graftset.phrases import counted
from graftset.prompts import one_line
from graftset.records import ImageView

_ACCESSORY = "accessory:"


@dataclass(frozen=True, slots=True)
class Chosen:
    """One image that a plan uses, and for each stage by which of its uses; None where the stage does not show it."""

    view: ImageView
    uses: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a plan uses, and sentences on what there was to draw from."""

    images: tuple[Chosen, ...]
    notes: tuple[str, ...] = ()

    def classes(self) -> list[ImageClass]:
        """How many images the plan treats alike, for every way it treats any; originals first."""
        counts: dict[tuple[str, tuple[int | None, ...]], int] = {}
        for chosen in self.images:
            key = (chosen.view.origin, chosen.uses)
            counts[key] = counts.get(key, 0) + 1
        return [
            ImageClass("original" if origin == "original" else "generated", uses, count)
            for (origin, uses), count in sorted(counts.items(), key=_class_order)
        ]


def choose(
    name: str,
    spec: PlanSpec,
    images: Sequence[ImageView],
    pool: Sequence[ImageView] = (),
    *,
    ranks: Mapping[str, int],
    count: int | None = None,
    seed: int = 0,
) -> Choices:
    """Decide which images a plan uses.

    Args:
        name: The plan's name, for messages.
        spec: What is asked for.
        images: All originals and the admitted candidates, those that can be trained on.
        pool: The candidates that were not admitted and could be trained on.
        ranks: The selection's ranking of the admitted, 0 for the first, by path.
        count: How many admitted candidates to take, the first by that ranking; None takes all.
        seed: Of the random draws.

    Raises:
        BuildError: Fewer images are there than were asked for, or none have a trait; all faults of the plan are named.
    """
    originals = sorted((view for view in images if view.origin == "original"), key=_by_content)
    admitted = sorted(
        (view for view in images if view.origin == "generated"),
        key=lambda view: (ranks.get(view.path, len(ranks)), *_by_score(view)),
    )
    faults: list[str] = []
    if count is not None and spec.uses_generated:
        if count > len(admitted):
            faults.append(f"{counted(count, 'candidate')} asked for and {len(admitted)} admitted")
        admitted = admitted[:count]
    everyone = sorted([*(v for v in images if v.origin == "generated"), *pool], key=_by_content)
    relabeled = [view for view in admitted if one_line(view.prompt) != one_line(view.training_caption)]
    rng = np.random.default_rng(seed)
    drawn = [everyone[i] for i in rng.permutation(len(everyone))]
    notes: list[str] = []
    taken: list[dict[str, int]] = []
    for stage in spec.stages:
        uses: dict[str, int] = {}
        for number, use in enumerate(stage.uses):
            source = {"originals": originals, "random": drawn, "relabeled": relabeled}.get(use.images, admitted)
            left = [view for view in source if view.path not in uses and _has(view, use.where)]
            wanted = len(left)
            if use.images in ("best", "random"):
                wanted = len(admitted) if use.count is None else use.count
            if len(left) < wanted:
                faults.append(f"the stage {stage.name} uses {wanted} {_words(use)} and there are {len(left)}")
            elif not left and (use.where or use.images == "relabeled"):
                faults.append(f"the stage {stage.name} uses {_words(use)} and there are none")
            if use.images == "random" and wanted:
                notes.append(f"{counted(wanted, 'candidate')} drawn at random from {len(left)}, by seed {seed}")
            uses |= {view.path: number for view in left[:wanted]}
        taken.append(uses)
    if faults:
        raise BuildError(
            f"The plan {name} cannot be carried out: " + "; ".join(dict.fromkeys(faults)),
            field="plan",
            value=name,
            remedy="Ask for fewer, admit more with `graftset select`, or change the plan in graftset.toml",
        )
    chosen = [Chosen(view, tuple(uses.get(view.path) for uses in taken)) for view in (*originals, *everyone)]
    return Choices(
        tuple(one for one in chosen if any(use is not None for use in one.uses)), tuple(dict.fromkeys(notes))
    )


def _has(view: ImageView, where: Mapping[str, str]) -> bool:
    """Whether an image was seen to have every trait that is asked for."""
    return all(_seen(view, slot) == value for slot, value in where.items())


def _seen(view: ImageView, slot: str) -> str | None:
    if slot == "background":
        return view.traits.background.value if view.traits.background else None
    if slot.startswith(_ACCESSORY):
        worn = view.traits.accessories.get(slot.removeprefix(_ACCESSORY))
        return worn.value if worn else None
    seen = view.traits.slots.get(slot)
    return seen.value if seen else None


def _words(use: Use) -> str:
    """What a use takes, as a phrase: "random candidates with hair brown"."""
    words = {
        "originals": "originals",
        "random": "random candidates",
        "relabeled": "admitted candidates whose caption was corrected",
    }
    what = words.get(use.images, "admitted candidates")
    traits = " and ".join(f"{slot} {value}" for slot, value in use.where.items())
    return f"{what} with {traits}" if traits else what


def _by_content(view: ImageView) -> tuple[str, str]:
    return (view.sha256, view.path)


def _by_score(view: ImageView) -> tuple[float, str, str]:
    return (-(view.score or 0.0), view.sha256, view.path)


def _class_order(item: tuple[tuple[str, tuple[int | None, ...]], int]) -> tuple[bool, list[int]]:
    (origin, uses), _ = item
    return (origin != "original", [-1 if use is None else use for use in uses])
