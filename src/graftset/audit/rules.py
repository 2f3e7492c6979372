"""The table of rules. One more rule is one function and one line here; contract tests run over the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from graftset.audit import form, pictures, sets, wording
from graftset.audit.findings import Found, Severity
from graftset.audit.texts import Corpus

Check = Callable[[Corpus], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, how bad a finding is, what it means for training, whether it ever offers a fix."""

    name: str
    severity: Severity
    meaning: str
    fixable: bool
    check: Check


# Where two fixes touch the same words, the rule that stands first here is carried out.
RULES: tuple[Rule, ...] = (
    Rule("contradicted", "error", "the picture shows something else", True, pictures.contradicted),
    Rule("empty", "error", "there is no caption", False, form.empty),
    Rule("no-trigger", "error", "the words that call the style up are missing", True, sets.no_trigger),
    Rule("interrupted", "error", "another part was pushed into a phrase", False, wording.interrupted),
    Rule("truncated", "error", "a phrase breaks off", True, wording.truncated),
    Rule("glued", "error", "two words have grown together", True, wording.glued),
    Rule("misspelled", "warning", "a word is none", True, wording.misspelled),
    Rule("doubled", "warning", "the same words stand twice in a row", True, wording.doubled),
    Rule("repeated", "warning", "a long phrase is said twice", True, wording.repeated),
    Rule("unclosed", "warning", "a bracket lacks its other half", True, wording.unclosed),
    Rule("code-shared", "warning", "one colour code is given to two features", False, pictures.shared_code),
    Rule("code-absent", "warning", "a colour code is not in the picture", False, pictures.absent_code),
    Rule("too-long", "warning", "CLIP does not read the caption to its end", False, form.too_long),
    Rule("further-lines", "warning", "trainers read the first line only", False, form.further_lines),
    Rule("duplicate", "warning", "one caption on pictures that differ", False, sets.duplicate),
    Rule("unlikely", "info", "a detector sees something else; about half are errors", False, pictures.unlikely),
    Rule("doubtful", "info", "another word fits the picture better; people would differ", False, pictures.doubtful),
    Rule("image-id", "info", "no tag of the caption stands in another", False, sets.one_off_captions),
    Rule("one-off-tags", "info", "most tags stand in one caption only", False, sets.one_off_tags),
    Rule("boilerplate", "info", "every caption says it", False, sets.boilerplate),
)
