"""Assessing again: only what changed is measured, a killed run goes on, and the result is as if done in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

import graftset.assess.stage
import graftset.measuring
from assess_helpers import Pool, painted, portraits
from graftset.assess import load_native, outdated
from graftset.errors import UserError

ORIGINALS, CANDIDATES = 24, 6


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    """24 originals, and variations, a copy (c04) and a repeat (c05 of c00) among the candidates; assessed."""
    natives = portraits(ORIGINALS + 4)
    shown = [*natives[ORIGINALS:], natives[3], natives[ORIGINALS]]
    pictures = [painted(native, seed) for native, seed in zip(shown, (0, 1, 2, 3, 4, 6), strict=True)]
    pool = Pool(tmp_path).fill(natives[:ORIGINALS], pictures)
    pool.take()
    return pool


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are measured from now on."""
    names: list[str] = []
    measure = graftset.measuring.measure_file

    def spy(request: graftset.measuring.Request) -> graftset.measuring.Measured:
        names.append(Path(request.path).name)
        return measure(request)

    monkeypatch.setattr(graftset.assess.stage, "measure_file", spy)
    return names


def test_a_first_run_measures_everything(tmp_path: Path) -> None:
    report = Pool(tmp_path).fill(portraits(22), [painted(portraits(23)[22])]).take()
    assert (report.measured, report.assessed, report.unchanged, report.refused) == (23, 23, 0, ())


def test_a_second_run_opens_no_file_and_changes_nothing(pool: Pool, opened: list[str]) -> None:
    before = pool.assessments()
    report = pool.take()
    assert opened == []
    assert (report.measured, report.assessed, report.unchanged) == (0, 0, ORIGINALS + CANDIDATES)
    assert pool.assessments() == before
    assert outdated(pool.catalog) == 0


def test_a_second_run_does_not_even_need_the_files(pool: Pool) -> None:
    before = pool.assessments()
    for file in (*pool.originals.iterdir(), *pool.candidates.iterdir()):
        file.unlink()
    assert pool.assess().assessed == 0
    assert pool.assessments() == before


def test_a_changed_file_is_measured_and_assessed_again(pool: Pool, opened: list[str]) -> None:
    before = pool.views()["c01"]
    pool.candidate("c01", painted(portraits(ORIGINALS + 2)[-1], 1, fault="blur", severity=1))
    pool.ingest()
    assert outdated(pool.catalog) > 0
    assert pool.views()["c01"].score is None  # what was said of other pixels is not said of these
    report = pool.assess()
    after = pool.views()["c01"]
    assert opened == ["c01.png"]
    assert report.assessed == 1
    assert before.score is not None
    assert after.score is not None
    assert after.score < before.score - 2
    assert outdated(pool.catalog) == 0


def test_two_files_that_change_places_change_their_assessments(pool: Pool, opened: list[str]) -> None:
    before = pool.views()
    one, other = pool.candidates / "c01.png", pool.candidates / "c02.png"
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    pool.take()
    after = pool.views()
    assert opened == []  # both contents are known
    assert (after["c01"].measures, after["c02"].measures) == (before["c02"].measures, before["c01"].measures)


def test_a_new_candidate_leaves_the_others_as_they_are(pool: Pool, opened: list[str]) -> None:
    before = pool.assessments()
    added = pool.candidate("c99", painted(portraits(40)[39], 9))
    report = pool.take()
    assert opened == ["c99.png"]
    assert (report.measured, report.assessed, report.unchanged) == (1, 1, ORIGINALS + CANDIDATES)
    after = pool.assessments()
    assert after.pop(str(added)).score is not None
    assert after == before


def kept_and_repeat(pool: Pool) -> tuple[str, str]:
    """The stems of c00 and c05, the better one first."""
    views = pool.views()
    kept, repeat = ("c00", "c05") if views["c00"].repeat_of is None else ("c05", "c00")
    assert views[kept].repeat_of is None
    assert views[repeat].repeat_of == views[kept].path
    return kept, repeat


def test_a_better_repeat_takes_over_and_a_removed_one_lets_go(pool: Pool) -> None:
    kept, repeat = kept_and_repeat(pool)
    assert (pool.views()[kept].score or 0) >= (pool.views()[repeat].score or 0)
    better = pool.candidate("c98", portraits(ORIGINALS + 4)[ORIGINALS])  # the very picture, without render noise
    assert pool.take().assessed == 3
    views = pool.views()
    assert views["c98"].repeat_of is None
    assert (views["c00"].repeat_of, views["c05"].repeat_of) == (str(better), str(better))
    better.unlink()
    (pool.candidates / f"{kept}.png").unlink()
    pool.take()
    assert pool.views()[repeat].repeat_of is None


def test_a_new_original_assesses_everything_again_and_opens_only_itself(pool: Pool, opened: list[str]) -> None:
    assert pool.views()["c02"].copy_of is None
    pool.original("o99", portraits(ORIGINALS + 4)[ORIGINALS + 2])
    report = pool.take()
    assert opened == ["o99.png"]
    assert report.measured == 1
    assert report.assessed > CANDIDATES
    assert pool.views()["c02"].copy_of == str(pool.originals / "o99.png")


def test_an_original_with_another_name_is_found_under_it(pool: Pool, opened: list[str]) -> None:
    assert pool.views()["c04"].copy_of == str(pool.originals / "o03.png")
    (pool.originals / "o03.png").rename(pool.originals / "renamed.png")
    pool.take()
    view = pool.views()["c04"]
    assert opened == []
    assert view.copy_of == view.source_original == str(pool.originals / "renamed.png")
    assert view.nearest_original is not None
    assert view.nearest_original.path == str(pool.originals / "renamed.png")


def test_a_candidate_with_another_name_is_repeated_under_it(pool: Pool) -> None:
    kept, repeat = kept_and_repeat(pool)
    (pool.candidates / f"{kept}.png").rename(pool.candidates / "renamed.png")
    pool.take()
    assert pool.views()[repeat].repeat_of == str(pool.candidates / "renamed.png")


def test_a_new_version_of_the_measures_measures_all_again(
    pool: Pool, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graftset.assess.stage, "VERSION", "99")
    assert outdated(pool.catalog) == ORIGINALS + CANDIDATES
    report = pool.take()
    assert report.measured == len(opened) == ORIGINALS + CANDIDATES
    assert pool.take().measured == 0


def test_a_new_version_of_the_comparison_opens_no_file(
    pool: Pool, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graftset.assess.stage, "RELATED", "99")
    assert outdated(pool.catalog) == ORIGINALS + CANDIDATES
    pool.take()
    assert opened == []
    assert outdated(pool.catalog) == 0


class Killed(BaseException):
    """Stands for Ctrl-C or a kill between two pictures."""


@pytest.mark.parametrize(("stage", "after"), [("originals", 10), ("candidates", 3), ("compare", 1)])
def test_a_killed_run_goes_on_and_ends_as_if_never_killed(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, after: int
) -> None:
    def kill(label: str, done: int, of: int) -> None:
        if label == stage and done >= after:
            raise Killed

    monkeypatch.setattr(graftset.assess.stage, "_COMMIT", 4)
    again = Pool(tmp_path / "again")
    again.originals, again.candidates = pool.originals, pool.candidates
    again.ingest()
    with pytest.raises(Killed):
        again.assess(progress=kill)
    report = again.assess()
    assert 0 <= report.measured < ORIGINALS + CANDIDATES
    assert again.assessments() == pool.assessments()


def test_a_project_that_grew_step_by_step_says_the_same_as_one_made_at_once(pool: Pool, tmp_path: Path) -> None:
    steps = Pool(tmp_path / "steps")
    for folder, into in ((pool.originals, steps.originals), (pool.candidates, steps.candidates)):
        for i, file in enumerate(sorted(folder.iterdir(), reverse=True)):
            (into / file.name).write_bytes(file.read_bytes())
            if i % 11 == 5 and any(steps.candidates.iterdir()):
                steps.take()
    steps.take()
    plain = {Path(p).stem: (a.score_parts, a.measures, a.traits) for p, a in pool.assessments().items()}
    grown = {Path(p).stem: (a.score_parts, a.measures, a.traits) for p, a in steps.assessments().items()}
    assert grown == plain
    related = [
        {k: [p and Path(p).stem for p in (v.copy_of, v.repeat_of, v.source_original)] for k, v in x.views().items()}
        for x in (pool, steps)
    ]
    assert related[0] == related[1]


def test_as_many_workers_as_one_likes_say_the_same(tmp_path: Path) -> None:
    natives = portraits(100)  # enough to be worth a second process
    pictures = [painted(native, i, size=96) for i, native in enumerate(natives)]
    one = Pool(tmp_path / "one").fill(natives[:30], pictures)
    one.take(workers=1)
    two = Pool(tmp_path / "two")
    two.originals, two.candidates = one.originals, one.candidates
    report = two.take(workers=2)
    assert report.measured == 130
    assert two.assessments() == one.assessments()


def test_the_native_picture_is_kept(pool: Pool) -> None:
    view = pool.views()["o05"]
    native = load_native(pool.catalog, view.sha256, view.grid)
    assert native is not None
    assert (native == portraits(ORIGINALS + 4)[5]).all()
    assert load_native(pool.catalog, "0" * 64, view.grid) is None


# --- files that cannot be measured -----------------------------------------------------------------------------------


def test_a_file_that_vanished_after_ingest_is_refused_each_time_until_it_is_back(pool: Pool) -> None:
    lost = pool.candidate("c99", painted(portraits(40)[39], 9))
    pool.ingest()
    data = lost.read_bytes()
    lost.unlink()
    for _ in range(2):
        report = pool.assess()
        assert report.refused == ((str(lost), "is not there"),)
        assert pool.views()["c99"].score is None
        assert pool.views()["c99"].reasons == ("unreadable: is not there",)
    with pytest.raises(UserError, match=r"c99\.png could not be measured.*is not there"):
        pool.assess(strict=True)
    lost.write_bytes(data)
    assert pool.assess().refused == ()
    assert pool.views()["c99"].score is not None
    assert pool.views()["c99"].reasons == ()


def test_a_file_that_changed_after_ingest_is_refused_until_it_is_ingested(pool: Pool) -> None:
    changed = pool.candidate("c99", painted(portraits(40)[39], 9))
    pool.ingest()
    pool.candidate("c99", painted(portraits(40)[38], 9))
    ((path, reason),) = pool.assess().refused
    assert path == str(changed)
    assert "changed since it was ingested" in reason
    assert pool.take().refused == ()
    assert pool.views()["c99"].score is not None


def test_a_candidate_of_another_native_size_is_refused_on_every_run(pool: Pool) -> None:
    other = pool.candidate("c99", painted(portraits(30)[29], 3, size=512)[:400, :400])
    for _ in range(2):
        report = pool.take()
        assert [path for path, _ in report.refused] == [str(other)]
    with pytest.raises(UserError):
        pool.take(strict=True)
    other.unlink()
    assert pool.take(strict=True).refused == ()
