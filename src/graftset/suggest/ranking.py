"""Facts in, ranked suggestions out. Pure."""

from __future__ import annotations

import math
from typing import Literal

from graftset.phrases import counted
from graftset.suggest.believing import believed, standing
from graftset.suggest.records import ANY, Cost, Facts, Knob, Move, Suggestion, Trial
from graftset.suggest.table import KNOBS

DEFAULT_SECONDS = 0.28  # CPU seconds of a step of the embedded model at default size, two arms side by side
_HIGH, _MEDIUM = 0.02, 0.008  # expected gain over sqrt(1 + hours)


def suggest(facts: Facts) -> tuple[Suggestion, ...]:
    """Every move that the facts give, the most worthwhile first; what the record settles comes last, unranked."""
    made = []
    seen = set()
    for knob in KNOBS:
        for move in knob.moves(facts):
            seen.add((knob.name, move.key))
            made.append(_suggestion(knob, move, facts))
        # What was tried and is settled is shown even where the facts ask for nothing of the kind any more.
        for key in dict.fromkeys(t.move for t in facts.trials if t.knob == knob.name and t.move != ANY):
            if (knob.name, key) not in seen:
                settled = _suggestion(knob, _recorded(knob, key), facts)
                if settled.standing != "open":
                    made.append(settled)
    open_ones = sorted((s for s in made if s.standing == "open"), key=lambda s: (not s.move.urgent, -worth(s)))
    closed = [s for s in made if s.standing != "open"]
    ranked = [_ranked(s, rank) for rank, s in enumerate(open_ones, start=1)]
    return (*ranked, *closed)


def worth(one: Suggestion) -> float:
    """Expected gain over the square root of one plus the hours it costs."""
    hours = sum(h for h in (one.cost.cpu_hours, one.cost.gpu_hours, one.cost.making_hours) if h is not None)
    return one.effect.gain / math.sqrt(1 + hours)


def _suggestion(knob: Knob, move: Move, facts: Facts) -> Suggestion:
    every = [trial for trial in facts.trials if trial.knob == knob.name and trial.move in (move.key, ANY)]
    trials = [trial for trial in every if trial.move == move.key]
    return Suggestion(
        rank=0,
        knob=knob.name,
        move=move,
        effect=believed(knob.endpoint, move.prior or knob.prior, every),
        cost=_cost(move, facts),
        priority="low",
        standing=standing(trials),
        record=tuple(_told(trial) for trial in trials),
    )


def _ranked(one: Suggestion, rank: int) -> Suggestion:
    value = worth(one)
    priority: Literal["first", "high", "medium", "low"] = (
        "first" if one.move.urgent else "high" if value >= _HIGH else "medium" if value >= _MEDIUM else "low"
    )
    return Suggestion(rank, one.knob, one.move, one.effect, one.cost, priority, one.standing, one.record)


def _cost(move: Move, facts: Facts) -> Cost:
    runs = move.arms * facts.seeds
    steps = runs * (move.steps or facts.steps)
    embedded = move.trainer == "embedded"
    return Cost(
        images=move.images,
        cpu_hours=steps * (facts.seconds_per_step or DEFAULT_SECONDS) / 3600 if embedded else None,
        gpu_hours=None if embedded else steps * facts.gpu_seconds_per_step / 3600,
        making_hours=move.images * facts.minutes_per_image / 60 if facts.minutes_per_image and move.images else None,
        runs=runs,
    )


def _recorded(knob: Knob, key: str) -> Move:
    return Move(
        key=key,
        title=f"{knob.title} {key}",
        hypothesis="",
        rationale=(),
        success="",
        toml="",
        command="",
        arms=0,
    )


def _told(trial: Trial) -> str:
    mark = ", directional only" if trial.directional else ""
    return (
        f"{trial.experiment}: {trial.endpoint} {100 * trial.point:+.1f} points ({100 * trial.low:+.1f} to "
        f"{100 * trial.high:+.1f}), {trial.verdict}, {counted(trial.seeds, 'seed')}{mark}."
    )
