"""The figures of one checkpoint from the values of its pictures: means with intervals, variety, distance, copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from graftset.evaluate.looking import Originals, Seen
from graftset.pixels.color import srgb_to_oklab
from graftset.pixels.diversity import gaussian_kernel, vendi_at_equal_n, vendi_score
from graftset.pixels.fidelity import mmd_test
from graftset.pixels.similarity import NativeIndex
from graftset.scorecards import MEASURES, OBEDIENCE, DistanceToOriginals, Figure, PictureScore, StyleCheck
from graftset.scorecards.course import belongs
from graftset.scorecards.records import Method
from graftset.statistics.timeline import Estimate, estimate_mean, estimate_share

F32 = NDArray[np.float32]

LEAST_SET = 4  # pictures under which variety and distance say nothing
LEAST_FOR_DISTANCE = 8


def with_overall(values: Mapping[str, float], style: StyleCheck) -> dict[str, float]:
    """A picture's values and the mean of its accuracy, its quality and, where it may be used, its style."""
    parts = [values[name] for name in ("original_accuracy", "variation_accuracy") if name in values]
    if "quality_preservation" in values:
        parts.append(values["quality_preservation"] / 10.0)
    if style.usable and "style_consistency" in values:
        parts.append(values["style_consistency"])
    every = {**values, **({"overall": float(np.mean(parts))} if parts else {})}
    return {name: round(value, 6) for name, value in every.items()}


def figures_of(originals: Originals, pictures: Sequence[PictureScore], seen: Sequence[Seen]) -> tuple[Figure, ...]:
    """Every figure that the pictures have, group by group."""
    found: list[Figure] = []
    for group in groups_of(pictures):
        rows = [i for i, picture in enumerate(pictures) if belongs(picture.group, group)]
        own = [pictures[i] for i in rows]
        found += _means(own, group)
        found += _of_set(originals, own, [seen[i] for i in rows], group)
    return tuple(found)


def groups_of(pictures: Sequence[PictureScore]) -> tuple[str, ...]:
    """The groups that have pictures, "obedience" and "all" where they hold more than one of them."""
    single = sorted({picture.group for picture in pictures})
    together = [g for g in single if g in OBEDIENCE]
    return (*single, *(["obedience"] if together else []), "all")


def _means(pictures: Sequence[PictureScore], group: str) -> Iterator[Figure]:
    for measure in MEASURES:
        if not measure.of_picture:
            continue
        told = [(p.values[measure.name], p.prompt_id) for p in pictures if measure.name in p.values]
        if not told:
            continue
        values, prompts = [value for value, _ in told], [prompt for _, prompt in told]
        if measure.is_share:
            yield _figure(measure.name, group, estimate_share(values, prompts), "wilson")
        else:
            yield _figure(measure.name, group, estimate_mean(values, prompts, np.random.default_rng(0)), "bootstrap")


def _figure(measure: str, group: str, found: Estimate, method: Method) -> Figure:
    return Figure(
        measure=measure,
        group=group,
        n=found.n,
        prompts=found.groups,
        point=round(found.point, 6),
        low=round(found.low, 6),
        high=round(found.high, 6),
        method=method,
        effective=round(found.effective, 3),
    )


def _of_set(
    originals: Originals, pictures: Sequence[PictureScore], seen: Sequence[Seen], group: str
) -> Iterator[Figure]:
    """Variety over the first seed of every prompt, and how many of a prompt's seeds are different pictures."""
    first = first_seeds(pictures)
    if len(first) >= LEAST_SET:
        ours = features(originals, [seen[i] for i in first])
        pair = vendi_at_equal_n(ours, originals.features, np.random.default_rng(0), bandwidth=originals.bandwidth)
        whole = vendi_score(gaussian_kernel(ours, ours, originals.bandwidth))
        yield Figure("variety", group, pair.n, pair.n, round(pair.a / pair.b, 6), None, None, "none")
        yield Figure("vendi", group, len(first), len(first), round(whole, 6), None, None, "none")
    by_prompt: dict[str, list[int]] = {}
    for i, picture in enumerate(pictures):
        by_prompt.setdefault(picture.prompt_id, []).append(i)
    several = {prompt: rows for prompt, rows in by_prompt.items() if len(rows) > 1}
    if several:
        shares = [(_distinct([seen[i] for i in rows]) - 1) / (len(rows) - 1) for rows in several.values()]
        found = estimate_mean(shares, list(several), np.random.default_rng(0))
        yield replace(_figure("distinct_outputs", group, found, "bootstrap"), n=sum(map(len, several.values())))


def _distinct(seen: Sequence[Seen]) -> int:
    """How many different pictures there are; copies up to render noise count once."""
    index = NativeIndex([s.picture.native for s in seen], [s.picture.figure for s in seen])
    kept: list[int] = []
    for i in range(len(index)):
        if not any(index.is_copy(i, j) for j in kept):
            kept.append(i)
    return len(kept)


def distances_of(
    originals: Originals, pictures: Sequence[PictureScore], seen: Sequence[Seen], references: Sequence[str | None]
) -> tuple[DistanceToOriginals, ...]:
    """How far the pictures lie from the originals, group by group.

    One picture of each prompt, the first seed, for two pictures of one prompt are no two draws. Those of training
    captions are compared with the originals these belong to, the others with all originals.
    """
    found = []
    for group in (g for g in groups_of(pictures) if g != "all"):
        rows = [i for i, picture in enumerate(pictures) if belongs(picture.group, group)]
        first = [rows[i] for i in first_seeds([pictures[i] for i in rows])]
        named = {references[i] for i in first} - {None}
        theirs = sorted(originals.place[str(reference)] for reference in named)
        other = originals.features[theirs] if theirs else originals.features
        if min(len(first), len(other)) < LEAST_FOR_DISTANCE:
            continue
        ours = features(originals, [seen[i] for i in first])
        test = mmd_test(ours, other, np.random.default_rng(0), bandwidth=originals.bandwidth)
        found.append(DistanceToOriginals(group, round(test.value, 8), round(test.p, 6), *test.sizes))
    return tuple(found)


def first_seeds(pictures: Sequence[PictureScore]) -> list[int]:
    """The rows of the lowest seed of every prompt, in the order the prompts come."""
    first: dict[str, int] = {}
    for i, picture in enumerate(pictures):
        known = first.get(picture.prompt_id)
        if known is None or picture.seed < pictures[known].seed:
            first[picture.prompt_id] = i
    return list(first.values())


def features(originals: Originals, seen: Sequence[Seen]) -> F32:
    """OKLab cells in a row, float32 [N, D], as `Originals.features`."""
    return srgb_to_oklab(np.stack([s.picture.native for s in seen])).reshape(len(seen), -1)
