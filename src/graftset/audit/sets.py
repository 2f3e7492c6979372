"""Rules that compare captions with each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from graftset.audit.findings import Found
from graftset.audit.texts import U8, Caption, Corpus
from graftset.phrases import counted
from graftset.pixels.color import srgb_to_oklab
from graftset.records import CaptionChange

SEEN_DIFFERENCE = 0.05  # OKLab: cells further apart than this differ
UNLIKE = 0.05  # share of differing cells that makes two pictures unlike
TELLING = 0.25  # share of captions that hold a tag from which on it tells little
EVERYWHERE = 0.9  # share of captions that hold a phrase from which on it is in nearly every one
ENOUGH = 8  # captions below which what is common or rare says nothing


def boilerplate(corpus: Corpus) -> Iterator[Found]:
    """Phrases that nearly every caption holds: a trainer learns the whole style as their meaning."""
    if len(corpus.captions) < ENOUGH:
        return
    total = corpus.vocabulary.captions
    for part, holders in corpus.tags.items():
        if holders < EVERYWHERE * total:
            continue
        yield Found(None, part, f"{holders} of {total} captions hold it: it tells no picture from another")


def one_off_tags(corpus: Corpus) -> Iterator[Found]:
    """How many tags only one caption holds: a trainer can learn each as the name of its picture."""
    once = [tag for tag, holders in corpus.tags.items() if holders == 1]
    total = corpus.vocabulary.captions
    if total < ENOUGH or 2 * len(once) < len(corpus.tags):
        return
    marked = sum(1 for c in corpus.captions if any(corpus.tags[c.part(i).lower()] == 1 for i in range(len(c.parts))))
    words = f"{len(once)} of {len(corpus.tags)} tags"
    message = (
        f"{words} stand in one caption only, and {counted(marked, 'caption')} with such a tag: "
        "it can act as an image id"
    )
    yield Found(None, words, message)


def one_off_captions(corpus: Corpus) -> Iterator[Found]:
    """Originals none of whose telling tags stands in another caption: nothing of them is learned from two pictures."""
    total = corpus.vocabulary.captions
    if total < ENOUGH:
        return
    for caption in corpus.captions:
        tags = [
            part for i in range(len(caption.parts)) if corpus.tags[(part := caption.part(i)).lower()] < TELLING * total
        ]
        if caption.view.origin == "original" and tags and all(corpus.tags[tag.lower()] == 1 for tag in tags):
            message = "No telling tag of this caption stands in another one: together they can act as an image id"
            yield Found(caption.view, ", ".join(tags), message)


def duplicate(corpus: Corpus) -> Iterator[Found]:
    """One caption on pictures that differ, originals or an original and a candidate: the words cannot tell them apart.

    Candidates among each other may share theirs: several seeds of one prompt are meant to.
    """
    same: dict[str, list[Caption]] = defaultdict(list)
    for caption in corpus.captions:
        same[" ".join(caption.text.lower().split())].append(caption)
    for group in same.values():
        first = min(group, key=lambda caption: caption.view.origin == "generated")
        if len(group) == 1 or first.view.origin == "generated":
            continue
        picture = corpus.native(first.view)
        for caption in group:
            differing = _difference(picture, corpus.native(caption.view))
            if differing is not None and differing >= UNLIKE:
                other = _name(first)
                message = f"{other} has the same caption, and {differing:.0%} of its cells differ"
                yield Found(caption.view, other, message)


def _difference(one: U8 | None, other: U8 | None) -> float | None:
    """Share of cells that differ; 1 for pictures of unlike size, None where one was not measured."""
    if one is None or other is None:
        return None
    if one.shape != other.shape:
        return 1.0
    return float((np.linalg.norm(srgb_to_oklab(one) - srgb_to_oklab(other), axis=2) > SEEN_DIFFERENCE).mean())


def _name(caption: Caption) -> str:
    return caption.view.path.replace("\\", "/").rsplit("/", 1)[-1]


def no_trigger(corpus: Corpus) -> Iterator[Found]:
    """Captions without the words that call the style up: configured, or the head that nearly all captions share."""
    for caption in corpus.captions:
        lower = caption.text.lower()
        missing = [part for part in corpus.trigger if part.lower() not in lower]
        if not missing:
            continue
        # Put in front where the others are not: `keep_tokens` counts parts from the start.
        at = 0 if len(missing) == len(corpus.trigger) else None
        edits = () if at is None else (CaptionChange("trigger", (0, 0), "", ", ".join(missing) + ", ", "no-trigger"),)
        words = ", ".join(missing)
        yield Found(caption.view, words, f'"{words}" is missing', None, edits)
