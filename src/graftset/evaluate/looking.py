"""The originals of a project, fitted, and what they let be seen of a painted picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graftset.evaluate.style import StyleModel
from graftset.measuring import VERSION as MEASURES_VERSION
from graftset.measuring import Picture, Reference, fit_detectors
from graftset.pixels.background import group_colors
from graftset.pixels.color import srgb_to_cielab, srgb_to_oklab, to_hex
from graftset.pixels.diversity import median_bandwidth
from graftset.records import Assessment
from graftset.traits import TraitDetectors
from graftset.vocabulary import Vocabulary

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Colors = tuple[tuple[str, float], ...]

EVALUATOR = f"1.{MEASURES_VERSION}"  # raise the first number when a figure changes: then older cards compare no more
HAIR = "hair"


@dataclass(frozen=True, slots=True)
class Original:
    """One original with the hash it is called by."""

    sha256: str
    picture: Picture


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one picture: everything the measures read."""

    picture: Picture
    assessment: Assessment
    hair: Colors | None  # of its hair region, the largest first; None where no region was learned or none shows


class Originals:
    """The originals of one project and everything that is fitted on them.

    Args:
        originals: At least one, all of one native size.
        detectors: Of these originals, in this order; fitted where there are none.
        style: A style model of the same originals; likewise.
    """

    def __init__(
        self,
        originals: Sequence[Original],
        *,
        detectors: TraitDetectors | None = None,
        style: StyleModel | None = None,
    ) -> None:
        self.originals = tuple(originals)
        pictures = [original.picture for original in originals]
        self._detectors = detectors or fit_detectors(pictures)
        self.reference = Reference(pictures, self._detectors)
        self.vocabulary = Vocabulary.learn([p.caption for p in pictures if p.caption])
        self.style = style or fit_style(originals)
        self.sha_of = {original.picture.path: original.sha256 for original in originals}
        self.place = {original.sha256: i for i, original in enumerate(originals)}
        self.natives: U8 = np.stack([p.native for p in pictures])
        self.features: F32 = srgb_to_oklab(self.natives).reshape(len(pictures), -1)
        self.bandwidth = median_bandwidth(self.features, np.random.default_rng(0))
        # An original is looked at as a stranger would be: what it shows is compared with what a sample shows.
        self.seen = self.look(pictures)

    @property
    def size(self) -> tuple[int, int]:
        """Native width and height, cells."""
        height, width = self.natives.shape[1:3]
        return width, height

    def answers(self, slot: str, value: str | None = None) -> bool:
        """Whether a detector of this slot, or of "accessory:TERM", is trusted to answer, with this value where given.

        Some slots are trusted value by value: "dark" skin may be told where "olive" skin is not.
        """
        reliability = self._detectors.reliability
        found = reliability.get(slot)
        if slot == "background" or found is None or not found.answers:
            return slot == "background"
        by_value = value is not None and any(name.startswith(f"{slot}:") for name in reliability)
        own = reliability.get(f"{slot}:{value}")
        return not by_value or (own is not None and own.answers)

    def look(self, pictures: Sequence[Picture]) -> list[Seen]:
        """Everything that is seen of pictures of the originals' native size."""
        if not pictures:
            return []
        assessments = self.reference.assess(pictures)
        natives = np.stack([p.native for p in pictures])
        figures = np.stack([p.figure for p in pictures])
        region = self._detectors.region(HAIR, natives, figures)
        hair = (
            [None] * len(pictures) if region is None else [_colors(n, r) for n, r in zip(natives, region, strict=True)]
        )
        return [Seen(p, a, h) for p, a, h in zip(pictures, assessments, hair, strict=True)]


def fit_style(originals: Sequence[Original]) -> StyleModel:
    """The style model of some originals."""
    pictures = [original.picture for original in originals]
    return StyleModel.fit(
        [p.native for p in pictures], [p.data["measures"] for p in pictures], np.random.default_rng(0)
    )


def originals_sha256(originals: Sequence[Original]) -> str:
    """Changes with the pictures and captions that samples are compared with; their order does not matter."""
    digest = hashlib.sha256()
    for original in sorted(originals, key=lambda o: (o.sha256, o.picture.caption or "")):
        caption = (original.picture.caption or "").encode("utf-8", "surrogatepass")
        digest.update(original.sha256.encode() + b"\x1f" + caption + b"\x1e")
    return digest.hexdigest()


def _colors(native: U8, region: Mask) -> Colors | None:
    """The colors of a region with their shares, the largest first."""
    if not region.any():
        return None
    cells = native[region]
    groups, _ = group_colors(srgb_to_cielab(cells))
    shares = np.bincount(groups) / len(groups)
    medians = [np.rint(np.median(cells[groups == i], axis=0)).astype(np.uint8) for i in range(len(shares))]
    order = np.argsort(-shares, kind="stable")
    return tuple((to_hex(medians[i]), float(shares[i])) for i in order)
