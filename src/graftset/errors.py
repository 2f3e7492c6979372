"""Everything graftset raises on purpose.

    GraftsetError
    ├── UserError              the user can mend it: names field, value and remedy; exit code 1
    │   ├── ConfigError        graftset.toml, every fault at once
    │   ├── EmptyInputError    a folder without a single usable image
    │   ├── ExistsError        would overwrite something; `--force` is the remedy
    │   └── BuildError         a mixing plan or a build folder that would not train as planned
    └── SkipFile               one input file cannot be used: the reason is recorded, the rest goes on

A `UserError` reads as one sentence: what is wrong, the value that is wrong, what to do about it.
"""

from __future__ import annotations


class GraftsetError(Exception):
    """Root of all errors raised on purpose."""


class UserError(GraftsetError):
    """Something only the user can mend.

    Args:
        message: What is wrong, as a sentence without the final full stop.
        field: The option, key, column or file the fault sits in.
        value: The value found there, shown with `repr`; `None` where there is none.
        remedy: What to do, as an imperative sentence; a full stop is added where there is none.
    """

    def __init__(self, message: str, *, field: str, value: object = None, remedy: str) -> None:
        self.message = message
        self.field = field
        self.value = value
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        shown = "" if self.value is None else f" ({self.field}: {self.value!r})"
        stop = "" if self.remedy.endswith((".", "?", "!")) else "."
        return f"{self.message}{shown}. {self.remedy}{stop}"

    def as_json(self) -> dict[str, object]:
        """The one JSON shape of every error: `{"error": {"message", "field", "value", "remedy"}}`."""
        value = None if self.value is None else str(self.value)
        return {"error": {"message": self.message, "field": self.field, "value": value, "remedy": self.remedy}}


class ConfigError(UserError):
    """One or more faults in the settings; `message` lists them all."""


class EmptyInputError(UserError):
    """A folder that should hold images holds none that can be used."""


class ExistsError(UserError):
    """Writing would replace something that is different and not ours to replace."""


class BuildError(UserError):
    """A build that cannot be made, or that would not train as its plan says."""


class SkipFile(GraftsetError):  # noqa: N818  it is a reasoned skip, not a failure of the run
    """One input file cannot be used; `reason` is shown by `status` and the run goes on."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")
