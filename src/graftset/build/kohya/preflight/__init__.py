"""What kohya sd-scripts would really read in a folder or a config, ours or not, and what would go wrong in silence.

sources.py           a folder or file -> the run it starts: arguments, dataset config, where paths lead
arguments.py         the trainer's arguments (arguments.tsv), a config file flattened, unknown keys
settings.py          subset > dataset > general > arguments > default
disk.py              the trainer's path texts and the files behind them
captions.py          the caption of an image, and what the text encoder is shown of it
caches.py            latent caches beside the images
buckets.py           bucket and resized size of an image
counting.py          regularization, batches, steps, validation split
resizing.py          a picture resized and cropped as there
reading.py           all of it walked through: what is read
looks.py             pictures opened: colors, transparency
findings.py          the table of findings
judging*.py          what was read -> findings
run.py               one run, from its source to its findings
"""

from __future__ import annotations

from graftset.build.kohya.preflight.findings import KINDS, SEVERITIES, Finding, Kind, finding, in_order
from graftset.build.kohya.preflight.reading import ImageRead, Reading
from graftset.build.kohya.preflight.run import Options, Run, run_preflight
from graftset.build.kohya.preflight.sources import Source, run_source, source_of, stage_source

__all__ = [
    "KINDS",
    "SEVERITIES",
    "Finding",
    "ImageRead",
    "Kind",
    "Options",
    "Reading",
    "Run",
    "Source",
    "finding",
    "in_order",
    "run_preflight",
    "run_source",
    "source_of",
    "stage_source",
]
