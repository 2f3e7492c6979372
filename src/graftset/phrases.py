"""Phrases that every room words alike."""

from __future__ import annotations


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Write a number with separated thousands and its noun.

    >>> counted(1, "candidate"), counted(10240, "candidate"), counted(2, "copy", "copies")
    ('1 candidate', '10,240 candidates', '2 copies')
    """
    return f"{number:,} {noun(number, singular, plural)}"


def noun(number: int, singular: str, plural: str | None = None) -> str:
    """The noun alone, as it goes with a number."""
    return singular if number == 1 else plural or singular + "s"
