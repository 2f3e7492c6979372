"""A stand-in for `train_network.py` of kohya sd-scripts: its command line, files, metadata and output, no training.

What it copies from commit 48d368fa, and what the tests rest on:

- names and order of what is saved: by epochs checkpoint, state, samples; by steps samples, checkpoint, state
- a resumed run counts its steps from 0, names files by that count, and writes it into its states
- by --initial_epoch and --initial_step an epoch is entered at its beginning; the run ends with its last epoch

Its "weights" are sums over the steps and images trained, so that a run which leaves out or repeats a step can be told.
STAND_IN=WHAT@STEP makes it fail: die, oom, nan, full, killed, cut (a LoRA cut short), alien (a file that is no LoRA).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import struct
import sys
import time
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from PIL import Image

OPTIONS = {  # of the real parser; the value says what is converted
    "config_file": str, "dataset_config": str, "pretrained_model_name_or_path": str, "output_dir": str,
    "output_name": str, "logging_dir": str, "sample_prompts": str, "network_weights": str, "network_module": str,
    "resume": str, "mixed_precision": str, "save_precision": str, "save_model_as": str, "optimizer_type": str,
    "lr_scheduler": str, "sample_sampler": str, "tokenizer_cache_dir": str, "seed": int, "max_train_epochs": int,
    "max_train_steps": int, "save_every_n_epochs": int, "save_every_n_steps": int, "sample_every_n_epochs": int,
    "sample_every_n_steps": int, "initial_epoch": int, "initial_step": int, "network_dim": int, "network_alpha": float,
    "train_batch_size": int, "clip_skip": int, "max_data_loader_n_workers": int, "max_token_length": int,
    "learning_rate": float, "unet_lr": float, "lr_warmup_steps": float, "max_grad_norm": float, "min_snr_gamma": float,
    "prior_loss_weight": float, "network_dropout": float,
}  # fmt: skip
SWITCHES = (
    "dim_from_weights", "save_state", "sample_at_first", "skip_until_initial_step", "cache_latents", "sdpa",
    "persistent_data_loader_workers", "no_half_vae", "gradient_checkpointing", "network_train_unet_only",
)  # fmt: skip
NUMBERS = 64  # of one tensor


def parse() -> argparse.Namespace:
    """The command line over the flattened config file, as `read_config_from_file` has it."""
    parser = argparse.ArgumentParser()
    for name, kind in OPTIONS.items():
        parser.add_argument(f"--{name}", type=kind, default=None)
    parser.add_argument("--text_encoder_lr", type=float, nargs="*", default=None)
    for name in SWITCHES:
        parser.add_argument(f"--{name}", action="store_true")
    given = parser.parse_args()
    config = tomllib.loads(Path(given.config_file).read_text(encoding="utf-8"))
    flat = {key: value for table in config.values() for key, value in table.items()}
    for key, value in flat.items():
        if getattr(given, key, None) in (None, False):
            setattr(given, key, value)
    return given


def save(path: Path, tensors: dict[str, tuple[str, list[float]]], metadata: dict[str, str]) -> None:
    """Write a safetensors file."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, (kind, numbers) in tensors.items():
        packed = struct.pack(f"<{len(numbers)}{'e' if kind == 'F16' else 'f'}", *numbers)
        shape = [4, len(numbers) // 4]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def load(path: Path) -> list[float]:
    """The numbers of the first tensor of a safetensors file."""
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    entry = next(value for key, value in json.loads(content[8 : 8 + length]).items() if key != "__metadata__")
    begin, end = (8 + length + offset for offset in entry["data_offsets"])
    kind = "e" if entry["dtype"] == "F16" else "f"
    return list(struct.unpack(f"<{(end - begin) // struct.calcsize(kind)}{kind}", content[begin:end]))


class Trainer:
    """One run."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.output = Path(args.output_dir)
        self.datasets = tomllib.loads(Path(args.dataset_config).read_text(encoding="utf-8"))["datasets"]
        self.batches, self.entries = 0, 0
        for dataset in self.datasets:
            entries = 0
            for subset in dataset["subsets"]:
                folder = Path(subset["image_dir"])
                subset["img_count"] = len(list(folder.glob("*.png"))) if folder.is_dir() else 0
                entries += subset["img_count"] * subset["num_repeats"]
            self.batches += math.ceil(entries / dataset["batch_size"])
            self.entries += entries
        self.numbers = [0.0] * NUMBERS
        self.scheduled = 0  # steps that the learning rate's schedule has taken, over all resumptions
        self.step = 0  # global_step
        what, _, at = os.environ.get("STAND_IN", "").partition("@")
        self.failing = (what, int(at or 1))
        self.began = time.monotonic()

    def run(self) -> None:
        """Train."""
        args = self.args
        if not self.entries:
            print("ERROR    No data found. Please verify arguments", file=sys.stderr)
            return
        print("accelerator device: cpu", flush=True)
        if args.network_weights:
            self.numbers = load(Path(args.network_weights))
            print(f"load network weights from {args.network_weights}: <All keys matched successfully>")
        steps = args.max_train_epochs * self.batches if args.max_train_epochs else args.max_train_steps
        self.steps = steps
        epochs = math.ceil(steps / self.batches)
        initial = 0
        if args.resume:
            initial = self.resume(Path(args.resume))
        if args.initial_step is not None:
            initial = args.initial_step
        elif args.initial_epoch is not None:
            initial = (args.initial_epoch - 1) * self.batches
        if initial:
            assert steps > initial, f"max_train_steps should be greater than initial step: {steps} vs {initial}"
        print(f"running training / 学習開始\n  num batches per epoch / 1epochのバッチ数: {self.batches}", flush=True)
        if args.sample_at_first:
            self.sample(0)
        self.bar(None)
        for epoch in range(initial // self.batches, epochs):
            print(f"\nepoch {epoch + 1}/{epochs}\n", flush=True)
            for batch in range(self.batches):
                self.learn(epoch, batch)
                if self.step >= steps:
                    break
            every = args.save_every_n_epochs
            if every and (epoch + 1) % every == 0 and epoch + 1 < epochs:
                self.save_model(f"{args.output_name}-{epoch + 1:06d}", epoch + 1)
                self.save_state(f"{args.output_name}-{epoch + 1:06d}-state", epoch + 1)
            if args.sample_every_n_epochs and (epoch + 1) % args.sample_every_n_epochs == 0:
                self.sample(epoch + 1)
        self.save_state(f"{args.output_name}-state", epochs)
        self.save_model(args.output_name, epochs)

    def learn(self, epoch: int, batch: int) -> None:
        """One step: adds what depends on its place in the run."""
        time.sleep(float(os.environ.get("STAND_IN_SECONDS", "0")))
        self.scheduled += 1
        for i in range(NUMBERS):
            self.numbers[i] += (
                math.sin(self.args.seed + i + 3 * self.scheduled + 7 * (epoch * self.batches + batch)) / 64
            )
        self.step += 1
        what, at = self.failing
        if self.step == at:
            self.fail(what)
        every = self.args.sample_every_n_steps
        if every and not self.args.sample_every_n_epochs and self.step % every == 0:
            self.sample(None)
        if self.args.save_every_n_steps and self.step % self.args.save_every_n_steps == 0:
            name = f"{self.args.output_name}-step{self.step:08d}"
            self.save_model(name, epoch)
            self.save_state(f"{name}-state", epoch + 1)
        self.bar(math.nan if what == "nan" and self.step >= at else 1 / (1 + self.scheduled))

    def fail(self, what: str) -> None:
        """End as the real one would."""
        if what == "die":
            raise ValueError("something in the trainer is wrong")
        if what == "oom":
            print("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB.", file=sys.stderr)
            sys.exit(1)
        if what == "full":
            raise OSError(28, "No space left on device")
        if what == "killed":
            os.kill(os.getpid(), 9)

    def save_model(self, name: str, epoch: int) -> None:
        """Write a LoRA with the metadata of the real one, as far as anybody reads it."""
        path = self.output / f"{name}.safetensors"
        print(f"\nsaving checkpoint: {path}", flush=True)
        self.output.mkdir(parents=True, exist_ok=True)
        args = self.args
        metadata = {
            "ss_session_id": str(os.getpid()), "ss_training_started_at": str(time.time()),
            "ss_output_name": args.output_name, "ss_learning_rate": str(args.learning_rate),
            "ss_unet_lr": str(args.unet_lr), "ss_num_batches_per_epoch": str(self.batches),
            "ss_num_epochs": str(math.ceil(self.steps / self.batches)), "ss_max_train_steps": str(self.steps),
            "ss_gradient_accumulation_steps": "1", "ss_network_module": "networks.lora",
            "ss_network_dim": str(args.network_dim), "ss_network_alpha": str(args.network_alpha),
            "ss_seed": str(args.seed), "ss_epoch": str(epoch), "ss_steps": str(self.step),
            "ss_caption_dropout_rate": "0.0", "ss_resize_interpolation": "None", "ss_prior_loss_weight": "1.0",
            "ss_sd_scripts_commit_hash": "stand-in", "ss_num_train_images": str(self.entries),
            "ss_datasets": json.dumps([
                {
                    "batch_size_per_device": dataset["batch_size"],
                    "subsets": [
                        {
                            "img_count": subset["img_count"], "num_repeats": subset["num_repeats"],
                            "image_dir": Path(subset["image_dir"]).name, "is_reg": subset.get("is_reg", False),
                        }
                        for subset in dataset["subsets"]
                    ],
                }
                for dataset in self.datasets
            ]),
        }  # fmt: skip
        prefix = "lora_unet_down_blocks_0_attentions_0_proj_in"
        names = (f"{prefix}.lora_down.weight", f"{prefix}.lora_up.weight")
        if self.failing[0] == "alien" and self.step >= self.failing[1]:
            names = ("model.diffusion_model.weight", "first_stage_model.weight")
        numbers = [math.nan] * NUMBERS if self.failing[0] == "nan" and self.step > self.failing[1] else self.numbers
        save(path, dict.fromkeys(names, ("F16", numbers)), metadata)
        if self.failing[0] == "cut" and self.step >= self.failing[1]:
            os.truncate(path, path.stat().st_size - 40)

    def save_state(self, name: str, epoch: int) -> None:
        """Write a state in the order of accelerate."""
        if not self.args.save_state:
            return
        folder = self.output / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "train_state.json").write_text(json.dumps({"current_epoch": epoch, "current_step": self.step}))
        save(folder / "model.safetensors", {"lora.lora_down.weight": ("F32", self.numbers)}, {})
        for file in ("optimizer.bin", "scheduler.bin", "random_states_0.pkl"):
            with zipfile.ZipFile(folder / file, "w") as archive:
                archive.writestr("data", json.dumps(self.scheduled))

    def resume(self, folder: Path) -> int:
        """Read a state; returns the step it believes to stand at."""
        self.numbers = load(folder / "model.safetensors")
        with zipfile.ZipFile(folder / "scheduler.bin") as archive:
            self.scheduled = json.loads(archive.read("data"))
        return int(json.loads((folder / "train_state.json").read_text())["current_step"])

    def sample(self, epoch: int | None) -> None:
        """Paint the prompts: a figure before a background that the seed decides."""
        lines = Path(self.args.sample_prompts).read_text(encoding="utf-8").splitlines()
        print(f"\nINFO generating sample images at step / サンプル画像生成 ステップ: {self.step}", flush=True)
        folder = self.output / "sample"
        folder.mkdir(parents=True, exist_ok=True)
        mark = f"{self.step:06d}" if epoch is None else f"e{epoch:06d}"
        for number, line in enumerate(line for line in lines if line.strip() and line[0] != "#"):
            width, height, seed = (int(re.search(rf" --{key} (\d+)", line)[1]) for key in "whd")  # type: ignore[index]
            picture = Image.new("RGB", (width, height), (seed * 37 % 256, seed * 91 % 256, seed * 53 % 256))
            picture.paste((40, 30, 20), (width // 4, height // 3, 3 * width // 4, height))
            stamp = time.strftime("%Y%m%d%H%M%S")
            picture.save(folder / f"{self.args.output_name}_{mark}_{number:02d}_{stamp}_{seed}.png")

    def bar(self, loss: float | None) -> None:
        """tqdm's bar, before and after the loss is set."""
        elapsed = int(time.monotonic() - self.began)
        clock = f"{elapsed // 60:02d}:{elapsed % 60:02d}"
        place = f"steps: {100 * self.step // self.steps:3d}%|██        | {self.step}/{self.steps} [{clock}<00:09"
        told = "" if loss is None else f", avr_loss={loss:.3g}"
        sys.stderr.write(f"\r{place},  9.30s/it{told}]")
        sys.stderr.flush()


if __name__ == "__main__":
    Trainer(parse()).run()
