"""The verdicts as they stand, folded from the append-only entries. Pure, and cheap to extend.

Undo takes back the newest action of a reviewer that is not taken back yet, whole where it was a bulk action; redo gives
it again, until a new verdict is given. Both are entries that hold the verdict which applies from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graftset.records import VerdictEntry


@dataclass(slots=True)
class _Stacks:
    """What a reviewer can undo and redo: ids of actions, the newest last."""

    done: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)


class Ledger:
    """Every entry, the newest one of each reviewer on each image, and what each reviewer can undo."""

    def __init__(self, entries: Iterable[VerdictEntry] = ()) -> None:
        self.last = 0  # number of the newest entry
        self._history: dict[str, list[VerdictEntry]] = {}  # path -> entries
        self.followed: set[int] = set()  # plans that verdicts were given under
        self._says: dict[str, dict[str, VerdictEntry]] = {}  # path -> reviewer -> newest entry
        self._actions: dict[str, list[VerdictEntry]] = {}
        self._stacks: dict[str, _Stacks] = {}
        self.extend(entries)

    def extend(self, entries: Iterable[VerdictEntry]) -> set[str]:
        """Take in entries, the oldest first; those already there are passed over. Returns the paths they concern."""
        touched = set()
        for entry in entries:
            if entry.number <= self.last:
                continue
            self.last = entry.number
            touched.add(entry.path)
            if entry.plan is not None:
                self.followed.add(entry.plan)
            self._history.setdefault(entry.path, []).append(entry)
            self._says.setdefault(entry.path, {})[entry.reviewer] = entry
            fresh = entry.action not in self._actions
            self._actions.setdefault(entry.action, []).append(entry)
            if fresh:
                self._step(entry)
        return touched

    def _step(self, entry: VerdictEntry) -> None:
        stacks = self._stacks.setdefault(entry.reviewer, _Stacks())
        if entry.act == "give":
            stacks.done.append(entry.action)
            stacks.undone.clear()
        elif entry.act == "undo" and entry.of in stacks.done:
            stacks.done.remove(entry.of)
            stacks.undone.append(entry.of)
        elif entry.act == "redo" and entry.of in stacks.undone:
            stacks.undone.remove(entry.of)
            stacks.done.append(entry.of)

    def says(self, path: str) -> Mapping[str, VerdictEntry]:
        """The newest entry of each reviewer on one image."""
        return self._says.get(path, {})

    @property
    def everything(self) -> Mapping[str, Mapping[str, VerdictEntry]]:
        """The newest entry of each reviewer on each image: path -> reviewer -> entry."""
        return self._says

    def history(self, path: str) -> tuple[VerdictEntry, ...]:
        """Every entry on one image, the oldest first."""
        return tuple(self._history.get(path, ()))

    def paths(self) -> Iterable[str]:
        """Images that anything was said of."""
        return self._says.keys()

    def reviewers(self) -> tuple[str, ...]:
        """Everybody who gave a verdict, in the order they first did."""
        return tuple(dict.fromkeys([*self._stacks]))

    def action(self, action: str) -> Sequence[VerdictEntry]:
        """What one action wrote."""
        return self._actions.get(action, ())

    def undoable(self, reviewer: str) -> str | None:
        """The action that an undo would take back."""
        stacks = self._stacks.get(reviewer)
        return stacks.done[-1] if stacks and stacks.done else None

    def redoable(self, reviewer: str) -> str | None:
        """The action that a redo would give again."""
        stacks = self._stacks.get(reviewer)
        return stacks.undone[-1] if stacks and stacks.undone else None

    def undo(self, reviewer: str, action: str) -> tuple[VerdictEntry, ...]:
        """The entries that take back the reviewer's newest action; empty where there is none. `action` is their id."""
        target = self.undoable(reviewer)
        return () if target is None else tuple(self._before(entry, action) for entry in self._actions[target])

    def redo(self, reviewer: str, action: str) -> tuple[VerdictEntry, ...]:
        """The entries that give again what was undone last; empty where there is nothing. `action` is their id."""
        target = self.redoable(reviewer)
        if target is None:
            return ()
        return tuple(
            replace(entry, action=action, act="redo", of=target, at="", number=0) for entry in self._actions[target]
        )

    def _before(self, entry: VerdictEntry, action: str) -> VerdictEntry:
        """What the reviewer said of the image before an entry, as an entry."""
        earlier = [e for e in self._history[entry.path] if e.reviewer == entry.reviewer and e.number < entry.number]
        blank = replace(entry, verdict="withdrawn", reason=None, settles=False)
        return replace(earlier[-1] if earlier else blank, action=action, act="undo", of=entry.action, at="", number=0)
