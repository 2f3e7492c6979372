"""Trainer format of kohya sd-scripts: two image folders with captions, dataset and training TOML, and a launch script.

What the trainer does with each file, and the traps that the written comments warn of, is in `docs/kohya.md`.
"""

from __future__ import annotations

from graftset.build.kohya.balancing import adapt
from graftset.build.kohya.checking import preflight_stages, read_stages
from graftset.build.kohya.dataset import caption_file, dataset_toml, image_file
from graftset.build.kohya.sampling import sample_prompts
from graftset.build.kohya.schema import schema_faults
from graftset.build.kohya.script import train_sh
from graftset.build.kohya.token_limit import cut_warnings
from graftset.build.kohya.training import stage_files, training_toml
from graftset.build.package import Format, Package

__all__ = ["FORMAT", "schema_faults"]


def _texts(package: Package) -> dict[str, str]:
    texts = {"sample_prompts.txt": sample_prompts(package), "train.sh": train_sh(package)}
    for stage, files in zip(package.plan.stages, stage_files(package), strict=True):
        texts[files.dataset] = dataset_toml(package, stage)
        texts[files.training] = training_toml(package, stage, files)
    return texts


FORMAT = Format(
    summary="kohya sd-scripts: folders with .txt captions, dataset.toml, train.toml, train.sh",
    image_file=image_file,
    caption_file=caption_file,
    texts=_texts,
    warnings=cut_warnings,
    read_stages=read_stages,
    adapt=adapt,
    preflight=preflight_stages,
)
