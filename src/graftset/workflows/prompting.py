"""The sample prompts of a project: made once, and kept while its originals and settings stay as they are.

New candidates do not change them. Pictures of a run that was trained before they came, the baseline's above all, would
otherwise be of other prompts than those of a run trained after.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from graftset.config import Project
from graftset.files import write_whole
from graftset.prompts import PromptCounts, every_text, no_longer_unseen, one_line, sample_prompts
from graftset.records import ImageView, SamplePrompt

_PROMPTS = TypeAdapter(tuple[SamplePrompt, ...])


@dataclass(frozen=True, slots=True)
class ProjectPrompts:
    """The sample prompts of a project, and what of them does not hold any more."""

    prompts: tuple[SamplePrompt, ...]
    warnings: tuple[str, ...] = ()


def project_prompts(project: Project, views: Sequence[ImageView], *, keep: bool = True) -> ProjectPrompts:
    """The sample prompts of a project, whatever is selected and whichever plan is built.

    Args:
        project: Its folder and settings.
        views: All its images.
        keep: Whether prompts that were made now are kept; not for those who must not write.
    """
    path = project.root / ".graftset" / "prompts.json"
    samples = project.settings.build.samples
    counts = PromptCounts(samples.training, samples.candidate, samples.generic, samples.unseen)
    seed = project.settings.build.seed
    key, texts = _key(views, counts, seed), every_text(sorted(views, key=lambda view: (view.sha256, view.path)))
    of_texts = hashlib.sha256(json.dumps(texts).encode()).hexdigest()
    kept = _kept(path, key)
    if kept is not None:
        prompts, made_from = kept
        return ProjectPrompts(prompts, () if made_from == of_texts else _warnings(prompts, views, texts))
    prompts = sample_prompts(views, counts=counts, seed=seed)
    if keep:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"made_for": key, "texts": of_texts, "prompts": [asdict(prompt) for prompt in prompts]}
        write_whole(path, json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    return ProjectPrompts(prompts)


def _warnings(prompts: Sequence[SamplePrompt], views: Sequence[ImageView], texts: Sequence[str]) -> tuple[str, ...]:
    """A sentence on prompts of unseen combinations that captions hold by now."""
    originals = [one_line(view.training_caption) for view in views if view.origin == "original"]
    seen = no_longer_unseen(prompts, originals, texts)
    if not seen:
        return ()
    return (
        f"Of the sample prompts, {', '.join(seen)} ask for what captions hold by now: it is no longer unseen. To make "
        "new ones for all builds, delete .graftset/prompts.json and build with --force",
    )


def _kept(path: Path, key: str) -> tuple[tuple[SamplePrompt, ...], str] | None:
    """The prompts that were kept and the hash of the texts they were made from; None where there are none for `key`."""
    try:
        content = json.loads(path.read_bytes())
        if content["made_for"] != key:
            return None
        return _PROMPTS.validate_python(content["prompts"]), str(content["texts"])
    except (OSError, ValueError, TypeError, KeyError, ValidationError):
        return None  # damaged: they are made again, the same while no candidate came


def _key(views: Sequence[ImageView], counts: PromptCounts, seed: int) -> str:
    """What prompts are made for: the originals and their captions, how many of each kind, and the seed."""
    originals = sorted(
        (
            view.sha256,
            one_line(view.training_caption),
            sorted(c.slot for c in view.claims if c.verdict == "contradicted"),
        )
        for view in views
        if view.origin == "original"
    )
    return hashlib.sha256(json.dumps([originals, asdict(counts), seed]).encode()).hexdigest()
