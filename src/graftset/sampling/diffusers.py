"""Paints with SD 1.5 or SDXL and a LoRA of kohya's, by the diffusers library, in this process.

Every picture has a random generator of its own, on the CPU whatever computes, so that neither its neighbors in a batch
nor the machine decide what it shows. LoRAs are laid beside the base weights and taken off again, never added into them:
in half precision, adding and subtracting ten of them one after the other would leave their rounding behind.
"""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from graftset.sampling.devices import (
    MOST,
    MOST_ON_CPU,
    batch_size,
    choose_device,
    choose_dtype,
    free_memory,
    in_batches,
)
from graftset.sampling.encoding import Encoded, encode
from graftset.sampling.job import U8, How, Weights, WeightsError, Wish
from graftset.sampling.loras import LoraFile, read_lora
from graftset.sampling.pipelines import Model, find_model, first_line, kind_of, load_pipeline
from graftset.tokens import token_count

_ADAPTER = "checkpoint"
_DEFAULT_PX = {False: 512, True: 1024}  # side of a picture, by whether the model is SDXL
_LIBRARIES = ("diffusers", "transformers", "peft")


@contextmanager
def open_generator(how: How) -> Iterator[Pipelines]:
    """Find the model; it is loaded when the first checkpoint is painted.

    Raises:
        UserError: There is no such model or device, or parts of the model are missing.
    """
    device = choose_device(how.device)
    model = find_model(how)
    with _quiet():
        painter = Pipelines(model, how, device, choose_dtype(how.precision, device))
        if model.is_xl is None:
            painter.load()  # a model of the hub says what it is when it is there
        try:
            yield painter
        finally:
            painter.close()


class Pipelines:
    """One base model, with the LoRA of one checkpoint after the other.

    Args:
        model: The base model.
        how: How to paint.
        device: Where to compute.
        dtype: What to compute in.
    """

    def __init__(self, model: Model, how: How, device: torch.device, dtype: torch.dtype) -> None:
        self._model, self._device, self._dtype = model, device, dtype
        self._how = self._sized(how)
        self._pipe: Any = None
        self._notes: list[str] = []

    @property
    def facts(self) -> Mapping[str, str]:
        """What decides how pictures look."""
        how = self._how
        return {
            "model": f"{self._model.name} {self._model.digest}".strip(),
            "size": f"{how.width}x{how.height}",
            "steps": str(how.steps),
            "scale": f"{how.scale:g}",
            "negative": how.negative,
            "sampler": how.sampler,
            "lora_scale": f"{how.lora_scale:g}",
            "precision": str(self._dtype).removeprefix("torch."),
        }

    @property
    def notes(self) -> Sequence[str]:
        """What its user should know."""
        return self._notes

    def load(self) -> Any:
        """The pipeline, loaded once."""
        if self._pipe is None:
            self._pipe = load_pipeline(self._model, self._how, self._device, self._dtype)
            if self._model.is_xl is None:
                width = int(self._pipe.unet.config.cross_attention_dim)
                is_xl = getattr(self._pipe, "text_encoder_2", None) is not None
                self._model = replace(self._model, is_xl=is_xl, text_width=width)
                self._how = self._sized(self._how)
        return self._pipe

    def check(self, weights: Weights) -> None:
        """Refuse a LoRA that is damaged or was trained on another kind of model."""
        lora = read_lora(weights.file)
        of_xl = any(name.startswith(("lora_te1_", "lora_te2_")) for name in lora.modules)
        of_one = any(name.startswith("lora_te_") for name in lora.modules)
        other_width = lora.text_width is not None and lora.text_width != self._model.text_width
        if other_width or (of_xl and not self._model.is_xl) or (of_one and self._model.is_xl):
            trained = kind_of(lora.text_width) if lora.text_width else "SDXL" if of_xl else "SD 1.5"
            raise WeightsError(
                f"This LoRA was trained on {trained}, and {self._model.name} is {self._model.kind}",
                field="lora",
                value=str(weights.file),
                remedy=f"Name {trained} as the base model with --model",
            )

    def paint(self, weights: Weights, wishes: Sequence[Wish]) -> Iterator[tuple[Wish, U8]]:
        """Paint every wish with one LoRA, in batches that memory holds."""
        if not wishes:
            return
        lora, pipe = read_lora(weights.file), self.load()
        self._put_on(pipe, lora)
        try:
            texts = list(dict.fromkeys(wish.prompt.text for wish in wishes))
            self._note_cuts(texts, lora.token_limit)
            place = {text: number for number, text in enumerate(texts)}
            limit, skip = lora.token_limit, lora.clip_skip
            asked = _encode_all(pipe, texts, limit=limit, clip_skip=skip)
            guided = self._how.scale > 1
            against = encode(pipe, [self._how.negative], limit=limit, clip_skip=skip) if guided else None

            def run(some: list[Wish]) -> list[U8]:
                return self._pictures(pipe, some, asked.take([place[wish.prompt.text] for wish in some]), against)

            for wish, picture in in_batches(wishes, self._batch(pipe), run):
                if picture is None:
                    raise WeightsError(
                        "With this LoRA the model paints what is no number",
                        field="lora",
                        value=str(weights.file),
                        remedy='Set precision = "float32" under [sampling]; where that changes nothing, its training '
                        "went astray and an earlier checkpoint is needed",
                    )
                yield wish, picture
        finally:
            pipe.unload_lora_weights()

    def close(self) -> None:
        """Let the model go."""
        self._pipe = None
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _sized(self, how: How) -> How:
        if self._model.is_xl is None:
            return how
        side = _DEFAULT_PX[self._model.is_xl]
        return replace(how, width=how.width or side, height=how.height or how.width or side)

    def _put_on(self, pipe: Any, lora: LoraFile) -> None:
        """Lay a LoRA beside the base weights, and see that every layer of it found its place."""
        try:
            tensors = load_file(str(lora.path))
            if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
                raise WeightsError(
                    "This LoRA holds weights that are no numbers",
                    field="lora",
                    value=str(lora.path),
                    remedy="Its training went astray: use an earlier checkpoint",
                )
            pipe.load_lora_weights(tensors, adapter_name=_ADAPTER)
            pipe.set_adapters([_ADAPTER], [self._how.lora_scale])
        except (OSError, SafetensorError, ValueError, RuntimeError, KeyError, IndexError, TypeError) as error:
            pipe.unload_lora_weights()
            raise WeightsError(
                f"This LoRA does not fit {self._model.name}: {first_line(error)}",
                field="lora",
                value=str(lora.path),
                remedy="Name the base model it was trained on with --model",
            ) from error
        found = _changed_layers(pipe)
        if found != len(lora.modules):
            pipe.unload_lora_weights()
            raise WeightsError(
                f"Of this LoRA's {len(lora.modules)} layers only {found} have a place in {self._model.name}",
                field="lora",
                value=str(lora.path),
                remedy="Name the base model it was trained on with --model",
            )

    def _note_cuts(self, texts: Sequence[str], limit: int) -> None:
        cut = sum(token_count(text) > limit for text in texts)
        note = f"{cut} of {len(texts)} prompts are longer than the {limit} tokens that this LoRA was trained to read."
        if cut and note not in self._notes:
            self._notes.append(note)

    def _batch(self, pipe: Any) -> int:
        if self._how.batch:
            return self._how.batch
        return batch_size(
            free=free_memory(self._device),
            width=self._how.width,
            height=self._how.height,
            channels=int(pipe.unet.config.block_out_channels[0]),
            bytes_each=self._dtype.itemsize,
            guided=self._how.scale > 1,
            most=MOST_ON_CPU if self._device.type == "cpu" else MOST,
        )

    def _pictures(self, pipe: Any, some: Sequence[Wish], asked: Encoded, against: Encoded | None) -> list[Any]:
        """The pictures of one batch; None for one that is no number."""
        how, count = self._how, len(some)
        given: dict[str, Any] = {"prompt_embeds": asked.texts}
        if asked.pooled is not None:
            given["pooled_prompt_embeds"] = asked.pooled
        if against is not None:
            given["negative_prompt_embeds"] = against.texts.expand(count, -1, -1)
            if against.pooled is not None:
                given["negative_pooled_prompt_embeds"] = against.pooled.expand(count, -1)
        painted: np.ndarray[Any, Any] = pipe(
            **given,
            width=how.width,
            height=how.height,
            num_inference_steps=how.steps,
            guidance_scale=how.scale,
            generator=[torch.Generator("cpu").manual_seed(wish.seed) for wish in some],
            output_type="np",
        ).images  # float32 [count, H, W, 3], 0-1
        return [np.rint(picture * 255).astype(np.uint8) if np.isfinite(picture).all() else None for picture in painted]


def _encode_all(pipe: Any, texts: Sequence[str], *, limit: int, clip_skip: int | None, at_once: int = 16) -> Encoded:
    """Encode many prompts, a few at a time."""
    parts = [
        encode(pipe, texts[start : start + at_once], limit=limit, clip_skip=clip_skip)
        for start in range(0, len(texts), at_once)
    ]
    pooled = [part.pooled for part in parts if part.pooled is not None]
    return Encoded(torch.cat([part.texts for part in parts]), torch.cat(pooled) if pooled else None)


def _changed_layers(pipe: Any) -> int:
    """How many layers of a pipeline have the LoRA beside them."""
    parts = [getattr(pipe, name, None) for name in ("unet", "text_encoder", "text_encoder_2")]
    return sum(
        _ADAPTER in getattr(module, "lora_A", ()) for part in parts if part is not None for module in part.modules()
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' bars and warnings off the screen: what matters of them is said in sentences here."""
    from diffusers.utils import logging as of_diffusers
    from transformers.utils import logging as of_transformers

    loggers = [logging.getLogger(name) for name in _LIBRARIES]
    levels = [logger.level for logger in loggers]
    of_diffusers.disable_progress_bar()
    of_transformers.disable_progress_bar()
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        of_diffusers.enable_progress_bar()
        of_transformers.enable_progress_bar()
