"""One image file and what is said of it -> its record."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from graftset.imageio import probe
from graftset.ingest.names import NameIndex, named_after, originals_by_stem
from graftset.ingest.notes import Notes
from graftset.ingest.parameters import SOURCES, Embedded, read_embedded
from graftset.ingest.prompts import original_meant
from graftset.ingest.texts import Stated
from graftset.ingest.walk import Found
from graftset.records import ImageRecord, Origin, Provenance, SourceBasis

SEED_SOURCE = "seed source"
"""Key of `Provenance.extra` that names the file a stated seed came from."""


def describe(path: Path, origin: Origin, stated: Stated, known: ImageRecord | None) -> ImageRecord:
    """Return the record of an image, without the original it was made from.

    The file is read only where it is new, changed in size or modification time, or needed for a text that was
    overruled in the last run and no longer is.

    Raises:
        SkipFile: The file cannot be used.
    """
    if known is not None and _is_unchanged(path, known) and _tells_enough(known, stated):
        from_file = known
        embedded = _embedded_in(known)
    else:
        probed = probe(path)
        embedded = read_embedded(probed.text)
        from_file = ImageRecord(
            path=str(path),
            sha256=probed.sha256,
            origin=origin,
            generation=0,
            width=probed.width,
            height=probed.height,
            format=probed.format,
            size_bytes=probed.size_bytes,
            mtime_ns=probed.mtime_ns,
        )
    is_stated = stated.source is not None
    return replace(
        from_file,
        origin=origin,
        generation=0 if origin == "original" else max(1, stated.generation or 1),
        text=stated.text if is_stated else embedded.prompt,
        text_source=stated.source if is_stated else embedded.source,
        provenance=_with_seed(embedded.provenance, stated),
        source_original=None,
        source_basis=None,
    )


class Originals:
    """The originals a candidate can come from.

    Args:
        found: The folder of originals.
        prompts_folder: Where the prompts file lies, to which its paths may be relative.
    """

    def __init__(self, found: Found, prompts_folder: Path | None) -> None:
        self._index = NameIndex(found.images, [found.root, *([prompts_folder] if prompts_folder else [])])
        self._by_stem = originals_by_stem(found.images)

    def source_of(self, candidate: Path, stated: Stated, notes: Notes) -> tuple[str | None, SourceBasis | None]:
        """Return the path of the original a candidate was made from and how that is known, or None twice."""
        if stated.original and (meant := original_meant(stated.original, self._index, notes)):
            return str(meant), "prompts"
        if named := named_after(candidate, self._by_stem):
            return str(named), "name"
        return None, None


def _is_unchanged(path: Path, known: ImageRecord) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (known.size_bytes, known.mtime_ns)


def _tells_enough(known: ImageRecord, stated: Stated) -> bool:
    """Tell whether the known record still holds what the file itself says, as far as that counts now."""
    text_was_overruled = known.text_source is not None and known.text_source not in SOURCES
    seed_was_overruled = SEED_SOURCE in known.provenance.extra
    return not (text_was_overruled and stated.source is None) and not (seed_was_overruled and stated.seed is None)


def _embedded_in(known: ImageRecord) -> Embedded:
    if known.text_source in SOURCES:
        return Embedded(known.text, known.text_source, known.provenance)
    return Embedded(None, None, known.provenance)


def _with_seed(provenance: Provenance, stated: Stated) -> Provenance:
    if stated.seed is None or stated.seed_source is None:
        return provenance
    return replace(provenance, seed=stated.seed, extra={**provenance.extra, SEED_SOURCE: stated.seed_source})
