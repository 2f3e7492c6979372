"""Peak memory of ingest and assess against the number of candidates: it should stay flat.

Each size runs in a process of its own; the peak is the largest resident size of any one process, workers included, as
the operating system reports it.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from graftset.drawn import draw_sample_set

SIZES = (200, 2000)
RUN = """
import resource, sys
from pathlib import Path
from joblib.externals.loky import get_reusable_executor
from graftset.catalog import Catalog
from graftset.ingest import ingest
from graftset.assess import assess
catalog = Catalog.open("sqlite:///" + sys.argv[1] + "/catalog.db")
ingest(catalog, originals=Path(sys.argv[2]), candidates=Path(sys.argv[3]), prompts=None)
assess(catalog)
get_reusable_executor().shutdown(wait=True)  # the system only reports processes that have ended
own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(own, workers)
"""


def main() -> None:
    assert resource.RUSAGE_SELF == 0  # Linux: ru_maxrss is in KiB
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        draw_sample_set(root / "set", candidates=200)
        drawn = sorted((root / "set" / "candidates").glob("*.png"))
        peaks = []
        for size in SIZES:
            folder = root / f"candidates{size}"
            folder.mkdir()
            for number in range(size):
                # The same pixels again are the same measurement: appending to the file makes its content its own.
                target = folder / f"c{number:05}.png"
                shutil.copyfile(drawn[number % len(drawn)], target)
                _stamp(target, number)
            (root / f"project{size}").mkdir()
            command = [
                sys.executable,
                "-c",
                RUN,
                str(root / f"project{size}"),
                str(root / "set/originals"),
                str(folder),
            ]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            own, workers = (int(kib) / 1024 for kib in done.stdout.split())
            peaks.append(max(own, workers))
            print(f"{size:6} candidates: main process {own:6.0f} MiB, largest worker {workers:6.0f} MiB")
        print(f"growth {peaks[-1] / peaks[0]:.2f} times for {SIZES[-1] / SIZES[0]:.0f} times the candidates")


def _stamp(path: Path, number: int) -> None:
    """Give a PNG a text chunk of its own, so that its bytes differ."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    with Image.open(path) as image:
        info = PngInfo()
        info.add_text("number", str(number))
        image.save(path, pnginfo=info, compress_level=1)


if __name__ == "__main__":
    main()
