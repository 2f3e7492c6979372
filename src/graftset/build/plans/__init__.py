"""Mixing plans: which images, how often, in which order, for how many steps.

value.py     a plan as a value, with its figures
table.py     what a plan asks for, and the table of built-in plans
choosing.py  which images it uses
mixing.py    repeats, epochs or a budget of steps, checkpoints, and what is refused
telling.py   a plan as text
"""

from __future__ import annotations

from graftset.build.plans.choosing import Choices, Chosen, choose
from graftset.build.plans.mixing import (
    LEAST_REAL_MASS,
    ImageClass,
    accept_real_mass,
    class_folders,
    mix,
    plan_mix,
    with_epochs,
)
from graftset.build.plans.table import PLANS, PlanSpec, StageSpec, Use, plan_named, plans_from_settings
from graftset.build.plans.telling import describe, table
from graftset.build.plans.value import (
    CHECKPOINTS,
    ORIGINS,
    Checkpoint,
    Match,
    MixingPlan,
    Stage,
    Subset,
    Uneven,
    at_equal_exposures,
    batches,
)

__all__ = [
    "CHECKPOINTS",
    "LEAST_REAL_MASS",
    "ORIGINS",
    "PLANS",
    "Checkpoint",
    "Choices",
    "Chosen",
    "ImageClass",
    "Match",
    "MixingPlan",
    "PlanSpec",
    "Stage",
    "StageSpec",
    "Subset",
    "Uneven",
    "Use",
    "accept_real_mass",
    "at_equal_exposures",
    "batches",
    "choose",
    "class_folders",
    "describe",
    "mix",
    "plan_mix",
    "plan_named",
    "plans_from_settings",
    "table",
    "with_epochs",
]
