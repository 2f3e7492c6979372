"""Paints prompts with the checkpoints of a run and leaves folders of samples: one file a generator, in `GENERATORS`.

job.py        what a generator is given and gives back
generators.py the table of generators
stage.py      all checkpoints of a run: what is there already, what cannot be used, what is painted
loras.py      LoRA files as kohya writes them: what they say of themselves, and a folder of them by epoch
reducing.py   pictures to the project's native grid
native.py     a checkpoint of the embedded trainer
diffusers.py  SD 1.5 and SDXL with a LoRA, in this process; pipelines.py loads, encoding.py reads prompts, memory.py
              chooses batches
a1111.py      a running server with the web API of AUTOMATIC1111
comfyui.py    a running ComfyUI; server.py is how both are spoken to

Importing this package loads no torch: a generator is loaded when it is asked for.
"""

from __future__ import annotations

from graftset.sampling.generators import GENERATORS, GeneratorKind, load_generator
from graftset.sampling.job import Generator, How, Weights, WeightsError, Wish
from graftset.sampling.loras import LoraFile, find_loras, read_lora
from graftset.sampling.stage import Fault, Sampling, SamplingJob, sample

__all__ = [
    "GENERATORS",
    "Fault",
    "Generator",
    "GeneratorKind",
    "How",
    "LoraFile",
    "Sampling",
    "SamplingJob",
    "Weights",
    "WeightsError",
    "Wish",
    "find_loras",
    "load_generator",
    "read_lora",
    "sample",
]
