"""Joining what the stages know of one image into one `ImageView`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from graftset.catalog.verdicts import reviewed
from graftset.records import Assessment, CaptionChange, Choice, Claim, ImageRecord, ImageView, VerdictEntry

CLAIMS = TypeAdapter(tuple[Claim, ...])
CHANGES = TypeAdapter(tuple[CaptionChange, ...])

_TOOL = "graftset"  # what the author of an entry begins with where no person wrote it


def by_a_person(author: str | None) -> bool:
    """Whether the author of a caption is a person."""
    return author is not None and not author.startswith(_TOOL)


def still_holds(current: Mapping[str, Any], record: ImageRecord) -> bool:
    """Whether a current caption counts for a file as it is now: the same picture and, where graftset made it, text.

    A caption that graftset applied corrects the text that had come in. Once that is another text, the caption corrects
    something nobody says any more, and what the owner wrote last wins; a person's caption stands.
    """
    if current["sha256"] != record.sha256:
        return False
    return not current["author"].startswith(_TOOL) or current["incoming"] == record.text


def join(
    record: ImageRecord,
    assessment: Assessment | None,
    said: Mapping[str, dict[str, Any] | None],
    choice: Choice | None,
    says: Iterable[VerdictEntry] = (),
) -> ImageView:
    """Join what the stages know of one image; `says` is the newest verdict of each reviewer."""
    original = record.origin == "original"
    checked, current = said["checked"] if original else said["proposed"], said["current"]
    # What was said of another caption or of other pixels at this path does not hold any more.
    if checked is not None and (checked["incoming"] != record.text or checked["sha256"] != record.sha256):
        checked = None
    # An application that was taken back, with none before it, leaves an entry without text.
    if current is not None and (current["text"] is None or not still_holds(current, record)):
        current = None
    if choice is not None and choice.sha256 != record.sha256:
        choice = None
    view = ImageView(
        path=record.path,
        sha256=record.sha256,
        origin=record.origin,
        generation=record.generation,
        width=record.width,
        height=record.height,
        prompt=None if original else record.text,
        caption=current["text"] if current else (record.text if original else None),
        caption_author=current["author"] if current else None,
        text_source=record.text_source,
        provenance=record.provenance,
        source_original=record.source_original,
        source_basis=record.source_basis,
        claims=CLAIMS.validate_python(checked["claims"]) if checked else (),
        changes=CHANGES.validate_python(checked["changes"]) if checked else (),
        proposed_caption=checked["text"] if checked and not original else None,
        composed=bool(checked and checked["composed"]),
        selected=None if choice is None else choice.selected,
        reasons=() if choice is None else choice.reasons,
    )
    view = with_reviews(view, says)
    if assessment is None:
        return view
    stated = record.source_original is not None
    return replace(
        view,
        grid=assessment.grid,
        score=assessment.score,
        score_parts=assessment.score_parts,
        measures=assessment.measures,
        traits=assessment.traits,
        copy_of=assessment.copy_of,
        repeat_of=assessment.repeat_of,
        nearest_original=assessment.nearest_original,
        source_original=record.source_original if stated else assessment.source_original,
        source_basis=record.source_basis if stated else ("nearest" if assessment.source_original else None),
        reasons=view.reasons or assessment.notes,
    )


def with_reviews(view: ImageView, says: Iterable[VerdictEntry]) -> ImageView:
    """The view with what reviewers say of it; `says` is the newest verdict of each."""
    current, stale = reviewed(says, view.sha256, view.training_caption)
    return replace(
        view,
        review=None if current is None else current.review,
        stale_review=None if stale is None else stale.review,
    )
