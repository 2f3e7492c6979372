"""What hides what: hair is not read under a cap, eyes not behind sunglasses.

A small help known beforehand, by the head noun of a term. All terms that cover a slot are also learned together: a
beanie that only two captions name still looks like headwear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HEADWEAR = _words(
    "cap hat beanie beret fedora turban helmet bandana hood durag do-rag rag headscarf bonnet sombrero veil headset"
)
_EYEWEAR = _words("sunglasses shades goggles visor eyepatch patch headset blindfold")
_EYEWEAR_TERMS = frozenset({"3d glasses", "eye mask"})
COVERS: Mapping[str, frozenset[str]] = {
    "hair": _HEADWEAR,
    "hair_style": _HEADWEAR,
    "eyes": _EYEWEAR | _EYEWEAR_TERMS,
}


def covering_terms(slot: str, terms: Iterable[str]) -> tuple[str, ...]:
    """Those of the terms that hide a slot, in alphabetical order."""
    names = COVERS.get(slot, frozenset())
    return tuple(sorted(term for term in terms if term in names or term.split()[-1] in names))
