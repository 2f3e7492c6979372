"""Pictures per second of `graftset sample` with diffusers, against the plain loop of diffusers, in one run.

Both paint the same prompts and seeds with the same LoRA at the same size, steps and guidance, with random weights: in
the shape of SD 1.5 at 576 px where there is a CUDA device, else very small. The plain loop calls the pipeline for one
picture after the other. Rounds alternate; the median ratio counts, and whether the pictures are the same is said too.
`python benchmarks/sampling_speed.py 3` for fewer rounds; `--full` takes the full shape on a CPU as well.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from graftset.records import SamplePrompt
from graftset.sampling import How, Weights, Wish, load_generator

ROUNDS, RANK, SCALE = 3, 32, 7.0
Pictures = list[np.ndarray[Any, Any]]


def tokenizer(folder: Path) -> CLIPTokenizer:
    """CLIP's tokenizer with bytes as vocabulary, as many ids as the true one has."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    characters = [chr(c) for c in plain] + [chr(256 + n) for n in range(256 - len(plain))]
    vocabulary = [*characters, *(c + "</w>" for c in characters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(vocabulary)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "unk_token": "<|endoftext|>", **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def make_model(folder: Path, *, full: bool, dtype: torch.dtype) -> None:
    """A pipeline with random weights: the shape of SD 1.5, or a thirtieth of its width."""
    folder.mkdir()
    tokens = tokenizer(folder)
    width, heads, layers = (768, 12, 12) if full else (32, 4, 2)
    channels = (320, 640, 1280, 1280) if full else (32, 64, 64, 64)
    text = CLIPTextConfig(
        vocab_size=len(tokens), hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
        num_attention_heads=heads, bos_token_id=tokens.bos_token_id, eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=64, block_out_channels=channels, layers_per_block=2 if full else 1, cross_attention_dim=width,
        attention_head_dim=8, norm_num_groups=32 if full else 8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512) if full else (8, 8, 16, 16), layers_per_block=2 if full else 1,
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, latent_channels=4,
        norm_num_groups=32 if full else 8,
    )  # fmt: skip
    pipe = StableDiffusionPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), tokenizer=tokens, unet=unet, safety_checker=None,
        scheduler=PNDMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1,
                                skip_prk_steps=True),
        feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.to(dtype).save_pretrained(folder / "model")
    tensors = {}
    for name, module in unet.named_modules():
        if ".attentions." in name and isinstance(module, torch.nn.Linear):
            key = "lora_unet_" + name.replace(".", "_")
            tensors[f"{key}.lora_down.weight"] = 0.02 * torch.randn(RANK, module.in_features)
            tensors[f"{key}.lora_up.weight"] = 0.02 * torch.randn(module.out_features, RANK)
            tensors[f"{key}.alpha"] = torch.tensor(RANK / 2)
    save_file(tensors, folder / "lora.safetensors")


def plain_loop(folder: Path, how: How, device: str, dtype: torch.dtype) -> Callable[[list[Wish]], Pictures]:
    """diffusers' own way: one call of the pipeline a picture."""
    pipe = StableDiffusionPipeline.from_pretrained(
        folder / "model", torch_dtype=dtype, safety_checker=None, local_files_only=True
    ).to(device)
    pipe.set_progress_bar_config(disable=True)
    pipe.load_lora_weights(str(folder / "lora.safetensors"))

    def paint(wishes: list[Wish]) -> Pictures:
        return [
            np.rint(
                pipe(
                    wish.prompt.text, negative_prompt="", width=how.width, height=how.height, output_type="np",
                    num_inference_steps=how.steps, guidance_scale=how.scale,
                    generator=torch.Generator().manual_seed(wish.seed),
                ).images[0] * 255
            ).astype(np.uint8)
            for wish in wishes
        ]  # fmt: skip

    return paint


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    full = device == "cuda" or "--full" in sys.argv
    dtype = torch.float16 if device == "cuda" else torch.float32
    side, steps, count = (576, 28, 64) if device == "cuda" else (576, 2, 2) if full else (64, 4, 16)
    prompts = [
        SamplePrompt(f"generic-{n:03d}", "generic", f"a portrait number {n}, green hat") for n in range(count // 2)
    ]
    wishes = [Wish(prompt, seed) for prompt in prompts for seed in (0, 1)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bench"
        torch.manual_seed(0)
        make_model(folder, full=full, dtype=dtype)
        how = How(model=str(folder / "model"), width=side, height=side, steps=steps, scale=SCALE, device=device)
        loop = plain_loop(folder, how, device, dtype)
        weights = Weights("1", folder / "lora.safetensors", "lora")
        with load_generator("diffusers").open_generator(how) as generator:

            def ours() -> Pictures:
                found = dict(generator.paint(weights, wishes))
                return [found[wish] for wish in wishes]

            loop(wishes[:1])
            next(iter(generator.paint(weights, wishes[:1])))
            times: dict[str, list[float]] = {"plain loop": [], "graftset": []}
            for _ in range(numbers[0] if numbers else ROUNDS):
                begun = perf_counter()
                expected = loop(wishes)
                times["plain loop"].append(perf_counter() - begun)
                begun = perf_counter()
                found = ours()
                times["graftset"].append(perf_counter() - begun)
        far = max(int(np.abs(a.astype(int) - b.astype(int)).max()) for a, b in zip(found, expected, strict=True))
    where = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    shape = "SD 1.5 shape" if full else "tiny shape (no CUDA device; the figure for SD 1.5 was not measured)"
    print(f"{shape}, {side} px, {steps} steps, {str(dtype).removeprefix('torch.')}, {len(wishes)} pictures, {where}")
    for name, measured in times.items():
        print(f"{name:<12}{len(wishes) / statistics.median(measured):>10.2f} pictures/s")
    ratios = [base / own for base, own in zip(times["plain loop"], times["graftset"], strict=True)]
    print(f"ratio {statistics.median(ratios):.2f}; pictures differ by at most {far} of 255 levels")


if __name__ == "__main__":
    main()
