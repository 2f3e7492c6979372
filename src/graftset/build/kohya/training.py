"""The training TOML of kohya sd-scripts (`--config_file`): an expert's choice for pixel art, explained.

Source of the keys: `setup_parser` of `train_network.py` and `sdxl_train_network.py` of kohya-ss/sd-scripts at commit
48d368fa. The file is read without any check: a key that no parser knows is ignored in silence, and types and choices
are not looked at, so a test holds every key and value against the parsers themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from graftset.build.kohya import toml
from graftset.build.kohya.token_limit import needed_limit
from graftset.build.package import Package
from graftset.build.plans import Stage

NETWORK_DIM = 32
NETWORK_ALPHA = 16
UNET_LR = 1e-4
TEXT_ENCODER_LR = 5e-5
SEED = 42


@dataclass(frozen=True, slots=True)
class StageFiles:
    """Where the files of one stage lie, relative to the build folder."""

    config_folder: str  # "" or "stage2/"
    output_folder: str  # "output" or "output/stage2"
    weights: str | None = None  # LoRA to go on from

    @property
    def dataset(self) -> str:
        """The dataset TOML."""
        return f"{self.config_folder}dataset.toml"

    @property
    def training(self) -> str:
        """The training TOML."""
        return f"{self.config_folder}train.toml"


def stage_files(package: Package) -> list[StageFiles]:
    """Where every stage keeps its configs and its output; one stage needs no folder of its own."""
    if len(package.plan.stages) == 1:
        return [StageFiles("", "output")]
    files: list[StageFiles] = []
    for number in range(1, len(package.plan.stages) + 1):
        weights = f"{files[-1].output_folder}/{package.plan.name}.safetensors" if files else None
        files.append(StageFiles(f"stage{number}/", f"output/stage{number}", weights))
    return files


def training_toml(package: Package, stage: Stage, files: StageFiles) -> str:
    """The `--config_file` of one stage."""
    head = [
        f"Training settings of kohya sd-scripts (--config_file), written by graftset: plan {package.plan.name}, "
        f"stage {stage.name}.",
        f"{stage.epochs} epochs x {stage.steps_per_epoch} steps = {stage.steps} steps; {stage.images_seen} images.",
        "The base model is left to you: train.sh hands it over as --pretrained_model_name_or_path. An option on the "
        "command line wins over this file. A key that sd-scripts does not know is ignored in silence.",
    ]
    lines = [line for paragraph in head for line in toml.comment(paragraph)]
    for section, settings in _sections(package, stage, files):
        lines += ["", f"[{section}]"]
        for key, value, why in settings:
            lines += [*toml.comment(why), f"{key} = {toml.value(value)}"]
    return "\n".join(lines) + "\n"


_Value = str | int | float | bool | list[float]
_Setting = tuple[str, _Value, str]


def _sections(package: Package, stage: Stage, files: StageFiles) -> list[tuple[str, list[_Setting]]]:
    return [
        ("files", _file_settings(package, files)),
        ("network", _network_settings(package, files)),
        ("optimizer", _optimizer_settings()),
        ("training", _training_settings(package, stage)),
        ("saving", _saving_settings()),
        ("samples", _sample_settings(package)),
    ]


def _file_settings(package: Package, files: StageFiles) -> list[_Setting]:
    return [
        (
            "dataset_config",
            package.place(files.dataset),
            "Which images, how often. Paths count from where training starts.",
        ),
        ("output_dir", package.place(files.output_folder), "Checkpoints, states and sample/ appear here."),
        ("output_name", package.plan.name, "Files are NAME-000001.safetensors ..., the last epoch NAME.safetensors."),
        ("logging_dir", package.place(f"{files.output_folder}/logs"), "Loss curves for TensorBoard."),
        ("save_model_as", "safetensors", "Plain tensors: loading them runs no code."),
    ]


def _network_settings(package: Package, files: StageFiles) -> list[_Setting]:
    settings: list[_Setting] = [
        ("network_module", "networks.lora", "Plain LoRA on the attention layers of U-Net and text encoder."),
        ("network_dim", NETWORK_DIM, "Rank: enough for one style and its traits; more of it memorizes small sets."),
        ("network_alpha", NETWORK_ALPHA, "Half the rank halves the effective learning rate, the usual stable choice."),
    ]
    if files.weights is not None:
        settings += [
            ("network_weights", package.place(files.weights), "Go on from the last checkpoint of the stage before."),
            ("dim_from_weights", True, "Rank and alpha come from those weights; keep network_alpha the same as there."),
        ]
    return settings


def _optimizer_settings() -> list[_Setting]:
    return [
        ("optimizer_type", "AdamW", "Runs on every card. AdamW8bit saves memory where bitsandbytes is installed."),
        ("learning_rate", UNET_LR, "For whatever has no rate of its own below."),
        ("unet_lr", UNET_LR, "Common for LoRA at this rank."),
        (
            "text_encoder_lr",
            [TEXT_ENCODER_LR],
            "Half of it: the text encoder overfits first on a few hundred captions.",
        ),
        ("lr_scheduler", "cosine", "Falls to zero by the last step, so the last epochs settle."),
        ("lr_warmup_steps", 0.05, "A fraction is a share of all steps: Adam's first, badly scaled steps stay small."),
        ("max_grad_norm", 1.0, "Clips the rare huge gradient."),
    ]


def _training_settings(package: Package, stage: Stage) -> list[_Setting]:
    settings: list[_Setting] = [
        ("max_train_epochs", stage.epochs, "Overrides max_train_steps, whose default is 1600."),
        (
            "train_batch_size",
            stage.batch_size,
            "What acts is batch_size in the dataset TOML; this one goes to metadata.",
        ),
        ("seed", SEED, "Fixed, so that arms differ by their images only."),
        ("mixed_precision", "fp16", "Runs on every NVIDIA card in use; bf16 is sturdier where the card has it."),
        ("save_precision", "fp16", "Half the file, no visible difference."),
        (
            "min_snr_gamma",
            5.0,
            "Min-SNR weighting (Hang et al. 2023): nearly clean timesteps no longer drown the others, and small sets "
            "converge sooner.",
        ),
        ("cache_latents", True, "Each image passes the VAE once; held in memory, so no stale .npz is left behind."),
        ("sdpa", True, "Memory-saving attention built into PyTorch 2."),
        ("max_data_loader_n_workers", 2, "Latents are cached: more processes would only cost memory."),
        ("persistent_data_loader_workers", True, "Keeps them over epochs; starting them takes longer than an epoch."),
    ]
    limit = needed_limit(package)
    if limit is not None:
        settings.append(("max_token_length", *limit))
    return settings


def _saving_settings() -> list[_Setting]:
    return [
        ("save_every_n_epochs", 1, "Every epoch, to compare checkpoints: the last one is seldom the best."),
        ("save_state", True, "Optimizer and step beside each checkpoint, for --resume. About three times its size."),
    ]


def _sample_settings(package: Package) -> list[_Setting]:
    return [
        ("sample_prompts", package.place("sample_prompts.txt"), "The same prompts and seeds for every plan."),
        ("sample_every_n_epochs", 1, "Pictures of every epoch in output_dir/sample."),
        ("sample_sampler", "euler", "Deterministic, so pictures of two epochs differ by their weights only."),
    ]
