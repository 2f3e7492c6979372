"""The sentences of an experiment's page: what an arm did, for somebody who trains models and reads no statistics."""

from __future__ import annotations

from graftset.compare.records import DIRECTIONAL, Comparison, Difference
from graftset.decide import NOT_YET, Decision, leading
from graftset.report.experiment_page import Tone
from graftset.report.wording import counted, listed, sentence_case

TONES: dict[str, Tone] = {
    "HELPED": "good",
    "NON-INFERIOR": "good",
    "EQUIVALENT": "good",
    "HURT": "bad",
    "INCONCLUSIVE": "open",
    "adopt": "good",
    "try next": "maybe",
    "reject": "bad",
    "undecided": "open",
    "held": "good",
    "likely": "maybe",
    "missed": "bad",
    "failed": "bad",
    "open": "open",
}
# Endpoint -> verb, what more of it is, what less of it is.
_CHANGES = {
    "original accuracy": (
        "remember",
        "the colors of {n} more of 100 originals",
        "the colors of {n} fewer of 100 originals",
    ),
    "variation accuracy": ("paint", "{n} more of 100 backgrounds as asked", "{n} fewer of 100 backgrounds as asked"),
    "quality": ("paint", "{n} points better on the scale to 10", "{n} points worse on the scale to 10"),
}


def change(found: Difference, helper: str = "") -> str:
    """What one difference means: "paints 20 more of 100 backgrounds as asked", with a helper "may paint ..."."""
    if found.endpoint.name not in _CHANGES:
        return f"{f'{helper} change' if helper else 'changes'} {found.endpoint.name} by {found.point:+.2f}"
    verb, more, fewer = _CHANGES[found.endpoint.name]
    size = abs(found.point)
    number = f"{size:.1f}" if found.endpoint.measure == "quality_preservation" else f"{100 * size:.0f}"
    return f"{f'{helper} {verb}' if helper else f'{verb}s'} {(more if found.point > 0 else fewer).format(n=number)}"


def told(comparison: Comparison) -> tuple[str, Tone]:
    """What an arm did in a clause, harm first, and how that sounds."""
    hurt = [one for one in comparison.primary if one.verdict == "HURT" and one.low <= -one.endpoint.margin]
    helped = [one for one in comparison.primary if one.verdict == "HELPED" and one.high >= one.endpoint.margin]
    clauses = [change(one, "seems to" if comparison.directional else "") for one in (*hurt, *helped)]
    if clauses:
        tone: Tone = "bad" if hurt and not helped else "maybe" if hurt or comparison.directional else "good"
        return listed(clauses), tone
    if all(one.verdict != "INCONCLUSIVE" for one in comparison.primary):
        return "does no harm, and no good that matters", "maybe"
    leaning = [one for one in comparison.primary if abs(one.point) > one.endpoint.margin]
    if comparison.directional and leaning:
        shown = next((one for one in leaning if one.endpoint.name == "variation accuracy"), leaning[0])
        return f"{change(shown, 'may')}, or it is chance", "open"
    return "shows no difference that can be told from chance", "open"


def headline(decision: Decision, comparisons: tuple[Comparison, ...]) -> str:
    """The whole result in one sentence."""
    if decision.override is not None or decision.baseline_state != "finished" or not comparisons:
        return decision.sentence
    if decision.scenario != NOT_YET:
        row = decision.row(decision.scenario)
        return f"Use them: “{row.arm}” holds in every respect, and the images were reviewed."
    row = leading(decision)
    by_name = {one.arm.name: one for one in comparisons}
    comparison = by_name.get(row.arm or "") or comparisons[0]
    said, tone = told(comparison)
    if row.verdict == "reject":
        return f"Do not use them: “{comparison.arm.name}” {said}."
    lead = "Promising, but not yet" if row.verdict == "try next" else "Not yet"
    if tone == "bad":
        lead = "Not yet, and not like this"
    return f"{lead}: “{comparison.arm.name}” {said}."


def lede(decision: Decision, comparisons: tuple[Comparison, ...]) -> str:
    """What the other arms did, and what is missing."""
    shown = leading(decision).arm if decision.scenario == NOT_YET else decision.row(decision.scenario).arm
    others = [f"“{one.arm.name}” {told(one)[0]}" for one in comparisons if one.arm.name != shown]
    sentences = [f"{sentence_case(one)}." for one in others]
    if decision.directional:
        seeds = min(len(one.arm.seeds) for one in comparisons)
        sentences.append(
            f"With {counted(seeds, 'seed')} this shows a direction and proves nothing ({DIRECTIONAL}): a verdict "
            "needs 5."
        )
    return " ".join(sentences)


def settling(found: Difference) -> str:
    """What these runs can see, and what would settle an open question."""
    if found.needed is None:
        return ""
    ways = []
    if found.needed.seeds is not None:
        ways.append(counted(found.needed.seeds, "seed"))
    if found.needed.prompts is not None:
        ways.append(counted(found.needed.prompts, "prompt"))
    return f"{' or '.join(ways)} in all would settle it" if ways else "no sensible number of seeds would settle it"
