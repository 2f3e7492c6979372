"""Prompts as sd-scripts samples them, written so that it paints what they say.

Source: `line_to_prompt_dict` and `load_prompts` in `library/train_util.py`, `parse_prompt_attention` in
`library/lpw_stable_diffusion.py` of kohya-ss/sd-scripts at commit 48d368fa. A line is cut at every " --". What begins
with "w 12" or "n foo" is an option wherever it stands, even at the beginning of the line, and what comes later wins.
Sampling reads brackets as emphasis, which training does not.
"""

from __future__ import annotations

import re

_READ_AS_OPTION = re.compile(r"(?:[whds] \d|[lg] [\d.]|(?:n|ss|cn|ctr|rcfg|fs) .)", re.IGNORECASE)


def escaped(text: str) -> str:
    """A prompt that sampling reads as training reads the caption: nothing in it is an option, comment or emphasis.

    >>> escaped("a lad (old) --w 12")
    'a lad \\\\(old\\\\) (-:1.0)-w 12'
    """
    plain = re.sub(r"([\\()\[\]])", r"\\\1", text)
    # A dash of weight 1 is a dash, and " (-:1.0)-" is no longer the " --" that begins an option.
    plain = plain.replace(" --", " (-:1.0)-")
    if plain.startswith("#") or _READ_AS_OPTION.match(plain):
        plain = f"({plain[0]}:1.0){plain[1:]}"
    return plain
