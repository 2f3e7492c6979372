"""How long `graftset --help` takes, as a ratio to starting Python and importing numpy. The house allows three."""

from __future__ import annotations

import subprocess
import sys
import time

HELP = "import sys; sys.argv = ['graftset', '--help']; from graftset.cli import main; main()"
RUNS = 15
ALLOWED = 3.0


def seconds(code: str) -> float:
    """Wall-clock time of one fresh interpreter that runs `code`, s."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print the best of alternating runs: what else the machine does can only slow one down."""
    pairs = [(seconds("import numpy"), seconds(HELP)) for _ in range(RUNS)]
    numpy, shown = (min(column) for column in zip(*pairs, strict=True))
    print(f"import numpy     {numpy * 1000:6.0f} ms")
    print(f"graftset --help  {shown * 1000:6.0f} ms")
    print(f"ratio            {shown / numpy:6.2f}    (allowed {ALLOWED:g})")


if __name__ == "__main__":
    main()
