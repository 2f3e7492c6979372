"""A folder of painted pictures with their prompts, whoever painted them -> a scorecard for each checkpoint.

looking.py   the originals, fitted, and what they let be seen of a picture
samples.py   folders of pictures: which checkpoint, prompt and seed a file belongs to
prompts.py   files of prompts: whose caption each is, and what it asks for
scoring.py   the values of one picture
style.py     the probability of being in style, and whether it may be a criterion
faults.py    the style faults it is fitted on
card.py      figures with intervals, variety, distance to the originals
stage.py     all of it for one checkpoint
"""

from graftset.evaluate.looking import EVALUATOR, Original, Originals, fit_style, originals_sha256
from graftset.evaluate.prompts import asked_for, read_prompts, understand
from graftset.evaluate.samples import Batch, Painted, find_batches, read_batch
from graftset.evaluate.stage import Holdout, evaluate, inputs_sha256, prompts_sha256, style_check
from graftset.evaluate.style import LEAST_AUC, StyleModel, auc

__all__ = [
    "EVALUATOR",
    "LEAST_AUC",
    "Batch",
    "Holdout",
    "Original",
    "Originals",
    "Painted",
    "StyleModel",
    "asked_for",
    "auc",
    "evaluate",
    "find_batches",
    "fit_style",
    "inputs_sha256",
    "originals_sha256",
    "prompts_sha256",
    "read_batch",
    "read_prompts",
    "style_check",
    "understand",
]
