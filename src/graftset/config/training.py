"""Settings of training: the embedded model, sd-scripts, and what every run has in common."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from graftset.config.section import Section, Words


class NativeSettings(Section):
    """The embedded diffusion model, which learns at native size in minutes."""

    width: int = Field(
        default=32,
        ge=8,
        multiple_of=8,
        description="Channels at the network's finest level; the two coarser ones have two and four times as many.",
    )
    batch_size: int = Field(default=32, ge=1, description="Images in one training step.")
    learning_rate: float = Field(default=2e-3, gt=0, description="Step size of AdamW, the same from begin to end.")
    weight_decay: float = Field(default=0.01, ge=0, description="Weight decay of AdamW.")
    ema: float = Field(
        default=0.998, ge=0, lt=1, description="Decay, per step, of the moving average of the weights, which paints."
    )
    caption_dropout: float = Field(
        default=0.1, ge=0, lt=1, description="Share of images that are shown without their caption."
    )
    tag_dropout: float = Field(default=0.1, ge=0, lt=1, description="Share of a caption's phrases that are left out.")
    flip: float = Field(
        default=0.1, ge=0, lt=1, description="Share of images shown mirrored. The model is told, and paints unmirrored."
    )
    shift: float = Field(
        default=0.1, ge=0, lt=1, description="Share of images shown moved by one cell. The model is told, as for flip."
    )
    head: Literal["auto", "palette", "continuous"] = Field(
        default="auto",
        description='What is painted: "palette" one of at most 256 colors in each cell, "continuous" any color. '
        '"auto": the palette, unless it misses the colors of the pictures by more than 0.015 (OKLab) on average.',
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description='What activations are computed in; weights are float32 in any case. "auto": bfloat16 where the '
        "processor has instructions for it.",
    )
    threads: int = Field(
        default=1, ge=1, description="Processor threads. One is best for a small model; run arms side by side instead."
    )
    sampling_steps: int = Field(default=20, ge=2, description="Steps from noise to picture.")
    guidance: float = Field(
        default=1.0, ge=0, description="How much more than in training the caption counts when painting. 1: no more."
    )


class KohyaSettings(Section):
    """Training a LoRA of SD 1.5 or SDXL with kohya sd-scripts, in a process of its own; docs/kohya.md tells how."""

    sd_scripts: str = Field(
        default="",
        description="Checkout of kohya-ss/sd-scripts. Relative to this file's folder, or absolute.",
        examples=["~/sd-scripts"],
    )
    python: str = Field(
        default="python", description="Interpreter that has its requirements: a command, or a path.", min_length=1
    )
    model: str = Field(
        default="",
        description="Base model of the kind that builds are for: a checkpoint file or a diffusers folder. A name on "
        "a model hub is downloaded by sd-scripts.",
        examples=["/models/v1-5.safetensors"],
    )
    launcher: Literal["accelerate", "python"] = Field(
        default="accelerate",
        description='How the trainer is started: "accelerate" by accelerate launch, "python" without it. One process '
        "in either case: more would divide the steps that plans count on.",
    )
    cpu_threads: int = Field(default=1, ge=1, description="Processor threads of the trainer.")
    epochs: int = Field(
        default=0,
        ge=0,
        description="Epochs of a run over all its stages. 0: as the build says, which for a build with a budget is "
        "the only way.",
    )
    arguments: Words = Field(
        default=(),
        description="More options of train_network.py or sdxl_train_network.py, word by word; they win over the "
        "build's train.toml.",
        examples=[["--network_dropout", "0.1"]],
    )


class TrainSettings(Section):
    """How training runs go."""

    backend: str = Field(
        default="native",
        description="What trains: native is the embedded diffusion model, kohya starts sd-scripts.",
    )
    steps: int = Field(
        default=1000,
        ge=1,
        description="Training steps, the same for every arm of an experiment. kohya takes those of the build instead.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of everything random. Runs are compared seed by seed.")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description='Where to compute. "auto": on a CUDA device where there is one, else on the CPU.'
    )
    samples: int = Field(default=2, ge=1, description="Pictures painted of every prompt at every checkpoint.")
    native: NativeSettings = Field(default_factory=NativeSettings, description=NativeSettings.__doc__)
    kohya: KohyaSettings = Field(default_factory=KohyaSettings, description=KohyaSettings.__doc__)
