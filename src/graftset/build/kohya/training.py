"""The training TOML of kohya sd-scripts (`--config_file`): an expert's choice for pixel art, explained.

Source of the keys: `setup_parser` of `train_network.py` and `sdxl_train_network.py` of kohya-ss/sd-scripts at commit
48d368fa. The file is read without any check: a key that no parser knows is ignored in silence, and types and choices
are not looked at, so a test holds every key and value against the parsers themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from graftset.build.kohya import toml
from graftset.build.kohya.balancing import prior_loss_weight
from graftset.build.kohya.token_limit import needed_limit
from graftset.build.package import Package
from graftset.build.plans import Stage
from graftset.phrases import noun

NETWORK_DIM = 32
NETWORK_ALPHA = 16
UNET_LR = 1e-4
TEXT_ENCODER_LR = 5e-5
SEED = 42
MIN_SNR_GAMMA = 5.0


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
    base = "SD 1.5 (train_network.py)" if package.base == "sd15" else "SDXL (sdxl_train_network.py)"
    head = [
        f"Training settings of kohya sd-scripts (--config_file), written by graftset: plan {package.plan.name}, "
        f"stage {stage.name}, for {base}.",
        f"{_length(package, stage)} {stage.images_seen} images are shown, {stage.real_mass:.3f} of them originals.",
        "The base model is left to you: train.sh hands it over as --pretrained_model_name_or_path. An option on the "
        "command line wins over this file. A key that sd-scripts does not know is ignored in silence.",
    ]
    lines = [line for paragraph in head for line in toml.comment(paragraph)]
    for section, settings in _sections(package, stage, files):
        lines += ["", f"[{section}]"]
        for key, value, why in settings:
            lines += [*toml.comment(why), f"{key} = {toml.value(value)}"]
    return "\n".join(lines) + "\n"


def _length(package: Package, stage: Stage) -> str:
    """How long the stage is, as a sentence."""
    if stage.budget is None:
        return f"{stage.epochs} {noun(stage.epochs, 'epoch')} x {stage.steps_per_epoch} steps = {stage.steps} steps."
    whole = package.plan.steps
    share = (
        "as in every plan of this budget"
        if stage.steps == whole
        else f"of the {whole} that every plan of this budget takes in all its stages"
    )
    return f"{stage.steps} steps, {share}: {stage.passes:.4g} epochs of {stage.steps_per_epoch} steps."


_Value = str | int | float | bool | list[float]
_Setting = tuple[str, _Value, str]


def _sections(package: Package, stage: Stage, files: StageFiles) -> list[tuple[str, list[_Setting]]]:
    return [
        ("files", _file_settings(package, files)),
        ("network", _network_settings(package, files)),
        ("optimizer", _optimizer_settings(package)),
        ("training", [*_length_settings(stage), *_training_settings(package, stage)]),
        ("saving", _saving_settings(stage)),
        ("samples", _sample_settings(package, stage)),
    ]


def _file_settings(package: Package, files: StageFiles) -> list[_Setting]:
    return [
        (
            "dataset_config",
            package.place(files.dataset),
            "Which images, how often. Paths count from where training starts.",
        ),
        ("output_dir", package.place(files.output_folder), "Checkpoints, states and sample/ appear here."),
        (
            "output_name",
            package.plan.name,
            "Begins the names of checkpoints, states and samples; the last is NAME.safetensors.",
        ),
        ("logging_dir", package.place(f"{files.output_folder}/logs"), "Loss curves for TensorBoard."),
        ("save_model_as", "safetensors", "Plain tensors: loading them runs no code."),
    ]


def _network_settings(package: Package, files: StageFiles) -> list[_Setting]:
    layers = "the U-Net" if package.base == "sdxl" else "U-Net and text encoder"
    settings: list[_Setting] = [
        (
            "network_module",
            "networks.lora",
            f"Plain LoRA on the transformer blocks (attention and feed-forward) of {layers}.",
        ),
        ("network_dim", NETWORK_DIM, "Rank: enough for one style and its traits; more of it memorizes small sets."),
        (
            "network_alpha",
            NETWORK_ALPHA,
            "Updates are scaled by alpha / rank, a half, which the learning rates below suit.",
        ),
    ]
    if package.base == "sdxl":
        settings.append(
            (
                "network_train_unet_only",
                True,
                "Its two text encoders know the words; a few hundred captions spoil them.",
            )
        )
    if files.weights is not None:
        settings += [
            ("network_weights", package.place(files.weights), "Go on from the last checkpoint of the stage before."),
            ("dim_from_weights", True, "Rank and alpha come from those weights; keep network_alpha the same as there."),
        ]
    return settings


def _optimizer_settings(package: Package) -> list[_Setting]:
    settings: list[_Setting] = [
        ("optimizer_type", "AdamW", "Runs on every card. AdamW8bit saves memory where bitsandbytes is installed."),
        ("learning_rate", UNET_LR, "For whatever has no rate of its own below."),
        ("unet_lr", UNET_LR, "Common for LoRA at this rank and batch size."),
    ]
    if package.base == "sd15":
        settings.append(
            (
                "text_encoder_lr",
                [TEXT_ENCODER_LR],
                "Half of it: the text encoder overfits first on a few hundred captions.",
            )
        )
    return [
        *settings,
        ("lr_scheduler", "cosine", "Falls to zero by the last step, so the last checkpoints settle."),
        ("lr_warmup_steps", 0.05, "A fraction is a share of all steps: Adam's first, badly scaled steps stay small."),
        ("max_grad_norm", 1.0, "Clips the rare huge gradient."),
    ]


def _length_settings(stage: Stage) -> list[_Setting]:
    if stage.budget is None:
        return [("max_train_epochs", stage.epochs, "Overrides max_train_steps, whose default is 1600.")]
    cut = "" if stage.steps == stage.epochs * stage.steps_per_epoch else "; the last epoch is cut short"
    return [
        (
            "max_train_steps",
            stage.steps,
            "A budget in place of max_train_epochs, which would override it: plans are compared at equal steps. "
            f"This one begins {stage.epochs} {noun(stage.epochs, 'epoch')}{cut}.",
        )
    ]


def _training_settings(package: Package, stage: Stage) -> list[_Setting]:
    settings: list[_Setting] = [
        (
            "train_batch_size",
            stage.batch_size,
            "What acts is batch_size in the dataset TOML; this one goes to metadata.",
        ),
        ("seed", SEED, "Fixed, so that arms differ by their images only."),
        *_precision_settings(package),
        (
            "min_snr_gamma",
            MIN_SNR_GAMMA,
            "Min-SNR weighting (Hang et al. 2023): nearly clean timesteps no longer drown the others, and small sets "
            "converge sooner. For models that predict noise, as this one does.",
        ),
        ("cache_latents", True, "Each image passes the VAE once; held in memory, so no stale .npz is left behind."),
        ("sdpa", True, "Memory-saving attention built into PyTorch 2."),
        ("max_data_loader_n_workers", 2, "Latents are cached: more processes would only cost memory."),
        ("persistent_data_loader_workers", True, "Keeps them over epochs; starting them takes longer than an epoch."),
    ]
    weight = prior_loss_weight(stage)
    if weight is not None:
        settings.append(
            (
                "prior_loss_weight",
                weight,
                "Of the folders marked is_reg in the dataset TOML; one value for the whole run.",
            )
        )
    limit = needed_limit(package)
    if limit is not None:
        settings.append(("max_token_length", *limit))
    return settings


def _precision_settings(package: Package) -> list[_Setting]:
    if package.base == "sdxl":
        return [
            (
                "mixed_precision",
                "bf16",
                "Does not overflow as fp16 does; cards before the RTX 30 series have fp16 only.",
            ),
            ("save_precision", "fp16", "Half the file, no visible difference; every program reads it."),
            ("no_half_vae", True, "The VAE of SDXL overflows in half precision: latents would be NaN."),
            (
                "gradient_checkpointing",
                True,
                "Computes activations twice instead of keeping them: slower, with far less memory.",
            ),
        ]
    return [
        ("mixed_precision", "fp16", "Runs on every NVIDIA card in use; bf16 is sturdier where the card has it."),
        ("save_precision", "fp16", "Half the file, no visible difference."),
        ("clip_skip", 1, "The text encoder's last layer, as SD 1.5 was trained; models merged from anime ones want 2."),
    ]


def _saving_settings(stage: Stage) -> list[_Setting]:
    points = len(stage.save_points)
    compare = "to compare checkpoints: the last one is seldom the best."
    state = (
        "save_state",
        True,
        "Weights, both moments of Adam and the step beside each checkpoint, for --resume: about six times its size.",
    )
    if stage.budget is None:
        every = "Every epoch" if stage.save_every == 1 else f"Every {stage.save_every} epochs, {points} times in all"
        why = f"{every}, {compare} Files are NAME-000001.safetensors ...; the last has no number."
        return [("save_every_n_epochs", stage.save_every, why), state]
    why = (
        f"{points} times at even distances, {compare} Files are NAME-step{stage.save_every:08}.safetensors ...; the "
        "last step is written under its number and, the same weights, without one. Steps count from the start of this "
        "stage."
    )
    return [("save_every_n_steps", stage.save_every, why), state]


def _sample_settings(package: Package, stage: Stage) -> list[_Setting]:
    points, prompts = len(stage.save_points), len(package.prompts)
    pictures = f"{prompts} prompts x {points} checkpoints = {prompts * points} pictures in output_dir/sample."
    key, unit = ("epochs", "") if stage.budget is None else ("steps", " The key for epochs must not be set beside it.")
    return [
        ("sample_prompts", package.place("sample_prompts.txt"), "The same prompts and seeds for every plan."),
        (f"sample_every_n_{key}", stage.save_every, f"At every checkpoint: {pictures}{unit}"),
        ("sample_sampler", "euler", "Deterministic, so pictures of two checkpoints differ by their weights only."),
    ]
