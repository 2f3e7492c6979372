"""Statistics on plain arrays and counts. Pure: one file a topic, everything importable from here.

distributions.py   how far apart two distributions are
finite_pool.py     bounds on the share right in a finite pool after a sample of fixed size, and the plans they make
sequential.py      a bound that may be watched while the sample grows
agreement.py       how far two reviewers agree beyond chance
calibration.py     from a score to the probability of a yes
timeline.py        figures of one checkpoint with intervals, and what a row of checkpoints tells
"""

from graftset.statistics.agreement import Kappa, cohen_kappa, kappa_of_counts
from graftset.statistics.calibration import PlattScaling, fit_platt
from graftset.statistics.distributions import total_variation
from graftset.statistics.finite_pool import PlanRow, least_right, pass_probability, plan_table, sample_size
from graftset.statistics.proportions import clopper_pearson, wilson
from graftset.statistics.sequential import further_right, sequential_least_right, sequential_pass_probability

__all__ = [
    "Kappa",
    "PlanRow",
    "PlattScaling",
    "clopper_pearson",
    "cohen_kappa",
    "fit_platt",
    "further_right",
    "kappa_of_counts",
    "least_right",
    "pass_probability",
    "plan_table",
    "sample_size",
    "sequential_least_right",
    "sequential_pass_probability",
    "total_variation",
    "wilson",
]
