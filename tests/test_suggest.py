"""Suggesting: what a project's facts ask for, how belief moves, and what the record settles."""

from __future__ import annotations

import importlib.util
import math
import tomllib
from dataclasses import replace

import numpy as np
import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from graftset.config import parse
from graftset.suggest import KNOBS, Facts, Lack, Observed, Prior, Suggestion, Trial, Unsettled, suggest
from graftset.suggest.believing import TRANSFER, believed, standard_error, standing
from graftset.suggest.ranking import worth
from graftset.suggest.records import ANY
from graftset.suggest.search import Space, next_value

RATE = Space(2e-4, 8e-3, log=True)
FACTS = Facts(
    originals=203,
    candidates=203,
    admitted=60,
    lacking=(Lack("background", "gray", 48, 2, 9.4, 0.25), Lack("accessory:crown", "present", 12, 0, 3.1, 0.0)),
    alarms=("acceptance: gray passes less than half as often",),
    wrong={"background": (44, 50), "hair": (3, 40)},
    findings={"misspelled": 30, "boilerplate": 99},
    audited=203,
    baseline=True,
    real_mass=0.66,
    size=576,
    cells=24,
    unconverged=0.8,
    settings={"learning_rate": 2e-3, "caption_dropout": 0.1, "keep_tokens": 3, "network_dim": 32, "conv_dim": 0},
    steps=400,
)
OPEN = Unsettled("mix", ("originals", "equal"), 400, "equal", "variation accuracy", 0.1, -0.1, 0.3, 3, 9, True)


def trial(
    knob: str = "learning_rate", move: str = "0.001", point: float = 0.1, half: float = 0.04, **given: object
) -> Trial:
    """A recorded trial; a success of five seeds unless told otherwise."""
    verdict = "HELPED" if point > half else "HURT" if point < -half else "INCONCLUSIVE"
    plain = Trial(knob, move, "mix", "overall", point, point - half, point + half, 0.95, 5, verdict, False)
    return replace(plain, **given)  # type: ignore[arg-type]


def one(found: tuple[Suggestion, ...], knob: str) -> Suggestion:
    """The first suggestion of a knob."""
    return next(s for s in found if s.knob == knob)


def test_every_knob_of_the_issue_is_in_the_table() -> None:
    assert {knob.name for knob in KNOBS} >= {
        "expansion", "captions", "keep_tokens", "caption_dropout", "learning_rate", "network_dim", "conv_dim", "epochs",
        "real_mass", "resolution",
    }  # fmt: skip


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_a_knob_states_its_prior_and_makes_whole_moves(knob: object) -> None:
    name = knob.name  # type: ignore[attr-defined]
    facts = replace(
        FACTS,
        baseline=name != "baseline",
        unsettled=(
            Unsettled("mix", ("originals", "equal"), 400, "equal", "variation accuracy", 0.1, -0.1, 0.3, 3, 9, True),
        )
        if name == "seeds"
        else (),
    )
    moves = knob.moves(facts)  # type: ignore[attr-defined]
    assert moves, f"{name} makes no move of facts that ask for one"
    assert knob.prior.sd > 0  # type: ignore[attr-defined]
    assert knob.prior.source  # type: ignore[attr-defined]
    assert len({move.key for move in moves}) == len(moves)
    for move in moves:
        assert move.title
        assert move.hypothesis.endswith(".")
        assert move.rationale
        assert all(sentence.endswith((".", "often")) for sentence in move.rationale)
        assert move.success.endswith(".")
        assert "graftset " in move.command
        tomllib.loads(move.toml)
        if "graftset.toml" in move.toml or name in ("real_mass", "resolution", "epochs"):
            parse(f'[project]\noriginals = "o"\ncandidates = "c"\n{move.toml}'.encode())
    assert knob.moves(Facts()) == [] or name == "captions"  # type: ignore[attr-defined]


def test_a_rationale_quotes_the_figures_it_rests_on() -> None:
    found = suggest(FACTS)
    assert "44 of 50" in one(found, "captions").move.rationale[0]
    expansion = one(found, "expansion").move
    assert expansion.title.startswith("10 more admitted images: 7 with gray background, 3 with crown")
    assert expansion.images == math.ceil(7 / 0.25) + math.ceil(3 / 0.05)
    assert "48 originals have it" in expansion.rationale[0]


def test_belief_starts_at_the_stated_prior_and_moves_by_the_record_alone() -> None:
    prior = Prior(0.01, 0.05, "judgment")
    plain = believed("overall", prior, ())
    assert (plain.mean, plain.trials) == (0.01, 0)
    assert plain.confidence == pytest.approx(norm.cdf(0.2))
    assert plain.high - plain.low == pytest.approx(2 * 1.96 * 0.05, rel=1e-3)
    up, down = believed("overall", prior, [trial()]), believed("overall", prior, [trial(point=-0.1)])
    assert down.confidence < plain.confidence < up.confidence
    assert up.high - up.low < plain.high - plain.low


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.floats(-0.3, 0.3), st.floats(0.01, 0.3)), min_size=1, max_size=5),
    st.floats(-0.1, 0.1),
    st.floats(0.01, 0.2),
)
def test_the_posterior_is_that_of_a_grid_over_all_effects(
    trials: list[tuple[float, float]], mean: float, sd: float
) -> None:
    recorded = [trial(point=point, half=half) for point, half in trials]
    effects = np.linspace(-2, 2, 40_001)
    log = norm.logpdf(effects, mean, sd)
    for found in recorded:
        log += norm.logpdf(found.point, effects, math.hypot(standard_error(found), TRANSFER))
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    said = believed("overall", Prior(mean, sd, "x"), recorded)
    assert said.mean == pytest.approx(float(weights @ effects), abs=1e-3)
    assert said.gain == pytest.approx(float(weights @ np.maximum(effects, 0)), abs=1e-3)


def test_what_was_rejected_is_shown_so_and_not_suggested_again() -> None:
    asked = one(suggest(FACTS), "learning_rate").move.key
    hurt = replace(FACTS, trials=(trial(move=asked, point=-0.2),))
    found = [s for s in suggest(hurt) if s.knob == "learning_rate"]
    assert asked not in {s.move.key for s in found if s.rank}
    settled = next(s for s in found if s.move.key == asked)
    assert (settled.rank, settled.standing) == (0, "rejected")
    assert "-20.0 points" in settled.record[0]
    assert "HURT" in settled.record[0]


def test_few_seeds_and_open_questions_settle_nothing() -> None:
    assert standing([trial(point=-0.3, directional=True)]) == "open"
    assert standing([trial(point=0.0)]) == "open"
    assert standing([trial(point=0.0, verdict="EQUIVALENT")]) == "no difference"
    assert standing([trial(), trial(point=-0.3)]) == "rejected"
    assert standing([]) == "open"


def test_a_trial_of_any_move_moves_belief_and_settles_none() -> None:
    before, after = suggest(FACTS), suggest(replace(FACTS, trials=(trial("expansion", ANY, -0.2),)))
    assert one(after, "expansion").effect.mean < one(before, "expansion").effect.mean
    assert one(after, "expansion").standing == "open"


def test_ranks_follow_what_is_worth_most_after_what_must_come_first() -> None:
    found = suggest(replace(FACTS, baseline=False))
    ranked = [s for s in found if s.rank]
    assert [s.rank for s in ranked] == list(range(1, len(ranked) + 1))
    assert (ranked[0].knob, ranked[0].priority) == ("baseline", "first")
    rest = [worth(s) for s in ranked if not s.move.urgent]
    assert rest == sorted(rest, reverse=True)


def test_costs_are_counted_from_what_was_timed() -> None:
    timed = replace(FACTS, seconds_per_step=0.5, minutes_per_image=3.0, gpu_seconds_per_step=2.0)
    rate, dim, more = (one(suggest(timed), knob).cost for knob in ("learning_rate", "network_dim", "expansion"))
    assert rate.cpu_hours == pytest.approx(2 * 5 * 400 * 0.5 / 3600)
    assert (rate.gpu_hours, rate.making_hours) == (None, None)
    assert dim.gpu_hours == pytest.approx(2 * 5 * 400 * 2.0 / 3600)
    assert more.making_hours == pytest.approx(more.images * 3 / 60)


def test_a_search_needs_runs_of_two_values_and_says_how_unsure_it_is() -> None:
    alone = next_value(RATE, 2e-3, [(2e-3, 0.6)], sd=0.06)
    assert (alone.by, alone.runs) == ("neighbor", 1)
    few = next_value(RATE, 2e-3, [(2e-3, 0.6), (1e-3, 0.7)], sd=0.06)
    many = next_value(RATE, 2e-3, [(v, 0.6 + 0.05 * (v < 2e-3)) for v in (2e-3, 1e-3, 5e-4, 1.4e-3)] * 3, sd=0.06)
    assert few.by == many.by == "optuna"
    assert few.sd > 0.01
    assert RATE.low <= few.value <= RATE.high
    assert few.value not in (2e-3, 1e-3)
    assert few == next_value(RATE, 2e-3, [(2e-3, 0.6), (1e-3, 0.7)], sd=0.06)


def test_optuna_is_asked_through_its_own_interface() -> None:
    assert optuna.samplers.TPESampler(seed=0, n_startup_trials=2) is not None


def test_without_optuna_a_grid_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = next_value(RATE, 2e-3, [(2e-3, 0.6), (1e-3, 0.7), (5e-4, 0.5)], sd=0.06)
    assert found.by == "grid"
    assert RATE.low <= found.value <= RATE.high


def test_a_search_goes_where_runs_were_better() -> None:
    observed = [(v, 0.9 - 0.3 * abs(math.log10(v / 6e-4))) for v in (2e-4, 4e-4, 9e-4, 2e-3, 5e-3)]
    found = next_value(RATE, 5e-3, observed, sd=0.1)
    assert found.mean > 0
    assert 2e-4 < found.value < 2.5e-3


def test_settled_and_used_values_are_not_asked_for_again() -> None:
    ladder = Space(4, 128, log=True, ladder=(4, 8, 16, 32, 64, 128))
    assert next_value(ladder, 32, [], sd=0.04).value == 16
    assert next_value(ladder, 32, [], sd=0.04, settled=(16,)).value == 64
    assert next_value(ladder, 0, [], sd=0.04).value == 4
    assert next_value(ladder, 32, [], sd=0.04, settled=ladder.ladder).value == 32


def test_recorded_runs_turn_into_the_next_value() -> None:
    runs = tuple(Observed("learning_rate", v, s, f"r{v}") for v, s in ((2e-3, 0.6), (1e-3, 0.7)))
    found = one(suggest(replace(FACTS, observed=runs)), "learning_rate")
    assert "0.001 (0.700)" in found.move.rationale[0]
    assert "2 runs of this project" in found.effect.prior.source


def test_more_seeds_are_asked_for_where_a_question_is_open() -> None:
    found = suggest(replace(FACTS, unsettled=(OPEN,)))
    assert found[0].knob == "seeds"
    assert found[0].move.command == "graftset experiment mix-9 --arms originals,equal --seeds 9 --steps 400"
    assert found[0].cost.runs == 10
    hopeless = replace(OPEN, needed=None, directional=False)
    assert "seeds" not in {s.knob for s in suggest(replace(FACTS, unsettled=(hopeless,)))}
