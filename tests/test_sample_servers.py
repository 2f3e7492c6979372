"""Painting with a running server: the right calls are made, and whatever it does wrong is one sentence."""

from __future__ import annotations

import base64
import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from graftset.errors import UserError
from graftset.imageio import decode_png
from graftset.records import SamplePrompt
from graftset.sampling import How, Weights, WeightsError, Wish, load_generator
from graftset.sampling.a1111 import literal
from graftset.sampling.comfyui import PLAIN, filled
from graftset.sampling.comfyui import literal as comfyui_literal
from painting_servers import Answer, ComfyUi, Painting, WebUi, as_json, painted, serving

SIDE = 64
PROMPT = SamplePrompt("generic-000", "generic", "a hat (red) [big], 50% <lora:evil:2> \\(x\\)")
PAINTS = {"a1111": "/sdapi/v1/txt2img", "comfyui": "/view"}


def small_lora(path: Path, weights_hash: str = "") -> Path:
    """A LoRA file of one layer, under kohya's names."""
    name = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"
    tensors = {"lora_down.weight": np.ones((2, 768)), "lora_up.weight": np.ones((8, 2)), "alpha": np.ones(())}
    said = {"sshs_model_hash": weights_hash} if weights_hash else None
    save_file({f"{name}.{part}": value.astype(np.float32) for part, value in tensors.items()}, path, metadata=said)
    return path


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    """A LoRA that the servers know."""
    return Weights("0000001", small_lora(tmp_path / "punk-000003.safetensors"), "punk-000003")


@pytest.fixture(params=["a1111", "comfyui"])
def kind(request: pytest.FixtureRequest) -> str:
    """The name of a generator that is a server."""
    return str(request.param)


@pytest.fixture
def painting(kind: str) -> Painting:
    """The server of that kind."""
    loras = ["other", "punk-000003"]
    return WebUi(loras) if kind == "a1111" else ComfyUi(loras)


@pytest.fixture
def url(painting: Painting) -> Iterator[str]:
    """Its address."""
    with serving(painting) as address:
        yield address


def how(url: str, **changes: Any) -> How:
    """A small picture of some model."""
    options = {"model": "sd15.safetensors", "width": SIDE, "height": SIDE, "steps": 4, "timeout": 10.0, **changes}
    return How(url=url, **options)


def paint(kind: str, settings: How, weights: Weights, count: int = 1) -> list[np.ndarray[Any, Any]]:
    """Pictures of one prompt from the seeds 0, 1, ..."""
    with load_generator(kind).open_generator(settings) as generator:
        generator.check(weights)
        wishes = [Wish(PROMPT, seed) for seed in range(count)]
        found = dict(generator.paint(weights, wishes))
        return [found[wish] for wish in wishes]


def refused(kind: str, settings: How, weights: Weights) -> str:
    """The sentence with which painting ends."""
    with pytest.raises(UserError) as caught:
        paint(kind, settings, weights)
    assert not isinstance(caught.value, WeightsError)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_wish_is_one_call_and_gives_its_picture(
    kind: str, painting: Painting, url: str, weights: Weights
) -> None:
    found = paint(kind, how(url), weights, 3)
    assert [picture.shape for picture in found] == [(SIDE, SIDE, 3)] * 3
    assert len({picture.tobytes() for picture in found}) == 3
    assert len(painting.jobs) == 3
    assert all(np.array_equal(a, b) for a, b in zip(found, paint(kind, how(url + "/"), weights, 3), strict=True))


def test_the_web_ui_is_asked_with_the_lora_in_the_prompt(weights: Weights) -> None:
    server = WebUi(["punk-000003"])
    settings = {"lora_scale": 0.8, "negative": "bad (hands)", "sampler": "Euler a"}
    with serving(server) as url:
        (found,) = paint("a1111", how(url, **settings), weights)
    (body,) = server.jobs
    assert body["prompt"] == "a hat \\(red\\) \\[big\\], 50% lora:evil:2 \\(x\\) <lora:punk-000003:0.8>"
    assert body["negative_prompt"] == "bad \\(hands\\)"
    assert (body["seed"], body["steps"], body["cfg_scale"], body["width"], body["height"]) == (0, 4, 7.0, SIDE, SIDE)
    assert (body["batch_size"], body["n_iter"], body["sampler_name"]) == (1, 1, "Euler a")
    assert body["override_settings"] == {"sd_model_checkpoint": "sd15.safetensors"}
    key = f"{body['prompt']}|{body['negative_prompt']}|0|4|7.0"
    assert np.array_equal(found, decode_png(painted(key, SIDE, SIDE)))


def test_comfyui_is_given_the_plain_workflow_filled_in(weights: Weights) -> None:
    server = ComfyUi(["sub/punk-000003", "punk-000003x"], form="options")
    with serving(server) as url:
        paint("comfyui", how(url, lora_scale=0.8, sampler="dpmpp_2m"), weights)
    graph = server.jobs[0]["prompt"]
    assert graph["positive"]["inputs"]["text"] == "a hat \\(red\\) [big], 50% <lora:evil:2> \\(x\\)"
    assert graph["lora"]["inputs"]["lora_name"] == "sub/punk-000003.safetensors"
    assert graph["lora"]["inputs"]["strength_clip"] == 0.8
    assert graph["sampler"]["inputs"] | {"seed": 0, "steps": 4, "cfg": 7.0} == graph["sampler"]["inputs"]
    assert graph["sampler"]["inputs"]["sampler_name"] == "dpmpp_2m"
    assert graph["model"]["inputs"]["ckpt_name"] == "sd15.safetensors"
    assert "%" not in json.dumps(graph).replace("50%", "")


def test_a_workflow_of_ones_own_is_filled_in(tmp_path: Path, weights: Weights) -> None:
    own = json.loads(json.dumps(PLAIN))
    own["positive"]["inputs"]["text"] = "bespoke punk, %prompt%, 100%"
    own["negative"]["inputs"]["text"] = "smooth"
    (tmp_path / "api.json").write_text(json.dumps(own))
    server = ComfyUi(["punk-000003"])
    with serving(server) as url:
        paint("comfyui", how(url, model="", workflow=tmp_path / "api.json"), weights)
    assert server.jobs[0]["prompt"]["positive"]["inputs"]["text"] == (
        "bespoke punk, a hat \\(red\\) [big], 50% <lora:evil:2> \\(x\\), 100%"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("nonsense", "cannot be read"),
        ('{"nodes": [], "links": []}', "is in the editor's format"),
        ('{"1": {"inputs": {}}}', "is not in API format"),
        ("[]", "is not in API format"),
        (json.dumps(PLAIN).replace("%seed%", "7"), "has no %seed%"),
    ],
)
def test_a_workflow_that_cannot_be_used_says_why(tmp_path: Path, weights: Weights, content: str, says: str) -> None:
    (tmp_path / "api.json").write_text(content)
    told = refused("comfyui", how("http://127.0.0.1:9", workflow=tmp_path / "api.json"), weights)
    assert says in told
    assert "Export (API)" in told


def test_placeholders_are_filled_once_whatever_a_prompt_holds() -> None:
    values: dict[str, str | int | float] = {"prompt": "%seed% 5%", "seed": 7}
    assert filled(["%seed%", "a %prompt% b", "100% %x% %seed%", 3], values) == [7, "a %seed% 5% b", "100% %x% 7", 3]


@pytest.mark.parametrize(
    ("text", "sent"),
    [("(a)", r"\(a\)"), (r"\(a\)", r"\(a\)"), (r"\\(a", r"\\\(a"), ("a [b] <3", r"a \[b\] <3"), ("", "")],
)
def test_parentheses_weigh_nothing(text: str, sent: str) -> None:
    assert literal(text) == sent
    assert literal(sent) == sent


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("(a)", r"\(a\)"),
        (r"\(a\)", r"\(a\)"),
        ("a [b] <3", "a [b] <3"),
        ("embedding:evil", "embedding :evil"),
        ("", ""),
    ],
)
def test_parentheses_weigh_nothing_in_comfyui_either(text: str, sent: str) -> None:
    assert comfyui_literal(text) == sent
    assert comfyui_literal(sent) == sent


def test_words_that_command_the_web_ui_are_words() -> None:
    assert literal("red AND blue, BREAK, SANDY ANDROID") == "red and blue, break, SANDY ANDROID"


@pytest.mark.parametrize(
    "name", ["sd15", "sd15.safetensors", "other", "sub/other.safetensors", "sub_other", "new.safetensors"]
)
def test_the_web_ui_is_asked_for_a_model_under_any_name_it_knows(name: str, weights: Weights) -> None:
    server = WebUi(["punk-000003"])
    server.copied = ["new.safetensors"]
    with serving(server) as url:
        paint("a1111", how(url, model=name), weights)
    assert server.jobs[0]["override_settings"] == {"sd_model_checkpoint": name}


def test_a_model_or_sampler_that_the_web_ui_lacks_is_refused_before_it_paints(weights: Weights) -> None:
    server = WebUi(["punk-000003"])
    with serving(server) as url:
        told = refused("a1111", how(url, model="sdxl"), weights)
        assert "no model of this name" in told
        assert "sd15.safetensors, sub/other.safetensors" in told
        server.models = [f"model{number}.safetensors" for number in range(11)]
        assert "and 3 more" in refused("a1111", how(url, model="sdxl"), weights)
        told = refused("a1111", how(url, model="", sampler="DPM++ 2M Karas"), weights)
        assert "no sampler of this name" in told
        assert "DPM++ 2M, Euler a" in told
        assert not server.jobs
        paint("a1111", how(url, model="", sampler="DPM++ 2M Karras"), weights)
        # Versions before 1.9 have no call that lists schedulers.
        server.misbehave = lambda path, number: (
            as_json({"detail": "Not Found"}, 404) if path.endswith("schedulers") else None
        )
        assert "no sampler" in refused("a1111", how(url, model="", sampler="DPM++ 2M Karras"), weights)


def test_a_namesake_with_other_weights_is_refused(kind: str, painting: Painting, url: str, tmp_path: Path) -> None:
    file = small_lora(tmp_path / "punk-000003.safetensors", "a" * 64)
    mine = Weights("0000001", file, "punk-000003")
    painting.hashes["punk-000003"] = "b" * 64
    with load_generator(kind).open_generator(how(url)) as generator:
        with pytest.raises(
            WeightsError, match=r"another LoRA under this name.*bbbbbbbbbbbb.*aaaaaaaaaaaa.*Copy this file"
        ):
            generator.check(mine)
        painting.hashes["punk-000003"] = "a" * 64
    paint(kind, how(url), mine)
    painting.hashes.clear()  # a file without a hash tells nothing
    paint(kind, how(url), mine)


def test_comfyui_forgets_the_weights_that_a_file_had_before(weights: Weights) -> None:
    server = ComfyUi(["punk-000003"])
    with serving(server) as url:
        server.hashes["punk-000003"] = "b" * 64
        (before,) = paint("comfyui", how(url), weights)
        server.hashes["punk-000003"] = "c" * 64
        (after,) = paint("comfyui", how(url), weights)
    assert not np.array_equal(before, after)


def test_a_web_ui_that_saves_with_losses_is_refused(weights: Weights) -> None:
    lossy = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (200, 30, 40)).save(lossy, "JPEG")
    answer = as_json({"images": [base64.b64encode(lossy.getvalue()).decode()]})
    server = WebUi(["punk-000003"])
    server.misbehave = lambda path, number: answer if path == PAINTS["a1111"] else None
    with serving(server) as url:
        told = refused("a1111", how(url), weights)
    assert "with losses" in told
    assert "png" in told


def test_what_comfyui_refuses_is_named_with_its_value(weights: Weights) -> None:
    fault = {"message": "Value not in list", "details": "ckpt_name: 'sdxl' not in ['sd15.safetensors']"}
    rejected = {
        "error": {"message": "Prompt outputs failed validation", "details": ""},
        "node_errors": {"1": {"class_type": "CheckpointLoaderSimple", "errors": [fault]}},
    }
    server = ComfyUi(["punk-000003"])
    server.misbehave = lambda path, number: as_json(rejected, 400) if path == "/prompt" else None
    with serving(server) as url:
        told = refused("comfyui", how(url, model="sdxl"), weights)
    assert "CheckpointLoaderSimple: ckpt_name: 'sdxl' not in ['sd15.safetensors']" in told
    assert "Change what it names (--model" in told


def test_a_lora_that_the_server_lacks_is_refused_with_where_to_copy_it(kind: str, url: str, tmp_path: Path) -> None:
    file = small_lora(tmp_path / "0003200.safetensors")
    with load_generator(kind).open_generator(how(url)) as generator:
        with pytest.raises(WeightsError, match=r"has no LoRA of the name arm-0003200.*as arm-0003200\.safetensors"):
            generator.check(Weights("0003200", file, "arm-0003200"))
        file.write_bytes(file.read_bytes()[:-5])
        with pytest.raises(WeightsError, match="damaged or cut short"):
            generator.check(Weights("0003200", file, "punk-000003"))


def test_no_server_and_no_address_are_one_sentence(kind: str, weights: Weights) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        told = refused(kind, how(f"http://127.0.0.1:{taken.getsockname()[1]}"), weights)
    assert "cannot be reached" in told
    assert "Start it" in told
    assert "no address of a server" in refused(kind, how("127.0.0.1:7860"), weights)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (as_json({"error": "OutOfMemoryError", "errors": "CUDA out of memory"}, 500), "answered 500 to"),
        ((500, b"<html>oops"), "answered 500 to"),
        (as_json({"detail": "Not authenticated"}, 401), "graftset sends none"),
        (as_json({"detail": "Not Found"}, 404), "API switched on"),
        ((200, b"<html>welcome"), "something other than JSON"),
        ("close", "broke off its answer"),
        ("hang", "did not answer within 0.3 s"),
    ],
)
def test_a_server_that_fails_at_the_first_call_is_one_sentence(
    kind: str, painting: Painting, url: str, weights: Weights, answer: Answer | str, says: str
) -> None:
    painting.misbehave = lambda path, number: answer
    assert says in refused(kind, how(url, timeout=0.3), weights)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (as_json({"error": {"message": "CUDA out of memory"}}, 500), ": CUDA out of memory"),
        ("hang", "did not answer within 0.5 s"),
        ("drip", "did not answer within 0.5 s"),
        ("cut", "broke off its answer"),
        ("close", "broke off its answer"),
        ((200, b""), ""),
        ((200, b"\x89PNG\r\n\x1a\n garbage"), ""),
        (as_json({"images": []}), ""),
        (as_json({"images": ["!!!"]}), ""),
        (as_json({"images": ["aGVsbG8="]}), "sent a picture that cannot be read"),
        (as_json([1]), ""),
    ],
)
def test_a_server_that_fails_while_it_paints_is_one_sentence(
    kind: str, painting: Painting, url: str, weights: Weights, answer: Answer | str, says: str
) -> None:
    painting.misbehave = lambda path, number: answer if path == PAINTS[kind] else None
    told = refused(kind, how(url, timeout=0.5), weights)
    assert says in told
    assert url in told


def test_a_workflow_that_fails_or_never_ends_is_one_sentence(weights: Weights) -> None:
    server = ComfyUi(["punk-000003"])
    server.failing = True
    with serving(server) as url:
        assert "failed at the workflow in KSampler: CUDA out of memory" in refused("comfyui", how(url), weights)
        server.misbehave = lambda path, number: as_json({}) if path.startswith("/history") else None
        assert "did not answer within 0.4 s" in refused("comfyui", how(url, timeout=0.4), weights)
        entry = {"outputs": {}, "status": {"status_str": "success", "completed": True}}
        server.misbehave = lambda path, number: (
            as_json({path.rpartition("/")[2]: entry}) if path.startswith("/history") else None
        )
        assert "without a picture" in refused("comfyui", how(url), weights)
        rejected = {"error": {"message": "Prompt outputs failed validation"}, "node_errors": {}}
        server.misbehave = lambda path, number: as_json(rejected, 400) if path == "/prompt" else None
        assert "answered 400 to /prompt: Prompt outputs failed validation" in refused("comfyui", how(url), weights)
        assert "The base model is not named" in refused("comfyui", how(url, model=""), weights)
