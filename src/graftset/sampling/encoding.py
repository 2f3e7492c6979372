"""Prompts -> what a U-Net reads of them, in chunks of 75 tokens as sd-scripts trains with.

A LoRA that learned captions of up to 225 tokens is asked in the same way: the text encoder reads each chunk of 75
between a begin and an end marker, and the U-Net the first begin marker, all chunks, and the last end marker. Source:
`TokenizeStrategy._get_input_ids` in `library/strategy_base.py` and `SdTextEncodingStrategy`, `SdxlTextEncodingStrategy`
of kohya-ss/sd-scripts at commit 48d368fa.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

CHUNK = 75  # content tokens that a text encoder reads at once


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Prompts as the U-Net reads them."""

    texts: Tensor  # [N, tokens, width]
    pooled: Tensor | None  # [N, width of the second encoder]; SDXL only

    def take(self, indices: Sequence[int]) -> Encoded:
        """Those of some prompts."""
        chosen = torch.tensor(list(indices), device=self.texts.device)
        return Encoded(self.texts[chosen], None if self.pooled is None else self.pooled[chosen])


@torch.no_grad()
def encode(pipe: Any, prompts: Sequence[str], *, limit: int, clip_skip: int | None) -> Encoded:
    """Encode prompts with the text encoders of a pipeline, LoRA included.

    Args:
        pipe: A pipeline of SD 1.5 or SDXL.
        prompts: Texts.
        limit: Content tokens that are read of each, 75, 150 or 225; what lies beyond is cut.
        clip_skip: 2 takes the last layer but one, as sd-scripts counts; None the last. SDXL always takes the last but
            one.
    """
    second = getattr(pipe, "text_encoder_2", None)
    if second is None:
        hidden, _ = _run(pipe.text_encoder, token_ids(pipe.tokenizer, prompts, limit))
        if clip_skip is not None and clip_skip > 1:
            states = _normalized(pipe.text_encoder, hidden[-clip_skip])
        else:
            states = _normalized(pipe.text_encoder, hidden[-1])
        return Encoded(_joined(states, len(prompts)), None)
    first, _ = _run(pipe.text_encoder, token_ids(pipe.tokenizer, prompts, limit))
    other, pooled = _run(second, token_ids(pipe.tokenizer_2, prompts, limit))
    texts = torch.cat([_joined(first[-2], len(prompts)), _joined(other[-2], len(prompts))], dim=-1)
    return Encoded(texts, pooled[:: len(pooled) // len(prompts)])


def token_ids(tokenizer: Any, prompts: Sequence[str], limit: int) -> Tensor:
    """Token ids, `int64 [prompts * chunks, 77]`, the chunks of a prompt one after the other."""
    begin, end, pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    rows = []
    for prompt in prompts:
        ids = tokenizer(prompt, truncation=True, max_length=limit + 2, padding="max_length").input_ids
        for start in range(1, limit + 1, CHUNK):
            row = [begin, *ids[start : start + CHUNK], ids[-1]]
            if pad != end and limit > CHUNK:  # SDXL's second tokenizer pads with another token than the end marker
                if row[-2] not in (end, pad):
                    row[-1] = end
                if row[1] == pad:
                    row[1] = end
            rows.append(row)
    return torch.tensor(rows, dtype=torch.int64)


def _run(encoder: Any, ids: Tensor) -> tuple[Sequence[Tensor], Tensor]:
    """The hidden states of all layers, [rows, 77, width] each, and the first output, which SDXL pools."""
    output = encoder(ids.to(encoder.device), output_hidden_states=True)
    return output.hidden_states, output[0]


def _normalized(encoder: Any, states: Tensor) -> Tensor:
    """A layer's output after the norm that follows the last layer."""
    inner = getattr(encoder, "text_model", encoder)  # transformers 5 took this level out
    normalized: Tensor = inner.final_layer_norm(states)
    return normalized


def _joined(states: Tensor, prompts: int) -> Tensor:
    """[prompts * chunks, 77, width] -> [prompts, 1 + 75 * chunks + 1, width]."""
    states = states.reshape(prompts, -1, *states.shape[1:])
    inner = states[:, :, 1:-1].flatten(1, 2)
    return torch.cat([states[:, 0, :1], inner, states[:, -1, -1:]], dim=1)
