"""Claims of every caption, and a proposed caption for every candidate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graftset import __version__
from graftset.catalog import Catalog
from graftset.claims import compose, correct
from graftset.phrases import counted, noun
from graftset.records import CaptionProposal, ImageView
from graftset.vocabulary import NOTHING_NAMED, Named, Vocabulary, split_parts

AUTHOR = f"graftset {__version__}"


@dataclass(frozen=True, slots=True)
class CaptionReport:
    """What one run of the stage found, over all images that are still there."""

    claims: Mapping[str, int]  # verdict -> number of candidates' claims
    corrected: int  # candidates whose proposal differs from their text
    composed: int  # candidates without a text that got one
    without: int  # candidates without a text for which nothing could be composed
    original_contradictions: int  # originals whose caption contradicts the picture; never changed here
    appended: int  # entries added to the history; 0 when nothing changed since the last run
    notes: tuple[str, ...]


def propose(catalog: Catalog, named: Named = NOTHING_NAMED) -> CaptionReport:
    """Judge every caption against what was seen, and propose what each candidate's caption should say.

    Args:
        catalog: Of the project.
        named: What the user names in the settings.
    """
    judged = _judge(catalog.views(), named)
    proposals, checked = judged.proposals, judged.checked
    appended = catalog.save_proposals("checked", AUTHOR, checked) + catalog.save_proposals(
        "proposed", AUTHOR, proposals
    )
    claims: Counter[str] = Counter(claim.verdict for proposal in proposals.values() for claim in proposal.claims)
    return CaptionReport(
        claims=claims,
        corrected=sum(1 for proposal in proposals.values() if proposal.changes),
        composed=sum(1 for proposal in proposals.values() if proposal.composed),
        without=judged.without,
        original_contradictions=sum(
            1 for proposal in checked.values() if any(c.verdict == "contradicted" for c in proposal.claims)
        ),
        appended=appended,
        notes=_notes(judged.vocabulary, proposals),
    )


def outdated(views: Sequence[ImageView], named: Named = NOTHING_NAMED) -> int:
    """How many images the stage would say something else of than it said last."""
    judged = _judge(views, named)
    said = {**judged.checked, **judged.proposals}
    return sum(1 for view in views if view.path in said and not _was_said(view, said[view.path]))


def _was_said(view: ImageView, proposal: CaptionProposal) -> bool:
    text = view.caption if view.origin == "original" else view.proposed_caption
    was = (text, view.composed, view.claims, view.changes)
    return was == (proposal.text, proposal.composed, proposal.claims, proposal.changes)


def apply_proposals(catalog: Catalog, author: str = AUTHOR) -> int:
    """Make every proposal the current caption of its image; returns how many captions changed."""
    texts = {
        view.path: view.proposed_caption
        for view in catalog.views()
        if view.origin == "generated" and view.proposed_caption is not None
    }
    return catalog.apply_captions(texts, author)


def undo_applied(catalog: Catalog, author: str = AUTHOR) -> int:
    """Take back what was applied last, here or by the audit; returns how many captions changed."""
    return catalog.undo_captions(author)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the stage has to say of all images, by path."""

    vocabulary: Vocabulary
    checked: Mapping[str, CaptionProposal]  # of originals
    proposals: Mapping[str, CaptionProposal]  # of candidates
    without: int


def _judge(views: Sequence[ImageView], named: Named) -> _Judged:
    originals = {view.path: view for view in views if view.origin == "original"}
    vocabulary = Vocabulary.learn([view.caption for view in originals.values() if view.caption], named=named)
    checked = {
        path: _check(view, vocabulary)
        for path, view in originals.items()
        if view.caption and view.traits.background is not None
    }
    proposals: dict[str, CaptionProposal] = {}
    without = 0
    for view in views:
        if view.origin == "generated" and view.traits.background is not None:
            proposal = _propose(view, originals, vocabulary)
            if proposal is None:
                without += 1
            else:
                proposals[view.path] = proposal
    return _Judged(vocabulary, checked, proposals, without)


def _check(view: ImageView, vocabulary: Vocabulary) -> CaptionProposal:
    """An original's claims. Its caption is its owner's: what it contradicts is reported, never rewritten here."""
    judged = correct(view.caption or "", view.traits, vocabulary)
    return CaptionProposal(view.caption or "", False, judged.claims, ())


def _propose(view: ImageView, originals: Mapping[str, ImageView], vocabulary: Vocabulary) -> CaptionProposal | None:
    """A candidate's own text corrected; else its source's caption corrected; else one composed from what is seen."""
    if view.prompt:
        return correct(view.prompt, view.traits, vocabulary, keep_tokens=_leading(view.prompt, vocabulary))
    source = originals.get(view.source_original or "")
    # Only a stated source lends its words: a nearest match says two pictures look alike, not that the same words hold.
    if source is not None and source.caption and view.source_basis in ("name", "prompts"):
        borrowed = correct(source.caption, view.traits, vocabulary, keep_tokens=_leading(source.caption, vocabulary))
        return CaptionProposal(borrowed.text, True, (), ())  # no claims: those concern text that came in
    return compose(view.traits, vocabulary)


def _leading(caption: str, vocabulary: Vocabulary) -> int:
    """How many parts a caption begins with that all originals share: a build keeps these in place (`keep_tokens`)."""
    count = 0
    for start, end in split_parts(caption):
        if caption[start:end] not in vocabulary.head:
            break
        count += 1
    return count


def _notes(vocabulary: Vocabulary, proposals: Mapping[str, CaptionProposal]) -> tuple[str, ...]:
    notes = []
    if vocabulary.captions == 0:
        notes.append("No original has a caption: captions are composed without the owner's wording.")
    elif vocabulary.captions > 1 and not vocabulary.head and not vocabulary.tail:
        notes.append("The originals' captions share no part: composed captions hold only what was seen.")
    composed = sum(1 for proposal in proposals.values() if proposal.composed)
    if composed:
        theirs = noun(composed, "its caption is", "their captions are")
        notes.append(f"{counted(composed, 'candidate')} came without text; {theirs} composed and marked so.")
    return tuple(notes)
