"""Every generator of the table keeps the same promises, and pictures are reduced to the native grid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftset.errors import EmptyInputError, UserError
from graftset.pixels.grid import from_native
from graftset.records import SamplePrompt
from graftset.sampling import GENERATORS, How, Weights, WeightsError, Wish, find_loras, load_generator, read_lora
from graftset.sampling.reducing import reduced
from painting_servers import ComfyUi, WebUi, serving
from test_sample_servers import small_lora

WISHES = [Wish(SamplePrompt(f"generic-{n:03d}", "generic", f"person {n}"), seed) for n in range(2) for seed in (0, 3)]


@pytest.fixture(params=sorted(GENERATORS))
def ready(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, How, Weights]]:
    """A generator with settings and weights that it can paint with."""
    name = str(request.param)
    if name in ("a1111", "comfyui"):
        server = WebUi(["lora"]) if name == "a1111" else ComfyUi(["lora"])
        with serving(server) as url:
            weights = Weights("1", small_lora(tmp_path / "lora.safetensors"), "lora")
            yield name, How(model="sd15", url=url, width=64, height=64, steps=2), weights
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    if name == "native":
        from graftset.train.native import train
        from training_sets import job

        train(job(tmp_path / "run", steps=1))
        (file,) = (tmp_path / "run" / "checkpoints").glob("*.safetensors")
        yield name, How(device="cpu"), Weights("1", file, "x")
    else:
        from tiny_pipelines import load, lora_layers, make_lora, make_pipeline

        make_pipeline(tmp_path / "model")
        make_lora(tmp_path / "lora.safetensors", lora_layers(load(tmp_path / "model")))
        how = How(model=str(tmp_path / "model"), width=64, height=64, steps=2, device="cpu")
        yield name, how, Weights("1", tmp_path / "lora.safetensors", "lora")
    torch.set_num_threads(threads)


def test_a_generator_paints_every_wish_once_and_the_same_again(ready: tuple[str, How, Weights], tmp_path: Path) -> None:
    name, how, weights = ready
    with load_generator(name).open_generator(how) as generator:
        generator.check(weights)
        found = list(generator.paint(weights, WISHES))
        facts = dict(generator.facts)
        some = dict(generator.paint(weights, WISHES[1:3]))
        bad = tmp_path / "bad.safetensors"
        bad.write_bytes(weights.file.read_bytes()[:-1])
        with pytest.raises(WeightsError):
            generator.check(Weights("2", bad, "lora"))
        assert list(generator.paint(weights, [])) == []
    assert sorted(map(id, (wish for wish, _ in found))) == sorted(map(id, WISHES))
    pictures: dict[Wish, Any] = dict(found)
    assert {(p.dtype, p.ndim, p.shape[2]) for p in pictures.values()} == {(np.dtype(np.uint8), 3, 3)}
    assert len({p.shape for p in pictures.values()}) == 1
    assert len({p.tobytes() for p in pictures.values()}) == len(WISHES)
    assert all(np.abs(pictures[wish].astype(int) - p).max() <= 1 for wish, p in some.items())
    assert all(isinstance(value, str) for value in facts.values())
    assert not {"device", "batch", "url"} & facts.keys()


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_a_generator_whose_library_is_missing_says_how_to_install_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    with pytest.raises(UserError, match=r"needs \w+, which is not installed.*pip install 'graftset\["):
        load_generator(name)


@given(st.integers(8, 32), st.integers(8, 32), st.integers(0, 1000), st.sampled_from([192, 256, 512, 576]))
def test_enlarged_pictures_are_reduced_to_what_they_were(width: int, height: int, seed: int, side: int) -> None:
    native = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    larger = from_native(native, side, round(side * height / width))
    assert np.array_equal(reduced(larger, width, height), native)
    assert reduced(native, width, height) is native


def test_what_has_no_grid_is_divided_evenly() -> None:
    flat = np.full((96, 96, 3), 7, dtype=np.uint8)
    assert reduced(flat, 24, 24).tolist() == np.full((24, 24, 3), 7).tolist()
    noise = np.random.default_rng(0).integers(0, 256, (90, 130, 3), dtype=np.uint8)
    assert reduced(noise, 24, 32).shape == (32, 24, 3)
    assert reduced(noise[:40, :40], 24, 24).shape == (24, 24, 3)


def test_lora_files_stand_in_the_order_in_which_they_were_saved(tmp_path: Path) -> None:
    names = ["a-b-000010", "a-b-000002", "a-b", "a-b-step00000300", "a-b-step00000100"]
    for name in names:
        small_lora(tmp_path / f"{name}.safetensors")
    (tmp_path / "a-b-000002-state").mkdir()
    (tmp_path / ".part.safetensors").write_bytes(b"")
    expected = ["a-b-000002", "a-b-000010", "a-b-step00000100", "a-b-step00000300", "a-b"]
    assert [file.stem for file in find_loras(tmp_path)] == expected
    with pytest.raises(EmptyInputError, match="no LoRA file"):
        find_loras(tmp_path / "a-b-000002-state")


def test_metadata_is_believed_where_it_says_something(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    file = small_lora(tmp_path / "x.safetensors")
    bare = read_lora(file)
    assert (bare.base, bare.epoch, bare.step, bare.images_seen, bare.token_limit) == ("sd15", None, None, None, 75)
    said = {"ss_steps": "30", "ss_batch_size_per_device": "4", "ss_gradient_accumulation_steps": "2", "ss_seed": "None"}
    save_file(load_file(file), file, metadata=said | {"ss_max_token_length": "225", "ss_clip_skip": "2"})
    lora = read_lora(file)
    assert (lora.step, lora.images_seen, lora.seed, lora.token_limit, lora.clip_skip) == (30, 240, None, 225, 2)
    save_file(load_file(file), file, metadata=said | {"ss_epoch": "3", "ss_num_train_images": "50"})
    assert read_lora(file).images_seen == 150
