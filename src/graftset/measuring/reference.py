"""What the originals of a project say about any picture: ranges, palette, colour words, nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from graftset.measuring.picture import unpack_mask
from graftset.pixels.color import ColorWords, srgb_to_oklab
from graftset.pixels.novelty import PatchNovelty
from graftset.pixels.similarity import KIN, Match, NativeIndex, boxes
from graftset.quality import Scale, total
from graftset.records import Assessment, Grid, Nearest, Region, Traits
from graftset.traits import TraitDetectors, learn_words, name_background
from graftset.vocabulary import NOTHING_NAMED, Named, Vocabulary

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

TWIN = 0.6  # share of cells that agree in place above which two originals are near-twins
TWINS = (0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.995)  # shares of the figure's cells that agree, see `families`
LARGEST_FAMILY = 0.1  # share of the originals
_SEED = 0  # of the folds: the same originals give the same detectors
_NEIGHBORS = 24  # palette colours looked at to find one that another original uses


@dataclass(frozen=True, slots=True)
class Picture:
    """One measured image as the reference reads it. `data` is what `measuring.measure_pixels` returned."""

    path: str
    native: U8  # [h, w, 3]
    data: Mapping[str, Any]
    caption: str | None = None

    @property
    def figure(self) -> Mask:
        """The cells that are not background, bool [h, w]."""
        return ~unpack_mask(self.data["background"]["mask"], *self.native.shape[:2])


class Reference:
    """The originals of one project, fitted. All pictures given to it have the originals' native size.

    Args:
        originals: At least one; all of one native size.
        detectors: Fitted on these originals by `fit_detectors`.
    """

    def __init__(self, originals: Sequence[Picture], detectors: TraitDetectors) -> None:
        self.originals = list(originals)
        natives = np.stack([o.native for o in originals])
        oklab = srgb_to_oklab(natives)
        figures = [o.figure for o in originals]
        self.index = NativeIndex(list(natives), figures)
        self.words = self._learn_words()
        self.detectors = detectors
        self._novelty = PatchNovelty(oklab, _kin(oklab))
        self._palette = _Palette(natives)
        own = self._palette.distances(natives, members=True)
        novelty = self._novelty.measure(oklab, figures, members=True)
        # What each original measures among the others: it says what is normal, and is what the report shows of it.
        self._among = {
            o.path: _finite({**o.data["measures"], "off_palette": own[i], "structure_novelty": novelty[i]})
            for i, o in enumerate(originals)
        }
        self.scale = Scale.fit(list(self._among.values()))

    def _learn_words(self) -> ColorWords:
        told = [o for o in self.originals if o.caption]
        return learn_words([o.caption or "" for o in told], [o.data["background"] for o in told])

    def assess(self, pictures: Sequence[Picture], *, members: bool = False) -> list[Assessment]:
        """Everything that depends on the originals, for a batch of pictures.

        Args:
            pictures: Of the originals' native size.
            members: True where the pictures are originals: each is then compared with the others only, but scored as
                what it is, an original.
        """
        natives = np.stack([p.native for p in pictures])
        figures = [p.figure for p in pictures]
        places = {o.path: i for i, o in enumerate(self.originals)}
        if members:
            measured = [self._among[p.path] for p in pictures]
            # An original is itself: it lacks nothing against the set it belongs to, and is the scale's 10.
            scored = [{**m, "off_palette": 0.0, "structure_novelty": 0.0} for m in measured]
        else:
            off_palette = self._palette.distances(natives)
            novelty = self._novelty.measure(srgb_to_oklab(natives), figures)
            measured = [
                _finite({**p.data["measures"], "off_palette": off_palette[i], "structure_novelty": novelty[i]})
                for i, p in enumerate(pictures)
            ]
            scored = measured
        # What an original shows is said by detectors that did not see it: else its caption could never be wrong.
        seen = (
            [self.detectors.held_out[places[p.path]] for p in pictures]
            if members
            else self.detectors.detect(natives, np.stack(figures))
        )
        results = []
        for picture, traits, measures, judged in zip(pictures, seen, measured, scored, strict=True):
            match = self.index.nearest(picture.native, skip=places.get(picture.path) if members else None)
            background = name_background(picture.data["background"], self.words)
            parts = self.scale.parts(judged)
            results.append(self._assessment(picture, Traits(background, *traits), measures, parts, match, members))
        return results

    def _assessment(
        self,
        picture: Picture,
        traits: Traits,
        measures: dict[str, float],
        parts: dict[str, float],
        match: Match | None,
        member: bool,
    ) -> Assessment:
        source = None if match is None else self.originals[match.index].path
        kin = match is not None and (match.is_copy or match.agreement >= KIN)
        return Assessment(
            grid=Grid(**picture.data["grid"]),
            score=total(parts),
            score_parts=parts,
            measures=measures,
            traits=traits,
            copy_of=source if match is not None and match.is_copy and not member else None,
            nearest_original=None if match is None or source is None else _nearest(match, source),
            source_original=source if kin and not member else None,
        )


def fit_detectors(originals: Sequence[Picture], named: Named = NOTHING_NAMED, *, seed: int = _SEED) -> TraitDetectors:
    """Detectors of what the originals' captions name.

    Args:
        originals: At least one; all of one native size.
        named: What the user names in the settings.
        seed: Of the folds of the cross-validation.
    """
    captions = [o.caption for o in originals if o.caption]
    vocabulary = Vocabulary.learn(captions, named=named)
    told = [vocabulary.labels(o.caption) if o.caption else None for o in originals]
    slots = {
        slot: [None if labels is None else labels.slots.get(slot) for labels in told]
        for slot in vocabulary.slots
        if slot != "background"
    }
    accessories = {
        term: [None if labels is None else term in labels.accessories for labels in told] for term in vocabulary.terms
    }
    natives = np.stack([o.native for o in originals])
    figures = np.stack([o.figure for o in originals])
    rng = np.random.default_rng(seed)
    return TraitDetectors.fit(natives, figures, slots, accessories, families(natives, figures), rng)


def families(natives: U8, figures: Mask) -> NDArray[np.intp]:
    """A number for each original, equal for near-twins, int [N].

    Near-twins agree in place in most cells of their figures, whatever is behind them. Where all originals stand on
    one body, as portraits laid together from parts do, any two agree in most cells: the share is then raised until no
    family holds more than a tenth of the originals.

    Args:
        natives: uint8 [N, h, w, 3].
        figures: bool [N, h, w].
    """
    count = len(natives)
    oklab, masks = srgb_to_oklab(natives).reshape(count, -1, 3), figures.reshape(count, -1)
    agreement = np.eye(count, dtype=np.float32)
    for i in range(count - 1):
        alike = ((oklab[i + 1 :] - oklab[i]) ** 2).sum(axis=2) < 0.1**2
        either = masks[i + 1 :] | masks[i]
        agreement[i, i + 1 :] = (alike & either).sum(axis=1) / np.maximum(either.sum(axis=1), 1)
    numbers: NDArray[np.intp] = np.arange(count)
    for share in TWINS:
        _, found = connected_components(agreement >= share, directed=False)
        numbers = found.astype(np.intp)
        if np.bincount(numbers).max() <= max(10, LARGEST_FAMILY * count):
            break
    return numbers


def _finite(measures: Mapping[str, float]) -> dict[str, float]:
    """The measures that have a value, to five decimals."""
    return {name: round(float(value), 5) for name, value in measures.items() if np.isfinite(value)}


def _nearest(match: Match, path: str) -> Nearest:
    """The record of a match, regions largest first."""
    return Nearest(
        path=path,
        distance=round(match.distance, 5),
        flipped=match.alignment.flipped,
        shift=(match.alignment.dy, match.alignment.dx),
        regions=tuple(Region(*box) for box in boxes(match.changed)),
    )


def _kin(oklab: NDArray[np.float32]) -> Mask:
    """Which originals are near-twins, bool [N, N] with a true diagonal: kin never vouch for each other."""
    flat = oklab.reshape(len(oklab), -1, 3)
    kin = np.eye(len(oklab), dtype=bool)
    for i in range(len(oklab)):
        agree = (((flat[i + 1 :] - flat[i]) ** 2).sum(axis=2) < 0.1**2).mean(axis=1) >= TWIN
        kin[i, i + 1 :] = agree
        kin[i + 1 :, i] = agree
    return kin


class _Palette:
    """The colours the originals use, with who uses each."""

    def __init__(self, natives: U8) -> None:
        codes = natives.astype(np.uint32)
        packed = (codes[..., 0] << 16 | codes[..., 1] << 8 | codes[..., 2]).reshape(len(natives), -1)
        owners: dict[int, int] = {}
        for number, row in enumerate(packed):
            for code in np.unique(row):
                # -1: more than one original uses it, so it speaks for each of them.
                owners[int(code)] = number if int(code) not in owners else -1
        colors = np.array(sorted(owners), dtype=np.uint32)
        self._owner = np.array([owners[int(code)] for code in colors])
        rgb = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=1).astype(np.uint8)
        self._tree = cKDTree(srgb_to_oklab(rgb))

    def distances(self, natives: U8, *, members: bool = False) -> NDArray[np.float64]:
        """Mean OKLab distance of the cells to the palette, float64 [N].

        With `members`, `natives` are the originals in order and the colours only one of them uses do not count for it.
        """
        cells = srgb_to_oklab(natives).reshape(len(natives), -1, 3)
        if not members:
            return np.asarray(self._tree.query(cells)[0].mean(axis=1))
        result = np.zeros(len(natives))
        neighbors = min(_NEIGHBORS, self._tree.n)
        for number, own in enumerate(cells):
            distance, which = self._tree.query(own, k=neighbors)
            distance, which = distance.reshape(len(own), -1), which.reshape(len(own), -1)
            foreign = np.where(self._owner[which] == number, np.inf, distance).min(axis=1)
            # All near colours are its own: the farthest looked at is a lower bound, and far enough to say so. Where
            # every colour there is belongs to it alone, nothing can be said.
            alone = bool((self._owner == number).all())
            result[number] = np.nan if alone else np.where(np.isfinite(foreign), foreign, distance[:, -1]).mean()
        return result
