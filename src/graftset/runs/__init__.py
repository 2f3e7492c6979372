"""The run folder: where training writes and evaluation reads, as typed values.

    runs/<name>/
      run.json                          what is trained and how (`RunRecord`); written once, before the first step
      metrics.jsonl                     one line a logged step (`MetricsLine`), appended while training goes on
      checkpoints/<images seen>.safetensors  the weights that paint (the moving average of those that train)
      checkpoints/<images seen>.json    where in the run they stand (`Checkpoint`); written last, so it marks them whole
      samples/<images seen>/            PNGs and samples.jsonl, one line a picture (`Sample`): at native size, or as
                                        large as a pipeline paints, and native/ holds them reduced
      scorecards/<images seen>.json     what an evaluator says of those pictures
      resume.safetensors                everything that training needs to go on from where it stood
      training.json                     which machine and process trained it last, and since when (`trainer`)
      trainer/                          what a trainer of its own process keeps there: logs, states

A checkpoint is called by the images seen until then, with leading zeros, so that names sort. Every file is written
whole or not at all, but for metrics.jsonl, which grows by lines: whoever reads it leaves out a line cut short, and a
resumed run first takes back the lines beyond its position. Samples are there only as a complete set. Of runs that were
trained elsewhere less may be known: figures are None, weights may be missing, and checkpoints go by their epoch.

The folder is the interface: an evaluator needs nothing but samples.jsonl, whoever wrote it.
"""

from __future__ import annotations

from graftset.runs.folder import (
    METRICS,
    RESUME,
    RUN,
    Run,
    append_metrics,
    create_run,
    forget_metrics,
    known_runs,
    open_run,
    record_checkpoint,
    record_place,
    write_checkpoint,
)
from graftset.runs.lines import to_json
from graftset.runs.records import (
    CHECKPOINTS,
    FORMAT_VERSION,
    Checkpoint,
    MetricsLine,
    RunRecord,
    Sample,
    checkpoint_name,
    prompts_hash,
    sha256_hex,
    spaced_steps,
)
from graftset.runs.samples import NATIVE, SAMPLES, read_samples, take_samples, write_samples
from graftset.runs.trainer import RunState, hold_run, run_state

__all__ = [
    "CHECKPOINTS",
    "FORMAT_VERSION",
    "METRICS",
    "NATIVE",
    "RESUME",
    "RUN",
    "SAMPLES",
    "Checkpoint",
    "MetricsLine",
    "Run",
    "RunRecord",
    "RunState",
    "Sample",
    "append_metrics",
    "checkpoint_name",
    "create_run",
    "forget_metrics",
    "hold_run",
    "known_runs",
    "open_run",
    "prompts_hash",
    "read_samples",
    "record_checkpoint",
    "record_place",
    "run_state",
    "sha256_hex",
    "spaced_steps",
    "take_samples",
    "to_json",
    "write_checkpoint",
    "write_samples",
]
