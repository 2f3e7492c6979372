"""Builds training sets: mixing plans, training sizes, and one member of `FORMATS` per trainer.

plans.py     the mixing plan as a value, and the table of plans
sizes.py     the size of the training images
names.py     file names that every system and trainer accepts
package.py   what a format is given and gives back
formats.py   the table of formats
builder.py   writes a build folder, whole or not at all
manifest.py  the hash of every file, and `verify`
reading.py   a manifest as typed values
check.py     what a trainer would read in a folder, against its plan where it has one
kohya/       the format of kohya sd-scripts
"""

from __future__ import annotations

from graftset.build.builder import BuildReport, build
from graftset.build.check import CheckReport, CheckRow, ImageFate, check
from graftset.build.formats import FORMATS
from graftset.build.manifest import MANIFEST, VerifyReport, verify
from graftset.build.plans import ORIGINS, PLANS, MixingPlan, PlanSpec, Stage, Subset, plan_mix, with_epochs
from graftset.build.reading import BuildRecord, read_build
from graftset.build.sizes import TrainingSize, choose_size

__all__ = [
    "FORMATS",
    "MANIFEST",
    "ORIGINS",
    "PLANS",
    "BuildRecord",
    "BuildReport",
    "CheckReport",
    "CheckRow",
    "ImageFate",
    "MixingPlan",
    "PlanSpec",
    "Stage",
    "Subset",
    "TrainingSize",
    "VerifyReport",
    "build",
    "check",
    "choose_size",
    "plan_mix",
    "read_build",
    "verify",
    "with_epochs",
]
