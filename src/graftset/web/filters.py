"""The language of the contact sheet's filter, e.g. `score<8 background:gray -accessory:crown tokens:>75 "lady 1"`.

Pure: a text becomes a `Filter`, which says yes or no to the `Facts` of one candidate. What can be asked for is the
table `FIELDS`; the help page is written from it. Terms are joined by "and"; a comma inside a value means "or"; a minus
in front means "not". A word without a field is looked for in file names.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from graftset.errors import UserError
from graftset.web.facts import Facts

MAX_TEXT = 500  # characters
MAX_TERMS = 40

Kind = Literal["number", "word", "text", "flag"]
Sign = Literal["<", "<=", ">", ">=", "=", ".."]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that can be asked for.

    `get` returns a number or None for "number", the set of words a picture has for "word", a lower-case text that is
    searched for "text", and a truth value or None for "flag".
    """

    name: str
    kind: Kind
    meaning: str
    example: str
    get: Callable[[Facts], object]


def _one(word: str) -> frozenset[str]:
    return frozenset({word}) if word else frozenset()


FIELDS: tuple[Field, ...] = (
    Field("score", "number", "quality score, 0 to 10", "score<8", lambda f: f.score),
    Field("tokens", "number", "CLIP tokens of the caption", "tokens:>75", lambda f: f.tokens),
    Field("p", "number", "estimated chance that a person approves, 0 to 1", "p<0.5", lambda f: None),
    Field("distance", "number", "OKLab distance to the nearest original", "distance>0.1", lambda f: f.distance),
    Field("generation", "number", "1 where the generator saw originals only", "generation:1", lambda f: f.generation),
    Field("background", "word", "a color of the background", "background:gray", lambda f: f.backgrounds),
    Field("kind", "word", "solid, gradient, split, pattern or noisy", "kind:gradient", lambda f: _one(f.kind)),
    Field("figure", "word", "who is shown, as it was seen", "figure:lady", lambda f: _one(f.figure)),
    Field("hair", "word", "hair color, as it was seen", "hair:brown,black", lambda f: _one(f.hair)),
    Field("accessory", "word", "something that is seen", "-accessory:crown", lambda f: f.accessories),
    Field("verdict", "word", "pending, approved, rejected or skipped", "verdict:rejected", lambda f: _one(f.standing)),
    Field("reviewer", "word", "who gave a verdict", "reviewer:ada", lambda f: f.reviewers),
    Field("name", "text", "part of the file name", "name:lady", lambda f: f.name),
    Field("caption", "text", "part of the caption it would train with", 'caption:"gold earring"', lambda f: f.caption),
    Field("reason", "text", "part of a reason for which it was kept or dropped", "reason:copy", lambda f: f.reason),
    Field("reviewed", "flag", "a person gave a verdict", "reviewed:no", lambda f: f.standing != "pending"),
    Field("selected", "flag", "admitted by the last selection", "selected:yes", lambda f: f.selected),
    Field("planned", "flag", "drawn by the sampling plan", "planned:yes", lambda f: f.planned),
    Field("copy", "flag", "a copy of an original", "copy:yes", lambda f: f.copy),
    Field("repeat", "flag", "a repeat of a better candidate", "repeat:yes", lambda f: f.repeat),
    Field("changed", "flag", "its caption is not the text it came with", "changed:yes", lambda f: f.changed),
    Field("contradicted", "flag", "the picture contradicts its text", "contradicted:yes", lambda f: f.contradicted),
    Field("composed", "flag", "its caption was written from what is seen", "composed:yes", lambda f: f.composed),
    Field("conflict", "flag", "reviewers disagree", "conflict:yes", lambda f: f.conflict),
)
ESTIMATE = "p"  # no fact of a candidate: it comes from everybody's verdicts
_BY_NAME = {field.name: field for field in FIELDS}
_FLAGS = {"yes": True, "no": False}
_SIGNS: tuple[Sign, ...] = ("<=", ">=", "<", ">", "=")
_SPELLINGS = {"grey": "gray"}

# A field's name with its separator; the value follows. `score<8` and `score:<8` mean the same.
_HEAD = re.compile(r"([A-Za-z_]+)(:(?:<=|>=|<|>|=)?|<=|>=|<|>|=)")
_BARE = re.compile(r'[^\s"]+')
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `field` is None for a word that is looked for in file names.

    `values` are the alternatives of a word, a text or a flag; `sign` and `bounds` belong to numbers (two bounds for a
    range with both ends included).
    """

    field: str | None
    values: tuple[str, ...] = ()
    sign: Sign | None = None
    bounds: tuple[float, ...] = ()
    negated: bool = False

    def __str__(self) -> str:
        minus = "-" if self.negated else ""
        if self.field is None:
            return f"{minus}{_quoted(self.values[0], always=True)}"
        if self.sign == "..":
            return f"{minus}{self.field}:{_shown(self.bounds[0])}..{_shown(self.bounds[1])}"
        if self.sign is not None:
            return f"{minus}{self.field}{self.sign}{_shown(self.bounds[0])}"
        return f"{minus}{self.field}:{','.join(map(_quoted, self.values))}"

    def matches(self, facts: Facts, chance: float | None = None) -> bool:
        """Whether one candidate fulfills it. What is not known fulfills no condition but a negated one."""
        return self._holds(facts, chance) != self.negated

    def _holds(self, facts: Facts, chance: float | None) -> bool:
        if self.field is None:
            return self.values[0] in facts.name
        field = _BY_NAME[self.field]
        found = chance if self.field == ESTIMATE else field.get(facts)
        if found is None:
            return False
        if field.kind == "number":
            return _compares(float(found), self.sign or "=", self.bounds)  # type: ignore[arg-type]
        if field.kind == "flag":
            return found is _FLAGS[self.values[0]]
        # A set of words is asked for membership, a text for a part of it: both are `in`.
        return any(value in found for value in self.values)  # type: ignore[operator]


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that must all hold; none: everything is shown."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    @property
    def estimates(self) -> bool:
        """Whether it asks for the estimated chance, which changes for every candidate with every verdict."""
        return any(term.field == ESTIMATE for term in self.terms)

    def matches(self, facts: Facts, chance: float | None = None) -> bool:
        """Whether a candidate is shown.

        Args:
            facts: What is known of it.
            chance: That a person approves it, 0-1; None where nothing can be estimated.
        """
        return all(term.matches(facts, chance) for term in self.terms)


def parse(text: str) -> Filter:
    """Read a filter.

    Args:
        text: At most 500 characters.

    Raises:
        UserError: Something that cannot be understood; it names the piece and what to write instead.
    """
    if len(text) > MAX_TEXT:
        raise _error("The filter is too long", f"{text[:20]}…", f"Use at most {MAX_TEXT} characters.")
    terms: list[Term] = []
    at = 0
    while True:
        at = _past_space(text, at)
        if at == len(text):
            break
        if len(terms) == MAX_TERMS:
            raise _error("The filter has too many conditions", text[at:][:20], f"Use at most {MAX_TERMS}.")
        term, at = _term(text, at)
        terms.append(term)
    return Filter(tuple(terms))


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _term(text: str, start: int) -> tuple[Term, int]:
    negated = text[start] == "-"
    at = start + negated
    head = _HEAD.match(text, at)
    if head is None:
        values, end = _values(text, at, commas=False)
        word = values[0]
        if not word:
            raise _error("There is nothing to look for", text[start:end] or "-", "Write a word behind the minus.")
        return Term(None, (word,), negated=negated), end
    name = head.group(1).lower()
    field = _BY_NAME.get(name)
    values, end = _values(text, head.end(), commas=True)
    piece = text[start:end]
    if field is None:
        raise _error(f'There is no field "{name}"', piece, _did_you_mean(name, piece))
    sign = head.group(2).lstrip(":")
    if field.kind == "number":
        return _number_term(field, sign, text[head.end() : end], piece, negated), end
    if sign not in ("", "="):
        raise _error(f'"{name}" is not a number', piece, f"Write {field.example}.")
    if not all(values):
        raise _error(f'"{name}" is asked for nothing', piece, f"Write {field.example}, with no blank inside.")
    if field.kind == "flag" and (len(values) > 1 or values[0] not in _FLAGS):
        raise _error(f'"{name}" is yes or no', piece, f"Write {name}:yes or {name}:no.")
    if field.kind == "word":
        values = tuple(_SPELLINGS.get(value, value) for value in values)
    return Term(name, values, negated=negated), end


def _values(text: str, at: int, *, commas: bool) -> tuple[tuple[str, ...], int]:
    """The value that begins at `at`, as its alternatives in lower case, and where it ends."""
    parts, current, start = [], "", at
    while at < len(text) and not text[at].isspace():
        if text[at] == '"':
            close = text.find('"', at + 1)
            if close < 0:
                raise _error("A quotation mark is not closed", text[start:][:40], 'Close it with another ".')
            current += text[at + 1 : close]
            at = close + 1
            continue
        bare = _BARE.match(text, at)
        assert bare is not None  # neither blank nor quotation mark
        first, *rest = bare.group().split(",") if commas else [bare.group()]
        current += first
        for part in rest:
            parts.append(current)
            current = part
        at = bare.end()
    return tuple(part.lower() for part in (*parts, current)), at


def _number_term(field: Field, sign: str, value: str, piece: str, negated: bool) -> Term:
    low, dots, high = value.partition("..")
    bounds = tuple(_number(part) for part in ((low, high) if dots else (low,)))
    if any(math.isnan(bound) for bound in bounds) or (dots and sign not in ("", "=")):
        remedy = f"Write a number, such as {field.example}, or a range, such as {field.name}:1..2."
        raise _error(f'"{field.name}" is a number', piece, remedy)
    if dots:
        return Term(field.name, sign="..", bounds=(min(bounds), max(bounds)), negated=negated)
    return Term(field.name, sign=next((s for s in _SIGNS if s == sign), "="), bounds=bounds, negated=negated)


def _number(text: str) -> float:
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def _compares(value: float, sign: Sign, bounds: tuple[float, ...]) -> bool:
    first = bounds[0]
    if sign == "..":
        return first <= value <= bounds[1]
    if sign == "=":  # what is shown is rounded: 7.94 reads as 7.9
        return value == first or round(value, 1) == first
    return {"<": value < first, "<=": value <= first, ">": value > first, ">=": value >= first}[sign]


def _did_you_mean(name: str, piece: str) -> str:
    near = difflib.get_close_matches(name, _BY_NAME, n=1)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    return f"{hint}The fields are {', '.join(_BY_NAME)}; put a word with such a sign in quotation marks."


def _quoted(value: str, *, always: bool = False) -> str:
    return f'"{value}"' if always or re.search(r"[\s,]|^[:=<>]", value) else value


def _shown(number: float) -> str:
    text = format(Decimal(repr(number)), "f")  # every digit, and no exponent
    return text.removesuffix(".0")


def _error(message: str, piece: str, remedy: str) -> UserError:
    return UserError(message, field="filter", value=piece, remedy=remedy)
