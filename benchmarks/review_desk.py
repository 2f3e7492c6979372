"""How quick the review's desk is at ten thousand candidates: opening it, and each action of a reviewer.

Usage: python benchmarks/review_desk.py [CANDIDATES]

Every action is measured with what a page would read after it: the item, its neighbours, the counts and the numbers.
Half of the verdicts are given by a second desk on the same catalog, as another server or the command line would.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from graftset.catalog import Catalog
from graftset.records import (
    Assessment,
    Background,
    CaptionChange,
    CaptionProposal,
    Choice,
    Claim,
    ColorShare,
    Grid,
    ImageRecord,
    Nearest,
    Region,
    Selection,
    Traits,
    TraitSeen,
)
from graftset.review import Desk

ACTIONS = 300
COLORS = ("gray", "blue", "red", "green", "pink", "white", "black", "tan", "teal", "purple")


def fill(catalog: Catalog, count: int) -> None:
    """A catalog with `count` candidates that look like real ones in size."""
    rng = np.random.default_rng(0)
    asked = rng.integers(0, len(COLORS), count)
    seen = np.where(rng.random(count) < 0.6, asked, rng.integers(0, len(COLORS), count))
    scores = np.clip(rng.normal(7.8, 1.2, count), 0, 10)
    files, assessed, proposed, choices = [], {}, {}, []
    for i in range(count):
        path, sha256 = f"/pool/{i:05d}.png", hashlib.sha256(str(i).encode()).hexdigest()
        said, shown = COLORS[asked[i]], COLORS[seen[i]]
        text = f"pixel art portrait of a lady with brown hair, golden earring, nerd glasses, {said} background"
        span = (text.index(f"{said} background"), text.index(f"{said} background") + len(said))
        files.append(ImageRecord(path, sha256, "generated", 1, 512, 512, "PNG", 20_000, i, text, "prompts.json"))
        shares = tuple(ColorShare(shown, "#808080", 0.9 - 0.2 * k, (shown, "grey")) for k in range(3))
        assessed[path] = Assessment(
            grid=Grid(24, 24, 21.33, 21.33, 0, 0, 0.9),
            score=float(scores[i]),
            score_parts={name: float(scores[i]) for name in ("edges", "texture", "palette", "structure", "noise")},
            measures={f"measure_{k}": float(k) for k in range(16)},
            traits=Traits(
                Background("solid", shown, shares, 0.97),
                {slot: TraitSeen("brown", 0.9) for slot in ("hair", "eyes", "figure")},
                {term: TraitSeen("absent", 0.9) for term in ("crown", "earring", "cap", "hat", "beard", "necklace")},
            ),
            nearest_original=Nearest("/originals/1.png", 0.1, regions=(Region(0, 0, 5, 5, 20),) * 3),
        )
        wrong = said != shown
        claims = (Claim("background", said, shown, "contradicted" if wrong else "confirmed", span),) * 4
        changes = (CaptionChange("background", span, said, shown, "seen"),) if wrong else ()
        proposed[path] = CaptionProposal(text[: span[0]] + shown + text[span[1] :], False, claims, changes)
        choices.append(Choice(path, sha256, bool(scores[i] >= 8), ("kept",)))
    catalog.save_images(files)
    catalog.save_assessments("benchmark", assessed)
    catalog.save_proposals("proposed", "graftset benchmark", proposed)
    catalog.save_selection(Selection({}, tuple(choices), (), {}))


def read(desk: Desk, name: str | None) -> str | None:
    """What a page shows after an action; returns the next item."""
    desk.refresh()
    queue = desk.items(scope="plan", queue="pending")
    around = desk.around(name, queue)
    desk.counts()
    desk.numbers()
    if around.next is not None:
        desk.caption(around.next)
        desk.probability(desk.item(around.next))
    return around.next


def timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def actions(desk: Desk, other: Desk) -> Iterator[tuple[str, float]]:
    """Each action once more, with its CPU time in ms."""
    rng = np.random.default_rng(1)
    sample = desk.items(scope="plan")
    for k in range(ACTIONS):
        item = desk.item(sample[k].id)
        verdict = "approved" if rng.random() < 0.9 else "rejected"

        def give(by: Desk, item=item, verdict=verdict, k=k) -> None:  # type: ignore[no-untyped-def]
            by.give({item.id: item.version}, verdict, reviewer="Ann", action=f"give-{k}")

        if k % 2:
            give(other)
            yield "read what another server wrote", timed(lambda item=item: read(desk, item.id))  # type: ignore[misc]
        else:
            yield "verdict", timed(lambda item=item: (give(desk), read(desk, item.id)))  # type: ignore[misc]
    for k in range(ACTIONS // 10):
        yield "undo", timed(lambda k=k: (desk.undo(reviewer="Ann", action=f"u{k}"), read(desk, None)))  # type: ignore[misc]
        yield "redo", timed(lambda k=k: (desk.redo(reviewer="Ann", action=f"r{k}"), read(desk, None)))  # type: ignore[misc]
        item = desk.item(sample[-1 - k].id)
        text = f"edited {k}"
        yield (
            "edit a caption",
            timed(
                lambda item=item, text=text: (  # type: ignore[misc]
                    desk.edit_caption(item.id, text, reviewer="Ann", version=item.version),
                    read(desk, item.id),
                )
            ),
        )
        hundred = {one.id: one.version for one in desk.items(order="worst")[100 * k : 100 * k + 100]}
        yield (
            "bulk verdict on 100",
            timed(
                lambda hundred=hundred, k=k: (  # type: ignore[misc]
                    desk.give(hundred, "rejected", reviewer="Bob", action=f"b{k}", counts=False),
                    read(desk, None),
                )
            ),
        )
        for order in ("uncertain", "background", "finding"):
            yield "a page by " + order, timed(lambda order=order: (desk.refresh(), desk.items(order=order)[:100]))  # type: ignore[misc]
        yield "nothing changed", timed(lambda: read(desk, None))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog.open(f"sqlite:///{Path(folder) / 'catalog.db'}")
        fill(catalog, count)
        opened = timed(lambda: Desk(catalog))
        desk, other = Desk(catalog), Desk(catalog)
        plan = desk.start_plan("sequential", by="Ann")
        print(f"{count} candidates, {plan.pool} admitted; opening the desk {opened:.0f} ms of CPU time\n")
        found: dict[str, list[float]] = {}
        for name, spent in actions(desk, other):
            found.setdefault(name, []).append(spent)
        print("| action, with what a page reads after it | n | median ms | 95th percentile ms |\n|---|---|---|---|")
        for name, spent_ms in found.items():
            print(f"| {name} | {len(spent_ms)} | {np.median(spent_ms):.1f} | {np.percentile(spent_ms, 95):.1f} |")
        catalog.close()


if __name__ == "__main__":
    main()
