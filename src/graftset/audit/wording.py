"""Rules that read the words: misspelt, grown together, doubled, cut off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from graftset.audit.findings import Found
from graftset.audit.lexicon import FAMILIAR, Correction, Split
from graftset.audit.texts import Caption, Corpus, Word
from graftset.records import CaptionChange

READABLE = 0.5  # share of known words below which captions are in no language the lexicon can judge
LONG_REPEAT = 4  # words of a phrase that nobody writes twice on purpose
OFTEN_ALONE = 0.3  # share of captions that hold a word as a whole comma part, for it to be a part of its own
MOSTLY_ALONE = 0.8  # share of the parts ending in that word in which nothing stands before it

_EMPHASIS = frozenset(("very", "really", "so", "super", "dark", "light", "long", "deep", "bright", "big"))
_DANGLING = frozenset(
    ("and", "or", "with", "without", "a", "an", "the", "of", "to", "in", "from", "but", "for", "wearing", "holding")
)


def misspelled(corpus: Corpus) -> Iterator[Found]:
    """Words that are none, and look like one that is."""
    if not is_readable(corpus):
        return
    for caption, word, correction, split in _unknown_words(corpus):
        if correction is None or (split is not None and not correction.sure):
            continue
        span, shown = (word.start, word.end), caption.text[word.start : word.end]
        edits = _replace(caption, span, correction.word, "misspelled") if correction.sure else ()
        yield Found(caption.view, shown, f'"{shown}" is no word; perhaps "{correction.word}"', span, edits)
    for caption in corpus.captions:
        for word in caption.words:
            meant = corpus.lexicon.cut_short(word.text)
            if meant is not None and not word.capital:
                span = (word.start, word.end)
                yield Found(caption.view, word.text, f'"{word.text}" may be "{meant}" without its end', span)


def glued(corpus: Corpus) -> Iterator[Found]:
    """Words that are two: a comma or a space was lost between them."""
    if not is_readable(corpus):
        return
    for caption, word, correction, split in _unknown_words(corpus):
        if split is None or (correction is not None and correction.sure):
            continue
        shown = caption.text[word.start : word.end]
        # "baldwearing": what usually begins a part has lost its comma too.
        between = ", " if corpus.lexicon.begins_a_phrase(split.right) else " "
        new = shown[: len(split.left)] + between + shown[len(split.left) :]
        edits = _replace(caption, (word.start, word.end), new, "glued") if _is_safe(split) else ()
        yield Found(caption.view, shown, _glue_message(shown, split), (word.start, word.end), edits)


def _is_safe(split: Split) -> bool:
    # Nothing can tell what followed "with" where another phrase was pushed in behind it.
    return split.sure and split.left not in _DANGLING


def _glue_message(shown: str, split: Split) -> str:
    if split.sure:
        return f'"{shown}" is "{split.left}" and "{split.right}" without a space'
    return f'"{shown}" is no word; "{split.left}" and "{split.right}" may have grown together'


def is_readable(corpus: Corpus) -> bool:
    """Whether most words are English ones: in other languages every word would look like a slip."""
    words = [word.text for caption in corpus.captions for word in caption.words]
    ascii_words = [word for word in words if word.isascii()]
    known = sum(1 for word in ascii_words if corpus.lexicon.knows(word))
    return bool(ascii_words) and known >= READABLE * len(words)


def _unknown_words(corpus: Corpus) -> Iterator[tuple[Caption, Word, Correction | None, Split | None]]:
    """Words that are none, with what one slip or one lost space would make of them."""
    lexicon = corpus.lexicon
    meant: dict[str, tuple[Correction | None, Split | None]] = {}
    for caption in corpus.captions:
        for word in caption.words:
            # A capital inside a phrase is likely a name, and names are spelt as their owners like.
            name = word.capital and word.start != caption.parts[word.part][0] and lexicon.counts[word.text] == 0
            if name or lexicon.knows(word.text):
                continue
            if word.text not in meant:
                meant[word.text] = (lexicon.correct(word.text), lexicon.split(word.text))
            yield caption, word, *meant[word.text]


def doubled(corpus: Corpus) -> Iterator[Found]:
    """The same word or the same few words twice in a row: "stud stud", "skin tone skin tone"."""
    for caption in corpus.captions:
        for number in range(len(caption.parts)):
            words = caption.words_of(number)
            at = 0
            while at < len(words):
                length = _doubled_at(caption, words, at)
                if not length:
                    at += 1
                    continue
                span = (words[at].start, words[at + 2 * length - 1].end)
                once = caption.text[words[at].start : words[at + length - 1].end]
                edits = _replace(caption, span, once, "doubled")
                yield Found(caption.view, caption.text[slice(*span)], f'"{once}" stands twice in a row', span, edits)
                at += 2 * length


def _doubled_at(caption: Caption, words: list[Word], at: int) -> int:
    """How many words from `at` on are said twice in a row; 0 where none are. "dark dark" is emphasis."""
    for length in (3, 2, 1):
        first, second = words[at : at + length], words[at + length : at + 2 * length]
        same = [w.text for w in first] == [w.text for w in second] and len(second) == length
        if same and not (length == 1 and first[0].text in _EMPHASIS):
            between = caption.text[first[-1].end : second[0].start]
            return length if between.isspace() else 0
    return 0


def repeated(corpus: Corpus) -> Iterator[Found]:
    """A phrase of four words or more that a caption says twice: it takes tokens and adds nothing."""
    for caption in corpus.captions:
        words = [word.text for word in caption.words]
        at = 0
        while at < len(words):
            length, other = _longest_repeat(words, at)
            if length < LONG_REPEAT:
                at += 1
                continue
            span = (caption.words[other].start, caption.words[other + length - 1].end)
            phrase = caption.text[slice(*span)]
            edits = _drop_part(caption, other, length, at)
            yield Found(caption.view, phrase, "The caption says this twice", span, edits)
            at += length


def _longest_repeat(words: list[str], at: int) -> tuple[int, int]:
    """The longest phrase beginning at `at` that is said again later: (words, where)."""
    best, where = 0, -1
    for other in range(at + LONG_REPEAT, len(words)):
        length = 0
        while other + length < len(words) and at + length < other and words[at + length] == words[other + length]:
            length += 1
        if length > best:
            best, where = length, other
    return best, where


def _drop_part(caption: Caption, first: int, length: int, earlier: int) -> tuple[CaptionChange, ...]:
    """Without its second saying, where that is a whole comma part and so was the first."""
    number, before = caption.words[first].part, caption.words[earlier].part
    if caption.part(number).lower() != caption.part(before).lower() or number == before or number == 0:
        return ()
    span = (caption.parts[number - 1][1], caption.parts[number][1])
    return _replace(caption, span, "", "repeated")


def interrupted(corpus: Corpus) -> Iterator[Found]:
    """Words before what is a part of its own: "dirty blonde to lips, slight smile, warm hair"."""
    for phrase in _lone_words(corpus):
        for caption in corpus.captions:
            for number, (start, end) in enumerate(caption.parts):
                words = caption.words_of(number)
                if len(words) > 1 and words[-1].text == phrase and words[-1].end == end:
                    before = caption.text[start : words[-1].start].strip()
                    message = f'"{phrase}" is a part of its own elsewhere; "{before}" was cut off before it'
                    yield Found(caption.view, caption.part(number), message, (start, end))


def _lone_words(corpus: Corpus) -> list[str]:
    """Words that many captions hold as a whole comma part, and hardly any with something before them."""
    ends = Counter(words[-1].text for c in corpus.captions for i in range(len(c.parts)) if (words := c.words_of(i)))
    alone = Counter(
        words[0].text for c in corpus.captions for i in range(len(c.parts)) if len(words := c.words_of(i)) == 1
    )
    enough = OFTEN_ALONE * len(corpus.captions)
    return sorted(w for w, n in alone.items() if n >= max(enough, FAMILIAR) and MOSTLY_ALONE * ends[w] <= n < ends[w])


def unclosed(corpus: Corpus) -> Iterator[Found]:
    """Brackets without their other half: whatever splits captions at commas outside brackets goes wrong."""
    for caption in corpus.captions:
        for at in _unmatched(caption.text):
            start, end = max(0, at - 20), min(len(caption.text), at + 20)
            edits = _replace(caption, (at, at + 1), "", "unclosed")
            words = caption.text[start:end].strip()
            yield Found(caption.view, words, f'"{caption.text[at]}" without its other half', (at, at + 1), edits)


def _unmatched(text: str) -> list[int]:
    opened: list[int] = []
    lone = []
    for i, letter in enumerate(text):
        if letter == "(":
            opened.append(i)
        elif letter == ")" and opened:
            opened.pop()
        elif letter == ")":
            lone.append(i)
    return sorted(lone + opened)


def truncated(corpus: Corpus) -> Iterator[Found]:
    """Parts that end in a word which wants another: "brown eyes and,", "glasses with,"; or hold no other word."""
    for caption in corpus.captions:
        for number, (start, end) in enumerate(caption.parts):
            words = caption.words_of(number)
            if words and words[-1].end == end and words[-1].text in _DANGLING:
                last = words[-1]
                alone = len(words) == 1
                span = _whole_part(caption, number) if alone else (words[-2].end, end)
                message = f'Nothing follows "{last.text}"'
                # A lone part can only go where a neighbour's comma goes with it.
                edits = _replace(caption, span, "", "truncated") if not alone or number else ()
                yield Found(caption.view, caption.part(number), message, (start, end), edits)


def _whole_part(caption: Caption, number: int) -> tuple[int, int]:
    """A part with the comma before it."""
    return (caption.parts[number - 1][1] if number else 0, caption.parts[number][1])


def _replace(caption: Caption, span: tuple[int, int], new: str, rule: str) -> tuple[CaptionChange, ...]:
    return (CaptionChange("wording", span, caption.text[slice(*span)], new, rule),)
