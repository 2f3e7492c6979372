"""Settings of painting samples from checkpoints, and of where figures are sent while runs go on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from graftset.config.section import Section, as_tuple

Trackers = Annotated[tuple[Literal["tensorboard", "mlflow", "wandb"], ...], BeforeValidator(as_tuple)]


class SamplingSettings(Section):
    """How `graftset sample` paints; steps, scale and negative prompt are those of [build.samples]."""

    generator: str = Field(
        default="diffusers",
        description="What paints. diffusers: in this process; a1111, comfyui: a server that runs already; native: a "
        "checkpoint of the embedded trainer.",
    )
    model: str = Field(
        default="",
        description="Base model under the LoRA. diffusers: a folder as diffusers saves one, or a single file; a1111, "
        "comfyui: the model's name there. Empty: to be named with --model; with a1111, what the server has loaded.",
        examples=["models/stable-diffusion-v1-5"],
    )
    config: str = Field(
        default="",
        description="For a single file only: a folder with model_index.json, the tokenizer and the configs of all "
        "parts, because such a file holds weights and nothing else.",
        examples=["models/stable-diffusion-v1-5-config"],
    )
    hub: bool = Field(
        default=False,
        description="Whether diffusers may fetch a model from its hub, by the name in model. Otherwise nothing is ever "
        "looked up there.",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description='Where diffusers computes. "auto": CUDA where it is, else MPS, else the CPU.'
    )
    precision: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        default="auto", description='What diffusers computes in. "auto": float16 on CUDA, float32 elsewhere.'
    )
    size: int = Field(
        default=0,
        ge=0,
        multiple_of=8,
        description="Width of the pictures in px. 0: that of the run's build, else 512 for SD 1.5 and 1024 for SDXL.",
    )
    seeds: int = Field(default=2, ge=1, description="Pictures of every prompt, where the run does not say how many.")
    batch: int = Field(
        default=0, ge=0, description="Pictures that diffusers paints at once. 0: as many as memory holds."
    )
    lora_scale: float = Field(default=1.0, gt=0, le=4, description="How strongly the LoRA acts; 1 is as trained.")
    sampler: str = Field(
        default="",
        description="The server's name for the sampler; with diffusers, the class of a scheduler. Empty: the server's "
        "default (comfyui: euler), with diffusers what the model brings.",
        examples=["Euler a"],
    )
    url: str = Field(
        default="",
        description="Address of the server. Empty: http://127.0.0.1:7860 for a1111, http://127.0.0.1:8188 for comfyui.",
        examples=["http://127.0.0.1:7860"],
    )
    timeout: float = Field(default=300.0, gt=0, description="Seconds that a server may take for one picture.")
    workflow: str = Field(
        default="",
        description="comfyui: a workflow saved in API format, with placeholders such as %prompt% and %seed%; see "
        "docs/sampling.md. Empty: a plain one with the LoRA on the model.",
        examples=["workflow_api.json"],
    )


class MlflowSettings(Section):
    """Where MLflow keeps runs."""

    uri: str = Field(
        default="",
        description="Tracking URI. Empty: the SQLite file reports/mlflow.db of the project, without any server.",
        examples=["http://127.0.0.1:5000"],
    )
    experiment: str = Field(default="", description="Empty: the name of the project folder.", examples=["portraits"])


class WandbSettings(Section):
    """Where Weights & Biases keeps runs."""

    mode: Literal["offline", "online"] = Field(
        default="offline", description='"offline": files below reports/wandb only, which `wandb sync` sends later.'
    )
    project: str = Field(default="", description="Empty: the name of the project folder.", examples=["portraits"])


class TrackingSettings(Section):
    """Where losses and scorecards are also written, while training and evaluation go on."""

    to: Trackers = Field(
        default=(),
        description="Any of tensorboard (runs/NAME/tensorboard), mlflow, wandb. Each needs its library installed.",
        examples=[["tensorboard"]],
    )
    mlflow: MlflowSettings = Field(default_factory=MlflowSettings, description=MlflowSettings.__doc__)
    wandb: WandbSettings = Field(default_factory=WandbSettings, description=WandbSettings.__doc__)
