"""Folders of pictures and files of prompts, whoever made them: which checkpoint, prompt and seed each file is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from graftset.errors import EmptyInputError, UserError
from graftset.evaluate import find_batches, read_prompts, understand
from graftset.imageio import encode_png
from graftset.records import SamplePrompt
from graftset.runs import write_samples
from graftset.vocabulary import Vocabulary
from painted_runs import drawn_originals

PICTURE = encode_png(np.zeros((24, 24, 3), dtype=np.uint8))
PROMPTS = [SamplePrompt(f"generic-{i:03d}", "generic", f"prompt {i}") for i in range(3)]


def put(folder: Path, *names: str) -> Path:
    """Pictures of these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PICTURE)
    return folder


def test_kohyas_names_tell_epoch_prompt_and_seed(tmp_path: Path) -> None:
    folder = put(
        tmp_path,
        "punk_e000002_01_20260101120000_42.png", "punk_e000010_00_20260101130000_7.png",
        "punk_e000002_00_20260101120001_7.png", "my_lora_v2_e000002_02_20260101120002_43.png",
    )  # fmt: skip
    second, tenth = find_batches(folder, PROMPTS)
    assert [(p.prompt.id, p.seed) for p in second.pictures] == [
        ("generic-000", 7), ("generic-001", 42), ("generic-002", 43)
    ]  # fmt: skip
    assert (second.place.checkpoint, second.place.epoch, second.place.number) == ("epoch-000002", 2, 1)
    assert (tenth.place.epoch, tenth.place.number, tenth.place.planned) == (10, 2, 2)


def test_kohyas_pictures_by_step_and_without_a_seed(tmp_path: Path) -> None:
    folder = put(
        tmp_path, "000300_00_20260101120000.png", "000300_00_20260101120009.png", "1200000_01_20260101120000.png"
    )
    first, second = find_batches(folder, PROMPTS)
    assert [(p.prompt.id, p.seed) for p in first.pictures] == [("generic-000", 0), ("generic-000", 1)]
    assert (first.place.step, second.place.step) == (300, 1_200_000)


def test_a_prompt_that_the_file_does_not_have_and_a_strangers_name_are_skipped(tmp_path: Path) -> None:
    folder = put(
        tmp_path, "a_e000001_00_20260101120000_1.png", "a_e000001_01_20260101120000_1.png",
        "a_e000001_09_20260101120000_1.png", "preview.png",
    )  # fmt: skip
    (batch,) = find_batches(folder, PROMPTS)
    assert len(batch.pictures) == 2
    reasons = {Path(skip.path).name: skip.reason for skip in batch.skipped}
    assert "it is of prompt 9, and the prompts file has 3" in reasons["a_e000001_09_20260101120000_1.png"]
    assert "does not tell epoch" in reasons["preview.png"]


def test_subfolders_are_checkpoints_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = [f"{sub}/{i}.png" for sub in ("step-2", "step-10") for i in range(6)]
    first, second = find_batches(put(tmp_path, *names), PROMPTS)
    assert (first.place.checkpoint, second.place.checkpoint) == ("step-2", "step-10")
    # Six pictures of three prompts are two seeds each.
    assert [(p.prompt.id, p.seed) for p in first.pictures][:4] == [
        ("generic-000", 0), ("generic-000", 1), ("generic-001", 0), ("generic-001", 1)
    ]  # fmt: skip


def test_pictures_that_do_not_come_out_even_are_left_out_rather_than_guessed_at(tmp_path: Path) -> None:
    (batch,) = find_batches(put(tmp_path, *(f"{i}.png" for i in range(4))), PROMPTS)
    assert batch.pictures == ()
    assert [Path(s.path).name for s in batch.skipped] == [f"{i}.png" for i in range(4)]
    assert "names do not tell which is of which" in batch.skipped[0].reason


def test_a_folder_that_is_still_being_painted_is_paired_from_its_beginning(tmp_path: Path) -> None:
    (batch,) = find_batches(put(tmp_path, "0.png", "1.png"), PROMPTS)
    assert [(p.path.name, p.prompt.id) for p in batch.pictures] == [("0.png", PROMPTS[0].id), ("1.png", PROMPTS[1].id)]
    assert batch.skipped == ()


def test_a_folder_of_ours_speaks_for_itself(tmp_path: Path) -> None:
    native = np.zeros((24, 24, 3), dtype=np.uint8)
    for name in ("0000100", "0000200"):
        write_samples(tmp_path / name, [(PROMPTS[1], 5, native)])
    first, second = find_batches(tmp_path, [])
    assert (first.place.checkpoint, second.place.number) == ("0000100", 2)
    assert (first.pictures[0].prompt, first.pictures[0].seed) == (PROMPTS[1], 5)


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none", encoding="utf-8")
    with pytest.raises(EmptyInputError, match="no picture"):
        find_batches(tmp_path, PROMPTS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sample_prompts.txt", "# a comment\na lady --n bad hands --w 512 --d 42\n\na lad, red hair\n"),
        ("prompts.json", '["a lady", "a lad, red hair"]'),
        ("prompts.json", '{"prompts": [{"prompt": "a lady"}, {"text": "a lad, red hair"}]}'),
        ("prompts.jsonl", '{"prompt": "a lady"}\n{"caption": "a lad, red hair"}\n'),
        ("prompts.csv", 'Prompt;seed\na lady;1\n"a lad, red hair";2\n'),
    ],
)
def test_prompts_are_read_from_every_form(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert [entry["prompt"] for entry in read_prompts(path)] == ["a lady", "a lad, red hair"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p.txt", "# nothing\n", "holds no prompt"),
        ("p.json", "{", "is not JSON"),
        ("p.json", "3", "holds no list"),
        ("p.json", '[{"file": "a.png"}]', "has no prompt in entry 1"),
        ("p.json", '[{"prompt": "a", "kind": "odd"}]', "has the kind 'odd'"),
        ("p.csv", "file\na.png\n", "has no prompt in row 2"),
    ],
)
def test_a_prompts_file_that_cannot_be_used_is_refused(tmp_path: Path, name: str, content: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=says):
        read_prompts(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_prompts(tmp_path / "none.txt")


def test_prompts_are_understood_by_the_captions_and_the_candidates(tmp_path: Path) -> None:
    originals = drawn_originals(24)
    captions = [o.picture.caption or "" for o in originals]
    vocabulary = Vocabulary.learn(captions)
    head = captions[0].split(",")[0]
    texts = [
        captions[3].upper(),
        f"{head}, a candidate, green background",
        f"{head}",
        f"{head}, pink hair, tan background",
    ]
    training, candidate, generic, unseen = understand(
        [{"prompt": text} for text in texts], originals, vocabulary, [texts[1]]
    )
    assert (training.kind, training.reference) == ("training", originals[3].sha256)
    assert (candidate.kind, candidate.expects) == ("candidate", {"background": "green"})
    assert (generic.kind, generic.reference) == ("generic", None)
    assert (unseen.kind, unseen.expects) == ("unseen", {"hair": "pink", "background": "tan"})
    assert len({p.id for p in (training, candidate, generic, unseen)}) == 4


def test_what_a_prompts_file_says_itself_stands(tmp_path: Path) -> None:
    originals = drawn_originals(24)
    path = tmp_path / "p.json"
    entry = {"id": "mine", "prompt": originals[0].picture.caption, "kind": "unseen", "expects": {"hair": "blue"}}
    path.write_text(json.dumps([entry, {**entry, "reference": "abc"}]), encoding="utf-8")
    vocabulary = Vocabulary.learn([o.picture.caption or "" for o in originals])
    first, second = understand(read_prompts(path), originals, vocabulary)
    assert (first.id, first.kind, first.expects, first.reference) == ("mine", "unseen", {"hair": "blue"}, None)
    assert second.id != "mine"  # a name is given once
    assert second.reference == "abc"
