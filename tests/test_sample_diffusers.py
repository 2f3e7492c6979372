"""Painting with Stable Diffusion and a LoRA: the pictures are those of the weights, whatever is painted beside them."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from graftset.errors import UserError
from graftset.records import SamplePrompt
from graftset.sampling import How, Weights, WeightsError, Wish, read_lora
from graftset.sampling.diffusers import open_generator
from graftset.sampling.encoding import encode, token_ids
from graftset.sampling.job import U8
from tiny_pipelines import add_by_hand, load, lora_layers, make_lora, make_pipeline

STEPS, SCALE, SIDE = 2, 7.0, 64
TEXTS = ("a red cat", "a blue dog, hat", "x")
PROMPTS = tuple(SamplePrompt(f"generic-{n:03d}", "generic", text) for n, text in enumerate(TEXTS))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """More threads than cores that are free make tiny networks slower by far."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=["sd15", "sdxl"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny pipeline with a LoRA beside it."""
    return make_base(tmp_path_factory.mktemp(request.param), xl=request.param == "sdxl")


@pytest.fixture(scope="module")
def sd15(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny pipeline of SD 1.5 with a LoRA beside it."""
    return make_base(tmp_path_factory.mktemp("sd15"), xl=False)


def make_base(root: Path, *, xl: bool) -> Path:
    """`model/` and two LoRAs, the second of another training."""
    folder = make_pipeline(root / "model", xl=xl)
    layers = lora_layers(load(folder))
    for seed in (0, 1):
        make_lora(root / f"lora{seed}.safetensors", layers, seed=seed)
    return folder


def how(folder: Path, **changes: Any) -> How:
    """Few steps at a small size."""
    options = {"width": SIDE, "height": SIDE, "steps": STEPS, "scale": SCALE, "device": "cpu", **changes}
    return How(model=str(folder), **options)


def weights(folder: Path, number: int = 0) -> Weights:
    """A LoRA beside a pipeline."""
    return Weights("0000001", folder.parent / f"lora{number}.safetensors", f"lora{number}")


def wishes(seeds: Sequence[int] = (0, 1)) -> list[Wish]:
    """Every prompt from every seed."""
    return [Wish(prompt, seed) for prompt in PROMPTS for seed in seeds]


def painted(settings: How, used: Weights, wanted: Sequence[Wish]) -> list[U8]:
    """Pictures in the order of their wishes."""
    with open_generator(settings) as generator:
        generator.check(used)
        found = dict(generator.paint(used, wanted))
    return [found[wish] for wish in wanted]


def plain(pipe: Any, wish: Wish) -> U8:
    """The picture that diffusers' own loop paints of a wish."""
    pipe.set_progress_bar_config(disable=True)
    image = pipe(
        wish.prompt.text, negative_prompt="", width=SIDE, height=SIDE, num_inference_steps=STEPS, guidance_scale=SCALE,
        generator=torch.Generator().manual_seed(wish.seed), output_type="np",
    ).images[0]  # fmt: skip
    return np.asarray(np.rint(image * 255), dtype=np.uint8)


def apart(one: U8, other: U8) -> int:
    """The largest difference of two pictures, in 8-bit levels."""
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_a_lora_paints_what_its_weights_added_by_hand_paint(base: Path) -> None:
    wanted, scale = [Wish(PROMPTS[0], 0), Wish(PROMPTS[0], 1), Wish(PROMPTS[1], 0)], 0.7
    found = painted(how(base, lora_scale=scale), weights(base), wanted)
    pipe = load(base)
    without = [plain(pipe, wish) for wish in wanted]
    add_by_hand(pipe, load_file(weights(base).file), scale)
    expected = [plain(pipe, wish) for wish in wanted]
    assert max(apart(a, b) for a, b in zip(found, expected, strict=True)) <= 1
    assert min(apart(a, b) for a, b in zip(found, without, strict=True)) > 20
    assert min(apart(found[0], other) for other in found[1:]) > 1


def test_a_picture_is_the_same_in_any_batch(sd15: Path) -> None:
    wanted = wishes()
    alone = painted(how(sd15, batch=1), weights(sd15), wanted)
    together = painted(how(sd15, batch=4), weights(sd15), wanted)
    assert max(apart(a, b) for a, b in zip(alone, together, strict=True)) <= 1
    some = painted(how(sd15, batch=2), weights(sd15), wanted[3:][::-1])
    assert max(apart(a, b) for a, b in zip(alone[3:], some[::-1], strict=True)) <= 1


def test_one_checkpoint_leaves_nothing_behind_for_the_next(sd15: Path) -> None:
    wanted = wishes((0,))[:2]
    with open_generator(how(sd15)) as generator:
        first, second, again = (
            [picture for _, picture in generator.paint(weights(sd15, number), wanted)] for number in (0, 1, 0)
        )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(apart(a, b) > 10 for a, b in zip(first, second, strict=True))


def test_short_prompts_are_encoded_as_diffusers_does(base: Path) -> None:
    pipe = load(base)
    ours = encode(pipe, TEXTS, limit=75, clip_skip=None)
    theirs = pipe.encode_prompt(list(TEXTS), device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False)
    assert torch.allclose(ours.texts, theirs[0], atol=1e-6)
    if ours.pooled is not None:
        assert torch.allclose(ours.pooled, theirs[2], atol=1e-6)
        return
    skipped = encode(pipe, TEXTS, limit=75, clip_skip=2).texts
    pipe.text_encoder.encoder.layers = pipe.text_encoder.encoder.layers[:-1]  # what it means to leave one out
    assert torch.allclose(skipped, encode(pipe, TEXTS, limit=75, clip_skip=None).texts, atol=1e-6)
    assert not torch.allclose(skipped, ours.texts)


def test_long_prompts_are_read_in_chunks_of_75(base: Path) -> None:
    pipe = load(base)
    long = "ab " * 60 + "cd"  # two tokens a word here
    one, three = (encode(pipe, [long], limit=limit, clip_skip=None).texts for limit in (75, 225))
    assert (one.shape[1], three.shape[1]) == (77, 227)
    assert torch.allclose(one[:, :76], three[:, :76], atol=1e-6)
    other = encode(pipe, ["ab " * 60 + "ce"], limit=225, clip_skip=None).texts
    assert not torch.allclose(three, other)
    assert torch.equal(one, encode(pipe, ["ab " * 60 + "ce"], limit=75, clip_skip=None).texts)
    ids = token_ids(pipe.tokenizer, [long], 225).tolist()
    begin, end = pipe.tokenizer.bos_token_id, pipe.tokenizer.eos_token_id
    assert [(row[0], row[-1], len(row)) for row in ids] == [(begin, end, 77)] * 3
    whole = pipe.tokenizer(long).input_ids[1:-1]
    assert [token for row in ids for token in row[1:-1] if token != end] == whole


def test_what_the_lora_was_trained_to_read_is_read(sd15: Path, tmp_path: Path) -> None:
    prompt = SamplePrompt("generic-000", "generic", "a very long caption " * 12 + "red")
    other = SamplePrompt("generic-001", "generic", "a very long caption " * 12 + "tan")
    pictures = {}
    for limit in ("None", "225"):
        folder = tmp_path / limit
        shutil.copytree(sd15, folder / "model")
        layers = lora_layers(load(sd15))
        make_lora(folder / "lora0.safetensors", layers, said={"ss_max_token_length": limit, "ss_clip_skip": "None"})
        with open_generator(how(folder / "model")) as generator:
            found = generator.paint(weights(folder / "model"), [Wish(prompt, 0), Wish(other, 0)])
            pictures[limit] = [picture for _, picture in found]
            notes = list(generator.notes)
    assert np.array_equal(*pictures["None"])
    assert not np.array_equal(*pictures["225"])
    assert notes == []


def refused(settings: How, used: Weights) -> str:
    """The sentence with which weights are refused, before or while they paint."""
    with pytest.raises(WeightsError) as caught:
        painted(settings, used, wishes((0,))[:1])
    return str(caught.value)


def test_files_that_are_no_usable_lora_are_one_sentence(sd15: Path, tmp_path: Path) -> None:
    layers, good = lora_layers(load(sd15)), weights(sd15).file.read_bytes()

    def lora(data: bytes) -> Weights:
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.safetensors"
        file.write_bytes(data)
        return Weights("0000001", file, "x")

    def changed(change: Any) -> Weights:
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.safetensors"
        make_lora(file, layers, change=change)
        return Weights("0000001", file, "x")

    settings = how(sd15)
    assert "is not there" in refused(settings, Weights("0000001", tmp_path / "none.safetensors", "x"))
    for data in (b"", b"\x00" * 64, good[: len(good) // 2], good[:-1], good[:4], b"<html>" * 100):
        with pytest.raises(WeightsError, match="damaged or cut short"):
            read_lora(lora(data).file)
    assert "damaged or cut short" in refused(settings, lora(good[:-1]))
    model = (sd15 / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()
    assert "is no LoRA" in refused(settings, lora(model))
    key = "lora_unet_mid_block_attentions_0_proj_in"
    assert "is no LoRA" in refused(settings, changed(lambda t: t.update({f"{key}.hada_w1_a": torch.ones(2)})))
    first = next(iter(layers))

    def spoiled(tensors: dict[str, torch.Tensor]) -> None:
        tensors[f"{first}.lora_up.weight"][0, 0] = torch.nan

    assert "holds weights that are no numbers" in refused(settings, changed(spoiled))

    def elsewhere(tensors: dict[str, torch.Tensor]) -> None:
        for part in ("lora_down.weight", "lora_up.weight", "alpha"):
            tensors[f"lora_unet_nowhere_to_q.{part}"] = tensors[f"{first}.{part}"].clone()

    told = refused(settings, changed(elsewhere))
    assert f"Of this LoRA's {len(layers) + 1} layers only {len(layers)} have a place" in told or "does not fit" in told

    def wider(tensors: dict[str, torch.Tensor]) -> None:
        tensors[f"{first}.lora_up.weight"] = torch.ones(999, 4)

    assert "does not fit model" in refused(settings, changed(wider))
    assert len(painted(settings, weights(sd15), wishes((0,))[:1])) == 1  # and nothing of it stays


def test_a_lora_of_another_base_model_is_refused_before_anything_is_loaded(
    sd15: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_pipeline(tmp_path / "xl", xl=True)
    make_lora(tmp_path / "xl.safetensors", lora_layers(load(other)))
    monkeypatch.setattr("graftset.sampling.diffusers.load_pipeline", lambda *_: pytest.fail("loaded"))
    told = refused(how(sd15), Weights("0000001", tmp_path / "xl.safetensors", "x"))
    assert "was trained on a model of text width 64, and model is a model of text width 32" in told
    assert "--model" in told
    assert "was trained on" in refused(how(other), weights(sd15))
    encoders = {name: layer for name, layer in lora_layers(load(other)).items() if name.startswith("lora_te")}
    make_lora(tmp_path / "te.safetensors", encoders)
    assert "was trained on SDXL" in refused(how(sd15), Weights("0000001", tmp_path / "te.safetensors", "x"))


def unusable(settings: How) -> str:
    """The sentence with which a model is refused."""
    with pytest.raises(UserError) as caught:
        painted(settings, weights(Path(settings.model)), wishes((0,))[:1])
    assert not isinstance(caught.value, WeightsError)
    return str(caught.value)


def test_models_that_cannot_be_used_say_what_is_missing(sd15: Path, tmp_path: Path) -> None:
    def without(*names: str) -> Path:
        folder = tmp_path / f"m{len(list(tmp_path.iterdir()))}" / "model"
        shutil.copytree(sd15, folder)
        shutil.copy(weights(sd15).file, folder.parent)
        for name in names:
            (folder / name).unlink()
        return folder

    assert "The base model is not named" in unusable(How())
    assert "no such model here, and the hub is not asked" in unusable(How(model="someone/some-model"))
    assert "lacks model_index.json" in unusable(how(without("model_index.json")))
    assert "lacks tokenizer." in unusable(how(without("tokenizer/tokenizer.json"))).replace(" (", ". (", 1)
    weight = "unet/diffusion_pytorch_model.safetensors"
    assert "lacks unet/*.safetensors" in unusable(how(without(weight)))
    assert "lacks vae, scheduler" in unusable(how(without("scheduler/scheduler_config.json", "vae/config.json")))
    broken = without()
    (broken / weight).write_bytes((broken / weight).read_bytes()[:1000])
    assert "The model cannot be loaded" in unusable(how(broken))
    foreign = without()
    (foreign / "model_index.json").write_text('{"_class_name": "FluxPipeline"}')
    assert "This is a FluxPipeline" in unusable(how(foreign))
    assert "no such scheduler" in unusable(how(without(), sampler="Euler a"))
    assert "no such kind of device" in unusable(how(without(), device="abacus"))


def test_a_single_file_says_that_it_needs_its_configs(sd15: Path, tmp_path: Path) -> None:
    pickled = tmp_path / "model.ckpt"
    pickled.write_bytes(b"\x80\x04")
    assert "may run code" in unusable(How(model=str(pickled)))
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"nothing")
    assert "damaged or cut short" in unusable(How(model=str(file)))
    save_file({"lora.up": torch.ones(2)}, file)
    assert "no whole Stable Diffusion model" in unusable(How(model=str(file)))
    layer = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
    save_file({layer: torch.ones(32, 768)}, file)
    told = unusable(How(model=str(file)))
    assert "holds weights only, and nothing is fetched from a hub" in told
    assert "tokenizer" in told
    told = unusable(How(model=str(file), config=str(sd15)))
    assert "The configs are of a model of text width 32, the file is SD 1.5" in told
    assert "lacks model_index.json" in unusable(How(model=str(file), config=str(tmp_path)))


def test_no_hub_is_ever_asked(sd15: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("somebody asks the network")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    assert len(painted(how(sd15), weights(sd15), wishes((0,)))) == len(PROMPTS)


def test_another_scheduler_and_no_guidance_paint_too(sd15: Path) -> None:
    usual = painted(how(sd15), weights(sd15), wishes((0,))[:1])
    other = painted(how(sd15, sampler="DDIMScheduler"), weights(sd15), wishes((0,))[:1])
    unguided = painted(how(sd15, scale=1.0), weights(sd15), wishes((0,))[:1])
    assert apart(usual[0], other[0]) > 1
    assert apart(usual[0], unguided[0]) > 1
    with open_generator(how(sd15)) as one, open_generator(how(sd15, scale=1.0, batch=3)) as second:
        different = {key for key in one.facts if one.facts[key] != second.facts[key]}
    assert different == {"scale"}
