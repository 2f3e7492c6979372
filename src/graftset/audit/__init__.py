"""The audit: a lint of captions, originals' as much as candidates'.

Every rule is a function over all captions and a line in the table `RULES`. A finding shows its evidence, offers new
text where that is safe, and has a name by which it can be dismissed for as long as the picture and the evidence stay
the same. Nothing changes unless it is asked for.

rules.py      the table
texts.py      captions taken apart, and all of them together
lexicon.py    which words are words
wording.py    rules that read the words: misspelt, grown together, doubled, cut off
pictures.py   rules that compare words and picture
sets.py       rules that compare captions with each other
form.py       rules about what a trainer reads: length, further lines, nothing at all
findings.py   what the audit says
learned.py    what was learned from the captions, and from which
stage.py      the audit, and applying its fixes
"""

from graftset.audit.findings import AuditReport, Finding, fixed_captions
from graftset.audit.learned import Learned, learned
from graftset.audit.rules import RULES, Rule
from graftset.audit.stage import apply_fixes, audit, read_sidecar, undo_fixes

__all__ = [
    "RULES",
    "AuditReport",
    "Finding",
    "Learned",
    "Rule",
    "apply_fixes",
    "audit",
    "fixed_captions",
    "learned",
    "read_sidecar",
    "undo_fixes",
]
