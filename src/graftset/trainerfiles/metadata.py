"""What the `ss_*` metadata of a LoRA tells of its training, and what of it is not to be believed.

The trainer copies most of its command line into the file, whether it acted or not. With a dataset TOML, what acted is
in `ss_datasets`; top-level keys of the same names describe options that the TOML overruled. Rank and alpha are read
from the tensors, because `--dim_from_weights` takes them from elsewhere.

Source: `NetworkTrainer.train` in `train_network.py` of kohya-ss/sd-scripts at commit 48d368fa.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graftset.trainerfiles.tensors import Header

# Top-level keys that are the command line's where there is a dataset TOML.
OVERRULED = (
    "ss_caption_dropout_rate",
    "ss_caption_dropout_every_n_epochs",
    "ss_caption_tag_dropout_rate",
    "ss_face_crop_aug_range",
    "ss_resize_interpolation",
    "ss_validation_seed",
    "ss_validation_split",
    "ss_batch_size_per_device",
    "ss_total_batch_size",
    "ss_resolution",
    "ss_keep_tokens",
    "ss_shuffle_caption",
    "ss_flip_aug",
    "ss_color_aug",
    "ss_random_crop",
    "ss_enable_bucket",
)
_TOLD = (  # keys that hold for the whole run, and what they are called here
    ("ss_sd_model_name", "model"),
    ("ss_base_model_version", "base"),
    ("ss_network_module", "network_module"),
    ("ss_unet_lr", "unet_lr"),
    ("ss_text_encoder_lr", "text_encoder_lr"),
    ("ss_learning_rate", "learning_rate"),
    ("ss_lr_scheduler", "lr_scheduler"),
    ("ss_optimizer", "optimizer"),
    ("ss_mixed_precision", "mixed_precision"),
    ("ss_min_snr_gamma", "min_snr_gamma"),
    ("ss_prior_loss_weight", "prior_loss_weight"),
    ("ss_max_token_length", "max_token_length"),
    ("ss_clip_skip", "clip_skip"),
)


@dataclass(frozen=True, slots=True)
class TrainedFolder:
    """One image folder that was trained on."""

    name: str
    images: int
    repeats: int
    is_reg: bool = False


@dataclass(frozen=True, slots=True)
class PastTraining:
    """What a LoRA tells of its training. What it does not tell, or not credibly, is None.

    Attributes:
        name: Base name of the run's files.
        session: Number that all files of one start of the trainer have in common.
        epoch: That the file was saved at the end of.
        step: Optimizer steps taken; None where the count began anew at a resumption.
        epochs: Of the whole run.
        steps_per_epoch: Optimizer steps.
        steps: Of the whole run.
        batch_size: Images of a step; None where several datasets differ.
        folders: What was trained on.
        rank: Of the tensors, the most frequent one.
        settings: What else holds for the whole run.
        commit: Of sd-scripts.
        doubts: Sentences on what is not believed, and why.
    """

    name: str
    session: str
    epoch: int | None
    step: int | None
    epochs: int | None
    steps_per_epoch: int | None
    steps: int | None
    seed: int | None
    batch_size: int | None
    folders: tuple[TrainedFolder, ...]
    rank: int | None
    settings: Mapping[str, str]
    commit: str
    doubts: tuple[str, ...]

    @property
    def entries(self) -> int:
        """Images shown in one epoch, repeats counted; 0 where it is not known."""
        return sum(folder.images * folder.repeats for folder in self.folders)


def read_training(header: Header) -> PastTraining | None:
    """What the metadata of a LoRA tells; None where it has none of a training."""
    told = header.metadata
    if not any(key in told for key in ("ss_session_id", "ss_num_epochs", "ss_training_started_at")):
        return None
    datasets = _json(told.get("ss_datasets"))
    datasets = [each for each in datasets if isinstance(each, Mapping)] if isinstance(datasets, list) else []
    folders = tuple(_folders_of(datasets) if datasets else _folders_alone(told))
    accumulated = max(1, _whole(told.get("ss_gradient_accumulation_steps")) or 1)
    batches = _whole(told.get("ss_num_batches_per_epoch"))
    per_epoch = None if batches is None else -(-batches // accumulated)
    epoch, step = _whole(told.get("ss_epoch")), _whole(told.get("ss_steps"))
    doubts = list(_overruled(told)) if datasets else []
    if step is not None and epoch and per_epoch and not (epoch - 1) * per_epoch <= step <= (epoch + 1) * per_epoch:
        doubts.append(
            f"ss_steps ({step}) does not fit epoch {epoch} of {per_epoch} steps each: after --resume sd-scripts counts "
            "from 0 again, so the steps follow from the epoch"
        )
        step = None
    rank, named = _rank(header), _whole(told.get("ss_network_dim"))
    if rank is not None and named is not None and rank != named:
        doubts.append(f"ss_network_dim ({named}) is the command line's: the tensors have rank {rank}")
    sizes = {_whole(each.get("batch_size_per_device")) for each in datasets} or {
        _whole(told.get("ss_batch_size_per_device"))
    }
    return PastTraining(
        name=_text(told.get("ss_output_name")),
        session=_text(told.get("ss_session_id")),
        epoch=epoch,
        step=step,
        epochs=_whole(told.get("ss_num_epochs")),
        steps_per_epoch=per_epoch,
        steps=_whole(told.get("ss_max_train_steps")),
        seed=_whole(told.get("ss_seed")),
        batch_size=next(iter(sizes)) if len(sizes) == 1 else None,
        folders=folders,
        rank=rank,
        settings={name: _text(told[key]) for key, name in _TOLD if _text(told.get(key))},
        commit=_text(told.get("ss_sd_scripts_commit_hash")),
        doubts=tuple(doubts),
    )


def _folders_of(datasets: list[Any]) -> Iterator[TrainedFolder]:
    """The folders of `ss_datasets`: what the trainer read, repeats as they acted."""
    for dataset in datasets:
        subsets = dataset.get("subsets")
        for subset in subsets if isinstance(subsets, list) else ():
            if isinstance(subset, Mapping):
                name = _text(subset.get("image_dir")) or _text(subset.get("metadata_file"))
                images, repeats = _whole(subset.get("img_count")), _whole(subset.get("num_repeats"))
                yield TrainedFolder(name, images or 0, repeats or 0, bool(subset.get("is_reg")))


def _folders_alone(told: Mapping[str, str]) -> Iterator[TrainedFolder]:
    """The folders of a run without a dataset TOML, where the top-level keys are what acted."""
    for key, is_reg in (("ss_dataset_dirs", False), ("ss_reg_dataset_dirs", True)):
        table = _json(told.get(key))
        for name, entry in table.items() if isinstance(table, Mapping) else ():
            if isinstance(entry, Mapping):
                images, repeats = _whole(entry.get("img_count")), _whole(entry.get("n_repeats"))
                yield TrainedFolder(str(name), images or 0, repeats or 0, is_reg)


def _overruled(told: Mapping[str, str]) -> Iterator[str]:
    present = [key for key in OVERRULED if _text(told.get(key)) not in ("", "False", "0", "0.0")]
    if present:
        yield (
            f"{', '.join(present)} {'is' if len(present) == 1 else 'are'} the command line's and not believed: the "
            "training had a dataset TOML, which overrules it"
        )


def _rank(header: Header) -> int | None:
    """The most frequent rank of the LoRA's tensors."""
    ranks = [
        tensor.shape[0]
        for name, tensor in header.tensors.items()
        if name.endswith(".lora_down.weight") and tensor.shape
    ]
    return max(set(ranks), key=ranks.count) if ranks else None


def _json(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _whole(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _text(value: object) -> str:
    """A text of the metadata; Python's None, which the trainer writes as a word, is no text."""
    return "" if value is None or str(value) in ("None", "null") else str(value)
