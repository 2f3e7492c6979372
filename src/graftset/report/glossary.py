"""The words of the page: what each figure, plan and reason means, one plain sentence each.

Measures describe themselves, in `graftset.quality`.
"""

from __future__ import annotations

from graftset.quality import MEASURES
from graftset.report.page import Meaning
from graftset.report.wording import sentence_case, words

_MEASURES = {measure.name: measure for measure in MEASURES}

_FIGURES: dict[str, tuple[str, str]] = {
    # name: (title, meaning)
    "pool": ("Pool", "Candidates the selection looked at."),
    "passing": ("Passing", "Candidates that pass every gate."),
    "asked": ("Asked for", "Candidates that were asked for."),
    "selected": ("Admitted", "Candidates that join the training set."),
    "total_variation": (
        "Total variation",
        "How far the backgrounds of the admitted lie from the mix aimed at: 0 is that mix, 1 shares nothing with it.",
    ),
    "total_variation_with_originals": (
        "Total variation with originals",
        "The same distance for originals and admitted together.",
    ),
    "vendi": ("Vendi score", "How many truly different pictures the admitted amount to."),
    "vendi_originals": ("Vendi score of the originals", "The same for equally many originals."),
    "vendi_n": ("Pictures compared", "How many of each the two Vendi scores are taken over."),
    "vendi_ratio": (
        "Vendi ratio",
        "Variety of the admitted against the originals: 1 is as varied, less is more alike.",
    ),
    "acceptance": ("Acceptance", "Share of candidates that pass every gate."),
}

_PLANS = {
    "originals": "The originals alone: the baseline everything else is compared with.",
    "equal": "Every picture is drawn equally often, original or generated.",
    "weighted": "Originals are drawn more often than generated pictures, so they keep the lead.",
    "sequential": "First the originals alone, then originals and generated pictures together.",
    "as-asked": "A control: the generated pictures under the prompts they were asked for in, right or wrong.",
    "corrected": "A control: the pictures of as-asked under corrected captions. Only words differ between the two.",
    "random": "A control: generated pictures drawn at random, whatever the gates say of them.",
}

_OUTCOMES = {
    # category of the reason: (title, detail)
    "unreadable": ("Could not be measured", "No grid of cells or no score was found in them."),
    "quality": ("Under the quality gate", "The score says they need repair before anyone trains on them."),
    "copy": ("Copies of an original", "The same picture up to render noise: the set has it already."),
    "repeat": ("Repeats of another candidate", "Of pictures that are the same, the better one is kept."),
    "claim": ("Not what was asked for", "The policy drops them instead of correcting the caption."),
    "caption": ("No usable caption", "Nothing that is known to be true could be written about them."),
    "rejected": ("Rejected by a reviewer", "A person looked and said no."),
    "count": ("Not needed for the number asked", "They pass the gates, but others add more variety."),
    "generation": ("Too many generations away", "Their generator learned from too many generated pictures."),
    "other": ("Dropped for other reasons", "The cards below give each reason."),
}


def measure_meaning(name: str) -> Meaning:
    """Explain a measure as it describes itself; one that does not is shown without an explanation."""
    title = sentence_case(words(name))
    measure = _MEASURES.get(name)
    if measure is None:
        return Meaning(title=title, text="", unit="", better="")
    return Meaning(
        title=title,
        text=f"{sentence_case(measure.meaning)}.",
        unit=measure.unit,
        better=f"{measure.better} is better",
    )


def figure_meaning(name: str) -> tuple[str, str]:
    """Return title and meaning of a number of the selection; the meaning is empty where it is not known here."""
    return _FIGURES.get(name, (sentence_case(words(name)), ""))


def plan_meaning(plan: str) -> str:
    """Return what a mixing plan does, or "" for a plan of someone else's."""
    return _PLANS.get(plan, "")


def outcome_meaning(category: str) -> tuple[str, str]:
    """Return title and detail for the category of a reason a candidate was dropped for."""
    return _OUTCOMES.get(category, (f"Dropped: {words(category)}", "The cards below give each reason."))
