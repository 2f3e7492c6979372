"""The desk: everything a review needs, held in memory and kept in step with the catalog.

The catalog is the truth; the desk is an index of it that answers in milliseconds at ten thousand candidates. Every
call that changes something writes to the catalog first, in one transaction, and then takes in what is new there, so
that two servers, a command line and a browser on one catalog see the same after their next `refresh`. Safe to call
from several threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from graftset.errors import UserError
from graftset.records import ReviewPlan, ReviewVerdict, VerdictEntry
from graftset.review.captions import toggled
from graftset.review.items import Item
from graftset.review.reading import Reading

MOST_TEXT = 4000  # characters of a caption, a reason
MOST_NAME = 80  # characters of a reviewer's name, an action's id


@dataclass(frozen=True, slots=True)
class Given:
    """What an action did: the items that changed, as they are now, and those it left alone, with the reason."""

    action: str
    items: tuple[Item, ...]
    left: tuple[tuple[str, str], ...] = ()  # (id, reason)
    repeated: bool = False  # the action had been taken before, so nothing was written


class Desk(Reading):
    """The review of one project. Call `refresh` before answering a request; it costs a query where nothing changed."""

    # --- verdicts -----------------------------------------------------------------------------------------------------

    def give(
        self,
        seen: Mapping[str, str],
        verdict: ReviewVerdict,
        *,
        reviewer: str,
        action: str,
        reason: str | None = None,
        counts: bool = True,
        settles: bool = False,
    ) -> Given:
        """Give one verdict on one or several candidates, in one transaction.

        Args:
            seen: Id -> the `Item.version` the person looked at. Where that is another by now, nothing is written.
            verdict: "approved", "rejected" or "skipped".
            reviewer: Their name.
            action: A unique id made by the client: repeating the same call writes nothing and says `repeated`.
            reason: Why, for a person.
            counts: Whether it counts for the open plan where the image is in its sample; False while browsing freely.
            settles: Given in the conflicts queue: decides for all reviewers.

        Raises:
            UserError: A name, id or text that cannot be.
        """
        reviewer, reason = _name(reviewer, "reviewer"), _text(reason, "reason")
        action = _name(action, "action")
        if verdict not in get_args(ReviewVerdict):
            raise UserError(
                "There is no such verdict", field="verdict", value=verdict, remedy="Use approved, rejected or skipped."
            )
        with self._lock:
            self.refresh()
            entries, left = [], []
            for name, version in seen.items():
                item = self._index.items.get(name)
                if item is None:
                    left.append((name, "there is no such candidate any more"))
                elif item.version != version:
                    left.append((name, "its picture or caption changed since you saw it"))
                else:
                    entries.append(
                        VerdictEntry(
                            path=item.view.path,
                            sha256=item.view.sha256,
                            caption=item.view.training_caption,
                            verdict=verdict,
                            reviewer=reviewer,
                            action=action,
                            reason=reason,
                            plan=self._plan_of(item, reviewer, counts=counts),
                            settles=settles,
                        )
                    )
            return self._write(action, entries, left)

    def _plan_of(self, item: Item, reviewer: str, *, counts: bool) -> int | None:
        """The plan a verdict counts for; who changes a verdict that counts changes what counts."""
        if item.place is None:
            return None
        number = self._index.plans[-1].number
        earlier = self._index.ledger.says(item.view.path).get(reviewer)
        return number if counts or (earlier is not None and earlier.plan == number) else None

    def _write(self, action: str, entries: Sequence[VerdictEntry], left: Sequence[tuple[str, str]]) -> Given:
        if self._index.ledger.action(action):
            known = {entry.path for entry in self._index.ledger.action(action)}
            return Given(action, self._at(known), repeated=True)
        written = self._catalog.save_verdicts(entries)
        self.refresh()
        return Given(action, self._at({entry.path for entry in written}), tuple(left))

    def _at(self, paths: set[str]) -> tuple[Item, ...]:
        names = (self._index.ids.get(path) for path in sorted(paths))
        return tuple(self._index.items[name] for name in names if name in self._index.items)

    def undo(self, *, reviewer: str, action: str) -> Given:
        """Take back the reviewer's newest action; `items` is empty where there is none. `action` is a new unique id."""
        with self._lock:
            self.refresh()
            return self._write(
                action, self._index.ledger.undo(_name(reviewer, "reviewer"), _name(action, "action")), ()
            )

    def redo(self, *, reviewer: str, action: str) -> Given:
        """Give again what was undone last; `items` is empty where there is nothing. `action` is a new unique id."""
        with self._lock:
            self.refresh()
            return self._write(
                action, self._index.ledger.redo(_name(reviewer, "reviewer"), _name(action, "action")), ()
            )

    def can_undo(self, reviewer: str) -> bool:
        """Whether `undo` would do anything."""
        return self._index.ledger.undoable(reviewer) is not None

    def can_redo(self, reviewer: str) -> bool:
        """Whether `redo` would do anything."""
        return self._index.ledger.redoable(reviewer) is not None

    # --- captions -----------------------------------------------------------------------------------------------------

    def edit_caption(self, name: str, text: str, *, reviewer: str, version: str) -> Item:
        """Write the caption of a candidate, with the person as its author; its history is kept.

        Args:
            name: Id of the candidate.
            text: The caption; white space around it is dropped, and it is one line.
            reviewer: Who writes it.
            version: The `Item.version` they looked at.

        Raises:
            UserError: An empty text, or the candidate changed since.
        """
        author, wanted = _name(reviewer, "reviewer"), _text(text, "caption")
        if wanted is None:
            raise UserError("A caption is not empty", field="caption", remedy="Write one, or reject the picture.")
        with self._lock:
            self.refresh()
            item = self._same(name, version)
            if wanted != item.view.training_caption:
                self._catalog.apply_captions({item.view.path: wanted}, _author(author))
                self.refresh()
            return self.item(name)

    def set_change(self, name: str, index: int, accepted: bool, *, reviewer: str, version: str) -> Item:
        """Make one proposed change, or take it back, and leave the rest of the caption."""
        with self._lock:
            self.refresh()
            text = toggled(self._same(name, version).view, index, accepted)
            return self.edit_caption(name, text, reviewer=reviewer, version=version)

    def accept_proposal(self, name: str, *, reviewer: str, version: str) -> Item:
        """Make the whole proposal the caption."""
        with self._lock:
            proposed = self.item(name).view.proposed_caption
            if proposed is None:
                raise UserError("Nothing is proposed", field="caption", remedy="Write the caption.")
            return self.edit_caption(name, proposed, reviewer=reviewer, version=version)

    def revert_caption(self, name: str, *, reviewer: str, version: str) -> Item:
        """Go back to the caption before the newest one; without an earlier one, to the proposal."""
        with self._lock:
            view = self._same(name, version).view
            earlier = [
                entry["text"] for entry in self._catalog.caption_history(view.path) if entry["kind"] == "current"
            ]
            texts = [text for text in (view.proposed_caption, *earlier) if text is not None]
            before = next((text for text in reversed(texts) if text != view.training_caption), None)
            if before is None:
                return self.item(name)
            return self.edit_caption(name, before, reviewer=reviewer, version=version)

    def _same(self, name: str, version: str) -> Item:
        item = self.item(name)
        if item.version != version:
            raise UserError(
                "The picture or its caption changed since you saw it",
                field="version",
                value=version,
                remedy="Load the image again.",
            )
        return item

    # --- the plan -----------------------------------------------------------------------------------------------------

    def start_plan(
        self,
        kind: str = "fixed",
        *,
        allowed: int | None = None,
        target: float = 0.90,
        confidence: float = 0.95,
        seed: int = 0,
        by: str,
    ) -> ReviewPlan:
        """Fix a plan over the admitted set; it closes the one before, whose verdicts stay as labels.

        Args:
            kind: A name in `PLANS`.
            allowed: Errors a fixed plan may find; None: 2, or fewer where the set is too small for that.
            target: Share right that is to be shown, 0-1.
            confidence: One-sided, 0-1.
            seed: The same seed and set, the same draw.
            by: Who asks for it.

        Raises:
            UserError: Nothing is admitted, or no such plan can show the target.
        """
        with self._lock:
            self.refresh()
            proposed = self.propose_plan(
                kind,
                allowed=allowed,
                target=target,
                confidence=confidence,
                seed=seed,
                by=_name(by, "reviewer"),
            )
            return self.fix(proposed)

    def fix(self, proposed: ReviewPlan) -> ReviewPlan:
        """Fix a plan that `propose_plan` gave."""
        with self._lock:
            self._catalog.save_plan(proposed)
            self.refresh()
            return self._index.plans[-1]


def _author(reviewer: str) -> str:
    """A caption's author; "graftset" marks what the tool wrote, so a person of that name is told apart."""
    return f"reviewer {reviewer}" if reviewer.startswith("graftset") else reviewer


def _name(text: str, field: str) -> str:
    found = " ".join(text.split())
    if not found or len(found) > MOST_NAME or not found.isprintable():
        raise UserError(
            f"The {field} is 1 to {MOST_NAME} printable characters", field=field, value=text[:100], remedy="Give one."
        )
    return found


def _text(text: str | None, field: str) -> str | None:
    found = " ".join((text or "").splitlines()).strip()
    if len(found) > MOST_TEXT:
        raise UserError(
            f"The {field} is longer than {MOST_TEXT} characters", field=field, value=len(found), remedy="Shorten it."
        )
    return found or None
