"""Folders and configs that kohya sd-scripts and the preflight both read: drawn pictures, captions, arguments.

What sd-scripts read of them is frozen in `sd_scripts_cases.json` by `record_sd_scripts.py`. A case is data: everything
it consists of is drawn from its numbers, so both sides see the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

AN_HOUR = 3600
CONFIG = """\
dataset_config = "dataset.toml"
cache_latents = true
max_train_epochs = 10
"""


@dataclass(frozen=True)
class Picture:
    """One drawn picture: random cells in a few colors, enlarged to its size."""

    width: int = 64
    height: int = 64
    mode: str = "RGB"
    cells: int = 8
    colors: int = 12
    orientation: int = 1  # EXIF

    def draw(self, path: Path, seed: int) -> None:
        """Write the picture in the format of the path's ending."""
        rng = np.random.default_rng(seed)
        palette = rng.integers(0, 256, (self.colors, 4), dtype=np.uint8)
        palette[:, 3] = np.where(np.arange(self.colors) % 3 == 0, 0, 255)  # every third color is hidden
        rows, columns = (np.arange(side) * self.cells // side for side in (self.height, self.width))
        rgba = palette[rng.integers(0, self.colors, (self.cells, self.cells))[np.ix_(rows, columns)]]
        image = Image.fromarray(rgba)
        if self.mode == "P":
            image = image.convert("RGB").quantize(self.colors)
        elif self.mode != "RGBA":
            image = image.convert(self.mode)
        exif = Image.Exif()
        exif[0x0112] = self.orientation
        image.save(path, **({"exif": exif} if self.orientation != 1 else {}))


@dataclass(frozen=True)
class Case:
    """One run of the trainer.

    Attributes:
        pictures: Drawn pictures by path.
        texts: Files by path; bytes are written as they are.
        arguments: The command line.
        latents: Latent caches by path: their height and width in latent cells, older than the images or not.
    """

    pictures: Mapping[str, Picture] = field(default_factory=dict)
    texts: Mapping[str, str | bytes] = field(default_factory=dict)
    arguments: tuple[str, ...] = ("--config_file", "train.toml")
    latents: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    sdxl: bool = False

    def write(self, folder: Path) -> None:
        """Draw the case into an empty folder."""
        for seed, (name, picture) in enumerate(self.pictures.items()):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.draw(path, seed)
        for name, text in self.texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        for name, (height, width) in self.latents.items():
            latents = np.zeros((4, height, width), dtype=np.float32)
            np.savez(folder / name, latents=latents, original_size=[64, 64], crop_ltrb=[0, 0, 0, 0])
        for path in folder.rglob("*.npz"):
            then = path.stat().st_mtime - AN_HOUR
            os.utime(path, (then, then))


def captioned(folder: str, count: int, *, ending: str = ".txt", words: str = "", **picture: Any) -> dict[str, Any]:
    """`pictures` and `texts` of a folder: so many pictures, each with a caption of its own."""
    names = [f"{folder}/pic{number:03}" for number in range(count)]
    return {
        "pictures": {f"{name}.png": Picture(**picture) for name in names},
        "texts": {
            f"{name}{ending}": f"pixel art, portrait {number}, {words or folder}" for number, name in enumerate(names)
        },
    }


def together(*parts: Mapping[str, Any], **rest: Any) -> Case:
    """One case of several folders; `texts` are added to theirs."""
    pictures = {name: picture for part in parts for name, picture in part["pictures"].items()}
    texts = {name: text for part in parts for name, text in part["texts"].items()} | rest.pop("texts", {})
    return Case(pictures, texts, **rest)


def dataset_toml(*subsets: str, dataset: str = "resolution = 64\nbatch_size = 4", general: str = "") -> str:
    """A dataset TOML; each subset is the lines of its table."""
    head = f'[general]\ncaption_extension = ".txt"\n{general}\n[[datasets]]\n{dataset}\n'
    return head + "".join(f"[[datasets.subsets]]\n{subset}\n" for subset in subsets)


def buckets(
    resolution: object, *, low: int | None = None, high: int | None = None, batch: int = 4, more: str = ""
) -> str:
    """A dataset's table with buckets."""
    lines = [f"resolution = {resolution}", f"batch_size = {batch}", "enable_bucket = true"]
    lines += [f"min_bucket_reso = {low}"] if low is not None else []
    lines += [f"max_bucket_reso = {high}"] if high is not None else []
    return "\n".join([*lines, *([more] if more else [])])


def configured(
    *subsets: str, dataset: str = "resolution = 64\nbatch_size = 4", general: str = "", train: str = CONFIG
) -> dict[str, str]:
    """Both configs of a run."""
    return {"dataset.toml": dataset_toml(*subsets, dataset=dataset, general=general), "train.toml": train}


def folder(name: str, repeats: int = 1, more: str = "") -> str:
    """The table of one subset."""
    return f'image_dir = "{name}"\nnum_repeats = {repeats}\n{more}'


NAMES = ("--resolution", "64,64", "--cache_latents", "--max_train_epochs", "2", "--train_batch_size", "4")
LONG = "word " * 74
WIDE = {
    "tall.png": Picture(64, 128),
    "wide.png": Picture(160, 64),
    "square.png": Picture(100, 100),
    "odd.png": Picture(97, 61),
}
CAPTIONS = {name.replace(".png", ".txt"): f"a {name}" for name in WIDE}


def _mixed(dataset: str, **more: Any) -> Case:
    pictures = {f"set/{name}": picture for name, picture in WIDE.items()}
    texts = {f"set/{name}": text for name, text in CAPTIONS.items()}
    return Case(pictures, texts | configured(folder("set", 3), dataset=dataset), **more)


def _captions(texts: Mapping[str, str | bytes], subset: str = "", count: int = 1) -> Case:
    pictures = {f"set/pic{number}.png": Picture() for number in range(count)}
    named = {f"set/{name}": text for name, text in texts.items()}
    return Case(pictures, named | configured(folder("set", 1, subset)))


CASES: dict[str, Case] = {
    # the four plans, as graftset writes them, at a small size
    "plan originals": together(captioned("12_original", 12), texts=configured(folder("12_original"))),
    "plan equal": together(
        captioned("12_original", 12),
        captioned("5_generated", 5),
        texts=configured(folder("12_original"), folder("5_generated")),
    ),
    "plan weighted": together(
        captioned("12_original", 12),
        captioned("5_generated", 5),
        texts=configured(folder("12_original", 2), folder("5_generated")),
    ),
    "plan sequential, second stage": together(
        captioned("12_original", 12),
        captioned("25_generated", 25),
        texts=configured(folder("12_original", 3), folder("25_generated"), train=CONFIG.replace("10", "5")),
    ),
    "253 images": together(
        captioned(
            "203_original", 203, words="wearing a hat, " + "blue background, " * 20, width=24, height=24, cells=24
        ),
        captioned("50_generated", 50, width=24, height=24, cells=24),
        texts=configured(
            folder("203_original", 2),
            folder("50_generated"),
            dataset='resolution = 96\nbatch_size = 4\nresize_interpolation = "nearest"',
            train=CONFIG + "max_token_length = 150\n",
        ),
    ),
    # folder names
    "the folder-name trap": together(
        captioned("7_original", 7),
        captioned("3_generated", 3),
        arguments=("--train_data_dir", ".", "--caption_extension", ".txt", *NAMES),
    ),
    "folders without a number are ignored": together(
        captioned("2_lady", 2),
        captioned("portraits", 3),
        captioned("0_none", 2),
        captioned("x2_lad", 2),
        arguments=("--train_data_dir", ".", *NAMES),
    ),
    "the image folder itself": together(captioned("10_lady", 3), arguments=("--train_data_dir", "10_lady", *NAMES)),
    "the folder name is the caption": Case(
        {"3_bespoke punk lady/a.png": Picture(), "4/b.png": Picture(), "2_x_y/c.png": Picture()},
        {},
        ("--train_data_dir", ".", *NAMES),
    ),
    # subsets
    "a folder twice": together(captioned("a", 5), texts=configured(folder("a", 2), folder("a", 3))),
    "a folder twice, with a slash": together(captioned("a", 5), texts=configured(folder("a", 2), folder("a/", 3))),
    "a folder twice, with a dot": together(captioned("a", 5), texts=configured(folder("a", 2), folder("./a", 3))),
    "no repeats": together(captioned("a", 5), captioned("b", 2), texts=configured(folder("a", 0), folder("b", 1))),
    "a folder that is missing": together(captioned("a", 5), texts=configured(folder("a"), folder("b"))),
    "an empty folder": together(
        captioned("a", 5), texts=configured(folder("a"), folder("b")) | {"b/readme.md": "none"}
    ),
    "two datasets": together(
        captioned("a", 5),
        captioned("b", 3, width=128, height=128),
        texts=configured(folder("a"))
        | {
            "dataset.toml": dataset_toml(folder("a", 2))
            + "[[datasets]]\nresolution = 128\nbatch_size = 2\n[[datasets.subsets]]\n"
            + folder("b")
        },
    ),
    "inner settings win": together(
        captioned("a", 3, ending=".cap"),
        captioned("b", 3),
        captioned("c", 3, ending=".caption"),
        texts=configured(
            folder("a", 1, 'caption_extension = "cap"\ncaption_prefix = "first"'),
            'image_dir = "b"',
            folder("c", 1, 'caption_extension = ".caption"'),
            general='num_repeats = 3\ncaption_prefix = "all"\ncaption_suffix = "end"',
            dataset='resolution = 64\nbatch_size = 4\ncaption_prefix = "set"',
            train=CONFIG + 'caption_suffix = "never"\nkeep_tokens = 2\ntrain_batch_size = 9\n',
        ),
    ),
    # regularization
    "fewer regularization images": together(
        captioned("a", 7), captioned("r", 3), texts=configured(folder("a", 2), folder("r", 1, "is_reg = true"))
    ),
    "more regularization images": together(
        captioned("a", 5), captioned("r", 9), texts=configured(folder("a"), folder("r", 2, "is_reg = true"))
    ),
    "regularization by folder name": together(
        captioned("train/2_lady", 4),
        captioned("reg/1_woman", 3),
        arguments=("--train_data_dir", "train", "--reg_data_dir", "reg", "--caption_extension", ".txt", *NAMES),
    ),
    # captions
    "missing captions": _captions({"pic0.txt": "one"}, count=3),
    "missing captions with class tokens": _captions({"pic0.txt": "one"}, 'class_tokens = "punk lady"', count=3),
    "the other extension": _captions(
        {"pic0.caption": "one", "pic1.txt": "two"}, 'caption_extension = ".caption"', count=2
    ),
    "the extension left out": together(
        captioned("a", 3, ending=".caption"),
        texts={
            "train.toml": CONFIG,
            "dataset.toml": "[[datasets]]\nresolution = 64\n[[datasets.subsets]]\n" + folder("a"),
        },
    ),
    "captions of many shapes": _captions(
        {
            "pic0.txt": b"first line\r\nsecond line\r\n",
            "pic1.txt": "\n  the second line only",
            "pic2.txt": "\ufeffwith a mark",
            "pic3.txt": "   spaces around \t ",
            "pic4.txt": "old mac\rline",
            "pic5.txt": 'naïve ‘quotes’ & 猫, "x" isn\'t 1,000',
            "pic6.TXT": "an ending in capitals",
            "pic7.txt": " ",
        },
        count=8,
    ),
    "an empty caption file": _captions({"pic0.txt": "", "pic1.txt": "one"}, count=2),
    "a caption that is not UTF-8": _captions({"pic0.txt": "na\xefve".encode("latin-1")}),
    "a name of five parts borrows a caption": Case(
        {
            "set/lad_001_carbon.png": Picture(),
            "set/lad_001_carbon_g_0_1_2.png": Picture(),
            "set/a_b_c_d_e_f.png": Picture(),
        },
        {"set/lad_001_carbon.txt": "the other's caption"} | configured(folder("set")),
    ),
    "parts count in the folder's path too": Case(
        {"my_own_pixel_set/lad_7.png": Picture(), "my.png": Picture()},
        {"my_own.txt": "far away", "my.txt": "farther"} | configured(folder("my_own_pixel_set")),
    ),
    "prefix, suffix and second separator": _captions(
        {"pic0.txt": "lady ;;; red hair, hat", "pic1.txt": "lad ||| bald"},
        'caption_prefix = "trigger,"\ncaption_suffix = ", end"\n'
        'secondary_separator = ";;;"\nkeep_tokens_separator = "|||"',
        count=2,
    ),
    "long captions": _captions(
        {
            "pic0.txt": LONG,
            "pic1.txt": LONG + "more",
            "pic2.txt": LONG + "more more",
            "pic3.txt": LONG * 4 + "end, of it.",
        },
        count=4,
    ),
    "long captions at 150": together(
        captioned("set", 4, words=LONG * 2), texts=configured(folder("set"), train=CONFIG + "max_token_length = 150\n")
    ),
    "long captions at 225": together(
        captioned("set", 4, words=LONG * 3), texts=configured(folder("set"), train=CONFIG + "max_token_length = 225\n")
    ),
    "long captions at an odd limit": together(
        captioned("set", 2, words=LONG * 3), texts=configured(folder("set"), train=CONFIG + "max_token_length = 100\n")
    ),
    "shuffled captions": _captions({"pic0.txt": "a, b, c"}, "shuffle_caption = true\nkeep_tokens = 1"),
    "cached info": together(
        captioned("set", 2),
        texts=configured(folder("set", 1, "cache_info = true"))
        | {"set/metadata_cache.json": '{"set/pic000.png": {"caption": "from the cache", "resolution": [64, 64]}}'},
    ),
    # sizes
    "mixed sizes, one bucket": _mixed("resolution = 64\nbatch_size = 4"),
    "mixed sizes, buckets": _mixed(buckets("[128, 64]", low=64, high=192)),
    "mixed sizes, buckets, nearest": _mixed(
        buckets(128, low=64, high=256, batch=2, more='resize_interpolation = "nearest"')
    ),
    "mixed sizes, buckets without enlarging": _mixed(buckets(96, low=64, high=128, more="bucket_no_upscale = true")),
    "mixed sizes, odd limits": _mixed(buckets(128, low=100, high=200, more="bucket_reso_steps = 64")),
    "mixed sizes, SDXL steps": _mixed(
        buckets(96, low=32, high=128, more="bucket_reso_steps = 32"),
        sdxl=True,
    ),
    "steps that are no multiple of 64": _mixed(buckets(96, low=32, more="bucket_reso_steps = 32")),
    "smallest bucket above the resolution": _mixed(buckets(64)),
    "largest bucket below the resolution": _mixed(buckets(640, high=512)),
    "larger sizes, buckets without enlarging": Case(
        {
            "set/a.png": Picture(200, 130),
            "set/b.png": Picture(70, 300),
            "set/c.png": Picture(96, 96),
            "set/d.png": Picture(127, 71),
        },
        configured(
            folder("set"),
            dataset=buckets(96, low=64, high=128, more="bucket_no_upscale = true"),
        ),
    ),
    "too small for a bucket": together(
        captioned("set", 2, width=24, height=24),
        texts=configured(folder("set"), dataset=buckets(512, more="bucket_no_upscale = true")),
    ),
    "other sizes without buckets and caches": together(
        captioned("set", 2, width=96, height=96),
        texts=configured(folder("set"), train=CONFIG.replace("cache_latents = true", "")),
    ),
    "the right size without buckets and caches": together(
        captioned("set", 6), texts=configured(folder("set"), train=CONFIG.replace("cache_latents = true", ""))
    ),
    "24 px enlarged": together(
        captioned("set", 3, width=24, height=24, cells=24, colors=24),
        texts=configured(folder("set"), dataset="resolution = 512\nbatch_size = 4"),
    ),
    **{
        f"resized by {method}": _mixed(buckets(128, low=64, high=256, more=f'resize_interpolation = "{method}"'))
        for method in ("lanczos", "box", "bilinear", "bicubic", "area")
    },
    "made smaller": together(
        captioned("a", 2, width=256, height=256),
        captioned("b", 2, width=128, height=128),
        captioned("c", 2, width=150, height=150),
        texts=configured(folder("a"), folder("b"), folder("c")),
    ),
    "an unknown way of resizing": _mixed('resolution = 64\nbatch_size = 4\nresize_interpolation = "sharp"'),
    # odd pictures
    "pictures of many kinds": Case(
        {
            "set/rgba.png": Picture(mode="RGBA"),
            "set/palette.png": Picture(mode="P"),
            "set/gray.png": Picture(mode="L"),
            "set/photo.jpg": Picture(96, 64),
            "set/turned.jpg": Picture(96, 64, orientation=6),
            "set/web.webp": Picture(),
            "set/old.bmp": Picture(),
            "set/LOUD.PNG": Picture(),
            "set/Mixed.Png": Picture(),
            "set/.hidden.png": Picture(),
            "set/anim.gif": Picture(mode="P"),
            "set/inner/deep.png": Picture(),
        },
        {
            f"set/{name}.txt": name
            for name in ("rgba", "palette", "gray", "photo", "turned", "web", "old", "LOUD", "Mixed", "anim")
        }
        | configured(folder("set")),
    ),
    "a picture that is none": together(
        captioned("set", 2), texts={"set/broken.png": b"not a picture"} | configured(folder("set"))
    ),
    "a picture cut short": together(
        captioned("set", 1),
        texts={"set/cut.png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00@\x00\x00\x00@\x08\x02\x00\x00\x00"}
        | configured(folder("set")),
    ),
    "transparent, with a mask": together(
        captioned("set", 2, mode="RGBA"), texts=configured(folder("set", 1, "alpha_mask = true"))
    ),
    # caches
    "sizes from the names of caches": together(
        captioned("set", 3),
        texts=configured(folder("set")),
        latents={"set/pic001_0128x0064_sd.npz": (8, 8), "set/pic0010_0032x0032_sd.npz": (8, 8)},
    ),
    "the cache of another picture gives the size": Case(
        {"set/lad.png": Picture(), "set/lad_2.png": Picture(128, 128)},
        {"set/lad.txt": "a", "set/lad_2.txt": "b"} | configured(folder("set")),
        latents={"set/lad_2_0128x0128_sd.npz": (8, 8)},
    ),
    # validation
    "a split with a seed": together(
        captioned("a", 25),
        captioned("r", 4),
        texts=configured(
            folder("a", 2),
            folder("r", 1, "is_reg = true"),
            dataset="resolution = 64\nbatch_size = 4\nvalidation_split = 0.2\nvalidation_seed = 7",
        ),
    ),
    "a split in halves": together(
        captioned("a", 7),
        texts=configured(
            folder("a", 2), dataset="resolution = 64\nbatch_size = 4\nvalidation_split = 0.5\nvalidation_seed = 1"
        ),
    ),
    "a folder for validation": together(
        captioned("a", 6),
        captioned("v", 3),
        texts=configured(folder("a"))
        | {
            "dataset.toml": dataset_toml(folder("a"))
            + "[[datasets]]\nresolution = 64\nvalidation_split = 1.0\nvalidation_seed = 1\n[[datasets.subsets]]\n"
            + folder("v")
        },
    ),
    "a split in percent": together(
        captioned("a", 6),
        texts=configured(
            folder("a"), dataset="resolution = 64\nbatch_size = 4\nvalidation_split = 20.0\nvalidation_seed = 1"
        ),
    ),
    # configs
    "unknown keys of a config file": together(
        captioned("a", 3),
        texts=configured(
            folder("a"), train=CONFIG + "bucket_resolution = 5\nbatch_size = 7\n[more]\nnetwork_dimm = 8\n"
        ),
    ),
    "an unknown key of the dataset": together(captioned("a", 3), texts=configured(folder("a", 1, "colour = 3"))),
    "prior_loss_weight in the dataset": together(
        captioned("a", 3), texts=configured(folder("a"), general="prior_loss_weight = 0.5")
    ),
    "a number as text": together(captioned("a", 3), texts=configured('image_dir = "a"\nnum_repeats = "2"')),
    "one number for two": together(
        captioned("a", 3), texts=configured(folder("a"), dataset="resolution = [64]\nbatch_size = 4")
    ),
    "no resolution": together(captioned("a", 3), texts=configured(folder("a"), dataset="batch_size = 4")),
    "resolution as a number in the config file": together(
        captioned("a", 3), texts=configured(folder("a"), dataset="batch_size = 4", train=CONFIG + "resolution = 64\n")
    ),
    "resolution in the config file": together(
        captioned("a", 3),
        texts=configured(folder("a"), dataset="batch_size = 4", train=CONFIG + 'resolution = "64,128"\n'),
    ),
    "the command line wins over the config file": together(
        captioned("a", 9),
        texts=configured(folder("a"), dataset="resolution = 64"),
        arguments=("--config_file", "train.toml", "--max_train_epochs", "3", "--train_batch_size", "2"),
    ),
    "steps without epochs": together(
        captioned("a", 9),
        texts=configured(folder("a"), train=CONFIG.replace("max_train_epochs = 10", "max_train_steps = 100")),
    ),
    "accumulated gradients": together(
        captioned("a", 21), texts=configured(folder("a"), train=CONFIG + "gradient_accumulation_steps = 4\n")
    ),
    "random crops with cached latents": together(
        captioned("a", 3), texts=configured(folder("a", 1, "random_crop = true"))
    ),
    "no subsets": together(captioned("a", 3), texts=configured()),
}


REAL_CONFIG = CONFIG + "max_token_length = 150\n"
REAL_DATASET = 'resolution = 576\nbatch_size = 4\nresize_interpolation = "nearest"'


def write_real(portraits: Path, place: Path) -> None:
    """253 real images in an empty folder: the originals as they are, and two copies of each generated one.

    They have two sizes, and some generated ones have no caption.
    """
    for name, text in configured(
        folder("203_original", 2), folder("50_generated"), dataset=REAL_DATASET, train=REAL_CONFIG
    ).items():
        (place / name).write_text(text, encoding="utf-8")
    for source, target, copies in (("originals", "203_original", ("",)), ("generated", "50_generated", ("", "_again"))):
        (place / target).mkdir()
        for file in sorted((portraits / source).iterdir()):
            for ending in copies:
                shutil.copy(file, place / target / f"{file.stem}{ending}{file.suffix}")


def digest_of(rows: Iterable[Sequence[object]]) -> str:
    """One hash of what was read for many images, so that it can be compared without the images' captions."""
    text = json.dumps(sorted(rows), ensure_ascii=False)  # type: ignore[type-var]
    return hashlib.sha256(text.encode()).hexdigest()
