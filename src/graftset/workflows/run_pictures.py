"""Native pictures of what runs painted: read once on their grid, then kept by content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from graftset.catalog import Catalog
from graftset.imageio import decode_png, encode_png
from graftset.measuring import VERSION, Request, measure_file

PRODUCER = "painted"


def painted_pictures(catalog: Catalog, size: tuple[int, int]) -> Callable[[Path, str], bytes | None]:
    """Gives the native PNG of a painted picture by its file and content hash, None where it has none.

    Args:
        catalog: Where they are kept.
        size: Native width and height, cells.
    """
    version = f"{VERSION}:{size[0]}x{size[1]}"

    def give(path: Path, sha256: str) -> bytes | None:
        known = catalog.blob(sha256, PRODUCER, version)
        if known is not None:
            return known
        measured = measure_file(Request(str(path), sha256, size))
        if measured.native_png is None:
            return None
        native = decode_png(measured.native_png)
        if native.shape[1::-1] != size:
            return None
        png = encode_png(native)
        catalog.save_measurements(PRODUCER, version, [(sha256, {}, png)])
        return png

    return give
