"""Captions have the CLIP tokens that the trainer will count, and the words beyond a limit are named."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import instant_clip_tokenizer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graftset.tokens import Cut, cut, token_count

MERGES = 49152 - 256 - 2  # of the file's 262,144, as OpenAI's tokenizer reads it
CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


@cache
def merge_ranks() -> dict[tuple[str, str], int]:
    """Every merge of CLIP's vocabulary with its rank, from the text that the wheel carries inside its library."""
    (library,) = (
        path
        for path in Path(instant_clip_tokenizer.__file__).parent.iterdir()
        if path.suffix in (".so", ".pyd") and path.name.startswith("instant_clip_tokenizer")
    )
    content = library.read_bytes()
    start = content.index(b"\n", content.index(b"#version: 0.2")) + 1
    lines = content[start : start + 2_000_000].split(b"\n", MERGES)[:MERGES]
    return {(first, second): rank for rank, (first, second) in enumerate(line.decode().split() for line in lines)}


def reference_tokens(text: str) -> list[str]:
    """CLIP's tokens by the plain rules of byte-pair encoding (Sennrich et al. 2016), one merge at a time."""
    tokens = []
    for piece in reference_pieces(text.lower()):
        symbols = [byte_symbols()[byte] for byte in piece.encode()]
        symbols[-1] += "</w>"
        while pairs := [pair for pair in itertools.pairwise(symbols) if pair in merge_ranks()]:
            symbols = merged(symbols, min(pairs, key=lambda pair: merge_ranks()[pair]))
        tokens += symbols
    return tokens


def merged(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    """The symbols with every occurrence of a pair as one symbol."""
    result: list[str] = []
    left = iter(range(len(symbols)))
    for index in left:
        if tuple(symbols[index : index + 2]) == pair:
            result.append("".join(pair))
            next(left)
        else:
            result.append(symbols[index])
    return result


@cache
def byte_symbols() -> dict[int, str]:
    """How the vocabulary writes each byte: printable ones as they are, the others from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + number) for number, byte in enumerate(others)}


def reference_pieces(text: str) -> Iterator[str]:
    """Contractions, runs of letters, single digits and runs of other marks, from left to right."""
    while text:
        length = piece_length(text)
        if not text[0].isspace():
            yield text[:length]
        text = text[length:]


def piece_length(text: str) -> int:
    """Characters of the first piece, or of the space before it."""
    contraction = next((short for short in CONTRACTIONS if text.startswith(short)), None)
    if contraction is not None:
        return len(contraction)
    kinds = [kind_of(character) for character in text]
    if kinds[0] == "N":
        return 1
    return next((index for index, kind in enumerate(kinds) if kind != kinds[0]), len(kinds))


def kind_of(character: str) -> str:
    if character.isspace():
        return "space"
    category = unicodedata.category(character)[0]
    return category if category in "LN" else "other"


# What CLIP's own tokenizer reads as it stands: composed characters, straight quotes, nothing that Unicode added lately.
LATIN = st.characters(min_codepoint=0x20, max_codepoint=0x24F, exclude_categories=["Cc"])
TEXTS = st.text(LATIN | st.sampled_from(" ,.'猫の肖像Ωжё한½Ⅷ²—…☆😀❤️"), max_size=80)
CAPTIONS = st.lists(
    st.sampled_from(["pixel", "art,", "24x24", "extravagantly", "hair,", "a", "don't", "#986052", "('old')", "l’été"]),
    max_size=120,
).map(" ".join)


@pytest.mark.parametrize(
    ("caption", "tokens"),  # as the documentation and tests of CLIP tokenizers publish them
    [
        ("", 0),
        ("hello world", 2),
        ("hello world!!!", 3),
        ("i've seen it", 4),
        ("A person riding a motorcycle", 5),
        ("Hello Båstad", 4),
        ("A\n'll 11p223RF☆ho!!to? of a cat", 17),
        ("donaudampfschifffahrtsgesellschaftskapitänsmütze", 21),
    ],
)
def test_published_examples_have_their_tokens(caption: str, tokens: int) -> None:
    assert token_count(caption) == tokens
    assert len(reference_tokens(caption)) == tokens


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_any_text_has_the_tokens_of_plain_byte_pair_encoding(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert token_count(text) == len(reference_tokens(composed))


@given(st.text(max_size=40), st.text(max_size=40))
@settings(deadline=None)
def test_counts_of_parts_add_up(first: str, second: str) -> None:
    assert token_count(f"{first} {second}") == token_count(first) + token_count(second)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("the lady’s “old” hat", 'the lady\'s "old" hat'),
        ("cafe\u0301", "caf\u00e9"),
        ("PIXEL  Art\t", "pixel art"),
        ("hat\ud83d", "hat?"),
    ],
)
def test_a_caption_is_read_as_the_trainer_repairs_it(written: str, read: str) -> None:
    assert token_count(written) == token_count(read)


@pytest.mark.parametrize("limit", [75, 150, 225])
def test_a_caption_is_cut_after_the_last_token_that_fits(limit: int) -> None:
    caption = " ".join(itertools.islice(itertools.cycle("abcdefgh"), limit))
    assert cut(caption, limit) == Cut(caption, "", limit)
    assert cut(f"{caption}, last words", limit) == Cut(caption, ", last words", limit + 3)


def test_seventy_five_tokens_are_read_unless_the_trainer_is_told_otherwise() -> None:
    assert cut("word " * 76) == Cut(("word " * 75).strip(), "word", 76)


@pytest.mark.parametrize(
    ("caption", "limit", "kept", "lost"),
    [
        ("one extravagantly dressed lady", 2, "one", "extravagantly dressed lady"),  # two tokens, one of them read
        ("blue hair, red hat", 2, "blue hair", ", red hat"),
        ("they don't", 2, "they", "don't"),
        ("a 24x24 hat", 3, "a", "24x24 hat"),
        ("the lady’s hat", 2, "the", "lady's hat"),  # "lady" and "'s" are two
        ("extravagantly", 1, "", "extravagantly"),
        (" a hat ", 0, "", "a hat"),
        (" a hat ", 2, "a hat", ""),
    ],
)
def test_a_word_that_is_not_read_whole_is_lost(caption: str, limit: int, kept: str, lost: str) -> None:
    found = cut(caption, limit)
    assert (found.kept, found.lost) == (kept, lost)


@given(CAPTIONS | TEXTS, st.sampled_from([0, 1, 5, 20, 75, 150, 225]))
@settings(max_examples=200, deadline=None)
def test_what_is_kept_is_what_the_encoder_reads_first(caption: str, limit: int) -> None:
    found = cut(caption, limit)
    repaired = unicodedata.normalize("NFC", caption.replace("’", "'")).strip()
    assert repaired.startswith(found.kept)
    assert repaired[len(found.kept) :].strip() == found.lost
    whole = reference_tokens(repaired)
    kept = reference_tokens(found.kept)
    assert found.tokens == len(whole)
    assert kept == whole[: len(kept)]
    assert len(kept) <= limit
    assert bool(found.lost) == (found.tokens > limit)


def test_84_of_the_real_captions_do_not_fit_and_all_fit_into_two_passes(shared: Path) -> None:
    folder = shared / "data" / "portraits" / "originals"
    captions = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))]
    counts = [token_count(caption) for caption in captions]
    assert len(captions) == 203
    # As sd-scripts' own tokenizing does it, by CLIPTokenizer of transformers with this vocabulary.
    assert sum(count > 75 for count in counts) == 84
    assert max(counts) == 137
    assert sum(bool(cut(caption).lost) for caption in captions) == 84
    assert not any(cut(caption, 150).lost for caption in captions)
    assert counts == [len(reference_tokens(caption)) for caption in captions]
