"""The audit, and applying its fixes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from graftset import __version__
from graftset.audit.findings import AuditReport, Finding, Found, finding_id, fixed_captions
from graftset.audit.rules import RULES, Rule
from graftset.audit.texts import Caption, Corpus, Native, Sidecar, no_native, no_sidecar, read_corpus
from graftset.audit.wording import is_readable
from graftset.errors import UserError
from graftset.records import ImageView
from graftset.vocabulary import NOTHING_NAMED, Named

AUTHOR = f"graftset {__version__} audit"
_CAPTION_FILES = (".txt", ".caption")
_MAX_SIDECAR = 1 << 20  # bytes; ingest takes no larger caption either


class Captions(Protocol):
    """What applying fixes needs of the catalog."""

    def apply_captions(self, texts: Mapping[str, str], author: str) -> int:
        """Append current captions by path; returns how many changed."""
        ...

    def undo_captions(self, author: str, by: Callable[[str], bool]) -> int:
        """Take back the captions that authors who are meant applied last; returns how many changed."""
        ...


def audit(
    views: Sequence[ImageView],
    *,
    native: Native = no_native,
    sidecar: Sidecar = no_sidecar,
    trigger: str | None = None,
    rules: Collection[str] = (),
    dismissed: Collection[str] = (),
    named: Named = NOTHING_NAMED,
) -> AuditReport:
    """Read every caption and say what is wrong with it; nothing is changed.

    Args:
        views: All images, with the traits that were seen in them.
        native: The native picture of an image, uint8 [h, w, 3]; rules that need it pass over images without one.
        sidecar: The whole caption file of an image, where its text came from one.
        trigger: Words every caption should hold; None: the head that nearly all of the originals' captions share.
        rules: Names of the rules to apply; none: all.
        dismissed: Names of findings that were dismissed.
        named: What the user names in the settings.

    Raises:
        UserError: A rule that does not exist.
    """
    chosen = _chosen(rules)
    corpus = read_corpus(views, trigger, native, sidecar, named)
    findings = [finding for rule in chosen for finding in _named(rule, corpus)]
    return AuditReport(
        findings=tuple(finding for finding in findings if finding.id not in dismissed),
        dismissed=tuple(finding for finding in findings if finding.id in dismissed),
        captions=len(corpus.captions),
        trigger=corpus.trigger,
        tags=corpus.tags,
        notes=_notes(corpus, views),
    )


def apply_fixes(catalog: Captions, findings: Sequence[Finding], author: str = AUTHOR) -> int:
    """Make the fixed captions the current ones; returns how many changed. `undo_fixes` takes that back."""
    return catalog.apply_captions(fixed_captions(tuple(findings)), author)


def undo_fixes(catalog: Captions, author: str = AUTHOR) -> int:
    """Take back what the audit applied last, where no newer caption took its place; returns how many changed."""
    return catalog.undo_captions(author, is_audit)


def is_audit(author: str) -> bool:
    """Whether the author of a caption is the audit, of whatever version."""
    return re.fullmatch(r"graftset \S+ audit", author) is not None


def read_sidecar(view: ImageView) -> str | None:
    """The whole caption file of an image; None where its text came from elsewhere or the file cannot be read."""
    if view.text_source is None or not view.text_source.lower().endswith(_CAPTION_FILES):
        return None
    path = Path(view.path).parent / view.text_source
    try:
        if path.stat().st_size > _MAX_SIDECAR:
            return None
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return None


def _chosen(names: Collection[str]) -> tuple[Rule, ...]:
    known = {rule.name for rule in RULES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UserError(
            "There is no such rule",
            field="--rule",
            value=unknown[0],
            remedy=f"Use one of {', '.join(sorted(known))}.",
        )
    return tuple(rule for rule in RULES if not names or rule.name in names)


def _named(rule: Rule, corpus: Corpus) -> list[Finding]:
    seen: Counter[tuple[str | None, str | None, str]] = Counter()
    named = []
    for found in rule.check(corpus):
        sha256, path = (None, None) if found.view is None else (found.view.sha256, found.view.path)
        occurrence = seen[path, sha256, found.words]
        seen[path, sha256, found.words] += 1
        named.append(
            Finding(
                id=finding_id(sha256, rule.name, found.words, occurrence),
                rule=rule.name,
                severity=rule.severity,
                path=path,
                sha256=sha256,
                words=found.words,
                message=found.message,
                span=found.span,
                caption=_text(found),
                edits=found.edits,
            )
        )
    return named


def _text(found: Found) -> str | None:
    return None if found.view is None else Caption.of(found.view).text


def _notes(corpus: Corpus, views: Sequence[ImageView]) -> tuple[str, ...]:
    notes = []
    if not views:
        notes.append("There are no images; run `graftset ingest` first.")
    elif not corpus.captions:
        notes.append("No image has a caption.")
    elif not is_readable(corpus):
        notes.append("Most words are not English: spelling was not judged.")
    own = [caption.text for caption in corpus.captions if caption.view.origin == "original"]
    if len(own) > 1 and len(set(own)) == 1:
        notes.append(f"All {len(own)} originals have the same caption: no word tells one picture from another.")
    if corpus.captions and all(view.traits.background is None for view in views):
        notes.append("No picture was assessed: captions were not compared with pictures. Run `graftset assess` first.")
    return tuple(notes)
