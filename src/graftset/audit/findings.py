"""What the audit says: findings with their evidence, and names by which they can be dismissed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from graftset.claims import apply_changes
from graftset.records import CaptionChange, ImageView

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule hands over. `view` is None where the finding concerns the captions as a set.

    `words` is the evidence, verbatim where it is a piece of the caption, and `span` where that piece stands; `edits`
    mend it without losing anything that is true, and are empty where only a person can tell what was meant.
    """

    view: ImageView | None
    words: str
    message: str
    span: tuple[int, int] | None = None
    edits: tuple[CaptionChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth a look, with its evidence."""

    id: str  # stays the same while picture, rule and evidence do
    rule: str
    severity: Severity
    path: str | None  # None: the captions as a set
    sha256: str | None
    words: str
    message: str
    span: tuple[int, int] | None  # characters of `caption`
    caption: str | None  # the text that was audited
    edits: tuple[CaptionChange, ...] = ()

    @property
    def fix(self) -> str | None:
        """The caption with this finding mended; None where it cannot be mended safely."""
        return apply_changes(self.caption, self.edits) if self.caption is not None and self.edits else None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """One run of the audit."""

    findings: tuple[Finding, ...]
    dismissed: tuple[Finding, ...]  # found again, and still dismissed
    captions: int  # texts that were audited
    trigger: tuple[str, ...]  # what every caption should begin with: as configured, or as learned
    tags: Mapping[str, int] = field(default_factory=dict)  # comma part -> captions that hold it
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Findings by rule, in the order of the rules."""
        return dict(Counter(finding.rule for finding in self.findings))


def finding_id(sha256: str | None, rule: str, words: str, occurrence: int = 0) -> str:
    """The name of a finding: 12 hexadecimal digits of SHA-256 over the picture's content, the rule and the evidence.

    Where words stand is left out, so that an edit elsewhere in the caption does not bring a dismissed finding back;
    `occurrence` tells two equal findings of one picture apart.
    """
    parts = (sha256 or "", rule, words, str(occurrence))
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def fixed_captions(findings: tuple[Finding, ...]) -> dict[str, str]:
    """The captions with every fix that does not touch another one: path -> text.

    Two fixes of the same words cannot both be carried out; the first rule's is, and the next audit says what is left.
    """
    edits: dict[str, list[CaptionChange]] = {}
    texts: dict[str, str] = {}
    for finding in findings:
        if finding.path is None or finding.caption is None:
            continue
        taken = edits.setdefault(finding.path, [])
        if finding.edits and not any(_touch(edit.span, other.span) for edit in finding.edits for other in taken):
            taken.extend(finding.edits)
            texts[finding.path] = finding.caption
    return {path: apply_changes(text, tuple(edits[path])) for path, text in texts.items()}


def _touch(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]
