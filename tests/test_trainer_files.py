"""Reading what trainers leave behind: LoRA files, their metadata, their names."""

from __future__ import annotations

import contextlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from graftset.trainerfiles import (
    Header,
    NotWholeError,
    first_unfinite,
    lora_fault,
    read_header,
    read_training,
    sample_of,
)
from graftset.trainerfiles.tensors import Tensor

DATASETS = json.dumps(
    [
        {
            "batch_size_per_device": 4,
            "subsets": [
                {"img_count": 203, "num_repeats": 2, "image_dir": "203_original", "is_reg": False},
                {"img_count": 50, "num_repeats": 1, "image_dir": "50_generated", "is_reg": False},
            ],
        }
    ]
)


def lora(path: Path, *, value: float = 1.0, metadata: dict[str, str] | None = None) -> Path:
    """A small LoRA, written by the library itself."""
    tensors = {
        "lora_unet_x.lora_down.weight": np.full((4, 8), value, dtype=np.float16),
        "lora_unet_x.lora_up.weight": np.ones((8, 4), dtype=np.float32),
        "lora_unet_x.alpha": np.array(2.0, dtype=np.float32),
    }
    save_file(tensors, path, metadata=metadata or {})
    return path


def test_a_file_of_the_library_reads_as_what_was_written(tmp_path: Path) -> None:
    header = read_header(lora(tmp_path / "a.safetensors", metadata={"ss_epoch": "3"}))
    assert header.metadata == {"ss_epoch": "3"}
    assert header.tensors["lora_unet_x.lora_down.weight"].shape == (4, 8)
    assert lora_fault(header) is None
    assert first_unfinite(tmp_path / "a.safetensors", header) is None


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_not_whole(tmp_path: Path, share: float) -> None:
    content = lora(tmp_path / "a.safetensors", metadata={"ss_epoch": "3"}).read_bytes()
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(NotWholeError):
        read_header(cut)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(content=st.binary(max_size=300))
def test_any_other_file_is_refused_with_a_reason(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with contextlib.suppress(NotWholeError):
        assert lora_fault(read_header(path)) is not None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_found(tmp_path: Path, value: float) -> None:
    path = lora(tmp_path / "a.safetensors", value=value)
    assert first_unfinite(path, read_header(path)) == "lora_unet_x.lora_down.weight"


def test_bfloat16_that_is_not_finite_is_found(tmp_path: Path) -> None:
    for bits, bad in ((0x3F80, False), (0x7F80, True), (0xFFC0, True)):
        data = struct.pack("<2H", 0, bits)
        text = json.dumps({"a.lora_up.weight": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
        path = tmp_path / "b.safetensors"
        path.write_bytes(struct.pack("<Q", len(text)) + text + data)
        assert (first_unfinite(path, read_header(path)) is not None) == bad


def told(**metadata: str) -> Header:
    tensors = {"a.lora_down.weight": Tensor("F16", (32, 320), 0, 0)}
    return Header(tensors, {"ss_session_id": "1", "ss_num_epochs": "10", **metadata})


def test_what_the_dataset_toml_overruled_is_not_believed() -> None:
    found = read_training(
        told(
            ss_datasets=DATASETS,
            ss_num_batches_per_epoch="114",
            ss_epoch="5",
            ss_steps="570",
            ss_batch_size_per_device="1",
            ss_caption_dropout_rate="0.3",
            ss_resolution="512,512",
        )
    )
    assert found is not None
    assert (found.batch_size, found.entries, found.step) == (4, 456, 570)
    assert [(f.name, f.images, f.repeats) for f in found.folders] == [("203_original", 203, 2), ("50_generated", 50, 1)]
    assert len(found.doubts) == 1
    assert all(
        key in found.doubts[0] for key in ("ss_caption_dropout_rate", "ss_resolution", "ss_batch_size_per_device")
    )


def test_without_a_dataset_toml_the_same_keys_are_what_acted() -> None:
    found = read_training(
        told(
            ss_dataset_dirs='{"10_punk": {"n_repeats": 10, "img_count": 203}}',
            ss_batch_size_per_device="2",
            ss_num_batches_per_epoch="1015",
            ss_caption_dropout_rate="0.3",
        )
    )
    assert found is not None
    assert (found.batch_size, found.entries, found.doubts) == (2, 2030, ())


def test_steps_counted_since_a_resumption_and_a_rank_of_the_command_line_are_doubted() -> None:
    found = read_training(told(ss_epoch="7", ss_steps="228", ss_num_batches_per_epoch="114", ss_network_dim="64"))
    assert found is not None
    assert (found.step, found.rank) == (None, 32)
    assert "after --resume sd-scripts counts from 0 again" in found.doubts[0]
    assert "the tensors have rank 32" in found.doubts[1]


def test_damaged_metadata_is_passed_over() -> None:
    found = read_training(told(ss_datasets="[{", ss_epoch="five", ss_seed="None", ss_dataset_dirs="[1]"))
    assert found is not None
    assert (found.folders, found.epoch, found.seed) == ((), None, None)
    assert read_training(Header({}, {"format": "pt"})) is None


def test_names_of_samples() -> None:
    found = sample_of("a_run_e000012_07_20260101120000_1007")
    assert found is not None
    assert (found.epoch, found.step, found.prompt, found.seed) == (12, None, 7, 1007)
    found = sample_of("a_run_000300_00_20260101120000")
    assert found is not None
    assert (found.epoch, found.step, found.seed) == (None, 300, None)
    assert sample_of("holiday_2026") is None
