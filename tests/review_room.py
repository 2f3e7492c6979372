"""A catalog with candidates of known truth, for the tests of review."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from graftset.catalog import Catalog
from graftset.records import (
    Assessment,
    Background,
    CaptionChange,
    CaptionProposal,
    Choice,
    Claim,
    Grid,
    ImageRecord,
    Selection,
    Traits,
)
from graftset.review import Desk, Item

_numbers = itertools.count()


def unique() -> str:
    """An action's id that was not used before."""
    return f"action-{next(_numbers)}"


def candidate(name: str, text: str | None = "portrait, green background, crown", data: str = "") -> ImageRecord:
    """A candidate's file; its content hash is that of its name, or of `data`."""
    sha256 = hashlib.sha256((data or name).encode()).hexdigest()
    return ImageRecord(f"/pool/{name}.png", sha256, "generated", 1, 512, 512, "PNG", 1, 1, text)


def catalog_of(
    folder: Path,
    count: int = 30,
    *,
    admitted: int | None = None,
    scores: Mapping[int, float] | None = None,
    colors: Sequence[str] = ("gray",),
) -> Catalog:
    """A catalog with `count` candidates 000, 001, ... of which the first `admitted` (default all) are admitted.

    Each is asked for on green and shown on another color; the caption that says so is proposed, as two changes.
    """
    catalog = Catalog.open(f"sqlite:///{folder / 'catalog.db'}")
    files = [candidate(f"{i:03d}") for i in range(count)]
    catalog.save_images(files)
    shown = [colors[i % len(colors)] for i in range(count)]
    catalog.save_assessments(
        "test",
        {
            file.path: Assessment(
                Grid(24, 24, 21.33, 21.33, 0, 0, 0.9),
                (scores or {}).get(i, 8.5),
                {},
                {},
                Traits(Background("solid", shown[i], (), 0.95)),
            )
            for i, file in enumerate(files)
        },
    )
    catalog.save_proposals("proposed", "graftset test", {f.path: _proposal(f, shown[i]) for i, f in enumerate(files)})
    select(catalog, range(count if admitted is None else admitted))
    return catalog


def _proposal(file: ImageRecord, color: str) -> CaptionProposal:
    changes = (
        CaptionChange("background", (10, 15), "green", color, f"the background is {color}"),
        CaptionChange("accessory:crown", (26, 33), ", crown", "", "no crown is seen"),
    )
    claims = (Claim("background", "green", color, "contradicted", (10, 26)),)
    return CaptionProposal(f"portrait, {color} background", False, claims, changes)


def select(catalog: Catalog, admitted: Iterable[int]) -> None:
    """Store a selection that admits the candidates of these numbers."""
    chosen = {f"/pool/{i:03d}.png" for i in admitted}
    files = sorted(catalog.known_files().values(), key=lambda file: file.path)
    choices = tuple(Choice(f.path, f.sha256, f.path in chosen, ("kept",)) for f in files)
    catalog.save_selection(Selection({}, choices, (), {}))


def named(desk: Desk, number: int) -> Item:
    """The candidate of a number."""
    return next(item for item in desk.items() if item.view.path == f"/pool/{number:03d}.png")


def say(desk: Desk, item: Item, verdict: str, reviewer: str = "Ann", **options: object) -> Item:
    """Give a verdict on an item as it is, and return it as it is then."""
    given = desk.give({item.id: item.version}, verdict, reviewer=reviewer, action=unique(), **options)  # type: ignore[arg-type]
    assert given.left == ()
    return desk.item(item.id)


def review_sample(desk: Desk, wrong: Iterable[int] = (), *, upto: int | None = None, reviewer: str = "Ann") -> None:
    """Review the open plan's sample in order; `wrong` are the places that are rejected."""
    rejected = set(wrong)
    for place, item in enumerate(desk.items(scope="plan")[:upto]):
        say(desk, item, "rejected" if place in rejected else "approved", reviewer)
