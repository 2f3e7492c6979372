"""Moves on how is trained: numeric knobs of the embedded trainer and of sd-scripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graftset.phrases import counted
from graftset.suggest.records import Facts, Move, Prior, Trainer
from graftset.suggest.search import Space, next_value


@dataclass(frozen=True, slots=True)
class Numeric:
    """A numeric knob: where it may go, whose it is, and how it is set.

    Attributes:
        setting: Its name among `Facts.settings`.
        option: For sd-scripts, the option of the command line; for the embedded trainer, the key under [train.native].
    """

    setting: str
    title: str
    space: Space
    trainer: Trainer
    option: str
    hypothesis: str
    success: str
    prior: Prior


def numeric(knob: Numeric) -> Callable[[Facts], Sequence[Move]]:
    """The moves of a numeric knob: the next value that is worth a run."""

    def moves(facts: Facts) -> Sequence[Move]:
        current = facts.settings.get(knob.setting)
        if current is None:
            return []
        settled = [
            tested
            for trial in facts.trials
            if trial.knob == knob.setting and not trial.directional and (tested := _number(trial.move)) is not None
        ]
        observed = [(one.value, one.score) for one in facts.observed if one.knob == knob.setting]
        found = next_value(knob.space, current, observed, sd=knob.prior.sd, settled=settled)
        value = f"{found.value:g}"
        if found.value == current:
            return []
        rationale = [f"{value} lies next to {current:g}, which is in use; no run of another value is recorded."]
        prior = knob.prior
        if found.by != "neighbor":
            tried = ", ".join(f"{v:g} ({score:.3f})" for v, score in sorted(observed))
            way = "Optuna" if found.by == "optuna" else "a grid"
            rationale = [f"Overall at the last checkpoint by value: {tried}; {value} is what {way} asks for next."]
            prior = Prior(
                found.mean, max(found.sd, 1e-3), f"{counted(found.runs, 'run')} of this project, as a Gaussian process"
            )
        return [
            Move(
                key=value,
                title=f"{knob.title} {value}, not {current:g}",
                hypothesis=knob.hypothesis,
                rationale=tuple(rationale),
                success=knob.success,
                toml=_toml(knob, value),
                command=_command(knob, value, facts),
                trainer=knob.trainer,
                prior=prior,
            )
        ]

    return moves


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _toml(knob: Numeric, value: str) -> str:
    if knob.trainer == "embedded":
        return f"# in graftset.toml\n[train.native]\n{knob.option} = {value}"
    if knob.setting == "keep_tokens":
        return f"# in dataset.toml of the build\n[general]\nkeep_tokens = {value}"
    if knob.setting == "conv_dim":
        arguments = f'["conv_dim={value}", "conv_alpha={_half(value)}"]'
        return f"# in train.toml of the build\n[network]\nnetwork_args = {arguments}"
    return f"# in train.toml of the build\n[network]\n{knob.option} = {value}"


def _command(knob: Numeric, value: str, facts: Facts) -> str:
    """What to run; of sd-scripts an option of the command line wins over the build's files, which stay as they are."""
    name = f"{knob.setting.replace('_', '-')}-{value.replace('.', 'p')}"
    if knob.trainer == "embedded":
        return f"graftset experiment {name} --arms originals,{facts.plan} --seeds {facts.seeds}"
    build = f"builds/{facts.plan}"
    before, option = "", f"--{knob.option} {value}"
    if knob.setting == "keep_tokens":  # a dataset config wins over the command line, so that it needs one of its own
        before = f"sed 's/^keep_tokens = .*/keep_tokens = {value}/' {build}/dataset.toml > {build}/{name}.toml && "
        option = f"--dataset_config {name}.toml"
    if knob.setting == "conv_dim":
        option = f"--network_args conv_dim={value} conv_alpha={_half(value)}"
    seeds = " ".join(map(str, range(facts.seeds)))
    return (
        f"{before}for seed in {seeds}; do OUTPUT={name}-s$seed {build}/train.sh --seed $seed {option} && "
        f"graftset evaluate --samples {name}-s$seed/sample --prompts {build}/prompts.json --name {name}-s$seed; done"
    )


def _half(value: str) -> int:
    return max(1, int(float(value)) // 2)


_KEEPS = "Variation accuracy HELPED, original accuracy NON-INFERIOR at equal exposures."
_HOLDS = "Original accuracy HELPED, or EQUIVALENT at fewer steps."

NUMERIC: tuple[Numeric, ...] = (
    Numeric(
        "keep_tokens", "keep_tokens", Space(0, 8, ladder=tuple(map(float, range(9)))), "kohya", "keep_tokens",
        "Words that stay in front are learned as one thing; fewer leave room for the traits.", _KEEPS,
        Prior(0.0, 0.04, "judgment"),
    ),
    Numeric(
        "caption_dropout", "Caption dropout", Space(0.0, 0.3), "embedded", "caption_dropout",
        "Images shown without words teach what all have in common.", _KEEPS,
        Prior(0.0, 0.04, "10 to 20 % is usual for guidance (Ho and Salimans 2022); the sign for small sets is open"),
    ),
    Numeric(
        "learning_rate", "Learning rate", Space(2e-4, 8e-3, log=True), "embedded", "learning_rate",
        "Another step size arrives sooner, or more steadily.", _HOLDS, Prior(0.0, 0.06, "judgment"),
    ),
    Numeric(
        "network_dim", "Network dim", Space(4, 128, log=True, ladder=(4, 8, 16, 32, 64, 128)), "kohya", "network_dim",
        "A lower rank memorizes less and obeys more.", _KEEPS,
        Prior(0.0, 0.04, "low ranks suffice for many tasks (Hu et al. 2022); for one style a judgment"),
    ),
    Numeric(
        "conv_dim", "conv_dim", Space(4, 64, log=True, ladder=(4, 8, 16, 32, 64)), "kohya", "conv_dim",
        "Convolutions carry texture: their own low rank sharpens cells.", "Quality HELPED.",
        Prior(0.01, 0.05, "judgment"),
    ),
)  # fmt: skip
