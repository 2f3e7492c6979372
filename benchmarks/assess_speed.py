"""Ingest and assess candidates at 512 px, as a ratio to plain single-core Pillow decoding of the same files.

The ratio is (seconds of Pillow) / (seconds of ingest and assess): 0.5 means twice as long as only decoding. Both are
measured in this run, after each other, three times; the median ratio counts. 1,000 candidates by default:
`python benchmarks/assess_speed.py 200` for fewer.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from graftset.assess import assess
from graftset.catalog import Catalog
from graftset.drawn import draw_sample_set
from graftset.ingest import ingest

ROUNDS = 3


def draw(folder: Path, count: int) -> tuple[Path, list[Path]]:
    """Originals, and folders with `count` candidates between them."""
    folders, left, seed = [], count, 0
    while left > 0:
        draw_sample_set(folder / str(seed), seed=seed, candidates=min(left, 203))
        folders.append(folder / str(seed) / "candidates")
        left, seed = left - 203, seed + 1
    return folder / "0" / "originals", folders


def pillow_seconds(files: list[Path]) -> float:
    """Seconds one core takes to decode every file with Pillow."""
    start = time.perf_counter()
    for file in files:
        with Image.open(file) as image:
            image.load()
    return time.perf_counter() - start


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as scratch:
        originals, candidates = draw(Path(scratch), count)
        files = sorted(path for folder in candidates for path in folder.glob("*.png"))
        ratios = []
        print(f"{len(files)} candidates, {sum(f.stat().st_size for f in files) / len(files) / 1024:.0f} KiB each")
        for number in range(ROUNDS):
            plain = pillow_seconds(files)
            catalog = Catalog.open(f"sqlite:///{scratch}/catalog{number}.db")
            started = time.perf_counter()
            ingest(catalog, originals=originals, candidates=candidates, prompts=None)
            ingested = time.perf_counter()
            assess(catalog)
            ended = time.perf_counter()
            catalog.close()
            ratios.append(plain / (ended - started))
            print(
                f"Pillow {plain:6.2f} s   ingest {ingested - started:6.2f} s   assess {ended - ingested:6.2f} s   "
                f"ratio {ratios[-1]:.2f}"
            )
        print(f"median ratio {statistics.median(ratios):.2f} (at least 0.5 is wanted)")


if __name__ == "__main__":
    main()
