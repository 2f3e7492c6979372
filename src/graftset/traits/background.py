"""The background put into words.

It is read from the pixels alone and named in the words of the originals' captions, where those name a colour often
enough to tell how their owner uses the word, and of the XKCD survey elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graftset.pixels.color import TERMS, ColorWords, acceptable, from_hex, srgb_to_oklab
from graftset.records import Background, ColorShare
from graftset.vocabulary import single_color_phrases

SOLID_ENOUGH = 0.8  # share one colour must hold for the caption's colour word to speak of it
AGREES = 0.1  # share of the survey's best vote a word must have: captions contain mistakes, and those must not teach


def learn_words(captions: Sequence[str], backgrounds: Sequence[Mapping[str, Any]]) -> ColorWords:
    """How the originals' captions use colour words.

    Args:
        captions: One for each original that has one.
        backgrounds: Their background readings (`kind`, `colors` as [hex, share], the largest first).

    Returns:
        Colour words with a prototype for every caption that calls a nearly solid background by one colour, unless the
        survey finds the word absurd for that colour.
    """
    survey = ColorWords({})
    prototypes: dict[str, list[np.ndarray[Any, Any]]] = {}
    for number, word in single_color_phrases(captions):
        colors = backgrounds[number].get("colors") or []
        if not colors or colors[0][1] < SOLID_ENOUGH:
            continue
        oklab = srgb_to_oklab(from_hex(colors[0][0]))
        votes = dict(survey.rank(oklab))
        if votes[word] >= AGREES * max(votes.values()):
            prototypes.setdefault(word, []).append(oklab)
    return ColorWords({word: np.stack(points) for word, points in prototypes.items()})


def name_background(reading: Mapping[str, Any], words: ColorWords) -> Background:
    """Put words to a background reading.

    The value is the word that holds the largest share over all colours: the shades of a green brick wall together
    outweigh each of its greens. The confidence is how far the best word leads the next acceptable one's votes, scaled
    by how much of the ring around the picture belongs to the background at all.
    """
    shares = [float(share) for _, share in reading["colors"]]
    votes = words.votes(srgb_to_oklab(np.stack([from_hex(code) for code, _ in reading["colors"]])))
    colors = []
    held: dict[str, float] = {}
    for (code, share), vote in zip(reading["colors"], votes, strict=True):
        accepted = acceptable(vote)
        colors.append(ColorShare(accepted[0], code, share, accepted))
        held[accepted[0]] = held.get(accepted[0], 0.0) + share
    value = max(held, key=lambda word: held[word])
    mean = dict(zip(TERMS, np.average(votes, axis=0, weights=shares).tolist(), strict=True))
    # A word inside the acceptable set of the best one is a synonym here, not a rival.
    synonyms = {value, *colors[0].words}
    rival = max((vote for word, vote in mean.items() if word not in synonyms), default=0.0)
    confidence = float(np.clip(1.0 - rival / max(mean[value], 1e-9), 0.0, 1.0)) * float(reading["coverage"])
    return Background(
        kind=reading["kind"],
        value=value,
        colors=tuple(colors),
        confidence=round(confidence, 3),
    )
