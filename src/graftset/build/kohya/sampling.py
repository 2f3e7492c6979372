"""The sample prompts of kohya sd-scripts (`--sample_prompts`), written so that it paints what they say.

Source: `line_to_prompt_dict` and `load_prompts` in `library/train_util.py`, `parse_prompt_attention` in
`library/lpw_stable_diffusion.py` of kohya-ss/sd-scripts at commit 48d368fa. A line is cut at every " --". What begins
with "w 12" or "n foo" is an option wherever it stands, even at the beginning of the line, and what comes later wins.
Sampling reads brackets as emphasis, which training does not.
"""

from __future__ import annotations

import re

from graftset.build.kohya import toml
from graftset.build.package import Package

_READ_AS_OPTION = re.compile(r"(?:[whds] \d|[lg] [\d.]|(?:n|ss|cn|ctr|rcfg|fs) .)", re.IGNORECASE)


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
    negative = f"--n {_escape(sampling.negative)} " if sampling.negative else ""
    options = f"--s {sampling.steps} --l {sampling.scale:g}"
    lines = [line for paragraph in head for line in toml.comment(paragraph)]
    lines += [
        f"{_escape(prompt.text)} {negative}--w {size.width} --h {size.height} --d {sampling.seed + number} {options}"
        for number, prompt in enumerate(package.prompts)
    ]
    return "\n".join(lines) + "\n"


def _kinds(package: Package) -> list[str]:
    return list(dict.fromkeys(prompt.kind for prompt in package.prompts))


def _escape(text: str) -> str:
    """A prompt that sampling reads as training reads the caption: nothing in it is an option, comment or emphasis."""
    plain = re.sub(r"([\\()\[\]])", r"\\\1", text)
    # A dash of weight 1 is a dash, and " (-:1.0)-" is no longer the " --" that begins an option.
    plain = plain.replace(" --", " (-:1.0)-")
    if plain.startswith("#") or _READ_AS_OPTION.match(plain):
        plain = f"({plain[0]}:1.0){plain[1:]}"
    return plain
