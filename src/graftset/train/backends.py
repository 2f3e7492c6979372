"""The table of training backends. One more is one module with the functions of `BackendModule`, and one line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from graftset.errors import UserError
from graftset.train.job import Estimate, Outcome, TrainingJob


class BackendModule(Protocol):
    """What a backend's module holds."""

    def train(self, job: TrainingJob) -> Outcome:
        """Train, going on from where an earlier call of the same job stopped."""

    def unchanged(self, job: TrainingJob) -> Outcome | None:
        """What `train` would say of a run of which nothing is left to do; None of any other. Nothing is computed."""

    def estimate(self, job: TrainingJob) -> Estimate:
        """How long that would take; nothing is written."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One line of the table."""

    summary: str
    module: str  # imported when the backend is asked for
    needs: Mapping[str, str]  # module it imports -> how to install it


BACKENDS: Mapping[str, Backend] = MappingProxyType(
    {
        "native": Backend(
            "the embedded diffusion model, at native size, in this process",
            "graftset.train.native",
            {"torch": "pip install 'graftset[train]'", "safetensors": "pip install 'graftset[train]'"},
        ),
        "kohya": Backend(
            "a LoRA of SD 1.5 or SDXL, by kohya sd-scripts in a process of its own",
            "graftset.train.kohya",
            {},
        ),
    }
)


def load_backend(name: str) -> BackendModule:
    """The module of a backend.

    Raises:
        UserError: No such backend, or what it needs is not installed.
    """
    backend = BACKENDS.get(name)
    if backend is None:
        raise UserError(
            "There is no such training backend",
            field="--backend",
            value=name,
            remedy=f"Use one of: {', '.join(BACKENDS)}",
        )
    try:
        module: BackendModule = importlib.import_module(backend.module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing not in backend.needs:
            raise
        raise UserError(
            f"Training with the backend {name} needs {missing}, which is not installed",
            field="--backend",
            value=name,
            remedy=f"Install it: {backend.needs[missing]}",
        ) from error
    return module
