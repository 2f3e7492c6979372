"""The prompts that every arm of an experiment paints at every checkpoint.

They follow from the originals, from all candidates, selected or not, and from a seed: no plan and no selection changes
them, so that pictures of two arms can be laid side by side. Training captions measure recall; the candidates'
wordings, generic wordings and unseen combinations measure obedience.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TypeVar

import numpy as np

from graftset.records import ImageView, PromptKind, SamplePrompt
from graftset.vocabulary import ACCESSORY, TERMS, Labels, Vocabulary

T = TypeVar("T")

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_TOLD = 3  # captions that must name a word before prompts use it: rarer ones cannot be learned
_COLORS = 8  # background colors that generic wordings go through
_READ = 400  # different prompts of candidates that are looked at
Read = Callable[[str], Labels]  # what a caption says


@dataclass(frozen=True, slots=True)
class PromptCounts:
    """How many prompts of each kind; fewer come where the captions do not give as many."""

    training: int = 6
    candidate: int = 4
    generic: int = 6
    unseen: int = 4


def sample_prompts(
    views: Sequence[ImageView], *, counts: PromptCounts | None = None, seed: int = 0
) -> tuple[SamplePrompt, ...]:
    """The sample prompts of a project.

    A smaller count gives the first of a larger one, under the same ids.

    Args:
        views: All originals and all candidates, in any order.
        counts: How many of each kind.
        seed: Of every random draw.

    Returns:
        Training captions, candidates' wordings, generic wordings, unseen combinations, in this order. Every text is one
        line and stands there once. `expects` holds what the text asks for, without what was seen to be untrue of the
        original that has the caption.
    """
    wanted = counts or PromptCounts()
    originals = sorted((view for view in views if view.origin == "original"), key=_by_content)
    candidates = sorted((view for view in views if view.origin == "generated"), key=_by_content)
    trained = list(dict.fromkeys(text for view in originals if (text := one_line(view.training_caption))))
    vocabulary = Vocabulary.learn(trained)
    read = cache(vocabulary.labels)  # a caption is read for several kinds of prompt
    streams: tuple[tuple[PromptKind, int, Iterator[SamplePrompt]], ...] = (
        ("training", wanted.training, _training(originals, read, seed)),
        ("candidate", wanted.candidate, _asked(candidates, read, seed)),
        ("generic", wanted.generic, _generic(vocabulary, [read(text) for text in trained], seed)),
        ("unseen", wanted.unseen, _unseen(vocabulary, read, trained, every_text([*originals, *candidates]), seed)),
    )
    taken: set[str] = set()
    prompts: list[SamplePrompt] = []
    for kind, count, stream in streams:
        fresh = (prompt for prompt in stream if prompt.text not in taken)
        for number, prompt in enumerate(islice(fresh, count), start=1):
            taken.add(prompt.text)
            prompts.append(SamplePrompt(f"{kind}-{number:03}", kind, prompt.text, prompt.expects, prompt.reference))
    return tuple(prompts)


def no_longer_unseen(prompts: Sequence[SamplePrompt], originals: Sequence[str], captions: Sequence[str]) -> list[str]:
    """The ids of unseen combinations that a caption holds after all.

    Args:
        prompts: Of a project.
        originals: The originals' captions, whose words the others are read by.
        captions: What is trained under.
    """
    vocabulary = Vocabulary.learn(originals)
    together = {pair for text in dict.fromkeys(captions) for pair in _pairs(vocabulary.labels(text))}
    return [
        prompt.id
        for prompt in prompts
        if prompt.kind == "unseen"
        and {(slot, word, prompt.expects.get("background", "")) for slot, word in prompt.expects.items()} & together
    ]


def every_text(views: Sequence[ImageView]) -> list[str]:
    """Every text that any arm could train on, each once: captions, prompts as asked, and proposals."""
    texts = (one_line(text) for view in views for text in (view.caption, view.prompt, view.proposed_caption))
    return [text for text in dict.fromkeys(texts) if text]


def one_line(text: str | None) -> str:
    """A caption as trainers read it: one line, no control characters, no space around it; "" where there is none.

    kohya reads the first line only and crashes on an empty file, so lines are joined by a space rather than lost.
    """
    lines = (line.strip() for line in (text or "").removeprefix("\ufeff").splitlines())
    joined = " ".join(line for line in lines if line)
    return _CONTROL.sub("", joined).encode("utf-8", "replace").decode("utf-8").strip()


def _training(originals: Sequence[ImageView], read: Read, seed: int) -> Iterator[SamplePrompt]:
    """Captions of originals, every background and figure in turn."""
    first: dict[str, ImageView] = {}
    for view in originals:
        first.setdefault(one_line(view.training_caption), view)
    first.pop("", None)
    for text in _in_turn(list(first), read, seed):
        view = first[text]
        untrue = {claim.slot for claim in view.claims if claim.verdict == "contradicted"}
        asked = _expected(read(text))
        expects = {slot: word for slot, word in asked.items() if slot not in untrue}
        yield SamplePrompt("", "training", text, expects, view.sha256)


def _asked(candidates: Sequence[ImageView], read: Read, seed: int) -> Iterator[SamplePrompt]:
    """Prompts that candidates came with, as they were asked for."""
    texts = list(dict.fromkeys(text for view in candidates if (text := one_line(view.prompt))))
    some = sorted(texts, key=lambda text: _rank(text, seed))[:_READ]  # reading thousands for a few takes too long
    for text in _in_turn(some, read, seed):
        yield SamplePrompt("", "candidate", text, _expected(read(text)))


def _generic(vocabulary: Vocabulary, trained: Sequence[Labels], seed: int) -> Iterator[SamplePrompt]:
    """Plain wordings: figures and background colors in turn, every second pair of them with hair."""
    known = _words(trained)
    rng = _rng(seed, "generic")
    colors = _shuffled(_background_colors(known), rng)
    figures = _shuffled(known.get("figure", []), rng) or [""]
    hair = _shuffled(known.get("hair", []), rng)
    for number in range(len(colors) * len(figures)):
        turn = number // len(figures)
        traits = {
            # The figure moves on by one more after each round of the colors, so that all pairs come before any repeats.
            "figure": figures[(number + number // len(colors)) % len(figures)],
            "hair": hair[number // 2 % len(hair)] if hair and turn % 2 else "",
            "background": colors[number % len(colors)],
        }
        yield _worded(vocabulary, traits, "generic")


def _unseen(
    vocabulary: Vocabulary, read: Read, trained: Sequence[str], texts: Sequence[str], seed: int
) -> Iterator[SamplePrompt]:
    """Two traits that captions name each, and no caption of any arm together: hair or an accessory, and a background.

    They are asked of a figure that captions name the hair or the accessory with.
    """
    labels = [read(text) for text in trained]
    known = _words(labels)
    rng = _rng(seed, "unseen")
    worn = [term for term, count in vocabulary.terms.items() if count >= _TOLD]
    firsts = [*(("hair", word) for word in known.get("hair", [])), *((ACCESSORY + term, "present") for term in worn)]
    seconds = [word for word in known.get("background", []) if word in TERMS]
    together = {pair for text in texts for pair in _pairs(read(text))}
    unseen = [(*one, color) for one in firsts for color in seconds if (*one, color) not in together]
    figures = _shuffled(known.get("figure", []), rng)
    for number, (slot, word, color) in enumerate(_spread(_shuffled(unseen, rng))):
        asked = {slot: word}
        fitting = [f for f in figures if any(asked.items() <= _expected(one).items() for one in _of(f, labels))]
        figure = fitting[number % len(fitting)] if fitting else ""
        yield _worded(vocabulary, {"figure": figure, **asked, "background": color}, "unseen")


def _of(figure: str, labels: Sequence[Labels]) -> Iterator[Labels]:
    return (one for one in labels if one.slots.get("figure") == figure)


def _pairs(labels: Labels) -> Iterator[tuple[str, str, str]]:
    """Every trait of a caption beside each of its backgrounds, the qualifying colors counted."""
    backgrounds = {labels.slots.get("background", ""), *labels.also.get("background", ())} - {""}
    hair = {labels.slots.get("hair", ""), *labels.also.get("hair", ())} - {""}
    for background in backgrounds:
        yield from (("hair", word, background) for word in hair)
        yield from ((ACCESSORY + term, "present", background) for term in labels.accessories)


def _spread(pairs: Sequence[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """Pairs in an order that names every trait once before any twice."""
    left = list(pairs)
    used: dict[str, int] = {}
    while left:
        best = min(left, key=lambda pair: used.get(pair[0] + pair[1], 0) + used.get(pair[2], 0))
        left.remove(best)
        used[best[0] + best[1]] = used.get(best[0] + best[1], 0) + 1
        used[best[2]] = used.get(best[2], 0) + 1
        yield best


def _worded(vocabulary: Vocabulary, traits: Mapping[str, str], kind: PromptKind) -> SamplePrompt:
    """Traits in the originals' grammar: their boilerplate, and each trait where they speak of it."""
    wordings: dict[str, Callable[[str], str]] = {
        "figure": lambda word: (vocabulary.figure_frame or "portrait of a {}").format(word),
        "hair": lambda word: f"{word} hair",
        "background": lambda word: f"{word} background",
    }
    told = {slot: word for slot, word in traits.items() if word}
    parts = {
        slot: wordings[slot](word) if slot in wordings else vocabulary.wording(slot.removeprefix(ACCESSORY))
        for slot, word in told.items()
    }
    stated = any(parts.get("figure") == part for part in vocabulary.head)
    ordered = sorted(parts, key=lambda slot: (vocabulary.places.get(slot, 1.0), slot))
    said = [parts[slot] for slot in ordered if not (slot == "figure" and stated)]
    return SamplePrompt("", kind, one_line(", ".join((*vocabulary.head, *said, *vocabulary.tail))), told)


def _expected(labels: Labels) -> dict[str, str]:
    """What a caption asks for, by slot."""
    return {**labels.slots, **{ACCESSORY + term: "present" for term in sorted(labels.accessories)}}


def _words(captions: Sequence[Labels]) -> dict[str, list[str]]:
    """The values that captions name often enough, by slot, commonest first."""
    counts: dict[str, dict[str, int]] = {}
    for labels in captions:
        for slot, word in labels.slots.items():
            counts.setdefault(slot, {})[word] = counts.get(slot, {}).get(word, 0) + 1
    least = min(_TOLD, max(1, len(captions) // 10))
    return {
        slot: [word for word, n in sorted(words.items(), key=lambda item: (-item[1], item[0])) if n >= least]
        for slot, words in counts.items()
    }


def _background_colors(known: Mapping[str, list[str]]) -> list[str]:
    """The background colors that captions name, and basic ones where those are few."""
    colors = [word for word in known.get("background", []) if word in TERMS]
    basic = ("blue", "green", "red", "gray", "yellow", "purple", "orange", "pink")
    return list(dict.fromkeys([*colors, *basic]))[: max(_COLORS, len(colors))]


def _in_turn(texts: Sequence[str], read: Read, seed: int) -> Iterator[str]:
    """Texts so that every background comes once before any twice, and figures alternate; random within."""
    strata: dict[tuple[str, str], list[str]] = {}
    for text in sorted(texts, key=lambda text: _rank(text, seed)):
        slots = read(text).slots
        strata.setdefault((slots.get("background", ""), slots.get("figure", "")), []).append(text)
    sizes: dict[str, int] = {}
    for (background, _), members in strata.items():
        # What names no background comes last: nothing could be asked of it.
        sizes[background] = sizes.get(background, 0) + (len(members) if background else 0)
    backgrounds = sorted(sizes, key=lambda word: (-sizes[word], word))
    turn = 0
    while any(strata.values()):
        for background in backgrounds:
            left = sorted(figure for (word, figure), members in strata.items() if word == background and members)
            if left:
                yield strata[background, left[turn % len(left)]].pop(0)
                turn += 1


def _rank(text: str, seed: int) -> bytes:
    """A random order that depends on each text alone: one more caption does not shuffle the others."""
    return hashlib.sha256(f"{seed} {text}".encode()).digest()


def _rng(seed: int, kind: str) -> np.random.Generator:
    return np.random.default_rng([seed, *kind.encode()])


def _shuffled(items: Sequence[T], rng: np.random.Generator) -> list[T]:
    return [items[i] for i in rng.permutation(len(items))]


def _by_content(view: ImageView) -> tuple[str, str]:
    return (view.sha256, view.path)
