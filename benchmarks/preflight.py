"""How long `graftset build --check` takes on a large folder, and how its memory grows.

python benchmarks/preflight.py [IMAGES ...]      default: 2000 20000

Each folder holds so many 512 px pictures of 24 x 24 cells with captions of some 60 tokens, in one 1_name folder. The
child process is measured: CPU time and greatest resident memory. `pixels 0` opens no picture.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from graftset.imageio import encode_png

SIZE, CELLS = 512, 24
DRAWN = 50  # different pictures; the others are copies, which cost as much to read
WORDS = "pixel art, 24x24, portrait of a lady, brown hair, green hat, neutral expression, blue background, shirt"
CHECK = "import sys; from graftset.cli import main; sys.argv = ['graftset', *sys.argv[1:]]; main()"


def draw(folder: Path, count: int) -> None:
    """So many pictures with captions."""
    rng = np.random.default_rng(0)
    lines = np.arange(SIZE) * CELLS // SIZE
    drawn = []
    for _ in range(min(DRAWN, count)):
        palette = rng.integers(0, 256, (20, 3), dtype=np.uint8)
        drawn.append(encode_png(palette[rng.integers(0, 20, (CELLS, CELLS))][np.ix_(lines, lines)]))
    inner = folder / "1_lady"
    inner.mkdir()
    for number in range(count):
        (inner / f"lady_{number:05}.png").write_bytes(drawn[number % len(drawn)])
        (inner / f"lady_{number:05}.txt").write_text(f"{WORDS}, number {number}", encoding="utf-8")


def measured(folder: Path, pixels: int) -> tuple[float, float, float]:
    """Wall-clock s, CPU s and greatest memory in MiB of one check, its worker processes not counted in the memory."""
    words = ["build", "--check", str(folder), "--pixels", str(pixels), "--json"]
    words += ["--set", "resolution=512", "--set", "caption_extension=.txt", "--set", "enable_bucket=true"]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", CHECK, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, errors = process.communicate()
    if process.returncode not in (0, 1) or b"Traceback" in errors:
        raise SystemExit(errors.decode())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, cpu, after.ru_maxrss / 1024


def main() -> None:
    """Print one line for each size of folder and number of opened pictures."""
    counts = [int(word) for word in sys.argv[1:]] or [2000, 20000]
    print(f"{os.cpu_count()} cores; images  opened   wall s    CPU s  memory MiB")
    for count in counts:
        with tempfile.TemporaryDirectory() as place:
            draw(Path(place), count)
            for pixels in (0, 1000):
                wall, cpu, memory = measured(Path(place), pixels)
                print(f"         {count:6}  {pixels:6}  {wall:7.1f}  {cpu:7.1f}  {memory:10.0f}")


if __name__ == "__main__":
    main()
