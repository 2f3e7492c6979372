"""Stable Diffusion so small that it is made and painted with in a test: random weights, a tokenizer of single bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

RANK, ALPHA = 4, 2.0
WIDTH = 32  # of a token


def make_tokenizer(folder: Path, pad: str = "<|endoftext|>") -> CLIPTokenizer:
    """CLIP's tokenizer with its 256 bytes as vocabulary and no merges: every character is a token."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    characters = [chr(c) for c in plain] + [chr(256 + n) for n in range(256 - len(plain))]
    vocabulary = [*characters, *(c + "</w>" for c in characters), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(vocabulary)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": pad, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def make_pipeline(folder: Path, *, xl: bool = False) -> Path:
    """A folder with a tiny pipeline of SD 1.5, or of SDXL, as diffusers saves one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tokenizer = make_tokenizer(folder.parent / f"{folder.name}-tokenizer")
        text = CLIPTextConfig(
            vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=40, num_hidden_layers=3,
            num_attention_heads=4, max_position_embeddings=77, projection_dim=WIDTH, hidden_act="gelu",
            bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )  # fmt: skip
        common: dict[str, Any] = {
            "tokenizer": tokenizer,
            "unet": _unet(xl=xl),
            "vae": AutoencoderKL(
                block_out_channels=[8, 8, 8, 16], down_block_types=["DownEncoderBlock2D"] * 4,
                up_block_types=["UpDecoderBlock2D"] * 4, latent_channels=4, norm_num_groups=8, sample_size=64,
            ),
            "scheduler": EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
                                                steps_offset=1),
        }  # fmt: skip
        if xl:
            second = make_tokenizer(folder.parent / f"{folder.name}-tokenizer2", pad="!")
            pipe: Any = StableDiffusionXLPipeline(
                text_encoder=CLIPTextModel(text), text_encoder_2=CLIPTextModelWithProjection(text),
                tokenizer_2=second, **common,
            )  # fmt: skip
        else:
            pipe = StableDiffusionPipeline(
                text_encoder=CLIPTextModel(text), safety_checker=None, feature_extractor=None,
                requires_safety_checker=False, **common,
            )  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


def _unet(*, xl: bool) -> UNet2DConditionModel:
    shared: dict[str, Any] = {"sample_size": 8, "layers_per_block": 1, "norm_num_groups": 8}
    if not xl:
        return UNet2DConditionModel(
            block_out_channels=(32, 64), down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), cross_attention_dim=WIDTH, attention_head_dim=8,
            **shared,
        )  # fmt: skip
    return UNet2DConditionModel(
        block_out_channels=(32, 64), down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=2 * WIDTH, attention_head_dim=(2, 4),
        transformer_layers_per_block=(1, 2), use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=8, projection_class_embeddings_input_dim=6 * 8 + WIDTH, **shared,
    )  # fmt: skip


def load(folder: Path) -> Any:
    """The pipeline of a folder, by diffusers alone."""
    return diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True, safety_checker=None)


def lora_layers(pipe: Any) -> dict[str, nn.Module]:
    """The layers of a pipeline that sd-scripts' networks.lora trains, by the name it gives them."""
    second = getattr(pipe, "text_encoder_2", None)
    xl = second is not None
    found = {"lora_unet_" + _sgm(name, xl=xl).replace(".", "_"): module for name, module in _blocks(pipe.unet)}
    encoders = {"te1": pipe.text_encoder, "te2": second} if xl else {"te": pipe.text_encoder}
    for prefix, encoder in encoders.items():
        for name, module in encoder.named_modules():
            if isinstance(module, nn.Linear) and (".self_attn." in name or ".mlp." in name):
                plain = name.removeprefix("text_model.")
                found[f"lora_{prefix}_text_model_" + plain.replace(".", "_")] = module
    return found


def _blocks(unet: nn.Module) -> list[tuple[str, nn.Module]]:
    """The linear layers, and convolutions of one pixel, of every Transformer2DModel: what networks.lora targets."""
    return [
        (name, module)
        for name, module in unet.named_modules()
        if ".attentions." in name and isinstance(module, nn.Linear | nn.Conv2d)
    ]


def _sgm(name: str, *, xl: bool) -> str:
    """A layer's name as sd-scripts' own SDXL U-Net has it, for the two levels of one layer that are made here.

    Its input blocks are numbered on: 0 is the first convolution, 1 the layer of the first level, 2 its downsampler, 3
    the layer of the second level; its output blocks likewise, two for each level here.
    """
    if not xl:
        return name
    for ours, theirs in (
        ("down_blocks.1.attentions.0", "input_blocks.3.1"),
        ("mid_block.attentions.0", "middle_block.1"),
        ("up_blocks.0.attentions.0", "output_blocks.0.1"),
        ("up_blocks.0.attentions.1", "output_blocks.1.1"),
    ):
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    raise AssertionError(name)


def make_lora(
    path: Path,
    layers: Mapping[str, nn.Module],
    *,
    seed: int = 0,
    strength: float = 0.3,
    said: Mapping[str, str] | None = None,
    change: Callable[[dict[str, Tensor]], None] | None = None,
) -> dict[str, Tensor]:
    """Write a LoRA file with random weights under kohya's names; returns its tensors."""
    random = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}
    for name, module in layers.items():
        shape = module.weight.shape
        kernel = shape[2:]  # of a convolution of one pixel
        tensors[f"{name}.lora_down.weight"] = strength * torch.randn(RANK, shape[1], *kernel, generator=random)
        tensors[f"{name}.lora_up.weight"] = strength * torch.randn(shape[0], RANK, *kernel, generator=random)
        tensors[f"{name}.alpha"] = torch.tensor(ALPHA)
    if change is not None:
        change(tensors)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata=dict(said or {}))
    return tensors


def add_by_hand(pipe: Any, tensors: Mapping[str, Tensor], scale: float = 1.0) -> None:
    """Add a LoRA into the weights of a pipeline: W + scale * alpha / rank * up @ down."""
    for name, module in lora_layers(pipe).items():
        down, up = tensors[f"{name}.lora_down.weight"], tensors[f"{name}.lora_up.weight"]
        change = (up.flatten(1) @ down.flatten(1)).reshape(module.weight.shape)
        with torch.no_grad():
            module.weight += scale * float(tensors[f"{name}.alpha"]) / RANK * change
