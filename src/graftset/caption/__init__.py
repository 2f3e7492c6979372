"""The caption stage: says for every image what its caption claims, and proposes captions that tell the truth.

Proposals are kept beside the captions as they came in; nothing becomes a caption before it is applied. The history is
append-only, so every caption an image ever had can be read and restored.
"""

from graftset.caption.stage import CaptionReport, apply_proposals, outdated, propose, undo_applied

__all__ = ["CaptionReport", "apply_proposals", "outdated", "propose", "undo_applied"]
