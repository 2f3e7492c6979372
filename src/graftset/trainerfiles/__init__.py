"""Files that trainers leave behind, read without running anything that is in them.

tensors.py   safetensors: is a file whole, which tensors and metadata does it hold, are they finite numbers
names.py     what the names that kohya sd-scripts gives its files say: epoch, step, prompt, seed
metadata.py  the `ss_*` metadata of a LoRA: what of it can be believed
losses.py    TensorBoard event files
prompts.py   prompts as sd-scripts reads them
"""

from graftset.trainerfiles.metadata import PastTraining, read_training
from graftset.trainerfiles.names import CheckpointName, SampleName, checkpoint_of, sample_of
from graftset.trainerfiles.tensors import Header, NotWholeError, first_unfinite, lora_fault, read_header

__all__ = [
    "CheckpointName",
    "Header",
    "NotWholeError",
    "PastTraining",
    "SampleName",
    "checkpoint_of",
    "first_unfinite",
    "lora_fault",
    "read_header",
    "read_training",
    "sample_of",
]
