"""The table of trackers. One more is one module with `open_tracker`, and one line here and in `TrackingSettings`."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from graftset.errors import UserError
from graftset.tracking.job import TrackerModule


@dataclass(frozen=True, slots=True)
class TrackerKind:
    """One line of the table."""

    summary: str
    module: str  # imported when the tracker is asked for
    needs: Mapping[str, str]  # module it imports -> how to install it


TRACKERS: Mapping[str, TrackerKind] = MappingProxyType(
    {
        "tensorboard": TrackerKind(
            "event files in runs/NAME/tensorboard: tensorboard --logdir runs",
            "graftset.tracking.tensorboard",
            {"tensorboardX": "pip install 'graftset[tracking]'"},
        ),
        "mlflow": TrackerKind(
            "MLflow, in reports/mlflow.db or at a server",
            "graftset.tracking.mlflow",
            {"mlflow": "pip install 'graftset[mlflow]'"},
        ),
        "wandb": TrackerKind(
            "Weights & Biases, offline in reports/wandb or online",
            "graftset.tracking.wandb",
            {"wandb": "pip install 'graftset[wandb]'"},
        ),
    }
)


def load_tracker(name: str) -> TrackerModule:
    """The module of a tracker.

    Raises:
        UserError: No such tracker, or what it needs is not installed.
    """
    kind = TRACKERS.get(name)
    if kind is None:
        raise UserError(
            "There is no such tracker", field="tracking.to", value=name, remedy=f"Use any of: {', '.join(TRACKERS)}"
        )
    for module, remedy in kind.needs.items():
        if importlib.util.find_spec(module) is None:
            raise UserError(
                f"Writing to {name} needs {module}, which is not installed",
                field="tracking.to",
                value=name,
                remedy=f"Install it: {remedy}",
            )
    found: TrackerModule = importlib.import_module(kind.module)
    return found
