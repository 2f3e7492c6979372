"""The language of the contact sheet's filter."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.errors import UserError
from graftset.web.facts import Facts
from graftset.web.filters import FIELDS, MAX_TERMS, Filter, Term, parse

LADY = Facts(
    sha256="0" * 64,
    name="lady_063.png",
    title="Lady_063.png",
    caption="portrait of a lady, gold earring, gray background",
    score=7.94,
    tokens=76,
    distance=0.12,
    generation=1,
    backgrounds=frozenset({"gray", "light gray"}),
    kind="solid",
    figure="lady",
    hair="brown",
    accessories=frozenset({"earring", "nerd glasses"}),
    selected=True,
    copy=False,
    repeat=False,
    changed=True,
    contradicted=True,
    composed=False,
    reason="score 7.9",
    standing="approved",
    reviewers=frozenset({"ada"}),
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "score<8",
        "score:<8",
        "score:7..8",
        "score=7.9",
        "background:gray",
        "background:grey",
        'background:"light gray"',
        "hair:black,brown",
        "-accessory:crown",
        'accessory:"nerd glasses"',
        "tokens:>75",
        "reviewed:yes verdict:approved reviewer:ada",
        "selected:yes copy:no changed:yes contradicted:yes",
        "063",
        "LADY",
        '-"lad_"',
        'caption:"gold earring"',
        "p>=0.5 p<=0.7",
        "score<8 background:gray -accessory:crown tokens:>75 reviewed:yes",
    ],
)
def test_a_filter_that_lets_the_lady_through(text: str) -> None:
    assert parse(text).matches(LADY, 0.7)


@pytest.mark.parametrize(
    "text",
    [
        "score<7",
        "score>8",
        "background:red",
        "hair:black",
        "accessory:crown",
        "-tokens:>75",
        "reviewed:no",
        "lad_",
        "copy:yes",
    ],
)
def test_a_filter_that_does_not(text: str) -> None:
    assert not parse(text).matches(LADY)


def test_what_is_not_known_fulfills_only_a_negated_condition() -> None:
    unknown = replace(LADY, score=None, selected=None)
    assert not any(
        parse(text).matches(unknown) for text in ("score<8", "score>=8", "selected:yes", "selected:no", "p<1")
    )
    assert parse("-score<8 -selected:no").matches(unknown)


@pytest.mark.parametrize(
    ("text", "piece", "remedy"),
    [
        ("score<8 scoer>2", "scoer>2", '"score"'),
        ("foo:bar", "foo:bar", "quotation marks"),
        ("score:high", "score:high", "score<8"),
        ("score<1..2", "score<1..2", "score:1..2"),
        ("tokens:>", "tokens:>", "tokens:>75"),
        ("background:", "background:", "background:gray"),
        ("hair:brown,", "hair:brown,", "hair:brown,black"),
        ("background<red", "background<red", "background:gray"),
        ("reviewed:maybe", "reviewed:maybe", "reviewed:yes or reviewed:no"),
        ('caption:"gold', '"gold', "Close it"),
        ("-", "-", "minus"),
        (" ".join(["a"] * (MAX_TERMS + 1)), "a", "at most"),
        ("x" * 501, "x" * 20 + "…", "at most 500"),
    ],
)
def test_an_error_names_the_piece_and_the_remedy(text: str, piece: str, remedy: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(text)
    assert caught.value.field == "filter"
    assert caught.value.value == piece
    assert remedy in caught.value.remedy


def test_every_field_has_an_example_that_works_and_uses_it() -> None:
    for field in FIELDS:
        terms = parse(field.example).terms
        assert [term.field for term in terms] == [field.name]
    assert len({field.name for field in FIELDS}) == len(FIELDS)


_WORDS = st.text(st.characters(exclude_characters='"', exclude_categories=("C",)), min_size=1, max_size=12).map(
    str.lower
)
_NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def _terms() -> st.SearchStrategy[Term]:
    def of(kind: str) -> st.SearchStrategy[str]:
        return st.sampled_from([field.name for field in FIELDS if field.kind == kind])

    said = st.booleans()
    spelled = _WORDS.filter(lambda word: word != "grey" and bool(word.strip()))
    return st.one_of(
        st.builds(Term, st.none(), st.tuples(spelled), negated=said),
        st.builds(
            Term,
            of("number"),
            sign=st.sampled_from(["<", "<=", ">", ">=", "="]),
            bounds=st.tuples(_NUMBERS),
            negated=said,
        ),
        st.builds(
            Term,
            of("number"),
            sign=st.just(".."),
            bounds=st.tuples(_NUMBERS, _NUMBERS).map(lambda pair: tuple(sorted(pair))),
            negated=said,
        ),
        st.builds(
            Term, st.one_of(of("word"), of("text")), st.lists(spelled, min_size=1, max_size=3).map(tuple), negated=said
        ),
        st.builds(Term, of("flag"), st.sampled_from([("yes",), ("no",)]), negated=said),
    )


@given(st.lists(_terms(), max_size=5).map(tuple))
def test_what_a_filter_writes_it_reads_again(terms: tuple[Term, ...]) -> None:
    wanted = Filter(terms)
    if len(str(wanted)) <= 500:
        assert parse(str(wanted)) == wanted


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_an_error_with_a_remedy(text: str) -> None:
    found: Filter | None
    try:
        found = parse(text)
    except UserError as error:
        found, told = None, error.remedy
    if found is None:
        assert told
    else:
        assert parse(str(found)) == found
        found.matches(LADY)


@given(st.lists(_terms(), min_size=1, max_size=4).map(tuple))
def test_conditions_are_joined_by_and_and_a_minus_turns_one_around(terms: tuple[Term, ...]) -> None:
    assert Filter(terms).matches(LADY) == all(term.matches(LADY) for term in terms)
    for term in terms:
        assert replace(term, negated=not term.negated).matches(LADY) != term.matches(LADY)
