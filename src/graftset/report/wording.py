"""Numbers, names and reasons as the page writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import PurePath

from graftset.phrases import counted as counted

MAX_TEXT = 1200  # characters; a longer caption is cut, so that one hostile file cannot swell the page
_CATEGORY = re.compile(r"([A-Za-z][A-Za-z _-]{0,23}):\s*(.+)", re.DOTALL)


def count(number: int) -> str:
    """Write a whole number with separated thousands: `10,240`."""
    return f"{number:,}"


def were(number: int) -> str:
    """Return the verb that goes with a number."""
    return "was" if number == 1 else "were"


def significant(value: float) -> str:
    """Write a measure with three significant digits and no exponent: `21.3`, `0.0412`, `1,840`."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return f"{value:.6f}".rstrip("0").rstrip(".") if "e" in text else text


def finite(value: float | None) -> float | None:
    """Return a number that can be drawn: None for what is missing, infinite or not a number."""
    return value if value is not None and math.isfinite(value) else None


def percent(part: float, whole: float) -> float:
    """Return `part` in percent of `whole`, 0 where there is no whole; two decimals keep the page small."""
    return round(100.0 * part / whole, 2) if whole else 0.0


def words(name: str) -> str:
    """Turn an identifier into words: `grid_residual` -> `grid residual`."""
    return name.replace("_", " ").replace(":", ": ").strip()


def sentence_case(text: str) -> str:
    """Write the first letter large and leave the rest alone."""
    return text[:1].upper() + text[1:]


def listed(items: Iterable[str]) -> str:
    """Join words as a sentence does: `a`, `a and b`, `a, b and c`."""
    items = list(items)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def shortened(text: str) -> str:
    """Cut a text at `MAX_TEXT` characters."""
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT].rstrip() + " …"


def split_reason(reason: str) -> tuple[str, str]:
    """Split a selection's reason into its category and the rest; a reason without one is of category `other`."""
    match = _CATEGORY.fullmatch(reason.strip())
    if match is None:
        return "other", reason.strip()
    return " ".join(re.split(r"[ _-]+", match.group(1).strip().lower())), match.group(2)


def shared_folder(paths: Iterable[str]) -> PurePath | None:
    """Return the deepest folder that holds all of `paths`, or None where they share none."""
    folders = [PurePath(path).parent.parts for path in paths]
    if not folders:
        return None
    shared = []
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return PurePath(*shared) if shared else None


def below(path: str, folder: PurePath | None) -> str:
    """Return `path` as seen from `folder`, or its file name where it lies elsewhere."""
    pure = PurePath(path)
    if folder is not None and pure.is_relative_to(folder):
        return str(pure.relative_to(folder))
    return pure.name
