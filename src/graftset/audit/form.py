"""Rules about what a trainer reads of a caption: nothing, the first line, the first tokens."""

from __future__ import annotations

from collections.abc import Iterator

from graftset.audit.findings import Found
from graftset.audit.texts import Corpus
from graftset.tokens import cut

LIMITS = (75, 150, 225)  # CLIP content tokens that trainers read in one, two and three passes


def empty(corpus: Corpus) -> Iterator[Found]:
    """Images without a caption: a trainer stops, or shows the picture without words."""
    for view in corpus.empty:
        yield Found(view, "", "There is no caption")


def too_long(corpus: Corpus) -> Iterator[Found]:
    """Captions that CLIP's text encoder does not read to their end."""
    for caption in corpus.captions:
        first = cut(caption.text, LIMITS[0])
        if not first.lost.strip(", "):
            continue
        limits = [limit for limit in LIMITS if first.tokens > limit]
        losses = [(limit, cut(caption.text, limit).lost.lstrip(", ")) for limit in limits]
        message = f"{first.tokens} tokens; " + "; ".join(f'{limit} cut "{lost}"' for limit, lost in losses)
        start = caption.text.rindex(losses[0][1])
        yield Found(caption.view, losses[0][1], message, (start, start + len(losses[0][1])))


def further_lines(corpus: Corpus) -> Iterator[Found]:
    """Text after the first line of a caption file: trainers read the first line only."""
    views = [caption.view for caption in corpus.captions] + list(corpus.empty)
    for view in views:
        written = corpus.sidecar(view)
        lines = [line.strip() for line in (written or "").splitlines() if line.strip()]
        if len(lines) > 1:
            rest = " / ".join(lines[1:])
            yield Found(view, rest, f"{len(lines) - 1} further lines are never read")
