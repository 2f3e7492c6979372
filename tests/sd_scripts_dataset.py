"""Prints, as JSON, what kohya sd-scripts itself would train on. Run by an interpreter that has its requirements:

python sd_scripts_dataset.py CHECKOUT TOKENIZER < runs.json

runs.json is a list of `{"folder", "arguments", "sdxl"}`: where training is started, the command line, which script.
TOKENIZER is a `--tokenizer_cache_dir` that holds CLIP's tokenizer, so that nothing is downloaded.

Each run goes the way of `NetworkTrainer.train` up to the step count, with sd-scripts' own parser, config reader,
dataset classes, latent-caching loader, caption processing and tokenizer; only the VAE is left out.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import random
import sys
from pathlib import Path
from typing import Any

CHECKOUT, TOKENIZER = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
RUNS = json.load(sys.stdin)
sys.path.insert(0, str(CHECKOUT))

import numpy as np  # noqa: E402
import sdxl_train_network  # noqa: E402
import torch  # noqa: E402
import train_network  # noqa: E402
from library import config_util, strategy_base, train_util  # noqa: E402

BEGIN, END = 49406, 49407
logging.disable(logging.CRITICAL)


def tokens_read(ids: torch.Tensor) -> int:
    """Content tokens among the ids of one caption."""
    return int(((ids != BEGIN) & (ids != END)).sum())


def pixels(info: train_util.ImageInfo, subset: Any) -> tuple[int, str]:
    """Colors of what the VAE is given, and a digest of its bytes."""
    batch, *_ = train_util.load_images_and_masks_for_caching([info], subset.alpha_mask, subset.random_crop)
    rgb = np.rint((batch[0].numpy() + 1) * 127.5).astype(np.uint8).transpose(1, 2, 0)
    return len(np.unique(rgb.reshape(-1, 3), axis=0)), hashlib.sha256(rgb.tobytes()).hexdigest()[:16]


def shown_captions(dataset: Any, cached: bool) -> dict[str, tuple[str, int]]:
    """Every image's caption as the text encoder is shown it, with the tokens that are read."""
    if cached:
        for info in dataset.image_data.values():
            width, height = info.bucket_reso
            info.latents = torch.zeros(4, height // 8, width // 8)
            info.latents_original_size, info.latents_crop_ltrb = info.image_size, (0, 0, 0, 0)
            info.latents_flipped = info.latents
    dataset.debug_dataset = True  # only so that a batch names its images
    dataset.set_current_strategies()
    dataset.set_max_train_steps(1)
    found = {}
    for index in range(len(dataset)):
        batch = dataset[index]
        ids = batch["input_ids_list"][0]
        for key, caption, each in zip(batch["image_keys"], batch["captions"], ids, strict=True):
            found[key] = (caption, tokens_read(each))
    return found


def read_group(group: Any, tokenizer: Any, cached: bool) -> list[dict[str, Any]]:
    """Every dataset of a group."""
    result = []
    for dataset in group.datasets if group is not None else []:
        if not hasattr(dataset, "num_reg_images"):
            continue
        images = {}
        looks = {}
        for key, info in dataset.image_data.items():
            subset = dataset.image_to_subset[key]
            looks[key] = pixels(info, subset) if cached or dataset.enable_bucket else (None, None)
        shown = shown_captions(dataset, cached)
        for key, info in dataset.image_data.items():
            subset = dataset.image_to_subset[key]
            chance = subset.shuffle_caption or subset.enable_wildcard or subset.token_warmup_step > 0
            chance = chance or subset.caption_dropout_rate > 0 or subset.caption_tag_dropout_rate > 0
            text, read = shown[key]
            images[key] = {
                "repeats": info.num_repeats,
                "is_reg": info.is_reg,
                "caption": info.caption,
                "text": None if chance or text == info.caption else text,  # None: the caption, or left to chance
                "chance": chance,
                "tokens": None if chance else len(tokenizer(text).input_ids) - 2,
                "tokens_read": None if chance else read,
                "size": list(info.image_size),
                "bucket": list(info.bucket_reso),
                "resized": list(info.resized_size),
                "colors": looks[key][0],
                "pixels": looks[key][1],
            }
        result.append(
            {
                "train_entries": dataset.num_train_images,
                "reg_entries": dataset.num_reg_images,
                "subsets": [[each.image_dir, each.img_count, each.num_repeats] for each in dataset.subsets],
                "batches": len(dataset),
                "images": images,
            }
        )
    return result


def read_run(run: dict[str, Any]) -> dict[str, Any]:
    """What one run would read, as `NetworkTrainer.train` prepares it."""
    for strategy in (strategy_base.TokenizeStrategy, strategy_base.LatentsCachingStrategy):
        strategy._strategy = None
    script = sdxl_train_network if run["sdxl"] else train_network
    trainer = sdxl_train_network.SdxlNetworkTrainer() if run["sdxl"] else train_network.NetworkTrainer()
    parser = script.setup_parser()
    sys.argv = ["train_network.py", *run["arguments"], "--tokenizer_cache_dir", str(TOKENIZER)]
    args = train_util.read_config_from_file(parser.parse_args(), parser)
    train_util.verify_training_args(args)
    train_util.prepare_dataset_args(args, True)
    random.seed(0)
    tokenize = train_network.NetworkTrainer.get_tokenize_strategy(trainer, args)
    strategy_base.TokenizeStrategy.set_strategy(tokenize)
    strategy_base.LatentsCachingStrategy.set_strategy(trainer.get_latents_caching_strategy(args))
    generator = config_util.BlueprintGenerator(config_util.ConfigSanitizer(True, True, args.masked_loss, True))
    if args.dataset_config is not None:
        config = config_util.load_user_config(args.dataset_config)
    else:
        subsets = config_util.generate_dreambooth_subsets_config_by_subdirs(args.train_data_dir, args.reg_data_dir)
        config = {"datasets": [{"subsets": subsets}]}
    blueprint = generator.generate(config, args)
    group, validation = config_util.generate_dataset_group_by_blueprint(blueprint.dataset_group)
    if len(group) == 0:
        return {"nothing": True}
    if args.cache_latents:
        assert group.is_latent_cacheable(), "when caching latents, either color_aug or random_crop cannot be used"
    train_network.NetworkTrainer.assert_extra_args(trainer, args, group, validation) if not run["sdxl"] else (
        group.verify_bucket_reso_steps(32)
    )
    batches = len(torch.utils.data.DataLoader(group, batch_size=1, shuffle=True))
    # The two formulas of `train`, with one process.
    if args.max_train_epochs is not None:
        args.max_train_steps = args.max_train_epochs * math.ceil(batches / 1 / args.gradient_accumulation_steps)
    per_epoch = math.ceil(batches / args.gradient_accumulation_steps)
    return {
        "batches": batches,
        "steps": args.max_train_steps,
        "epochs": math.ceil(args.max_train_steps / per_epoch),
        "datasets": read_group(group, tokenize.tokenizer, args.cache_latents),
        "validation": read_group(validation, tokenize.tokenizer, args.cache_latents),
    }


def arguments_table() -> dict[str, Any]:
    """Every argument of both scripts: kind, default, choices, and the scripts that know it."""
    found: dict[str, Any] = {}
    for script, module in (("sd", train_network), ("sdxl", sdxl_train_network)):
        for action in module.setup_parser()._actions:
            if action.dest != "help":
                kind = "switch" if action.nargs == 0 else (action.type.__name__ if action.type else "str")
                kind += "*" if action.nargs in ("*", "+") else ""
                found.setdefault(action.dest, [kind, action.default, action.choices, []])[3].append(script)
    return found


def outcome(run: dict[str, Any]) -> dict[str, Any]:
    """What a run reads, or how sd-scripts refuses it."""
    if "arguments_table" in run:
        return arguments_table()
    os.chdir(run["folder"])
    try:
        return read_run(run)
    except (Exception, SystemExit) as error:
        return {"refused": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:200]}


print("\n" + json.dumps([outcome(run) for run in RUNS]))  # libraries print to stdout while they are imported
