"""The table of knobs: one more is one entry here, with its prior and the moves it makes of a project's facts."""

from __future__ import annotations

from graftset.suggest import images
from graftset.suggest.records import Knob, Prior
from graftset.suggest.training import NUMERIC, numeric

ORIGINALS, VARIATION, QUALITY = "original accuracy", "variation accuracy", "quality"
_NUMERIC_ENDPOINTS = {"learning_rate": ORIGINALS, "conv_dim": QUALITY}

KNOBS: tuple[Knob, ...] = (
    Knob("baseline", "Baseline", ORIGINALS, Prior(0.0, 0.10, "no belief: it is what others are held against"),
         images.baseline),
    Knob("seeds", "More seeds", VARIATION, Prior(0.0, 0.10, "the experiment itself"), images.settle),
    Knob("captions", "Captions", VARIATION, Prior(0.10, 0.15, "the share of wrong claims decides, see the move"),
         images.captions),
    Knob("expansion", "Expansion", VARIATION, Prior(0.05, 0.08, "judgment, scaled by what is lacking"),
         images.expansion),
    *(Knob(one.setting, one.title, _NUMERIC_ENDPOINTS.get(one.setting, VARIATION), one.prior, numeric(one))
      for one in NUMERIC),
    Knob("epochs", "Epochs", ORIGINALS, Prior(0.0, 0.06, "judgment; exposure moves background match most"),
         images.epochs),
    Knob("real_mass", "Real mass", ORIGINALS, Prior(0.02, 0.04, "judgment after Bertrand et al. 2024"),
         images.real_mass),
    Knob("resolution", "Resolution", QUALITY, Prior(0.0, 0.03, "judgment"), images.resolution),
)  # fmt: skip
BY_NAME = {knob.name: knob for knob in KNOBS}
