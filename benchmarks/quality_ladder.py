"""The ladder behind the render parts of the quality score: known degradations, the measures they move, the score.

Drawn originals are enlarged to 512 px without a fault and then blurred, roughened, warped off their grid or compressed
in steps. Each row is the median over 24 originals. The knots in `graftset.quality.RENDER` were read off this table and
off what two readers gave real candidates: a step a careful owner would still train on scores about 8, one that needs
repair about 5. (The native and structure parts are left out: an original has nothing new to say about itself.)
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

from graftset.drawn import draw_original, plan_sample_set
from graftset.measuring import measure_pixels
from graftset.pixels.grid import from_native
from graftset.quality import RENDER, interpolate, total

Pixels = NDArray[np.float64]
SIZE, CELLS, PICTURES = 512, 24, 24


def blurred(pixels: Pixels, sigma: float, _: np.random.Generator) -> Pixels:
    """Gaussian blur, standard deviation in px."""
    return np.asarray(gaussian_filter(pixels, (sigma, sigma, 0)))


def noisy(pixels: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    """White noise, standard deviation in 8-bit levels."""
    return pixels + rng.normal(0, sigma, pixels.shape)


def textured(pixels: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    """Gray texture with grains of about 3 px, standard deviation in 8-bit levels."""
    grain = gaussian_filter(rng.normal(size=pixels.shape[:2]), 1.5)
    return np.asarray(pixels + sigma * (grain / grain.std())[..., None])


def warped(pixels: Pixels, amount: float, rng: np.random.Generator) -> Pixels:
    """A smooth warp, standard deviation in cells."""
    field = gaussian_filter(rng.normal(size=(2, SIZE, SIZE)), (0, 40, 40))
    field *= amount * SIZE / CELLS / field.std(axis=(1, 2), keepdims=True)
    where = np.mgrid[:SIZE, :SIZE] + field
    channels = [map_coordinates(pixels[..., c], where, order=1, mode="nearest") for c in range(3)]
    return np.stack(channels, axis=-1)


def compressed(pixels: Pixels, quality: float, _: np.random.Generator) -> Pixels:
    """JPEG of a quality."""
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=int(quality))
    return np.asarray(Image.open(file), dtype=np.float64)


LADDERS: tuple[tuple[str, Callable[[Pixels, float, np.random.Generator], Pixels], tuple[float, ...]], ...] = (
    ("blur", blurred, (0, 0.5, 1, 2, 3, 4.5, 6)),
    ("noise", noisy, (1, 2, 4, 8, 16)),
    ("texture", textured, (1, 2, 4, 8)),
    ("warp", warped, (0.03, 0.06, 0.1, 0.2, 0.35)),
    ("jpeg", compressed, (95, 85, 70, 50, 30)),
)


def main() -> None:
    truth = plan_sample_set(style="classic", seed=0, originals=203, candidates=1)
    natives = [draw_original(o.spec, "classic") for o in truth.originals[:: 203 // PICTURES]][:PICTURES]
    print(f"{'':14}" + "".join(f"{name:>15}" for name in RENDER) + f"{'render score':>14}")
    for ladder, degrade, steps in LADDERS:
        for step in steps:
            rng = np.random.default_rng(0)
            rows = []
            for native in natives:
                clean = from_native(native, SIZE, SIZE).astype(np.float64)
                stored = np.clip(degrade(clean, step, rng), 0, 255).astype(np.uint8)
                data, _ = measure_pixels(stored, (CELLS, CELLS))
                rows.append([data["measures"][name] for name in RENDER])
            medians = np.median(rows, axis=0)
            scores = [
                total({name: interpolate(RENDER[name], value) for name, value in zip(RENDER, row, strict=True)})
                for row in rows
            ]
            figures = "".join(f"{value:15.4f}" for value in medians)
            print(f"{ladder:>8} {step:5}{figures}{np.median(scores):14.1f}")


if __name__ == "__main__":
    main()
