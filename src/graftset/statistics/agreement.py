"""How far two reviewers agree beyond chance."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa: 1 is full agreement, 0 what chance gives; None where both only ever used one same label."""

    kappa: float | None
    low: float | None  # ends of the interval
    high: float | None
    agreement: float  # share of images with the same label, 0-1
    n: int  # images both labelled


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable], confidence: float = 0.95) -> Kappa:
    """Cohen's kappa of two reviewers over the same images, with its large-sample interval.

    Args:
        first: Labels of one, [N].
        second: Labels of the other, [N].
        confidence: Of the interval, 0-1.

    Raises:
        ValueError: Lengths differ, or nothing was labelled.

    Source: Cohen, "A coefficient of agreement for nominal scales" (1960); standard error by Fleiss, Cohen and Everitt,
    "Large sample standard errors of kappa and weighted kappa", Psychological Bulletin 72 (1969), equation 13.
    """
    if len(first) != len(second) or not first:
        raise ValueError("both label the same images, at least one")
    place = {label: i for i, label in enumerate(dict.fromkeys([*first, *second]))}
    counts = np.zeros((len(place), len(place)))
    for a, b in zip(first, second, strict=True):
        counts[place[a], place[b]] += 1
    return kappa_of_counts(counts, confidence)


def kappa_of_counts(counts: ArrayLike, confidence: float = 0.95) -> Kappa:
    """Cohen's kappa from how often each pair of labels was given; see `cohen_kappa`.

    Args:
        counts: Images by one reviewer's label (rows) and the other's (columns), [K, K].
        confidence: Of the interval, 0-1.
    """
    table = np.asarray(counts, dtype=np.float64)
    n = int(table.sum())
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float(np.trace(p)), float(rows @ columns)
    if expected > 1 - 1e-12:
        return Kappa(None, None, None, observed, n)
    kappa = (observed - expected) / (1 - expected)
    spread = rows[None, :] + columns[:, None]  # [i, j]: p_.i + p_j.
    diagonal = float((np.diag(p) * (1 - np.diag(spread) * (1 - kappa)) ** 2).sum())
    beside = p * spread**2
    np.fill_diagonal(beside, 0.0)
    variance = (diagonal + (1 - kappa) ** 2 * float(beside.sum()) - (kappa - expected * (1 - kappa)) ** 2) / (
        n * (1 - expected) ** 2
    )
    half = float(ndtri(0.5 + confidence / 2)) * math.sqrt(max(0.0, variance))
    return Kappa(kappa, max(-1.0, kappa - half), min(1.0, kappa + half), observed, n)
