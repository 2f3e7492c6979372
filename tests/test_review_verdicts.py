"""Giving verdicts: nothing is lost or doubled, whatever is undone, repeated, edited, killed or done at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graftset.catalog import Catalog
from graftset.catalog.contract import image_json
from graftset.errors import UserError
from graftset.records import VerdictEntry
from graftset.review import Desk
from graftset.review.ledger import Ledger
from review_room import candidate, catalog_of, named, say, select, unique

SLOW = [HealthCheck.too_slow]  # a loaded machine is no failure

# --- one reviewer -----------------------------------------------------------------------------------------------------


def test_a_verdict_moves_a_picture_from_one_queue_to_another(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 4))
    assert say(desk, named(desk, 0), "approved").queue == "approved"
    assert say(desk, named(desk, 1), "rejected", reason="melted face").queue == "rejected"
    assert say(desk, named(desk, 2), "skipped").queue == "skipped"
    assert desk.counts() == {"pending": 1, "approved": 1, "rejected": 1, "skipped": 1}
    assert say(desk, named(desk, 1), "approved").queue == "approved"
    assert [entry.verdict for entry in desk.history(named(desk, 1).id)] == ["rejected", "approved"]


def test_images_shows_the_review_and_what_came_of_it(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 2)
    desk = Desk(catalog)
    say(desk, named(desk, 0), "rejected", reason="two hats")
    first, second = (image_json(view)["review"] for view in catalog.views())
    assert (first["verdict"], first["reviewer"], first["reason"]) == ("rejected", "Ann", "two hats")
    assert first["at"].endswith("+00:00")
    assert second is None


def test_the_same_request_twice_is_one_verdict(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 2))
    item = named(desk, 0)
    for repeated in (False, True, True):
        done = desk.give({item.id: item.version}, "approved", reviewer="Ann", action="click-1")
        assert done.repeated is repeated
        assert [one.queue for one in done.items] == ["approved"]
    assert len(desk.history(item.id)) == 1


def test_a_repeated_request_does_not_come_back_after_an_undo(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 1))
    item = named(desk, 0)
    desk.give({item.id: item.version}, "approved", reviewer="Ann", action="click-1")
    desk.undo(reviewer="Ann", action="undo-1")
    assert desk.give({item.id: item.version}, "approved", reviewer="Ann", action="click-1").repeated
    assert desk.undo(reviewer="Ann", action="undo-1").repeated
    assert desk.item(item.id).queue == "pending"


def test_the_same_picture_open_twice_is_judged_as_it_is(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 2))
    seen = named(desk, 0)
    desk.edit_caption(seen.id, "portrait, navy background", reviewer="Bob", version=seen.version)
    done = desk.give({seen.id: seen.version}, "approved", reviewer="Ann", action="late")
    assert done.items == ()
    assert "changed since you saw it" in done.left[0][1]
    assert desk.item(seen.id).queue == "pending"
    with pytest.raises(UserError, match="changed since you saw it"):
        desk.edit_caption(seen.id, "another", reviewer="Ann", version=seen.version)


def test_a_bulk_verdict_is_one_action(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 6))
    shown = {item.id: item.version for item in desk.items()[:4]}
    done = desk.give({**shown, "gone": "0"}, "rejected", reviewer="Ann", action="bulk", reason="blurred")
    assert len(done.items) == 4
    assert done.left == (("gone", "there is no such candidate any more"),)
    assert desk.counts()["rejected"] == 4
    assert len(desk.undo(reviewer="Ann", action="u").items) == 4
    assert desk.counts()["rejected"] == 0
    desk.redo(reviewer="Ann", action="r")
    assert desk.counts()["rejected"] == 4


def test_undo_gives_back_what_was_said_before_and_a_new_verdict_ends_redo(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 2))
    for verdict in ("skipped", "approved", "rejected"):
        say(desk, named(desk, 0), verdict, reason=verdict)
    states = []
    while desk.can_undo("Ann"):
        states += [item.queue for item in desk.undo(reviewer="Ann", action=unique()).items]
    assert states == ["approved", "skipped", "pending"]
    assert desk.undo(reviewer="Ann", action=unique()).items == ()
    assert [desk.redo(reviewer="Ann", action=unique()).items[0].queue for _ in range(2)] == ["skipped", "approved"]
    assert named(desk, 0).view.review is not None
    assert named(desk, 0).view.review.reason == "approved"
    say(desk, named(desk, 1), "approved")
    assert not desk.can_redo("Ann")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reviewer": ""}, "reviewer"),
        ({"reviewer": "x" * 81}, "reviewer"),
        ({"reviewer": "a\x00b"}, "reviewer"),
        ({"action": " "}, "action"),
        ({"verdict": "pending"}, "verdict"),
        ({"verdict": "withdrawn"}, "verdict"),
        ({"reason": "x" * 4001}, "reason"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field(tmp_path: Path, changes: dict[str, str], field: str) -> None:
    desk = Desk(catalog_of(tmp_path, 1))
    item = named(desk, 0)
    call = {"reviewer": "Ann", "action": "a", "verdict": "approved", "reason": None, **changes}
    verdict = call.pop("verdict")
    with pytest.raises(UserError) as error:
        desk.give({item.id: item.version}, verdict, **call)  # type: ignore[arg-type]
    assert error.value.field == field
    assert desk.history(item.id) == ()


# --- against a reference ----------------------------------------------------------------------------------------------

Step = tuple[str, str, int, str]  # what, who, which image, verdict
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["give", "give", "bulk", "undo", "redo"]),
        st.sampled_from(["Ann", "Bob"]),
        st.integers(0, 2),
        st.sampled_from(["approved", "rejected", "skipped"]),
    ),
    max_size=25,
)


class Reference:
    """A review as plain lists: for each reviewer the actions that hold, and those undone."""

    def __init__(self) -> None:
        self.done: dict[str, list[dict[int, str]]] = {"Ann": [], "Bob": []}
        self.undone: dict[str, list[dict[int, str]]] = {"Ann": [], "Bob": []}

    def step(self, step: Step) -> None:
        what, who, image, verdict = step
        if what in ("give", "bulk"):
            self.done[who].append(dict.fromkeys(range(3), verdict) if what == "bulk" else {image: verdict})
            self.undone[who].clear()
        elif what == "undo" and self.done[who]:
            self.undone[who].append(self.done[who].pop())
        elif what == "redo" and self.undone[who]:
            self.done[who].append(self.undone[who].pop())

    def says(self, who: str, image: int) -> str:
        given = [action[image] for action in self.done[who] if image in action]
        return given[-1] if given else "withdrawn"


@given(STEPS)
@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
def test_any_sequence_of_verdicts_undo_and_redo_is_what_plain_lists_say(steps: list[Step]) -> None:
    ledger, reference, written = Ledger(), Reference(), []

    def write(entries: tuple[VerdictEntry, ...] | list[VerdictEntry]) -> None:
        numbered = [replace(entry, number=len(written) + 1 + i) for i, entry in enumerate(entries)]
        written.extend(numbered)
        ledger.extend(numbered)

    for number, step in enumerate(steps):
        what, who, image, verdict = step
        reference.step(step)
        if what == "undo":
            write(ledger.undo(who, str(number)))
        elif what == "redo":
            write(ledger.redo(who, str(number)))
        else:
            paths = range(3) if what == "bulk" else [image]
            write([VerdictEntry(str(p), "", None, verdict, who, str(number)) for p in paths])  # type: ignore[arg-type]
        for folded in (ledger, Ledger(written)):  # as it grew, and read anew as after a restart
            for who_says in ("Ann", "Bob"):
                for path in range(3):
                    entry = folded.says(str(path)).get(who_says)
                    assert ("withdrawn" if entry is None else entry.verdict) == reference.says(who_says, path)
                assert (folded.undoable(who_says) is not None) == bool(reference.done[who_says])
                assert (folded.redoable(who_says) is not None) == bool(reference.undone[who_says])
    assert len(written) == len({(entry.action, entry.path) for entry in written})


@given(STEPS)
@settings(max_examples=12, deadline=None, suppress_health_check=SLOW)
def test_a_desk_counts_the_same_as_one_that_is_opened_anew(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    catalog = catalog_of(tmp_path_factory.mktemp("desk"), 3, colors=("gray", "blue"))
    desk = Desk(catalog)
    desk.start_plan("sequential", by="Ann")
    for what, who, image, verdict in steps:
        if what == "undo":
            desk.undo(reviewer=who, action=unique())
        elif what == "redo":
            desk.redo(reviewer=who, action=unique())
        else:
            shown = desk.items() if what == "bulk" else [named(desk, image)]
            desk.give({item.id: item.version for item in shown}, verdict, reviewer=who, action=unique())  # type: ignore[arg-type]
    fresh = Desk(catalog)
    assert fresh.numbers() == desk.numbers()
    assert fresh.items() == desk.items()
    assert fresh.outcome() == desk.outcome()
    assert [item.view for item in fresh.items()] == [v for v in catalog.views() if v.origin == "generated"]
    catalog.close()


# --- what a verdict was said of ---------------------------------------------------------------------------------------


def test_a_verdict_on_another_caption_does_not_count_and_says_so(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 2)
    desk = Desk(catalog)
    item = say(desk, named(desk, 0), "approved")
    after = desk.edit_caption(item.id, "portrait, navy background", reviewer="Bob", version=item.version)
    assert (after.queue, after.stale) == ("pending", True)
    shown = image_json(catalog.views()[0])
    assert shown["review"] is None
    assert shown["stale_review"]["verdict"] == "approved"
    assert shown["caption_author"] == "Bob"
    assert desk.numbers().stale == 1
    back = desk.revert_caption(item.id, reviewer="Bob", version=after.version)
    assert (back.queue, back.stale) == ("approved", False)


def test_a_verdict_on_other_bytes_does_not_count_and_says_so(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 2)
    desk = Desk(catalog)
    say(desk, named(desk, 0), "rejected")
    catalog.save_images([candidate("000", data="painted over")])
    desk.refresh(force=True)
    assert (named(desk, 0).queue, named(desk, 0).stale) == ("pending", True)
    say(desk, named(desk, 0), "approved")
    catalog.save_images([candidate("000")])
    view = catalog.views()[0]
    assert view.review is None, "what Ann said last, she said of other bytes"
    assert view.stale_review is not None


def test_a_picture_that_moved_keeps_its_verdict(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 2)
    desk = Desk(catalog)
    say(desk, named(desk, 0), "approved")
    catalog.rename("/pool/000.png", "/pool/sorted/first.png")
    desk.refresh(force=True)
    moved = next(item for item in desk.items() if item.view.path == "/pool/sorted/first.png")
    assert moved.queue == "approved"


def test_a_rejected_picture_is_left_out_by_the_next_selection_and_an_approved_one_is_in(tmp_path: Path) -> None:
    from graftset.selection import Policy, select

    catalog = catalog_of(tmp_path, 3, scores={2: 6.0})
    desk = Desk(catalog)
    say(desk, named(desk, 0), "rejected", reason="two hats")
    say(desk, named(desk, 2), "approved")
    chosen = {choice.path: choice for choice in select(catalog.views(), [], features={}, policy=Policy()).choices}
    assert chosen["/pool/000.png"].reasons == ("rejected: by Ann (two hats)",)
    assert chosen["/pool/002.png"].selected
    assert "approved by Ann" in chosen["/pool/002.png"].reasons[0]


# --- several reviewers ------------------------------------------------------------------------------------------------


def test_reviewers_who_disagree_are_a_conflict_until_one_settles_it(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 4))
    say(desk, named(desk, 0), "approved", "Ann")
    say(desk, named(desk, 0), "skipped", "Cleo")
    assert desk.conflicts() == ()
    say(desk, named(desk, 0), "rejected", "Bob")
    assert [item.view.path for item in desk.conflicts()] == ["/pool/000.png"]
    settled = say(desk, named(desk, 0), "approved", "Ann", settles=True)
    assert (settled.queue, settled.conflict, desk.conflicts()) == ("approved", False, ())
    again = say(desk, named(desk, 0), "rejected", "Bob")
    assert again.conflict, "who speaks after that opens it again"


def test_kappa_of_two_reviewers_is_over_what_both_decided(tmp_path: Path) -> None:
    desk = Desk(catalog_of(tmp_path, 10))
    for i in range(8):
        say(desk, named(desk, i), "approved" if i < 6 else "rejected", "Ann")
        say(desk, named(desk, i), "approved" if i < 5 else "rejected", "Bob")
    say(desk, named(desk, 8), "approved", "Ann")
    say(desk, named(desk, 9), "skipped", "Ann")
    say(desk, named(desk, 9), "rejected", "Bob")
    (pair,) = desk.numbers().agreement
    assert (pair.first, pair.second, pair.kappa.n) == ("Ann", "Bob", 8)
    assert pair.kappa.agreement == pytest.approx(7 / 8)
    assert pair.kappa.kappa == pytest.approx((7 / 8 - 9 / 16) / (1 - 9 / 16))
    say(desk, named(desk, 5), "approved", "Bob", settles=True)
    assert desk.numbers().agreement[0].kappa.n == 7, "a verdict that settles was not given blind"
    assert {one.name: (one.approved, one.rejected, one.skipped) for one in desk.numbers().reviewers} == {
        "Ann": (7, 2, 1),
        "Bob": (6, 3, 0),
    }


def test_two_desks_on_one_catalog_see_each_other(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 5)
    other = Catalog.open(f"sqlite:///{tmp_path / 'catalog.db'}")
    ann, bob = Desk(catalog), Desk(other)
    version = bob.version
    assert not bob.refresh()
    say(ann, named(ann, 0), "rejected")
    item = named(ann, 1)
    ann.edit_caption(item.id, "portrait, navy background", reviewer="Ann", version=item.version)
    assert bob.refresh()
    assert bob.version > version
    assert named(bob, 0).queue == "rejected"
    assert named(bob, 1).view.caption == "portrait, navy background"
    select(catalog, [2])
    bob.refresh()
    assert [item.view.path for item in bob.items(scope="pool")] == ["/pool/002.png"]
    other.close()


def test_a_candidate_that_came_since_and_was_captioned_is_there(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 2)
    desk = Desk(catalog)
    catalog.save_images([candidate("new")])
    catalog.apply_captions({"/pool/new.png": "a lady"}, "Ann")
    desk.refresh()
    assert [item.view.path for item in desk.items()] == ["/pool/000.png", "/pool/001.png", "/pool/new.png"]


# --- kills and processes ----------------------------------------------------------------------------------------------

WRITER = """
import sys
from graftset.catalog import Catalog
from graftset.review import Desk

desk = Desk(Catalog.open(sys.argv[1]))
for round in range(int(sys.argv[3])):
    for number, item in enumerate(desk.items()):
        verdict = "approved" if (round + number) % 2 else "rejected"
        desk.give({item.id: item.version}, verdict, reviewer=sys.argv[2], action=f"{sys.argv[2]}-{round}-{number}")
        print(round, number, flush=True)
"""


def writer(folder: Path, name: str, rounds: int) -> subprocess.Popen[str]:
    """Another process that gives verdicts, and prints each once it is told that it is written."""
    command = [sys.executable, "-c", WRITER, f"sqlite:///{folder / 'catalog.db'}", name, str(rounds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_server_has_lost_no_verdict_that_it_confirmed(tmp_path: Path) -> None:
    catalog_of(tmp_path, 20).close()
    process = writer(tmp_path, "Ann", 1000)
    assert process.stdout is not None
    confirmed = [process.stdout.readline().split() for _ in range(45)]
    process.send_signal(signal.SIGKILL)
    confirmed += [line.split() for line in process.stdout.read().splitlines()]
    process.wait(timeout=30)
    process.stdout.close()
    catalog = Catalog.open(f"sqlite:///{tmp_path / 'catalog.db'}")
    written = [entry.action for entry in catalog.verdicts()]
    said = [f"Ann-{round_}-{number}" for round_, number in confirmed]
    assert written[: len(said)] == said
    assert len(written) - len(said) <= 1  # what it was about to confirm
    assert len(set(written)) == len(written)
    catalog.close()


def test_two_processes_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, 20)
    processes = [writer(tmp_path, name, 4) for name in ("Ann", "Bob")]
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    entries = catalog.verdicts()
    assert sorted(entry.action for entry in entries) == sorted(
        f"{name}-{round_}-{number}" for name in ("Ann", "Bob") for round_ in range(4) for number in range(20)
    )
    numbers = Desk(catalog).numbers()
    assert [(one.approved, one.rejected) for one in numbers.reviewers] == [(10, 10), (10, 10)]
    assert numbers.conflicts == 0
