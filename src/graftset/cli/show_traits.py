"""How far what is read of traits can be trusted, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from graftset.traits import Reliability


def reliability_json(known: Mapping[str, Reliability]) -> dict[str, Any]:
    """One entry for each slot ("hair"), value ("skin:dark") and accessory ("accessory:crown")."""
    return {name: asdict(found) for name, found in known.items()}


def reliability_lines(known: Mapping[str, Reliability]) -> list[str]:
    """A line for each that was tried on held-out originals, the most reliable first, and one for the rest."""
    if not known:
        return ["reliability: not known before `graftset assess`"]
    tried = [(name, found) for name, found in known.items() if found.balanced_accuracy is not None]
    tried.sort(key=lambda item: (not item[1].answers, -(item[1].balanced_accuracy or 0.0), item[0]))
    few = sorted(name.removeprefix("accessory:") for name, found in known.items() if found.balanced_accuracy is None)
    lines = ["reliability on held-out originals (balanced accuracy, 95 % interval, share answered):"]
    lines += [f"  {name.removeprefix('accessory:'):24} {_figures(found)}" for name, found in tried]
    if few:
        lines.append(f"  too few examples, always unknown: {', '.join(few)}")
    return lines


def _figures(found: Reliability) -> str:
    low, high = found.interval or (0.0, 1.0)
    used = "" if found.answers else "  not reliable: always unknown"
    share = 100 * (found.coverage or 0.0)
    return f"{found.balanced_accuracy:.2f} [{low:.2f}, {high:.2f}] {share:4.0f} %  {found.positives:4d} originals{used}"
