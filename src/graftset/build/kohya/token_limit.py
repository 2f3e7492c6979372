"""How many CLIP tokens of a caption kohya sd-scripts reads, and what it cuts.

Source: `SdTokenizeStrategy` in `library/strategy_sd.py` and `TokenizeStrategy._get_input_ids` in
`library/strategy_base.py` of kohya-ss/sd-scripts at commit 48d368fa. A caption is truncated, in silence, to
`max_token_length` content tokens, or to 75 without that key, and read by the text encoder in chunks of 75, each between
a begin and an end marker. The two text encoders of SDXL divide it alike.
"""

from __future__ import annotations

from graftset.build.folder import some_names
from graftset.build.package import Package
from graftset.tokens import cut, token_count

TOKEN_LIMITS = (75, 150, 225)  # content tokens; the first is the absence of max_token_length
_SHOWN = 40  # characters of what a caption loses


def needed_limit(package: Package) -> tuple[int, str] | None:
    """The value of `max_token_length` with its reason, or None where no caption needs that key.

    It is the smallest limit that holds every caption, and the largest there is where none does.
    """
    shortest, longest = TOKEN_LIMITS[0], TOKEN_LIMITS[-1]
    counts = [token_count(entry.caption) for entry in package.entries]
    over = sum(count > shortest for count in counts)
    if not over:
        return None
    limit = next((limit for limit in TOKEN_LIMITS if max(counts) <= limit), longest)
    why = (
        f"Captions of more than {shortest} tokens: {over} of {len(counts)}; the longest has {max(counts)}. Without "
        f"this key all of them are cut after {shortest}, in silence; sd-scripts knows 150 and 225 only."
    )
    still_cut = sum(count > limit for count in counts)
    return limit, f"{why} Still cut: {still_cut}." if still_cut else why


def cut_warnings(package: Package) -> list[str]:
    """A sentence on the captions that are longer than the highest limit; none where all can be read."""
    limit = TOKEN_LIMITS[-1]
    cuts = [(entry.source_name, cut(entry.caption, limit)) for entry in package.entries]
    losses = [f"{name} loses {_beginning(at.lost)!r}" for name, at in cuts if at.lost]
    if not losses:
        return []
    verb = "is" if len(losses) == 1 else "are"
    return [
        f"{len(losses)} of {len(cuts)} captions {verb} longer than the {limit} tokens that sd-scripts reads and will "
        f"be cut in silence: {some_names(losses)}. Shorten them, the important words first"
    ]


def _beginning(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN].rstrip()} ..."
