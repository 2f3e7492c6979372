"""Training speed of the embedded model beside diffusers' own UNet2DConditionModel with as many weights, in one process.

Both learn 24 x 24 pictures, 32 at a time, on one thread: the same input, palette targets and loss. diffusers' loop is
the one of its training scripts: UNet2DConditionModel, AdamW, gradient clipping, and an average of the weights
(EMAModel); its captions come as ready vectors, so that it pays nothing for a text encoder. Rounds alternate and each
counts processor time, which a busy machine stretches less than wall time; the median ratio counts.
`python benchmarks/train_speed.py 3` for fewer rounds. Needs diffusers, of the extra of that name.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from graftset.diffusion.heads import PaletteHead
from graftset.diffusion.network import Network, NetworkShape
from graftset.diffusion.palette import Palette
from graftset.diffusion.text import CaptionEncoder
from graftset.train.batches import Batches, Varying
from graftset.train.learning import Learner, Rates
from graftset.train.processor import choose_precision, computing
from graftset.train.schedule import Schedule, TrainingStage

ROUNDS, STEPS, BATCH, SIDE, COLORS = 7, 6, 32, 24, 256
RATES = Rates(learning_rate=2e-3, weight_decay=0.01, ema=0.998, clip=1.0)
Step = Callable[[], float]


def random_set() -> tuple[Palette, np.ndarray, list[str]]:
    """A palette, pictures as indices `uint8 [64, SIDE, SIDE]`, and captions of twelve tags each."""
    rng = np.random.default_rng(0)
    palette = Palette(rng.integers(0, 256, (COLORS, 3), dtype=np.uint8))
    captions = [", ".join(f"some words {number} of {tag}" for tag in range(12)) for number in range(64)]
    return palette, rng.integers(0, COLORS, (64, SIDE, SIDE), dtype=np.uint8), captions


def ours(dtype: torch.dtype) -> tuple[Step, int]:
    """A step of the embedded trainer, everything included, and its number of weights."""
    palette, pictures, captions = random_set()
    head = PaletteHead(palette)
    network = Network(NetworkShape(outputs=COLORS, scale=8.0))
    learner = Learner(network, head, RATES, device=torch.device("cpu"), dtype=dtype)
    stage = TrainingStage("all", 1.0, np.ones(len(pictures), dtype=np.int64))
    batches = Batches(
        pictures,
        captions,
        encoder=CaptionEncoder(rows=4096),
        schedule=Schedule([stage], steps=10_000, batch_size=BATCH, seed=0),
        varying=Varying(caption_dropout=0.1, tag_dropout=0.1, flip=0.1, shift=0.1),
        seed=0,
    )
    return lambda: float(learner.learn(batches.batch(learner.step_number))), sum(
        p.numel() for p in network.parameters()
    )


def theirs(target: int) -> tuple[Step, int]:
    """A step of a plain loop on diffusers' model, with about `target` weights."""
    from diffusers import UNet2DConditionModel
    from diffusers.training_utils import EMAModel

    def make(fine: int) -> UNet2DConditionModel:
        return UNet2DConditionModel(
            sample_size=SIDE,
            in_channels=3,
            out_channels=COLORS,
            layers_per_block=1,
            block_out_channels=(fine, 2 * fine, 4 * fine),
            down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
            cross_attention_dim=64,
            attention_head_dim=4,
            norm_num_groups=8,
        )

    sizes = {fine: sum(p.numel() for p in make(fine).parameters()) for fine in range(8, 65, 8)}
    fine = min(sizes, key=lambda fine: abs(sizes[fine] - target))
    network = make(fine)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATES.learning_rate)
    average = EMAModel(network.parameters(), decay=RATES.ema)
    palette, pictures, _ = random_set()
    colors = torch.from_numpy(palette.colors).float() / 127.5 - 1
    targets = torch.from_numpy(pictures).long()
    captions = torch.randn(len(pictures), 12, 64)

    def step() -> float:
        shown = torch.randint(len(pictures), (BATCH,))
        clean = colors[targets[shown]].permute(0, 3, 1, 2)
        level = torch.rand(BATCH)
        noisy = torch.lerp(clean, torch.randn_like(clean), level[:, None, None, None])
        answer = network(noisy, level * 1000, captions[shown]).sample
        loss = torch.nn.functional.cross_entropy(answer, targets[shown])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), RATES.clip)
        optimizer.step()
        average.step(network.parameters())
        return float(loss.detach())

    return step, sizes[fine]


def seconds(step: Step) -> float:
    """Processor seconds of one step, over `STEPS` of them."""
    begun = time.process_time()
    for _ in range(STEPS):
        step()
    return (time.process_time() - begun) / STEPS


def main() -> None:
    try:
        import diffusers
    except ImportError:
        print("skipped: diffusers is not installed (pip install diffusers)")
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    precision = choose_precision("auto", torch.device("cpu"))
    with computing(threads=1):
        other, other_weights = theirs(ours(precision)[1])
        print(f"diffusers {diffusers.__version__}, torch {torch.__version__}; {BATCH} pictures a step, one thread")
        print(f"{'':<22}{'weights':>10}{'s a step':>10}{'samples/s':>11}{'ratio':>7}")
        kinds = {str(dtype).removeprefix("torch."): ours(dtype) for dtype in {precision, torch.float32}}
        for step in (other, *(step for step, _ in kinds.values())):
            step()
        times: dict[str, list[float]] = {name: [] for name in ("diffusers", *kinds)}
        for _ in range(rounds):
            times["diffusers"].append(seconds(other))
            for name, (step, _) in kinds.items():
                times[name].append(seconds(step))
    for name, measured in times.items():
        ratio = statistics.median(base / own for base, own in zip(times["diffusers"], measured, strict=True))
        weights = other_weights if name == "diffusers" else kinds[name][1]
        label = "diffusers float32" if name == "diffusers" else f"embedded {name}"
        each = statistics.median(measured)
        print(f"{label:<22}{weights:>10,}{each:>10.3f}{BATCH / each:>11.0f}{ratio:>7.2f}")
    print("wanted: 1.3 in the precision that training chooses here, which is", str(precision).removeprefix("torch."))


if __name__ == "__main__":
    main()
