"""What comparing two arms says, as frozen values: differences with intervals, verdicts, and what they rest on.

An arm is one training set trained with several seeds. Differences are arm minus baseline, paired by training seed,
prompt and the noise a picture is painted from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["HELPED", "HURT", "NON-INFERIOR", "EQUIVALENT", "INCONCLUSIVE"]
Align = Literal["steps", "exposures"]  # which checkpoint of the baseline an arm's last one is held against
Method = Literal["t", "bootstrap"]

LEAST_SEEDS = 5  # training seeds under which a verdict is directional only
DIRECTIONAL = "directional only"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is compared: one measure over one group of prompts, higher being better.

    Primary ones, at most three, are named before training; only they get verdicts that count.

    Attributes:
        name: As it is shown and asked for.
        measure: A name of `scorecards.MEASURES` that single pictures have.
        group: Of prompts: "training", "candidate", "generic", "unseen", "obedience" or "all".
        margin: What is too small to matter, in the measure's unit.
        align: "exposures" compares at equal exposures of the originals, "steps" at equal optimizer steps.
    """

    name: str
    measure: str
    group: str
    margin: float
    align: Align = "steps"


# measurement.md, sections 6 and 7.
PRIMARY: tuple[Endpoint, ...] = (
    Endpoint("original accuracy", "original_accuracy", "training", 0.05, "exposures"),
    Endpoint("variation accuracy", "background_obeyed", "candidate", 0.05),
    Endpoint("quality", "quality_preservation", "all", 0.25),
)


@dataclass(frozen=True, slots=True)
class Needed:
    """What would settle an inconclusive comparison, were the effect and the spread what they look like now."""

    seeds: int | None  # in all, with the prompts there are; None where no number under a hundred does
    prompts: int | None  # in all, with the seeds there are; None where seeds alone keep it open


@dataclass(frozen=True, slots=True)
class Difference:
    """One endpoint, arm minus baseline, in the measure's unit.

    Attributes:
        seeds: Training seeds both arms have.
        prompts: That have a value in both arms for each of these seeds.
        baseline: Mean of the baseline over seeds and prompts.
        arm: Mean of the arm.
        point: arm - baseline.
        low, high: At each end the wider of the t interval on seed means and the bootstrap over seeds and prompts.
        level: Its confidence level, Holm-adjusted over the primary endpoints.
        method: Which of the two was the wider.
        p: Of no difference, by the same two methods, the larger.
        seed_sd: Standard deviation of the seeds' mean differences.
        detectable: The difference that these seeds and prompts find in 80 % of cases.
        directional: Fewer than `LEAST_SEEDS` seeds.
        needed: For INCONCLUSIVE ones.
    """

    endpoint: Endpoint
    seeds: int
    prompts: int
    baseline: float
    arm: float
    point: float
    low: float
    high: float
    level: float
    method: Method
    p: float
    seed_sd: float
    detectable: float
    verdict: Verdict
    directional: bool
    needed: Needed | None = None


@dataclass(frozen=True, slots=True)
class ArmOutcome:
    """One arm as its runs tell it; tuples by seed are in the order of `seeds`.

    Figures of shares lie in [0, 1], quality in [0, 10]; None is what could not be told.
    """

    name: str
    plan: str
    build: str
    build_sha256: str
    originals: int
    generated: int
    steps: int
    seeds: tuple[int, ...]
    runs: tuple[str, ...]
    reviewed: float | None  # the lower bound on the share of right images in its build; None: not reviewed
    figures: dict[str, float]  # "measure/group" -> mean over seeds at the last checkpoint
    converged_at: tuple[float | None, ...]  # by seed, images seen at the first settled checkpoint; None: not converged
    stability: tuple[float | None, ...]  # by seed
    variety: tuple[float | None, ...]  # by seed, of the obedience prompts
    exposures: float | None  # mean times each original was shown by the end


@dataclass(frozen=True, slots=True)
class SeedDifference:
    """A figure that a run has one of (convergence, stability, variety): arm minus baseline over seeds.

    `better` says in which direction it is good; `low` and `high` are None for fewer than two seeds that tell it.
    """

    name: str
    unit: str
    better: Literal["higher", "lower"]
    seeds: int
    baseline: float | None
    arm: float | None
    point: float | None
    low: float | None
    high: float | None
    worse: bool | None  # None: cannot be told; True: the interval lies on the bad side of 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class TraitDifference:
    """Obedience of one requested trait, arm minus baseline, 95 % interval; exploratory, never a verdict."""

    trait: str  # "background:gray", "accessory:crown"
    prompts: int
    baseline: float
    arm: float
    point: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ChangedPrompt:
    """A prompt whose pictures changed most, for the gallery."""

    prompt_id: str
    group: str
    text: str
    measure: str
    baseline: float  # mean over seeds
    arm: float
    pictures: tuple[tuple[str, str], ...]  # paths of (baseline, arm) pictures of one seed and noise, relative to runs/


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything said of one arm against the baseline."""

    experiment: str | None
    baseline: ArmOutcome
    arm: ArmOutcome
    primary: tuple[Difference, ...]
    secondary: tuple[Difference, ...]  # otherwise aligned, further groups; at 95 %, no verdict counts
    convergence: SeedDifference
    stability: SeedDifference
    variety: SeedDifference
    traits: tuple[TraitDifference, ...]
    changed: tuple[ChangedPrompt, ...]
    inputs: dict[str, str]  # "run/checkpoint" -> inputs_sha256 of the scorecard it rests on
    evaluator: str
    notes: tuple[str, ...] = ()  # what is marked: seeds left out, arms unfinished ...
    at: str = ""
    format_version: int = FORMAT_VERSION
    unfinished: tuple[str, ...] = ()  # runs that were begun and not finished; their seeds are left out of both arms

    @property
    def directional(self) -> bool:
        """Whether there are too few seeds for any verdict to count."""
        return len(self.arm.seeds) < LEAST_SEEDS

    def difference(self, name: str) -> Difference | None:
        """A primary endpoint by name."""
        return next((one for one in self.primary if one.endpoint.name == name), None)
