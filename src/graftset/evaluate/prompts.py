"""Files of prompts -> prompts with what they ask for: kohya's text form, a prompt a line, JSON, JSON lines, CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from graftset.errors import UserError
from graftset.evaluate.looking import Original
from graftset.records import PromptKind, SamplePrompt
from graftset.vocabulary import ACCESSORY, TERMS, Labels, Vocabulary

MAX_BYTES = 16 << 20
_OPTION = re.compile(r"\s--[a-z]{1,3}\s")  # kohya: " --n bad hands --w 512 --d 42"
_TEXT = ("prompt", "text", "caption")
_KINDS: tuple[PromptKind, ...] = get_args(PromptKind)
_JUDGED = ("background", "hair", "eyes", "skin", "figure")
_REMEDY = (
    "Give kohya's sample_prompts.txt, a text file with a prompt a line, a JSON list of prompts or of objects with "
    '"prompt", or a CSV file with a column prompt.'
)


def read_prompts(path: Path) -> list[dict[str, Any]]:
    """The prompts of a file in order: each with "prompt", and "id", "kind", "expects", "reference" where it says so.

    Raises:
        UserError: It cannot be read, holds no prompt, or is of another shape.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _unreadable(path, f"is larger than {MAX_BYTES >> 20} MiB")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, "is not UTF-8 text") from error
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror or error}") from error
    suffix = path.suffix.lower()
    if suffix in (".json", ".jsonl", ".ndjson"):
        entries = _from_json(path, text, lines=suffix != ".json")
    elif suffix in (".csv", ".tsv"):
        entries = _from_csv(path, text)
    else:
        lines = (line.strip() for line in text.splitlines())
        # Kohya numbers the prompts of the lines that are neither empty nor comments.
        entries = [{"prompt": prompt_of(line)} for line in lines if line and not line.startswith("#")]
    if not entries:
        raise _unreadable(path, "holds no prompt")
    return entries


def prompt_of(line: str) -> str:
    """The prompt of a line as kohya reads it: what stands before the first option."""
    found = _OPTION.search(line)
    return (line[: found.start()] if found else line).strip()


def understand(
    entries: Sequence[Mapping[str, Any]],
    originals: Sequence[Original],
    vocabulary: Vocabulary,
    candidates: Sequence[str] = (),
) -> list[SamplePrompt]:
    """Say of each prompt whose caption it is, what kind it is, and what it asks for.

    What an entry says itself stands. A text that is an original's caption is a training prompt; one that a candidate
    came with, or is trained with, a candidate's; one that asks for traits no caption has together is unseen; the rest
    is generic.

    Args:
        entries: As `read_prompts` gives them.
        originals: With their captions.
        vocabulary: Learned from those.
        candidates: Prompts and captions of the candidates.
    """
    by_caption: dict[str, Original] = {}
    for original in originals:
        if original.picture.caption:
            by_caption.setdefault(_plain(original.picture.caption), original)
    of_candidates = {_plain(text) for text in candidates}
    combinations = [asked_for(vocabulary.labels(o.picture.caption)) for o in originals if o.picture.caption]
    prompts, count = [], dict.fromkeys(_KINDS, 0)
    taken: set[str] = set()
    for entry in entries:
        text = str(entry["prompt"])
        own = by_caption.get(_plain(text))
        expects = entry.get("expects")
        asked = dict(expects) if isinstance(expects, Mapping) else asked_for(vocabulary.labels(text))
        kind = entry.get("kind")
        if kind not in _KINDS:
            kind = _kind(own is not None, _plain(text) in of_candidates, asked, combinations)
        reference = entry.get("reference") or (own.sha256 if own is not None and kind == "training" else None)
        name = str(entry.get("id") or "")
        if not name or name in taken:
            name = f"{kind}-{count[kind]:03d}"
        count[kind] += 1
        taken.add(name)
        prompts.append(SamplePrompt(name, kind, text, asked, None if reference is None else str(reference)))
    return prompts


def asked_for(labels: Labels) -> dict[str, str]:
    """What a caption asks for that can be looked for: slot -> word, "accessory:TERM" -> "present"."""
    asked = {slot: word for slot, word in labels.slots.items() if slot in _JUDGED}
    if asked.get("background") not in TERMS:
        asked.pop("background", None)  # a layout ("gradient") is no color to look for
    return asked | {ACCESSORY + term: "present" for term in sorted(labels.accessories)}


def _kind(
    is_caption: bool, is_candidate: bool, asked: Mapping[str, str], combinations: Sequence[Mapping[str, str]]
) -> PromptKind:
    if is_caption:
        return "training"
    if is_candidate:
        return "candidate"
    seen = any(asked.items() <= known.items() for known in combinations)
    return "generic" if seen or not asked else "unseen"


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _from_json(path: Path, text: str, *, lines: bool) -> list[dict[str, Any]]:
    try:
        document = [json.loads(line) for line in text.splitlines() if line.strip()] if lines else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, f"is not JSON: {error}") from error
    if isinstance(document, Mapping):
        document = document.get("prompts", document)
    if isinstance(document, Mapping):
        document = [{"id": key, **(v if isinstance(v, Mapping) else {"prompt": v})} for key, v in document.items()]
    if not isinstance(document, list):
        raise _unreadable(path, "holds no list of prompts")
    return [_entry(path, item, f"entry {number}") for number, item in enumerate(document, start=1)]


def _from_csv(path: Path, text: str) -> list[dict[str, Any]]:
    header = text.lstrip("\r\n").partition("\n")[0]
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count)))
    except csv.Error as error:
        raise _unreadable(path, f"is not CSV: {error}") from error
    lowered = [{str(k).strip().lower(): v for k, v in row.items() if k is not None} for row in rows]
    return [_entry(path, row, f"row {number}") for number, row in enumerate(lowered, start=2) if any(row.values())]


def _entry(path: Path, item: object, where: str) -> dict[str, Any]:
    if isinstance(item, str):
        return {"prompt": item.strip()}
    if isinstance(item, Mapping):
        text = next((item[key] for key in _TEXT if isinstance(item.get(key), str) and item[key].strip()), None)
        if text is not None:
            known = {key: item[key] for key in ("id", "kind", "expects", "reference") if item.get(key)}
            if "kind" in known and known["kind"] not in _KINDS:
                raise _unreadable(path, f"has the kind {known['kind']!r} in {where}, and knows {', '.join(_KINDS)}")
            return {"prompt": text.strip(), **known}
    raise _unreadable(path, f"has no prompt in {where}")


def _unreadable(path: Path, why: str) -> UserError:
    return UserError(f"The prompts file {why}", field="--prompts", value=str(path), remedy=_REMEDY)
