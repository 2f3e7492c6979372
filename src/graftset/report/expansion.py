"""The page of one expansion, from the records alone: no files, no clock, the same page for the same records."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

from graftset.quality import score_text
from graftset.records import ImageView, Selection, Skip
from graftset.report.captions import caption_fate
from graftset.report.cards import CardMaker
from graftset.report.colors import learned_colors
from graftset.report.figures import measure_table, reliability_rows, score_chart, selection_figures, trait_balances
from graftset.report.funnel import End, draw_funnel
from graftset.report.glossary import measure_meaning, plan_meaning
from graftset.report.page import BuildRow, BuildSummary, ExpansionPage, Mosaic, NextStep, SkippedFile
from graftset.report.pictures import Album
from graftset.report.sheet import Fate, contact_sheet, fate_anchor, fate_of, fate_title, grouped
from graftset.report.wording import (
    below,
    count,
    counted,
    finite,
    listed,
    percent,
    sentence_case,
    shared_folder,
    were,
    words,
)
from graftset.traits import Reliability

_MOSAIC = 24  # tiles on each side; the page shows as many as fill two rows
MAX_SKIPS = 200
_IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"})


def expansion_page(
    images: Sequence[ImageView],
    *,
    selection: Selection | None,
    builds: Sequence[BuildSummary],
    skips: Sequence[Skip],
    native_png: Callable[[str], bytes | None],
    project: str,
    version: str,
    notes: Sequence[str] = (),
    reviewed: str = "none",
    reliability: Mapping[str, Reliability] | None = None,
) -> ExpansionPage:
    """Count, word and lay out everything the page shows; the order of the images makes no difference.

    Args:
        images: Every image of the project, originals and candidates.
        selection: The last selection; None where there was none.
        builds: What was built.
        skips: Input files that were not taken.
        native_png: Gives the native-size PNG of an image by SHA-256, or None.
        project: Name of the project.
        version: Version of graftset.
        notes: Further sentences worth knowing.
        reviewed: "none", or how far a person has reviewed the admitted candidates.
        reliability: Of each slot, value and accessory, as assess found it.
    """
    images = sorted(images, key=lambda image: image.path)
    skips = sorted(skips, key=lambda skip: skip.path)
    originals = [image for image in images if image.origin == "original"]
    candidates = [image for image in images if image.origin == "generated"]
    choices = {choice.path: choice for choice in selection.choices} if selection else {}
    groups = grouped(candidates, choices)
    admitted = groups.get(("admitted", ""), [])
    dropped = [image for (status, _), group in groups.items() if status == "dropped" for image in group]
    unreadable = unread_candidates(skips, originals)
    gate = _number(selection.policy.get("min_score")) if selection else None

    album = Album(native_png)
    folder = shared_folder([*(image.path for image in images), *(skip.path for skip in skips)])
    colors = learned_colors(originals)
    sheet = contact_sheet(groups, CardMaker(images, choices, album, colors, folder))
    mosaic = _mosaic(originals, admitted, album)
    return ExpansionPage(
        project=project,
        version=version,
        made_at=selection.at if selection else "",
        reviewed=reviewed,
        verdict=_verdict(candidates, admitted, unreadable, selected=selection is not None),
        lede=_lede(admitted, unreadable, reviewed, selected=selection is not None),
        next_steps=_next_steps(candidates, admitted, builds, gate, reviewed, selected=selection is not None),
        notes=tuple(sentence_case(note) for note in (*notes, *(selection.notes if selection else ()))),
        mosaic=mosaic,
        funnel=draw_funnel(_ends(groups, unreadable)),
        sheet=sheet,
        balances=trait_balances(originals, admitted, colors),
        reliability=reliability_rows(reliability or {}),
        figures=selection_figures(selection.figures) if selection else (),
        scores=score_chart(originals, [(i, fate_of(choices.get(i.path))[0]) for i in candidates], gate),
        measures=measure_table(originals, admitted, dropped),
        builds=tuple(_build_row(build) for build in builds),
        policy=_policy(selection.policy) if selection else (),
        meanings=tuple(measure_meaning(name) for name in sorted({name for image in images for name in image.measures})),
        skipped=tuple(SkippedFile(below(skip.path, folder), skip.reason) for skip in skips[:MAX_SKIPS]),
        skipped_more=max(len(skips) - MAX_SKIPS, 0),
        pictures=album.pictures,
    )


def unread_candidates(skips: Sequence[Skip], originals: Sequence[ImageView]) -> int:
    """Count the skipped files that would have been candidates: pictures outside the folders of the originals."""
    folders = {PurePath(image.path).parent for image in originals}
    return sum(
        PurePath(skip.path).suffix.lower() in _IMAGE_SUFFIXES and PurePath(skip.path).parent not in folders
        for skip in skips
    )


def _verdict(candidates: Sequence[ImageView], admitted: Sequence[ImageView], unreadable: int, *, selected: bool) -> str:
    came_in = len(candidates) + unreadable
    if not came_in:
        return "No candidates have come in yet."
    arrived = f"{counted(came_in, 'candidate')} came in"
    if not selected:
        return f"{arrived}, and none has been selected yet."
    if not admitted:
        return f"{arrived}, none was admitted."
    clauses = [arrived, f"{count(len(admitted))} {were(len(admitted))} admitted"]
    corrected = sum(caption_fate(image) in ("corrected", "edited") for image in admitted)
    if corrected:
        clauses.append(f"{counted(corrected, 'caption')} {were(corrected)} corrected")
    return f"{', '.join(clauses)}."


def _lede(admitted: Sequence[ImageView], unreadable: int, reviewed: str, *, selected: bool) -> str:
    sentences = []
    if unreadable:
        sentences.append(f"{counted(unreadable, 'file')} could not be read.")
    written = sum(caption_fate(image) == "composed" for image in admitted)
    if written:
        sentences.append(f"{counted(written, 'admitted picture')} came without a caption and got one.")
    if not selected:
        sentences.append("Nothing joins the training set before a selection.")
    elif not admitted:
        sentences.append("Nothing was added to the training set.")
    elif reviewed == "none":
        sentences.append("Nobody has looked at the admitted pictures yet: every verdict here is a measurement.")
    else:
        sentences.append(f"Reviewed: {reviewed}.")
    return " ".join(sentences)


_REVIEW = "graftset review"


def _next_steps(
    candidates: Sequence[ImageView],
    admitted: Sequence[ImageView],
    builds: Sequence[BuildSummary],
    gate: float | None,
    reviewed: str,
    *,
    selected: bool,
) -> tuple[NextStep, ...]:
    if not candidates:
        return (NextStep("Put generated pictures into the candidates folder and take them in.", "graftset ingest"),)
    if not selected:
        return (NextStep("Let the measures decide who is admitted.", "graftset select"),)
    if not admitted:
        return (_lower_gate(candidates, gate),)
    steps = []
    if reviewed == "none":
        steps.append(
            NextStep("Look through the admitted pictures and their captions, and say which are right.", _REVIEW)
        )
    if not builds:
        return (
            *steps,
            NextStep("Put originals and admitted pictures into a training folder.", "graftset build --plan weighted"),
        )
    baseline = next((build for build in builds if build.plan == "originals"), None)
    grown = next((build for build in builds if build.plan == "weighted"), None) or next(
        (build for build in builds if build.plan != "originals"), None
    )
    if baseline:
        steps.append(NextStep("Train on the originals alone: the baseline.", _train(baseline)))
    if grown:
        steps.append(NextStep("Train on the grown set and compare it with the baseline.", _train(grown)))
    return tuple(steps)


def _lower_gate(candidates: Sequence[ImageView], gate: float | None) -> NextStep:
    best = max((score for i in candidates if (score := finite(i.score)) is not None), default=None)
    if gate is None or best is None or best >= gate:
        return NextStep("Read below why each one was dropped, then try better candidates.", "graftset ingest")
    lower = int(best * 2) / 2
    return NextStep(
        f"The best candidate scores {score_text(best)}. If the pictures below are good enough for you, lower the gate.",
        f"graftset select --min-score {lower:.1f}",
    )


def _train(build: BuildSummary) -> str:
    return f"MODEL=base.safetensors SD_SCRIPTS=~/sd-scripts bash {shlex.quote(f'{build.folder}/train.sh')}"


def _mosaic(originals: Sequence[ImageView], admitted: Sequence[ImageView], album: Album) -> Mosaic:
    step = max(len(originals) // _MOSAIC, 1)
    return Mosaic(
        # Decoration: the same pictures are described on their cards.
        originals=tuple(album.tile(image, "") for image in originals[::step][:_MOSAIC]),
        admitted=tuple(album.tile(image, "") for image in admitted[:_MOSAIC]),
        original_count=len(originals),
        admitted_count=len(admitted),
        total=len(originals) + len(admitted),
    )


def _ends(groups: Mapping[Fate, Sequence[ImageView]], unreadable: int) -> list[End]:
    ends = []
    for fate, group in groups.items():
        title, detail = fate_title(fate)
        ends.append(End(title, detail, len(group), fate[0], fate_anchor(fate)))
    if unreadable:
        ends.append(End("Could not be read", "Listed at the end with the reason.", unreadable, "unreadable", "skipped"))
    return ends


def _build_row(build: BuildSummary) -> BuildRow:
    return BuildRow(
        name=build.name,
        plan=build.plan,
        meaning=plan_meaning(build.plan),
        images=count(build.images),
        steps=count(build.steps),
        size=f"{build.size} px",
        real_percent=percent(build.real_mass, 1.0),
        folder=build.folder,
        reviewed=build.reviewed,
    )


def _policy(policy: Mapping[str, object]) -> tuple[str, ...]:
    known = {"min_score", "wrong_background", "wrong_accessory", "count", "max_generation", "floors", "seed"}
    rules = []
    if "min_score" in policy:
        gate = _number(policy["min_score"])
        rules.append("No quality gate." if gate is None else f"A candidate needs a score of {gate:g} or more.")
    if "wrong_background" in policy:
        deed = "dropped" if policy["wrong_background"] == "drop" else "given a corrected caption"
        rules.append(f"A picture whose background is not the one asked for is {deed}.")
    if "wrong_accessory" in policy:
        deed = "dropped" if policy["wrong_accessory"] == "drop" else "given a corrected caption"
        rules.append(f"A picture without something it was asked to show worn is {deed}.")
    if "count" in policy:
        number = _number(policy["count"])
        rules.append("All that pass are admitted." if number is None else f"At most {number:,.0f} are admitted.")
    if "max_generation" in policy:
        rules.append(f"Candidates of generation {policy['max_generation']} at most; originals are generation 0.")
    floors = policy.get("floors")
    if isinstance(floors, Mapping):
        held = listed(f"{words(str(name))} {value:g}" for name, value in floors.items())
        rules.append(f"A note is made where a floor is missed: {held}.")
    if "seed" in policy:
        rules.append(f"Random draws follow seed {policy['seed']}.")
    rules += [f"{words(name)}: {value}" for name, value in sorted(policy.items()) if name not in known]
    return tuple(rules)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
