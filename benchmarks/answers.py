"""Three kinds of answer at equal processor time: palette logits, any color, and masked palette indices.

All three are the same network. "palette" and "continuous" are the two heads of the embedded trainer. "masked" sees each
cell's color or a mask instead of noise, answers with palette logits, and paints in twenty rounds, each settling the
cells it is surest of (MaskGIT, Chang et al. 2022).

    python benchmarks/answers.py BUILD [--seconds 60] [--seed 0]

Each trains for so many processor seconds; figures as in recall.py.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from recall import SAMPLES, figures, flat_originals
from torch import Tensor
from torch.nn import functional

from graftset.diffusion.heads import ContinuousHead, Head, PaletteHead
from graftset.diffusion.network import Network, NetworkShape
from graftset.diffusion.painting import Painter, Wish, noise, paint, to_tags
from graftset.diffusion.palette import make_palette
from graftset.diffusion.text import CaptionEncoder, batch_tags, constant_tags
from graftset.train.batches import Batches, Varying
from graftset.train.learning import Learner, Rates
from graftset.train.processor import choose_precision, computing
from graftset.train.schedule import Schedule
from graftset.workflows.training import training_set

U8 = NDArray[np.uint8]

ROUNDS = 20
MASKED = 4  # channels of a masked model's input: the color, and whether it is hidden
LOGIT_SCALE = 8.0


class MaskedLearner(Learner):
    """As the learner of the package, but hides cells instead of adding noise, and counts the hidden ones only."""

    def learn(self, batch: object) -> Tensor:
        """One step."""
        targets = torch.from_numpy(batch.targets).long()  # type: ignore[attr-defined]
        levels = torch.from_numpy(batch.levels)  # type: ignore[attr-defined]
        # cos: more steps with many cells hidden, where painting begins.
        share = torch.cos(levels * math.pi / 2)
        hidden = torch.special.ndtr(torch.from_numpy(batch.noise[:, 0])) < share[:, None, None]  # type: ignore[attr-defined]
        seen = hide(self.head.colors(targets), hidden)
        labels = torch.from_numpy(batch.labels)  # type: ignore[attr-defined]
        answer = self.network(seen.to(self.dtype), share, labels, to_tags(batch.tags, "cpu"))  # type: ignore[attr-defined]
        loss = functional.cross_entropy(answer[hidden].float(), targets[hidden])
        self._gradient.zero_()
        loss.backward()
        self._apply()
        return loss.detach()


def hide(colors: Tensor, hidden: Tensor) -> Tensor:
    """Colors `[B, 3, H, W]` with zeros where hidden, and the mask as a fourth channel."""
    mask = hidden[:, None].float()
    return torch.cat([colors * (1 - mask), mask], 1)


@torch.no_grad()
def paint_masked(painter: Painter, wishes: list[Wish]) -> U8:
    """Settle the surest cells, round by round; the noise of a wish decides which color is drawn."""
    height, width = painter.height, painter.width
    head = painter.head
    assert isinstance(head, PaletteHead)
    tags = to_tags(batch_tags([painter.captions.tags(wish.text) for wish in wishes]), "cpu")
    plain = torch.zeros(len(wishes), 3)
    chosen = torch.zeros(len(wishes), height, width, dtype=torch.long)
    hidden = torch.ones(len(wishes), height, width, dtype=torch.bool)
    generator = torch.Generator().manual_seed(int(abs(noise(wishes[0], 1, 1)[0, 0, 0]) * 1e6))
    for number in range(1, ROUNDS + 1):
        share = hidden.float().mean((1, 2))
        answer = painter.network(hide(head.colors(chosen), hidden), share, plain, tags)
        chance = answer.softmax(-1)
        drawn = torch.multinomial(chance.flatten(0, 2), 1, generator=generator).view_as(chosen)
        drawn = torch.where(hidden, drawn, chosen)
        sure = chance.gather(-1, drawn[..., None])[..., 0].masked_fill(~hidden, math.inf)
        left = int(math.cos(number / ROUNDS * math.pi / 2) * height * width)
        border = sure.flatten(1).sort(1).values[:, left][:, None, None]
        chosen, hidden = drawn, hidden & (sure < border)
    return head.palette.colors[chosen.numpy()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = training_set(options.build)
    chosen = flat_originals(data)
    palette = make_palette(data.pictures)
    encoder = CaptionEncoder(rows=4096, ignored=constant_tags(data.captions))
    wishes = [Wish(data.captions[n], str(n), sample) for sample in range(SAMPLES) for n in chosen]
    print(f"{'answer':<12}{'steps':>7}{'background':>12}{'SSIM':>8}{'own':>8}{'colors':>8}")
    for name in ("palette", "continuous", "masked"):
        head: Head = ContinuousHead() if name == "continuous" else PaletteHead(palette)
        shape = NetworkShape(
            inputs=MASKED if name == "masked" else 3,
            outputs=head.outputs,
            scale=1.0 if name == "continuous" else LOGIT_SCALE,
        )
        torch.manual_seed(options.seed)
        network = Network(shape)
        kind = MaskedLearner if name == "masked" else Learner
        device = torch.device("cpu")
        rates = Rates(learning_rate=2e-3, weight_decay=0.01, ema=0.998, clip=1.0)
        with computing(threads=1):
            learner = kind(network, head, rates, device=device, dtype=choose_precision("auto", device))
            batches = Batches(
                head.encode(data.pictures),
                data.captions,
                encoder=encoder,
                schedule=Schedule(data.stages, steps=100_000, batch_size=32, seed=options.seed),
                varying=Varying(caption_dropout=0.1, tag_dropout=0.1, flip=0.1, shift=0.1),
                seed=options.seed,
            )
            begun = time.process_time()
            while time.process_time() - begun < options.seconds:
                learner.learn(batches.batch(learner.step_number))
            best = Network(shape)
            best.load_state_dict(learner.averaged())
            painter = Painter(best, head, encoder, *data.pictures.shape[1:3])
            painted = paint_masked(painter, wishes) if name == "masked" else paint(painter, wishes)
        found = figures(data, chosen, painted)
        shown = "".join(f"{value:>{width}.3f}" for value, width in zip(found.values(), (12, 8, 8, 8), strict=True))
        print(f"{name:<12}{learner.step_number:>7}{shown}", flush=True)


if __name__ == "__main__":
    main()
