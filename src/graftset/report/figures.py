"""Counts and distributions over the whole set: trait balance, scores, measures, the selection's own figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from graftset.records import ImageView
from graftset.report.colors import BASIC, WordColors, swatch
from graftset.report.glossary import figure_meaning, measure_meaning
from graftset.report.page import Balance, BalanceRow, Bin, Figure, MeasureRow, ReliabilityRow, ScoreChart, Status
from graftset.report.wording import count, counted, finite, percent, sentence_case, significant, words
from graftset.statistics import total_variation
from graftset.traits import Reliability

MAX_ROWS = 12
_BINS = 20  # half a point each
_MOST_NAMED = 12  # values of one figure that are told apart
_UNKNOWN = "unknown"


def trait_balances(
    originals: Sequence[ImageView], admitted: Sequence[ImageView], colors: WordColors
) -> tuple[Balance, ...]:
    """Count every trait before (originals) and after (originals and admitted), background first.

    A slot that could be read on no picture is left out.
    """
    everyone = [*originals, *admitted]
    slots = sorted({slot for image in everyone for slot in image.traits.slots})
    balances = [_slot_balance("Background", _background_word, originals, admitted, colors)]
    balances += [_slot_balance(sentence_case(words(s)), _reader(s), originals, admitted, BASIC) for s in slots]
    balances.append(_accessory_balance(originals, admitted))
    return tuple(balance for balance in balances if balance.rows)


def selection_figures(figures: Mapping[str, float]) -> tuple[Figure, ...]:
    """Put every number of the selection beside its meaning, in the selection's order.

    Numbers named `figure:word` are one figure told apart by background or, of the total variation, by trait; those
    named `figure:slot:word` tell it apart by another trait. Each kind is gathered into one entry, of which the lowest
    (of the total variation the highest) are named.
    """
    rows = []
    told_apart: dict[tuple[str, str], dict[str, float]] = {}
    for name, value in figures.items():
        family, _, word = name.partition(":")
        if not word:
            title, meaning = figure_meaning(name)
            rows.append(Figure(title=title, value=significant(value), meaning=meaning))
            continue
        by = "other trait" if ":" in word or family == "total_variation" else "background"
        told_apart.setdefault((family, by), {})[words(word.removeprefix("accessory:").replace(":", " "))] = value
    for (family, by), values in told_apart.items():
        title, _ = figure_meaning(family)
        spread = f"{significant(min(values.values()))} to {significant(max(values.values()))}"
        named = list(values.items())
        if by == "other trait":
            named = sorted(named, key=lambda item: (item[1] if family != "total_variation" else -item[1], item[0]))
        each = ", ".join(f"{word} {significant(value)}" for word, value in named[:_MOST_NAMED])
        rest = f", and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        rows.append(Figure(title=f"{title} by {by}", value=spread, meaning=f"{each}{rest}."))
    return tuple(rows)


def reliability_rows(known: Mapping[str, Reliability]) -> tuple[ReliabilityRow, ...]:
    """How far what is read can be trusted: those that answer first, then by name; of too few examples, last."""
    ordered = sorted(known.items(), key=lambda item: (not item[1].answers, item[1].balanced_accuracy is None, item[0]))
    return tuple(
        ReliabilityRow(
            name=sentence_case(words(name.removeprefix("accessory:").replace(":", ", "))),
            positives=str(found.positives),
            accuracy="" if found.balanced_accuracy is None else f"{found.balanced_accuracy:.2f}",
            interval="" if found.interval is None else f"{found.interval[0]:.2f}–{found.interval[1]:.2f}",
            coverage="" if found.coverage is None else f"{100 * found.coverage:.0f} %",
            answers=found.answers,
        )
        for name, found in ordered
        if found.balanced_accuracy is not None
    )


def score_chart(
    originals: Sequence[ImageView], candidates: Sequence[tuple[ImageView, Status]], gate: float | None
) -> ScoreChart | None:
    """Draw the histogram of the candidates' scores in columns half a point wide; None where none was scored."""
    scored = [(score, status) for image, status in candidates if (score := finite(image.score)) is not None]
    if not scored:
        return None
    references = [score for image in originals if (score := finite(image.score)) is not None]
    tallies: list[Counter[Status]] = [Counter() for _ in range(_BINS)]
    for score, status in scored:
        tallies[min(max(int(score * 2), 0), _BINS - 1)][status] += 1
    tallest = max(tally.total() for tally in tallies)
    bins = tuple(
        Bin(
            lower=index / 2,
            admitted=tally["admitted"],
            dropped=tally["dropped"],
            pending=tally["pending"],
            admitted_bar=percent(tally["admitted"], tallest),
            dropped_bar=percent(tally["dropped"], tallest),
            pending_bar=percent(tally["pending"], tallest),
        )
        for index, tally in enumerate(tallies)
    )
    return ScoreChart(
        bins=bins,
        gate=None if gate is None else f"{gate:g}",
        gate_percent=0.0 if gate is None else min(max(percent(gate, 10), 0.0), 100.0),
        tallest=tallest,
        summary=_score_summary([score for score, _ in scored], len(candidates), gate),
        spoken="; ".join(
            f"{tally.total()} between {index / 2:g} and {index / 2 + 0.5:g}"
            for index, tally in enumerate(tallies)
            if tally
        ),
        originals_percent=percent(float(np.percentile(references, 5)), 10) if references else 100.0,
        reference=_score_reference(references),
    )


def measure_table(
    originals: Sequence[ImageView], admitted: Sequence[ImageView], dropped: Sequence[ImageView]
) -> tuple[MeasureRow, ...]:
    """Give medians of every measure for originals, admitted and dropped candidates, in alphabetical order."""
    names = sorted({name for group in (originals, admitted, dropped) for image in group for name in image.measures})
    rows = []
    for name in names:
        meaning = measure_meaning(name)
        reference = _values(originals, name)
        rows.append(
            MeasureRow(
                title=meaning.title,
                unit=meaning.unit,
                better=meaning.better,
                originals=_median(reference),
                originals_range=_range(reference),
                admitted=_median(_values(admitted, name)),
                dropped=_median(_values(dropped, name)),
            )
        )
    return tuple(rows)


def _background_word(image: ImageView) -> str:
    return image.traits.background.value if image.traits.background else _UNKNOWN


def _reader(slot: str) -> Callable[[ImageView], str]:
    def read(image: ImageView) -> str:
        trait = image.traits.slots.get(slot)
        return trait.value if trait else _UNKNOWN

    return read


def _slot_balance(
    title: str,
    read: Callable[[ImageView], str],
    originals: Sequence[ImageView],
    admitted: Sequence[ImageView],
    colors: WordColors,
) -> Balance:
    before = Counter(read(image) for image in originals)
    after = before + Counter(read(image) for image in admitted)
    del before[_UNKNOWN], after[_UNKNOWN]
    shift = ""
    if before and after:
        names = sorted({*before, *after})
        distance = total_variation([before[name] for name in names], [after[name] for name in names])
        shift = f"The mix moved by {100 * distance:.1f} % (total variation {distance:.3f})."
    return Balance(
        title=title,
        rows=_rows(before, after, before.total(), after.total(), colors),
        coverage=_coverage(before.total(), after.total(), len(originals), len(originals) + len(admitted)),
        shift=shift,
    )


def _accessory_balance(originals: Sequence[ImageView], admitted: Sequence[ImageView]) -> Balance:
    # Pictures can wear several at once, so shares are of all pictures and do not add up to 100 %.
    def worn(images: Sequence[ImageView]) -> Counter[str]:
        return Counter(
            term for image in images for term, trait in image.traits.accessories.items() if trait.value == "present"
        )

    before = worn(originals)
    after = before + worn(admitted)
    total = len(originals) + len(admitted)
    rows = _rows(before, after, len(originals), total, {})
    return Balance(title="Accessories", rows=rows, coverage="Share of all pictures that wear one.", shift="")


def _rows(
    before: Counter[str], after: Counter[str], before_total: int, after_total: int, colors: WordColors
) -> tuple[BalanceRow, ...]:
    ordered = sorted(after, key=lambda word: (-after[word], word))
    counts = [(word, before[word], after[word]) for word in ordered]
    if len(counts) > MAX_ROWS:
        rest = counts[MAX_ROWS - 1 :]
        others = (counted(len(rest), "other word"), sum(b for _, b, _ in rest), sum(a for _, _, a in rest))
        counts = [*counts[: MAX_ROWS - 1], others]
    shares = [(percent(b, before_total), percent(a, after_total)) for _, b, a in counts]
    longest = max((max(pair) for pair in shares), default=0.0)
    return tuple(
        BalanceRow(
            word=word,
            hex=swatch(word, colors).hex,
            before=b,
            after=a,
            before_percent=before_share,
            after_percent=after_share,
            before_bar=percent(before_share, longest),
            after_bar=percent(after_share, longest),
        )
        for (word, b, a), (before_share, after_share) in zip(counts, shares, strict=True)
    )


def _coverage(before: int, after: int, originals: int, everyone: int) -> str:
    if before == originals and after == everyone:
        return f"Read on all {counted(everyone, 'picture')}."
    return (
        f"Read on {count(before)} of {counted(originals, 'original')} and "
        f"{count(after - before)} of {counted(everyone - originals, 'admitted picture')}; the rest is unknown."
    )


def _score_summary(scores: Sequence[float], candidates: int, gate: float | None) -> str:
    middle = f"Half of the candidates score {np.median(scores):.1f} or more"
    passing = "" if gate is None else f"; {count(sum(s >= gate for s in scores))} reach the gate of {gate:g}"
    unscored = candidates - len(scores)
    missing = f"; {counted(unscored, 'candidate has', 'candidates have')} no score" if unscored else ""
    return f"{middle}{passing}{missing}."


def _score_reference(scores: Sequence[float]) -> str:
    meaning = "10 is an original, 8 is what a careful owner would train on, 5 needs repair, 2 is useless."
    if not scores:
        return meaning
    low, middle = np.percentile(scores, [5, 50])
    return f"{meaning} The originals themselves score {middle:.1f} in the middle, and 95 % of them {low:.1f} or more."


def _values(images: Sequence[ImageView], name: str) -> list[float]:
    values = (finite(image.measures.get(name)) for image in images)
    return [value for value in values if value is not None]


def _median(values: Sequence[float]) -> str:
    return significant(float(np.median(values))) if values else "–"


def _range(values: Sequence[float]) -> str:
    if not values:
        return "–"
    low, high = np.percentile(values, [5, 95])
    return f"{significant(float(low))} to {significant(float(high))}"
