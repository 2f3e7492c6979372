"""Moves on what is trained on: more images, better captions, their share, their size; and what must come first."""

from __future__ import annotations

import math

from graftset.phrases import counted
from graftset.suggest.records import Facts, Move, Prior

LEAST_WRONG = 0.05  # share of wrong claims above which captions are worth mending (measurement.md, section 2)
LEAST_ACCEPTANCE = 0.05  # so that a trait nobody passed with does not ask for endless images
MOST_TRAITS = 6  # named in one expansion
LEAST_SHARE = 4  # an expansion is aimed at a quarter of the originals at least
_CAPTIONS_GAIN = 0.45
_MENDABLE = ("contradicted", "interrupted", "glued", "misspelled", "doubled", "repeated", "truncated", "unclosed")


def baseline(facts: Facts) -> list[Move]:
    """The originals alone, where nobody trained them yet."""
    if facts.baseline or not facts.originals:
        return []
    return [
        Move(
            key="baseline",
            title="Train on the originals alone first",
            hypothesis="Whatever is compared needs something to be compared with.",
            rationale=(f"There is no finished run on the {facts.originals:,} originals alone.",),
            success=f"{facts.seeds} finished runs of the plan originals.",
            toml="",
            command=f"graftset experiment first --arms originals,{facts.plan} --seeds {facts.seeds}",
            urgent=True,
        )
    ]


def settle(facts: Facts) -> list[Move]:
    """More seeds for what is open or directional only."""
    moves = []
    for experiment in dict.fromkeys(one.experiment for one in facts.unsettled):
        own = [one for one in facts.unsettled if one.experiment == experiment]
        needed = [one.needed for one in own if one.needed is not None]
        asked = max([facts.seeds, *needed])
        largest = max(own, key=lambda one: abs(one.point))
        if asked <= largest.seeds or not (needed or any(one.directional for one in own)):
            continue
        half = (largest.high - largest.low) / 2
        told = [
            f"{one.endpoint} of {one.arm}: {100 * one.point:+.1f} points ({100 * max(one.low, -1):+.1f} to "
            f"{100 * min(one.high, 1):+.1f}) with {counted(one.seeds, 'seed')}."
            for one in own
        ]
        moves.append(
            Move(
                key=f"{experiment}:{asked}",
                title=f"{counted(asked, 'seed')} for the experiment {experiment}",
                hypothesis="The differences seen so far are real.",
                rationale=tuple(told),
                success="No primary endpoint is INCONCLUSIVE or directional only any more.",
                toml="",
                command=f"graftset experiment {experiment}-{asked} --arms {','.join(largest.arms)} --seeds {asked} "
                f"--steps {largest.steps}",
                arms=len(largest.arms),
                steps=largest.steps,
                prior=Prior(largest.point, max(half / 1.96, 0.01), f"the experiment {experiment} itself"),
                urgent=any(one.directional for one in own),
            )
        )
    return moves


def expansion(facts: Facts) -> list[Move]:
    """More images of the traits that the admitted lack."""
    lacking = [lack for lack in facts.lacking if lack.missing][:MOST_TRAITS]
    if not lacking:
        return []
    admitted = sum(lack.missing for lack in lacking)
    to_make = sum(math.ceil(lack.missing / max(lack.acceptance, LEAST_ACCEPTANCE)) for lack in lacking)
    names = ", ".join(f"{lack.missing} with {lack.name}" for lack in lacking)
    told = [
        f"{lack.name}: {lack.admitted} of {lack.due:.1f} due are admitted, {lack.originals} originals have it, "
        f"{lack.acceptance:.0%} of such candidates pass."
        for lack in lacking
    ]
    share = min(1.0, admitted / max(facts.originals, 1) * 4)
    return [
        Move(
            key=",".join(f"{lack.slot}:{lack.value}" for lack in lacking),
            title=f"{admitted} more admitted images: {names}",
            hypothesis="Filling gaps lets the model obey wordings that it has seen too rarely.",
            rationale=(*told, *facts.alarms[:2]),
            success="Variation accuracy HELPED, original accuracy NON-INFERIOR at equal exposures.",
            toml="",
            command=f"graftset expand . && graftset experiment wider --arms originals,{facts.plan} "
            f"--seeds {facts.seeds}",
            images=to_make,
            prior=Prior(
                0.05 * share,
                0.08,
                "judgment, scaled by how much is lacking: unfiltered own samples add nothing, gains come from filled "
                "gaps and the gates (Bertrand et al. 2024)",
            ),
        )
    ]


def captions(facts: Facts) -> list[Move]:
    """Captions that say what is there."""
    moves = []
    wrong, judged = facts.wrong.get("background", (0, 0))
    share = wrong / judged if judged else 0.0
    if share > LEAST_WRONG:
        told = [
            f"{slot}: {bad} of {of} claims that can be judged are contradicted by the picture ({bad / of:.0%})."
            for slot, (bad, of) in facts.wrong.items()
            if bad
        ]
        moves.append(
            Move(
                key="corrected",
                title="Train the generated images under corrected captions",
                hypothesis="Wrong words teach the model to disobey them.",
                rationale=tuple(told),
                success="Obeyed background of the candidates' wordings HELPED against as-asked.",
                toml="",
                command=f"graftset experiment captions --arms originals,corrected,as-asked --seeds {facts.seeds}",
                arms=3,
                prior=Prior(
                    _CAPTIONS_GAIN * share,
                    0.12,
                    "0.45 x the share of wrong backgrounds: correcting them raised obeyed backgrounds from .10 to .54 "
                    "where all were wrong (5 seeds), from .68 to .78 where a quarter was (1 seed); docs/log.md",
                ),
            )
        )
    counts = {rule: facts.findings[rule] for rule in _MENDABLE if facts.findings.get(rule)}
    found = sum(counts.values())
    if facts.audited and found > LEAST_WRONG * facts.audited:
        listed = ", ".join(f"{number} {rule}" for rule, number in counts.items())
        moves.append(
            Move(
                key="audit",
                title=f"Mend {counted(found, 'finding')} in {counted(facts.audited, 'caption')}",
                hypothesis="Captions that are cut, glued or misspelled are words the model cannot share.",
                rationale=(f"The audit found {listed}.",),
                success="`graftset audit` finds none of them; variation accuracy is not HURT.",
                toml="",
                command=f"graftset audit && graftset experiment mended --arms originals,{facts.plan} "
                f"--seeds {facts.seeds}",
                prior=Prior(0.02, 0.05, "judgment"),
            )
        )
    return moves


def real_mass(facts: Facts) -> list[Move]:
    """The share of originals in what is shown."""
    rho = facts.real_mass
    if rho is None or rho >= 0.999:
        return []
    higher = [share for share in (0.67, 0.80, 0.90) if share > rho + 0.03]
    moves = []
    for share in higher[:1]:
        weight = max(2, math.ceil(share / (1 - share) * facts.admitted / max(facts.originals, 1)))
        moves.append(
            Move(
                key=f"{share:.2f}",
                title=f"Show originals {share:.0%} of the time, not {rho:.0%}",
                hypothesis="More exposures of the originals keep what is already known of them.",
                rationale=(f"The leading build has a real mass of {rho:.2f}.",),
                success="Original accuracy HELPED at equal steps, variation accuracy NON-INFERIOR.",
                toml=_own_plan("realer", weight),
                command=f"graftset experiment realer --arms originals,{facts.plan},realer --seeds {facts.seeds}",
                arms=3,
                prior=Prior(
                    0.02 * (share - rho) / 0.15,
                    0.04,
                    "judgment; a fixed share of real data keeps retraining stable (Bertrand et al. 2024)",
                ),
            )
        )
    return moves


def resolution(facts: Facts) -> list[Move]:
    """The size that training images are enlarged to: whole pixels a cell."""
    if facts.size is None or facts.cells is None:
        return []
    per_cell = facts.size / facts.cells
    other = round(per_cell) + (4 if per_cell < 24 else -4)
    size = other * facts.cells
    return [
        Move(
            key=f"{size}",
            title=f"Train at {size} px, {other} px a cell, not {facts.size}",
            hypothesis="The encoder keeps cell borders better at another size.",
            rationale=(f"Builds are {facts.size} px wide, {per_cell:.4g} px a cell of {facts.cells}.",),
            success="Quality HELPED or EQUIVALENT at fewer GPU hours.",
            toml=f"[build]\nsize = {size}",
            command=f"graftset build --plan {facts.plan} --size {size} --name {facts.plan}-{size}",
            trainer="kohya",
            prior=Prior(0.0, 0.03, "judgment"),
        )
    ]


def epochs(facts: Facts) -> list[Move]:
    """How long is trained."""
    late = facts.unconverged
    longer = late is not None and late > 0.5
    if late is None:
        return []
    steps = facts.steps * 2 if longer else max(100, facts.steps // 2)
    told = f"{late:.0%} of the runs had not settled after {facts.steps:,} steps."
    return [
        Move(
            key=f"{steps}",
            title=f"{steps:,} steps, not {facts.steps:,}",
            hypothesis="The runs end before they arrive." if longer else "Half as long arrives at the same place.",
            rationale=(told,),
            success="Original accuracy HELPED and converged."
            if longer
            else "EQUIVALENT in all primary endpoints at half the cost.",
            toml=f"[train]\nsteps = {steps}\n\n[build]\nbudget = {steps}",
            command=f"graftset experiment steps-{steps} --steps {steps} --arms originals,{facts.plan} "
            f"--seeds {facts.seeds}",
            steps=steps,
            prior=Prior(0.05, 0.06, "exposure alone moves background match from 0.87 to 0.98 (embedded model)")
            if longer
            else Prior(-0.02, 0.03, "judgment"),
        )
    ]


def _own_plan(name: str, weight: int) -> str:
    return (
        f'[plans.{name}]\n[[plans.{name}.stages]]\nname = "combined"\n'
        f'use = [{{ images = "originals", repeats = {weight} }}, {{ images = "admitted" }}]'
    )
