"""MLflow: by its client, into an SQLite file of the project, or to a server that is named."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported: nothing goes out unasked
import mlflow
from mlflow.entities import Metric, Param

from graftset.tracking.job import Point, Tracked, Where

_METRICS, _PARAMS = 1000, 100  # that one call may carry


@contextmanager
def open_tracker(run: Tracked, where: Where, memory: MutableMapping[str, str]) -> Iterator[MlflowRun]:
    """Go on with the run that was written before, or begin one."""
    uri = where.mlflow_uri
    if not uri:
        where.reports.mkdir(parents=True, exist_ok=True)
        uri = f"sqlite:///{(where.reports / 'mlflow.db').as_posix()}"
    client = mlflow.MlflowClient(tracking_uri=uri)
    if memory.get("uri") != uri or "run_id" not in memory:
        memory.update(uri=uri, run_id=_begin(client, run, where.project))
    yield MlflowRun(client, memory["run_id"])


class MlflowRun:
    """One run."""

    def __init__(self, client: Any, run_id: str) -> None:
        self._client, self._run_id = client, run_id

    def write(self, points: Sequence[Point]) -> None:
        """Log metrics over images seen."""
        now = time.time()
        metrics = [Metric(p.name, p.value, int(1000 * (p.seconds or now)), p.at) for p in points]
        for start in range(0, len(metrics), _METRICS):
            self._client.log_batch(self._run_id, metrics=metrics[start : start + _METRICS])


def _begin(client: Any, run: Tracked, project: str) -> str:
    experiment = client.get_experiment_by_name(project)
    experiment_id = client.create_experiment(project) if experiment is None else experiment.experiment_id
    made = client.create_run(experiment_id, run_name=run.name, tags={"graftset.identity": run.identity})
    params = [Param(key, str(value)[:500]) for key, value in run.settings.items()]
    for start in range(0, len(params), _PARAMS):
        client.log_batch(made.info.run_id, params=params[start : start + _PARAMS])
    client.set_terminated(made.info.run_id)  # a killed command leaves no run that seems to go on for ever
    return str(made.info.run_id)
