"""What two arms differ in, by their scorecards: tables in, frozen values out; nothing is read or written elsewhere.

records.py    the values
tables.py     differences paired by training seed, prompt and noise
comparing.py  one arm against the baseline: endpoints, verdicts, what is refused and what is marked
seeds.py      what a run has one figure of: convergence, stability, variety
traits.py     obedience trait by trait
changed.py    the prompts that changed most
reading.py    comparisons as JSON files
"""

from graftset.compare.comparing import ArmRuns, compare
from graftset.compare.reading import as_json, from_json, read_comparisons, write_comparisons
from graftset.compare.records import (
    DIRECTIONAL,
    LEAST_SEEDS,
    PRIMARY,
    ArmOutcome,
    ChangedPrompt,
    Comparison,
    Difference,
    Endpoint,
    Needed,
    SeedDifference,
    TraitDifference,
)

__all__ = [
    "DIRECTIONAL",
    "LEAST_SEEDS",
    "PRIMARY",
    "ArmOutcome",
    "ArmRuns",
    "ChangedPrompt",
    "Comparison",
    "Difference",
    "Endpoint",
    "Needed",
    "SeedDifference",
    "TraitDifference",
    "as_json",
    "compare",
    "from_json",
    "read_comparisons",
    "write_comparisons",
]
