"""Prints, as JSON, what kohya sd-scripts itself makes of a build. Run by an interpreter that has its requirements:

python sd_scripts_reading.py CHECKOUT BUILD     (from inside BUILD, as train.sh does)
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

checkout, build = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(checkout))

import sdxl_train_network  # noqa: E402
import toml  # noqa: E402
import train_network  # noqa: E402
from library import config_util, train_util  # noqa: E402
from library.lpw_stable_diffusion import parse_prompt_attention  # noqa: E402


def parser_fault(action: argparse.Action | None, value: object) -> str | None:
    """What is wrong with one key of a config file, for which sd-scripts looks at nothing."""
    if action is None:
        return "unknown key"
    if action.nargs == 0:
        return None if isinstance(value, bool) else f"{value!r} is no switch"
    values = value if isinstance(value, list) else [value]
    if isinstance(value, list) != (action.nargs == "*"):
        return f"{value!r} is a list or should be one"
    convert = action.type or str
    for item in values:
        converted = convert(str(item))  # raises where the type is wrong
        if converted != item and not isinstance(converted, Path):
            return f"{item!r} is read as {converted!r}"
        if action.choices is not None and converted not in action.choices:
            return f"{item!r} is none of {action.choices}"
    return None


def config_faults(parser: argparse.ArgumentParser, path: Path) -> dict[str, str]:
    """Every key of a training TOML that the parser would not have taken."""
    actions = {action.dest: action for action in parser._actions}
    sections = toml.loads(path.read_text(encoding="utf-8"))
    found = {
        key: parser_fault(actions.get(key), value) for section in sections.values() for key, value in section.items()
    }
    return {key: fault for key, fault in found.items() if fault is not None}


def read_stage(config: Path) -> dict[str, object]:
    """The arguments and the dataset group that training with this config would use."""
    parser = train_network.setup_parser()
    sys.argv = ["train_network.py", "--config_file", str(config)]
    args = train_util.read_config_from_file(parser.parse_args(), parser)
    train_util.verify_training_args(args)
    train_util.prepare_dataset_args(args, True)
    sanitizer = config_util.ConfigSanitizer(True, True, args.masked_loss, True)
    user_config = config_util.load_user_config(args.dataset_config)
    blueprint = config_util.BlueprintGenerator(sanitizer).generate(user_config, args)
    group, _ = config_util.generate_dataset_group_by_blueprint(blueprint.dataset_group)
    (dataset,) = group.datasets
    return {
        "faults": {
            name: config_faults(module.setup_parser(), config)
            for name, module in (("train_network", train_network), ("sdxl_train_network", sdxl_train_network))
        },
        "batches_per_epoch": len(group),
        "epochs": args.max_train_epochs,
        "max_train_steps": args.max_train_steps,
        "prior_loss_weight": args.prior_loss_weight,
        "num_train_images": group.num_train_images,
        "subsets": [[subset.image_dir, subset.img_count, subset.num_repeats] for subset in dataset.subsets],
        "images": {
            info.absolute_path: [info.caption, info.num_repeats, info.image_size, info.bucket_reso, info.resized_size]
            for info in dataset.image_data.values()
        },
        "prompts": [
            {
                **prompt,
                "emphasis": sorted({weight for _, weight in parse_prompt_attention(prompt["prompt"])}),
                "plain": "".join(text for text, _ in parse_prompt_attention(prompt["prompt"])),
            }
            for prompt in train_util.load_prompts(args.sample_prompts)
        ],
    }


json.dump({str(path): read_stage(path) for path in sorted(build.rglob("train.toml"))}, sys.stdout)
