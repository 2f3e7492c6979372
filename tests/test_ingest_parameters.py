"""What AUTOMATIC1111 and Forge write into images is read as they would read it."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graftset.ingest.parameters import parse_parameters, read_embedded
from graftset.records import Provenance

FORGE = """a lady, brown hair,
blue eyes <lora:portraits v2:0.8> <lyco:pixel:1:0.5>, green background
Negative prompt: blurry, (worst quality:1.4)
Steps: none of them
Steps: 28, Sampler: DPM++ 2M SDE, Schedule type: Karras, CFG scale: 6.5, Seed: 18446744073709551615, Size: 512x768, \
Model hash: 19bbe9faa4, Model: "model, custom", Clip skip: 2, Lora hashes: "portraits v2: aaeb, pixel: a95a", \
Hashes: {"model": "19bb", "lora:pixel": "a95a"}, Version: f2.0.1v1.10.1"""


def test_every_part_of_a_forge_image_is_read() -> None:
    prompt, provenance = parse_parameters(FORGE)
    assert prompt == "a lady, brown hair, blue eyes, green background"
    assert provenance == Provenance(
        negative_prompt="blurry, (worst quality:1.4) Steps: none of them",
        seed=2**64 - 1,
        steps=28,
        cfg_scale=6.5,
        sampler="DPM++ 2M SDE",
        model="model, custom",
        loras=("portraits v2:0.8", "pixel:1:0.5"),
        extra={
            "Schedule type": "Karras",
            "Size": "512x768",
            "Model hash": "19bbe9faa4",
            "Clip skip": "2",
            "Lora hashes": "portraits v2: aaeb, pixel: a95a",
            "Hashes": '{"model": "19bb", "lora:pixel": "a95a"}',
            "Version": "f2.0.1v1.10.1",
        },
    )


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("a lady", "a lady"),
        ("", None),
        ("\n\n", None),
        ("Negative prompt: blurry\nSteps: 5, Seed: 1", None),
        ("a lady\nSteps: 5", "a lady"),
        ("a lady\r\nSteps: 5, Seed: 1\r\n", "a lady"),
        ("lighting: soft, mood: calm, style: pixel", "lighting: soft, mood: calm, style: pixel"),
        ("Steps: of a temple", "Steps: of a temple"),
        ("(Steps: 12), a lady", "(Steps: 12), a lady"),
        ("a lady, <lora:x:1>, hat", "a lady, hat"),
        ("<lora:x:1>, a lady", "a lady"),
        ("a lady <lora:x:1>", "a lady"),
        ("a <LoRA:x:1> lady", "a lady"),
        ("a lady, <lora:x:1><lora:y:1>", "a lady"),
        ("a lady,, hat,", "a lady,, hat,"),
        ("a < b, <b>", "a < b, <b>"),
    ],
)
def test_the_prompt_is_told_from_the_rest(text: str, prompt: str | None) -> None:
    assert parse_parameters(text)[0] == prompt


def test_numbers_that_are_none_stay_as_text() -> None:
    line = "Steps: many, Seed: -1, CFG scale: nan, Sampler: Euler, Model: x, Clip skip: " + "9" * 30
    _, provenance = parse_parameters("a lady\n" + line)
    assert (provenance.steps, provenance.seed, provenance.cfg_scale, provenance.sampler) == (None, None, None, "Euler")
    assert provenance.extra == {"Steps": "many", "Seed": "-1", "CFG scale": "nan", "Clip skip": "9" * 30}


def quoted(value: str) -> str:
    """Quote as `infotext_utils.quote` of the web UI does."""
    return json.dumps(value, ensure_ascii=False) if any(mark in value for mark in ',\n:"') else value


words = st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=8)
phrases = st.lists(words, min_size=1, max_size=3).map(" ".join)
prompts = st.lists(phrases, min_size=1, max_size=5).map(", ".join)
values = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=20).filter(
    lambda value: value.strip() == value and value[0] not in "{["
)


@given(
    prompt=prompts,
    negative=prompts | st.none(),
    loras=st.lists(words, max_size=3),
    seed=st.integers(0, 2**64 - 1),
    steps=st.integers(1, 150),
    cfg=st.floats(1, 30),
    sampler=phrases,
    model=values,
    version=values,
)
@settings(deadline=None)
def test_what_the_web_ui_writes_reads_back(
    prompt: str,
    negative: str | None,
    loras: list[str],
    seed: int,
    steps: int,
    cfg: float,
    sampler: str,
    model: str,
    version: str,
) -> None:
    tags = "".join(f" <lora:{name}:0.8>" for name in loras)
    fields = {"Steps": steps, "Sampler": sampler, "CFG scale": cfg, "Seed": seed, "Model": model, "Version": version}
    settings_line = ", ".join(f"{key}: {quoted(str(value))}" for key, value in fields.items())
    lines = [prompt + tags, *([f"Negative prompt: {negative}"] if negative else []), settings_line]
    assert parse_parameters("\n".join(lines)) == (
        prompt,
        Provenance(
            negative_prompt=negative,
            seed=seed,
            steps=steps,
            cfg_scale=cfg,
            sampler=sampler,
            model=model,
            loras=tuple(f"{name}:0.8" for name in loras),
            extra={"Version": version},
        ),
    )


@given(st.text() | st.text('aS:, \n"\\{[<>lora0tepsN'))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_without_an_error_into_storable_text(text: str) -> None:
    prompt, provenance = parse_parameters(text)
    for part in (prompt, provenance.negative_prompt, *provenance.loras, *provenance.extra, *provenance.extra.values()):
        assert part is None or (part.encode("utf-8") is not None and "\0" not in part)


@pytest.mark.parametrize("unit", ["a", " ", "a:", "aa: ", ",", '"', 'aa: "', "{", "aa: [", "<lora:", "<lora:a>", "\n"])
def test_text_made_to_be_slow_is_not(unit: str) -> None:
    started = time.perf_counter()
    read_embedded({"parameters": unit * (60_000 // len(unit)) + "x"})
    read_embedded({"parameters": "a\n" + unit * (1 << 20)})
    assert time.perf_counter() - started < 2
