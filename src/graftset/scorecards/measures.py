"""Every figure of a scorecard described once: name, unit, range, which way is better, what it means, where it is from.

Help, charts, comparison and docs/evaluation.md read this table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Against = Literal["original", "variation", "any"]
Better = Literal["higher", "lower", "neither"]

_SELF = "docs/evaluation.md"
_SHARE = "share"


@dataclass(frozen=True, slots=True)
class EvaluationMeasure:
    """One figure as it describes itself.

    `against` says which prompts have it: those of an original ("original"), those that ask for something no original
    is the answer to ("variation"), or any. `of_picture` is true where every single picture has a value.
    """

    name: str
    title: str
    unit: str
    low: float | None
    high: float | None
    better: Better
    against: Against
    of_picture: bool
    meaning: str
    source: str

    @property
    def reach(self) -> float:
        """The largest difference two values can have; infinite where the range is open."""
        return math.inf if self.low is None or self.high is None else self.high - self.low

    @property
    def is_share(self) -> bool:
        """Whether it counts what is right and wrong, so that binomial intervals hold for its mean."""
        return self.unit == _SHARE


MEASURES: tuple[EvaluationMeasure, ...] = (
    EvaluationMeasure(
        "original_accuracy", "Original accuracy", _SHARE, 0, 1, "higher", "original", True,
        "mean of the exact matches of background and hair color with the original that has this caption",
        "background_exact_match and hair_color_exact_match, whichever can be told",
    ),
    EvaluationMeasure(
        "background_exact_match", "Background, exact", _SHARE, 0, 1, "higher", "original", True,
        "background of the same kind, every dominant color within 5 CIEDE2000 of one of the original's and back",
        "Sharma, Wu and Dalal 2005 (CIEDE2000)",
    ),
    EvaluationMeasure(
        "background_word_match", "Background, by word", _SHARE, 0, 1, "higher", "original", True,
        "background that is called by a word acceptable for the original's",
        "XKCD color survey 2010, moved by the originals' captions",
    ),
    EvaluationMeasure(
        "background_near", "Background, near", _SHARE, 0, 1, "higher", "original", True,
        "main background color within 0.06 OKLab of the original's",
        "Ottosson 2020 (OKLab)",
    ),
    EvaluationMeasure(
        "background_distance", "Background distance", "OKLab", 0, None, "lower", "original", True,
        "distance of the main background color to the original's",
        "Ottosson 2020 (OKLab)",
    ),
    EvaluationMeasure(
        "hair_color_exact_match", "Hair color, exact", _SHARE, 0, 1, "higher", "original", True,
        "every dominant color of the hair region within 5 CIEDE2000 of one of the original's and back",
        "the region is where captions' hair colors come true, see graftset.traits.places",
    ),
    EvaluationMeasure(
        "accessory_presence", "Accessories", _SHARE, 0, 1, "higher", "original", True,
        "accessories rightly there and rightly absent, both halves counting the same, of those that can be verified",
        "detectors of graftset.traits; what they cannot tell on the original is left out",
    ),
    EvaluationMeasure(
        "overall_similarity", "Likeness (SSIM)", "SSIM", -1, 1, "higher", "original", True,
        "structural similarity with the original at native size, uniform window of 7 cells, mean over R, G and B",
        "Wang, Bovik, Sheikh and Simoncelli 2004, equation 13",
    ),
    EvaluationMeasure(
        "pixel_exact", "Exact cells", "share of cells", 0, 1, "higher", "original", True,
        "cells within 2 CIEDE2000 of the original's", "Sharma, Wu and Dalal 2005 (CIEDE2000)",
    ),
    EvaluationMeasure(
        "nearest_is_own", "Recognized", _SHARE, 0, 1, "higher", "original", True,
        "pictures whose nearest original is the one with this caption",
        "native-grid distance of graftset.pixels.similarity",
    ),
    EvaluationMeasure(
        "variation_accuracy", "Variation accuracy", _SHARE, 0, 1, "higher", "variation", True,
        "requested traits that are seen, of those with a trusted detector; what it cannot tell is not seen",
        "detectors of graftset.traits",
    ),
    EvaluationMeasure(
        "background_obeyed", "Background obeyed", _SHARE, 0, 1, "higher", "any", True,
        "background that may be called by the word the prompt asks for",
        "XKCD color survey 2010, moved by the originals' captions",
    ),
    EvaluationMeasure(
        "style_consistency", "Style consistency", "probability", 0, 1, "higher", "any", True,
        "probability of being in style, from the structure and render measures",
        "logistic regression, originals against degraded originals; see its check on the sample set",
    ),
    EvaluationMeasure(
        "quality_preservation", "Quality", "0-10", 0, 10, "higher", "any", True,
        "quality score: 10 is an original, 8 is what a careful owner would train on",
        "docs/measures.md",
    ),
    EvaluationMeasure(
        "overall", "Overall", "mean of shares", 0, 1, "higher", "any", True,
        "mean of accuracy (original or variation), quality over 10, and style consistency where it may be used",
        _SELF,
    ),
    EvaluationMeasure(
        "copy_rate", "Copies of originals", _SHARE, 0, 1, "neither", "any", True,
        "pictures that are an original up to render noise: recall on training captions, want of invention elsewhere",
        "connected regions of cells, graftset.pixels.similarity",
    ),
    EvaluationMeasure(
        "variety", "Variety", "ratio", 0, None, "higher", "any", False,
        "Vendi score over that of equally many originals: 1 is as varied as the originals",
        "Friedman and Dieng 2023",
    ),
    EvaluationMeasure(
        "vendi", "Vendi score", "pictures", 1, None, "higher", "any", False,
        "effective number of different pictures", "Friedman and Dieng 2023",
    ),
    EvaluationMeasure(
        "distinct_outputs", "Distinct outputs", "ratio", 0, 1, "higher", "any", False,
        "different pictures among the seeds of one prompt: 0 where all are the same, 1 where none is another's copy",
        "connected regions of cells, graftset.pixels.similarity",
    ),
)  # fmt: skip

BY_NAME: Mapping[str, EvaluationMeasure] = {measure.name: measure for measure in MEASURES}
