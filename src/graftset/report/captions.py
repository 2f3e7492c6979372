"""What changed in a caption, word by word, short enough to read on a card."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from graftset.records import ImageView
from graftset.report.page import CaptionFate, CaptionView, DiffPiece
from graftset.report.wording import sentence_case, shortened

CHANGED: frozenset[CaptionFate] = frozenset({"corrected", "composed", "edited"})
_WORD = re.compile(r"\s*(?:\w+|[^\w\s])")
_MAX_WORDS = 600  # the matcher's time grows with the square of this
_CONTEXT = 30  # characters of unchanged text kept on each side of a change

_LABELS: dict[CaptionFate, str] = {
    "kept": "Caption kept as it came in",
    "corrected": "Caption corrected",
    "composed": "Caption written from what is seen",
    "edited": "Caption edited by hand",
    "missing": "No caption",
}


def caption_view(image: ImageView) -> CaptionView:
    """Say what became of a candidate's caption: the prompt it came with against the caption it would train with."""
    asked, trained = image.prompt or "", image.training_caption or ""
    fate = caption_fate(image)
    full = shortened(trained or asked)
    if fate == "composed":
        pieces: tuple[DiffPiece, ...] = (DiffPiece("new", full),)
    elif fate in CHANGED:
        pieces = condensed(word_difference(shortened(asked), shortened(trained)))
    else:
        pieces = ()
    whys = tuple(sentence_case(change.why) for change in image.changes if change.why) if fate == "corrected" else ()
    return CaptionView(fate=fate, label=_LABELS[fate], pieces=pieces, full=full, whys=whys)


def caption_fate(image: ImageView) -> CaptionFate:
    """Classify a candidate's caption; white space alone makes no difference."""
    asked, trained = (image.prompt or "").split(), (image.training_caption or "").split()
    if not asked and not trained:
        return "missing"
    if not trained or asked == trained:
        return "kept"
    if image.caption is not None and image.caption != image.proposed_caption:
        return "edited"
    return "corrected" if asked else "composed"


def word_difference(old: str, new: str) -> tuple[DiffPiece, ...]:
    """Return the pieces that turn `old` into `new`: unchanged runs, struck words, new words.

    Texts of more than 600 words are shown as one replaced by the other.
    """
    # The space in front gives the first words one too, for the case that other words come to stand before them.
    before, after = _WORD.findall(f" {old}"), _WORD.findall(f" {new}")
    if max(len(before), len(after)) > _MAX_WORDS:
        return (DiffPiece("old", old), DiffPiece("same", " "), DiffPiece("new", new))
    # White space belongs to the word after it and is not compared: a moved word is no change of its neighbors.
    matcher = SequenceMatcher(None, [w.strip() for w in before], [w.strip() for w in after], autojunk=False)
    pieces: list[DiffPiece] = []
    for tag, i0, i1, j0, j1 in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(DiffPiece("same", "".join(after[j0:j1])))
            continue
        pieces += _marked("old", "".join(before[i0:i1]))
        pieces += _marked("new", "".join(after[j0:j1]))
    return tuple(pieces)


def condensed(pieces: tuple[DiffPiece, ...]) -> tuple[DiffPiece, ...]:
    """Cut long unchanged runs down to the words next to a change, with a gap for the rest."""
    if len(pieces) < 2:
        return pieces
    short: list[DiffPiece] = []
    for index, piece in enumerate(pieces):
        first, last = index == 0, index == len(pieces) - 1
        if piece.kind != "same" or len(piece.text) <= (1 if first or last else 2) * _CONTEXT + 12:
            short.append(piece)
            continue
        if not first:
            short.append(DiffPiece("same", piece.text[:_CONTEXT].rsplit(" ", 1)[0] + " "))
        short.append(DiffPiece("gap", ""))
        if not last:
            short.append(DiffPiece("same", " " + piece.text[-_CONTEXT:].split(" ", 1)[-1]))
    return tuple(short)


def _marked(kind: str, text: str) -> list[DiffPiece]:
    # The white space before a marked run stays outside the mark.
    if not text:
        return []
    bare = text.lstrip()
    space = [DiffPiece("same", text[: len(text) - len(bare)])] if len(bare) < len(text) else []
    return [*space, DiffPiece("old" if kind == "old" else "new", bare)]
