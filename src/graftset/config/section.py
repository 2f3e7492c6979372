"""What every table of graftset.toml has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


def as_tuple(value: object) -> object:
    """One string or an array of values -> a tuple of values; anything else is left for the validator to refuse."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Words = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]


class Section(BaseModel):
    """One table of graftset.toml. Strict: `"8"` is not a number and `1` is not a truth value."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
