"""Building 2,000 and 20,000 images against plainly encoding and writing as many, and the peak memory of both.

"Plain" is what a loop by hand would do: enlarge, Pillow's PNG encoder, write the image and its caption, one after the
other, nothing made durable. Every size runs in processes of its own; CPU seconds stand beside the elapsed ones, because
a shared machine makes those longer.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

SIZES = (2_000, 20_000)
COMMON = """
import hashlib, resource, sys, time
from pathlib import Path
import numpy as np
from graftset.records import Grid, ImageView
count, root = int(sys.argv[1]), Path(sys.argv[2])
tiles = np.random.default_rng(0).integers(0, 256, (12, 3), dtype=np.uint8)
def view(number):
    origin = "original" if number % 2 else "generated"
    return ImageView(f"/pictures/{number:05}.png", hashlib.sha256(str(number).encode()).hexdigest(), origin,
        number % 2 ^ 1, 24, 24, caption=f"pixel art, portrait number {number}, {number % 7} background",
        prompt=f"portrait number {number}", grid=Grid(24, 24, 1.0, 1.0, 0.0, 0.0, 1.0), score=9.0)
def native(one):
    rng = np.random.default_rng(int(one.sha256[:8], 16))
    picture = np.repeat(np.repeat(rng.integers(0, 12, (8, 8)), 3, 0), 3, 1)  # patches, as portraits have them
    picture[rng.integers(0, 24, 60), rng.integers(0, 24, 60)] = rng.integers(0, 12, 60)
    return tiles[picture]
views = [view(number) for number in range(count)]
"""
PLAIN = """
import io
from PIL import Image
from graftset.pixels.grid import from_native
began = time.monotonic()
for one in views:
    place = root / Path(one.path).name
    stream = io.BytesIO()
    Image.fromarray(from_native(native(one), 576, 576)).save(stream, "PNG", compress_level=4)
    place.write_bytes(stream.getvalue())
    place.with_suffix(".txt").write_text(one.caption)
"""
BUILD = """
from graftset.build import build
began = time.monotonic()
build(views, load_native=native, folder=root / "build", plan="equal", prompts=())
"""
END = """
used = resource.getrusage(resource.RUSAGE_SELF)
print(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def main() -> None:
    print("| images | way | elapsed s | CPU s | peak MiB | elapsed, plain = 1 |")
    print("|---|---|---|---|---|---|")
    for count in SIZES:
        plain = 0.0
        for name, code in (("plain", PLAIN), ("build", BUILD)):
            with tempfile.TemporaryDirectory() as scratch:
                script = COMMON + code + END
                done = subprocess.run(
                    [sys.executable, "-c", script, str(count), scratch], capture_output=True, text=True, check=True
                )
            elapsed, cpu, peak = map(float, done.stdout.split())
            plain = plain or elapsed
            print(
                f"| {count:,} | {name} | {elapsed:.1f} | {cpu:.1f} | {peak:.0f} | {elapsed / plain:.2f} |", flush=True
            )


if __name__ == "__main__":
    main()
