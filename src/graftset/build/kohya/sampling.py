"""The sample prompts of kohya sd-scripts (`--sample_prompts`); `trainerfiles.prompts` has what it makes of them."""

from __future__ import annotations

from graftset.build.kohya import toml
from graftset.build.package import Package
from graftset.trainerfiles.prompts import escaped


def sample_prompts(package: Package) -> str:
    """The `--sample_prompts` file: one prompt a line, in the order of prompts.json."""
    sampling, size = package.sampling, package.size
    kinds = ", ".join(f"{sum(p.kind == kind for p in package.prompts)} {kind}" for kind in _kinds(package))
    head = [
        f"Sample prompts of kohya sd-scripts (--sample_prompts), written by graftset: {kinds or 'none'}. The k-th "
        "prompt here is the k-th of prompts.json; the names of the pictures count them from 0.",
        "--n negative prompt (where there is one), --w --h size, --d seed, --s steps, --l guidance scale. Prompts and "
        "seeds are the same for every plan of the project, at the size that the plan trains at.",
        "Brackets are escaped, and (x:1.0) is x: sampling reads brackets as emphasis, training does not.",
    ]
    negative = f"--n {escaped(sampling.negative)} " if sampling.negative else ""
    options = f"--s {sampling.steps} --l {sampling.scale:g}"
    lines = [line for paragraph in head for line in toml.comment(paragraph)]
    lines += [
        f"{escaped(prompt.text)} {negative}--w {size.width} --h {size.height} --d {sampling.seed + number} {options}"
        for number, prompt in enumerate(package.prompts)
    ]
    return "\n".join(lines) + "\n"


def _kinds(package: Package) -> list[str]:
    return list(dict.fromkeys(prompt.kind for prompt in package.prompts))
