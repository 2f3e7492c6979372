"""Fitted detectors as bytes and back: arrays in NumPy's own format beside one JSON document, nothing that runs code."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from graftset.traits.answers import Choice, Color, Term
from graftset.traits.detectors import Answers, TraitDetectors
from graftset.traits.places import ColorPlace
from graftset.traits.reliability import Reliability
from graftset.traits.scoring import LinearScore

Arrays = dict[str, NDArray[Any]]

_HEAD, _INDEX = "head", "index"
_ANSWERS: TypeAdapter[tuple[Answers, ...]] = TypeAdapter(tuple[Answers, ...])
_RELIABILITY: TypeAdapter[dict[str, Reliability]] = TypeAdapter(dict[str, Reliability])


def reliability_json(detectors: TraitDetectors) -> dict[str, Any]:
    """How far each slot and term can be trusted, JSON-ready."""
    data: dict[str, Any] = _RELIABILITY.dump_python(detectors.reliability, mode="json")
    return data


def reliability_from(data: Mapping[str, Any]) -> dict[str, Reliability]:
    """The inverse of `reliability_json`."""
    return _RELIABILITY.validate_python(data)


def dump(detectors: TraitDetectors) -> bytes:
    """Everything `load` needs to answer as these detectors do."""
    arrays: Arrays = {}
    head = {
        "slots": list(detectors.slots),
        "reliability": reliability_json(detectors),
        "held_out": _ANSWERS.dump_python(detectors.held_out, mode="json"),
        "terms": {name: term and _term(term, f"term/{name}", arrays) for name, term in detectors.terms.items()},
        "covers": {slot: _term(term, f"cover/{slot}", arrays) for slot, term in detectors.covers.items()},
        "choices": {
            slot: {
                "named": sorted(choice.named),
                "terms": {name: _term(term, f"choice/{slot}/{name}", arrays) for name, term in choice.terms.items()},
            }
            for slot, choice in detectors.choices.items()
        },
        "colors": {slot: _color(color, f"color/{slot}", arrays) for slot, color in detectors.colors.items()},
    }
    text = json.dumps(head, ensure_ascii=False).encode("utf-8")
    out = io.BytesIO()
    # Names of arrays are numbers in the file: a term may hold any character.
    names = list(arrays)
    packed: Arrays = {str(i): arrays[name] for i, name in enumerate(names)}
    index = json.dumps(names, ensure_ascii=False).encode("utf-8")
    packed |= {_HEAD: np.frombuffer(text, dtype=np.uint8), _INDEX: np.frombuffer(index, dtype=np.uint8)}
    np.savez_compressed(out, allow_pickle=False, **packed)
    return out.getvalue()


def load(blob: bytes) -> TraitDetectors:
    """Detectors from what `dump` returned."""
    with np.load(io.BytesIO(blob), allow_pickle=False) as file:
        head = json.loads(file[_HEAD].tobytes())
        arrays = {name: file[str(i)] for i, name in enumerate(json.loads(file[_INDEX].tobytes()))}
    return TraitDetectors(
        colors={slot: _color_from(data, f"color/{slot}", arrays) for slot, data in head["colors"].items()},
        choices={
            slot: Choice(
                {name: _term_from(term, f"choice/{slot}/{name}", arrays) for name, term in data["terms"].items()},
                frozenset(data["named"]),
            )
            for slot, data in head["choices"].items()
        },
        terms={name: data and _term_from(data, f"term/{name}", arrays) for name, data in head["terms"].items()},
        covers={slot: _term_from(data, f"cover/{slot}", arrays) for slot, data in head["covers"].items()},
        slots=head["slots"],
        reliability=reliability_from(head["reliability"]),
        held_out=_ANSWERS.validate_python(head["held_out"]),
    )


def _term(term: Term, name: str, arrays: Arrays) -> dict[str, Any]:
    score = term.score
    arrays |= {f"{name}/chosen": score.chosen, f"{name}/weights": score.weights, f"{name}/centers": score.centers}
    head = {"bias": score.bias, "platt": list(term.platt), "least": term.least, "most": term.most}
    return head | {"trust": term.trust}


def _term_from(data: Mapping[str, Any], name: str, arrays: Arrays) -> Term:
    score = LinearScore(
        arrays[f"{name}/chosen"], arrays[f"{name}/weights"], arrays[f"{name}/centers"], float(data["bias"])
    )
    slope, offset = map(float, data["platt"])
    return Term(score, (slope, offset), float(data["least"]), float(data["most"]), data["trust"])


def _color(color: Color, name: str, arrays: Arrays) -> dict[str, Any]:
    place = color.place
    arrays |= {
        f"{name}/place": place.place,
        f"{name}/prototypes": place.prototypes,
        f"{name}/shares": place.shares,
    }
    return {"answers": list(place.answers), "is_face": place.is_face, "platt": list(color.platt), "trust": color.trust}


def _color_from(data: Mapping[str, Any], name: str, arrays: Arrays) -> Color:
    place = ColorPlace(
        tuple(data["answers"]),
        arrays[f"{name}/place"],
        bool(data["is_face"]),
        arrays[f"{name}/prototypes"],
        arrays[f"{name}/shares"],
    )
    slope, offset = map(float, data["platt"])
    return Color(place, (slope, offset), data["trust"])
