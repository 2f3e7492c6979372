"""The project's detectors of traits: fitted on its originals once, kept in the catalog until they change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import PurePath

from graftset.catalog import Catalog
from graftset.measuring import VERSION as MEASURES
from graftset.measuring import Picture, fit_detectors
from graftset.traits import Reliability, TraitDetectors
from graftset.traits.stored import dump, load, reliability_from, reliability_json
from graftset.vocabulary import NOTHING_NAMED, Named

PRODUCER = "traits"
VERSION = "5"  # raise it when anything that is fitted changes


def detectors_for(catalog: Catalog, originals: Sequence[Picture], named: Named = NOTHING_NAMED) -> TraitDetectors:
    """The detectors of these originals: those that are kept, else fitted now and kept in their place.

    Args:
        catalog: Of the project.
        originals: At least one; all of one native size.
        named: What the user names in the settings.
    """
    key, version = _key(originals, named), f"{MEASURES}.{VERSION}"
    blob = catalog.blob(key, PRODUCER, version)
    if blob is not None:
        return load(blob)
    fitted = fit_detectors(originals, named)
    catalog.save_measurements(PRODUCER, version, [(key, reliability_json(fitted), dump(fitted))])
    catalog.keep_only(PRODUCER, key, version)
    return fitted


def known_reliability(catalog: Catalog) -> dict[str, Reliability]:
    """How far each slot ("hair"), value ("skin:dark") and accessory ("accessory:crown") can be trusted.

    As the last assessment fitted them; empty before the first.
    """
    for _, data, _ in catalog.measurements(PRODUCER, f"{MEASURES}.{VERSION}"):
        return reliability_from(data)
    return {}


def _key(originals: Sequence[Picture], named: Named) -> str:
    """Changes when an original's picture or caption does, or what the user names; 64 hex digits, as for an image.

    Held-out answers go by the originals' order, so that counts; the folder they lie in does not.
    """
    digest = hashlib.sha256()
    for original in originals:
        parts = (PurePath(original.path).name, original.caption or "")
        digest.update("\x1f".join(parts).encode("utf-8", "surrogatepass") + original.native.tobytes())
        digest.update(original.figure.tobytes() + b"\x1e")
    digest.update(repr(named).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
