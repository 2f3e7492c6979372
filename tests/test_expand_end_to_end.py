"""Two folders become training sets and a report; again, elsewhere, with more pictures, with other wishes."""

from __future__ import annotations

import json
import shlex
import shutil
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter

from graftset.build import verify
from graftset.build.kohya import schema_faults
from running import Outcome, admitted, build_bytes, call, copy_of, images, names, pictures, run, sentence, status

PLANS = ["originals", "equal", "weighted", "sequential"]


@pytest.fixture(scope="module")
def expanded(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A project that was expanded in a process of its own, and what that said; to read only."""
    project = tmp_path_factory.mktemp("expanded") / "portraits"
    done = run("expand", project, *pictures(sample), "--json")
    assert (done.code, done.err) == (0, "")
    return project, done.json


@pytest.fixture
def project(expanded: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A copy of the expanded project, to change."""
    return Path(shutil.copytree(expanded[0], tmp_path / "portraits"))


def test_two_folders_become_four_builds_and_a_report(expanded: tuple[Path, dict[str, Any]], sample: Path) -> None:
    project, document = expanded
    assert [build["plan"]["name"] for build in document["builds"]] == PLANS
    assert document["not_built"] == []
    assert 0 < admitted(document) < 12
    for build in document["builds"]:
        folder = Path(build["folder"])
        assert folder == project / "builds" / build["plan"]["name"]
        assert verify(folder).intact
        configs = list(folder.rglob("*.toml"))
        assert len(configs) == 2 * len(build["plan"]["stages"])
        for config in configs:
            parsed = tomllib.loads(config.read_text(encoding="utf-8"))
            assert config.name != "dataset.toml" or schema_faults(parsed) == []
        assert len(list(folder.glob("12_original/*.png"))) == 12
        generated = 0 if build["plan"]["name"] == "originals" else admitted(document)
        assert len(list(folder.glob(f"{generated}_generated/*.png"))) == generated
        for image in folder.glob("*_*/*.png"):
            assert image.with_suffix(".txt").read_text(encoding="utf-8").strip()
    page = Path(document["report"]).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert all(f"builds/{plan}" in page for plan in PLANS)


def test_a_copy_is_dropped_for_what_it_is_and_every_candidate_has_a_reason(sample: Path, tmp_path: Path) -> None:
    mine = copy_of(sample, tmp_path / "mine")
    original = next((mine / "originals").glob("*.png"))
    with Image.open(original) as picture:
        picture.resize((240, 240), Image.Resampling.NEAREST).save(mine / "candidates" / "copy.png")
    call("expand", tmp_path / "project", *pictures(mine))
    candidates = {Path(i["path"]).stem: i for i in images(tmp_path / "project") if i["origin"] == "generated"}
    assert candidates["copy"]["selected"] is False
    assert f"copy: the same picture as {original.name} up to render noise" in candidates["copy"]["reasons"]
    assert all(image["reasons"] for image in candidates.values())


def test_an_original_that_cannot_be_measured_is_left_out_with_a_reason(sample: Path, tmp_path: Path) -> None:
    mine, project = copy_of(sample, tmp_path / "mine"), tmp_path / "project"
    Image.new("RGB", (240, 240), "gray").save(mine / "originals" / "plain.png")
    (mine / "originals" / "plain.txt").write_text("pixel art portrait, gray background", encoding="utf-8")
    done = call("expand", project, *pictures(mine), "--json")
    assert (done.code, done.json["not_built"]) == (0, [])
    assert [build["plan"]["name"] for build in done.json["builds"]] == PLANS
    for build in done.json["builds"]:
        (left_out,) = build["skipped"]
        assert left_out["path"] == "plain.png"
        assert "grid" in left_out["reason"]
        assert verify(Path(build["folder"])).intact
    assert "plain.png" in Path(done.json["report"]).read_text(encoding="utf-8")
    stands = status(project)
    assert (stands["next"], [build["stale"] for build in stands["builds"]]) == ([], [False] * 4)
    strict = call("build", "--project", project, "--plan", "originals", "--name", "strict", "--strict")
    assert sentence(strict).startswith("1 image could not be measured: plain.png")


def test_pictures_that_were_not_assessed_yet_are_not_left_out_in_silence(sample: Path, tmp_path: Path) -> None:
    call("init", tmp_path, *pictures(sample))
    call("ingest", "--project", tmp_path)
    error = sentence(call("build", "--project", tmp_path, "--plan", "originals"))
    assert error.startswith("This image was not measured")


def test_again_it_does_nothing_and_says_so(project: Path) -> None:
    before = build_bytes(project)
    times = {path: path.stat().st_mtime_ns for path in (project / "builds").rglob("*")}
    again = call("expand", project, "--json")
    assert again.code == 0
    assert (again.json["assess"]["measured"], again.json["assess"]["assessed"]) == (0, 0)
    assert again.json["ingest"]["unchanged"] == {"original": 12, "generated": 12}
    assert [build["unchanged"] for build in again.json["builds"]] == [True] * 4
    assert build_bytes(project) == before
    assert {path: path.stat().st_mtime_ns for path in (project / "builds").rglob("*")} == times


def test_the_same_pictures_anywhere_give_the_same_bytes(
    expanded: tuple[Path, dict[str, Any]], sample: Path, tmp_path: Path
) -> None:
    elsewhere = copy_of(sample, tmp_path / "Some Where" / "é")
    done = call("expand", tmp_path / "other" / "name", *pictures(elsewhere))
    assert done.code == 0
    assert build_bytes(tmp_path / "other" / "name") == build_bytes(expanded[0])


def test_more_candidates_are_measured_alone_and_builds_wait_for_force(sample: Path, tmp_path: Path) -> None:
    growing, project = copy_of(sample, tmp_path / "growing"), tmp_path / "project"
    late = sorted((growing / "candidates").glob("*.png"))[:6]
    (tmp_path / "late").mkdir()
    for path in late:
        path.rename(tmp_path / "late" / path.name)
    first = call("expand", project, *pictures(growing), "--json").json
    before = build_bytes(project)
    for path in late:
        (tmp_path / "late" / path.name).rename(path)
    second = call("expand", project, "--json")
    assert second.code == 1
    more = admitted(second.json) - admitted(first)
    assert more > 0
    assert second.json["assess"]["measured"] == 6
    assert second.json["error"]["field"] == "builds"
    assert "--force" in second.json["error"]["remedy"]
    assert [one["plan"] for one in second.json["not_built"]] == PLANS[1:]
    assert {one["differences"] for one in second.json["not_built"]} == {f"pictures: {more} more"}
    assert [build["unchanged"] for build in second.json["builds"]] == [True], "the baseline is the same"
    assert build_bytes(project) == before
    assert f"{more} more" in Path(second.json["report"]).read_text(encoding="utf-8")
    stale = {build["name"]: build["stale"] for build in status(project)["builds"]}
    assert stale == {"equal": True, "originals": False, "sequential": True, "weighted": True}
    third = call("expand", project, "--force")
    assert third.code == 0
    assert call("expand", tmp_path / "fresh", *pictures(growing)).code == 0
    # Pictures of runs from before and after are compared, so the sample prompts stay until they are taken away.
    assert {name for name, data in build_bytes(project).items() if build_bytes(tmp_path / "fresh")[name] != data} <= {
        f"{plan}/{name}" for plan in PLANS for name in ("manifest.json", "prompts.json", "sample_prompts.txt")
    }
    (project / ".graftset" / "prompts.json").unlink()
    assert call("expand", project, "--force").code == 0
    assert build_bytes(project) == build_bytes(tmp_path / "fresh"), "grown or made at once, it is the same"


def test_people_read_what_stayed_as_it_was_and_what_to_do(project: Path) -> None:
    done = call("expand", project, "--count", "3")
    assert done.code == 1
    assert "left as it was: equal; built now it would have other pictures: " in done.out
    assert done.out.splitlines()[-1].startswith("report: ")
    assert done.err.startswith("graftset: 3 builds in the project differ")
    assert done.err.rstrip().endswith("Pass --force to replace what graftset wrote.")


def test_wishes_reach_the_selection_and_the_manifest(sample: Path, tmp_path: Path) -> None:
    done = call("expand", tmp_path, *pictures(sample), "--count", "4", "--min-score", "7.5", "--seed", "3", "--json")
    assert admitted(done.json) == 4
    policy = json.loads((tmp_path / "builds" / "equal" / "manifest.json").read_bytes())["policy"]
    assert (policy["count"], policy["min_score"], policy["seed"]) == (4, 7.5, 3)
    assert len(list((tmp_path / "builds" / "equal" / "4_generated").glob("*.png"))) == 4


def test_when_nothing_passes_the_baseline_is_built_and_why_is_said(sample: Path, tmp_path: Path) -> None:
    blurred = tmp_path / "blurred"
    blurred.mkdir()
    for file in sorted((sample / "candidates").glob("*.png")):
        with Image.open(file) as image:
            image.filter(ImageFilter.GaussianBlur(8)).save(blurred / file.name)
    done = call("expand", tmp_path, "--originals", sample / "originals", "--candidates", blurred)
    assert done.code == 0
    assert f"admitted 0 of {len(list(blurred.iterdir()))}" in done.out
    assert "not built: equal: The plan equal mixes in generated images and none are selected" in done.out
    assert [path.name for path in (tmp_path / "builds").iterdir()] == ["originals"]


def test_a_size_that_cannot_be_is_an_error_once_everything_else_is_done(project: Path) -> None:
    shutil.rmtree(project / "builds")
    done = call("expand", project, "--size", "7")
    assert done.code == 1
    assert "Leave the size out to get 576 x 576 px" in done.err
    assert not list(project.rglob("*.png"))


class TestAProjectKeepsToItsPictures:
    """The folders are named once; after that the project knows them, and says so when others are named."""

    def test_naming_the_same_folders_again_goes_on(self, project: Path, sample: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(sample)
        for named in (sample / ".." / sample.name, tmp_path / "link"):
            assert call("expand", project, *pictures(named)).code == 0

    def test_settings_that_were_edited_stay(self, project: Path, sample: Path) -> None:
        settings = project / "graftset.toml"
        edited = settings.read_text().replace("min_score = 8.0", "min_score = 8.5  # mine")
        settings.write_text(edited)
        assert call("expand", project, *pictures(sample), "--force").code == 0
        assert settings.read_text() == edited
        assert json.loads((project / "builds" / "equal" / "manifest.json").read_bytes())["policy"]["min_score"] == 8.5

    @pytest.mark.parametrize("option", ["--originals", "--candidates", "--prompts"])
    def test_other_pictures_are_refused(self, project: Path, tmp_path: Path, option: str) -> None:
        settings = (project / "graftset.toml").read_bytes()
        other = tmp_path / "other"
        other.mkdir()
        refused = sentence(call("expand", project, option, other))
        assert refused.startswith("The project has other pictures: its graftset.toml names ")
        assert f"{option}: '{other}'" in refused
        assert (project / "graftset.toml").read_bytes() == settings

    def test_a_first_try_with_the_wrong_folder_is_forgiven(self, sample: Path, tmp_path: Path) -> None:
        project, wrong = tmp_path / "project", tmp_path / "wrong"
        wrong.mkdir()
        found = sentence(call("expand", project, "--originals", wrong, *pictures(sample)[2:]))
        assert found.startswith("The originals folder holds no image")
        assert call("expand", project, *pictures(sample)).code == 0
        assert status(project)["originals"] == 12

    def test_a_new_project_needs_both_folders(self, sample: Path, tmp_path: Path) -> None:
        for named in ((), pictures(sample)[:2], pictures(sample)[2:]):
            assert "--originals PATH --candidates PATH" in sentence(call("expand", tmp_path / "new", *named))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("place", ["candidates", "originals/deep/down"])
    def test_a_project_does_not_lie_among_its_pictures(self, sample: Path, tmp_path: Path, place: str) -> None:
        mine = copy_of(sample, tmp_path / "mine")
        refused = sentence(call("expand", mine / place, *pictures(mine)))
        assert refused.startswith("The project would lie inside this folder of pictures")

    def test_a_project_moves_with_pictures_inside_it(self, sample: Path, tmp_path: Path) -> None:
        before = copy_of(sample, tmp_path / "before")
        assert call("expand", before, *pictures(before)).code == 0
        built = build_bytes(before)
        after = before.rename(tmp_path / "after")
        again = call("expand", after, "--json")
        assert again.code == 0
        assert again.json["ingest"]["moved"] == {"original": 12, "generated": 12}
        assert again.json["assess"]["measured"] == 0
        assert build_bytes(after) == built


class TestStepByStep:
    """The same, a command at a time: `status` says which one is next."""

    def test_following_status_ends_where_expand_does(
        self, expanded: tuple[Path, dict[str, Any]], sample: Path, tmp_path: Path
    ) -> None:
        call("init", tmp_path, *pictures(sample))
        taken = []
        while steps := status(tmp_path)["next"]:
            words = shlex.split(steps[0]["command"])
            assert words[0] == "graftset"
            assert call(*words[1:]).code == 0
            taken.append(words[1])
            assert len(taken) < 9, taken
        assert taken == ["ingest", "assess", "caption", "select", "build"]
        weighted = {k: v for k, v in build_bytes(expanded[0]).items() if k.startswith("weighted/")}
        assert build_bytes(tmp_path) == weighted

    def test_status_counts_everything(self, expanded: tuple[Path, dict[str, Any]]) -> None:
        project, document = expanded
        stands = status(project)
        assert (stands["originals"], stands["candidates"], stands["assessed"], stands["unassessed"]) == (12, 12, 24, 0)
        assert stands["selected"] == admitted(document) == stands["selection"]["admitted"]
        assert sum(stands["selection"]["dropped"].values()) >= 12 - admitted(document)
        assert stands["claims"] == {verdict: stands["claims"][verdict] for verdict in document["caption"]["claims"]} | {
            verdict: document["caption"]["claims"].get(verdict, 0) for verdict in stands["claims"]
        }
        assert [build["name"] for build in stands["builds"]] == sorted(PLANS)
        assert stands["next"] == []
        shown = call("status", "--project", project).out
        assert f"selected    {admitted(document)}; dropped for " in shown
        assert "build       weighted: " in shown
        assert "next        nothing: all is up to date\n" in shown
        assert shown.rstrip().endswith("how far they may be trusted")  # nobody reviewed yet
        assert stands["runs"] == []

    def test_a_selection_is_out_of_date_once_a_candidate_changes(self, sample: Path, tmp_path: Path) -> None:
        mine, project = copy_of(sample, tmp_path / "mine"), tmp_path / "project"
        call("expand", project, *pictures(mine), "--count", "3")
        chosen = next(Path(image["path"]) for image in images(project) if image["selected"])
        blurred = next(Path(image["path"]) for image in images(project) if (image["score"] or 0) < 6)
        shutil.copy(blurred, chosen)
        call("ingest", "--project", project)
        assert status(project)["next"][0]["command"].startswith("graftset assess")
        call("assess", "--project", project)
        call("caption", "--project", project)
        stands = status(project)
        assert stands["selection"]["stale"] is True
        assert "1 candidate is another file now" in stands["selection"]["why_stale"]
        assert stands["next"][0]["command"] == f"graftset select --count 3 --project {project}"
        warned = call("build", "--project", project, "--plan", "equal", "--name", "again")
        assert "warning: The selection is outdated: 1 candidate is another file now" in warned.out
        call("select", "--project", project, "--count", "3")
        assert status(project)["selection"]["stale"] is False

    def test_an_original_s_new_caption_makes_its_builds_out_of_date(self, sample: Path, tmp_path: Path) -> None:
        mine, project = copy_of(sample, tmp_path / "mine"), tmp_path / "project"
        call("expand", project, *pictures(mine))
        caption = next((mine / "originals").glob("*.txt"))
        caption.write_text("pixel art, a new caption, blue background")
        for command in ("ingest", "assess", "caption"):
            call(command, "--project", project)
        builds = {build["name"]: build["differences"] for build in status(project)["builds"]}
        assert builds["originals"] == "pictures: 1 with another caption"
        again = [step["command"] for step in status(project)["next"]]
        assert f"graftset build --plan originals --force --project {project}" in again

    def test_the_build_that_status_names_is_the_same_folder(self, project: Path) -> None:
        options = ("--plan", "equal", "--name", "at 512", "--size", "512", "--root", "/workspace/x")
        assert call("build", "--project", project, *options).code == 0
        call("select", "--project", project, "--count", "2")
        command = next(step["command"] for step in status(project)["next"] if "at 512" in step["command"])
        assert call(*shlex.split(command)[1:]).code == 0
        stale = {build["name"]: build["stale"] for build in status(project)["builds"]}
        assert stale.pop("at 512") is False
        assert json.loads((project / "builds" / "at 512" / "manifest.json").read_bytes())["root"] == "/workspace/x"


class TestBuildsThatLieThere:
    """`report` and `status` show what lies in builds/, whatever wrote it."""

    def test_the_report_shows_builds_made_since(self, project: Path) -> None:
        call("build", "--project", project, "--plan", "weighted", "--size", "384", "--name", "small")
        page = Path(call("report", "--project", project, "--json").json["report"]).read_text(encoding="utf-8")
        assert "builds/small" in page
        assert "384 px" in page
        assert "builds/weighted" in page

    def test_broken_and_foreign_folders_are_left_out_with_a_note(self, project: Path) -> None:
        builds = project / "builds"
        (builds / "notes").mkdir()
        (builds / "readme.txt").write_text("mine")
        (builds / ".hidden").mkdir()
        (builds / "equal" / "manifest.json").write_text('{"format_version": 1, "plan": 7}')
        (builds / "weighted" / "manifest.json").write_bytes(b"\x00not json")
        stands = status(project)
        assert [build["name"] for build in stands["builds"]] == ["originals", "sequential"]
        assert [note.split(" is left out: ")[0] for note in stands["notes"]] == [
            "The folder builds/equal",
            "The folder builds/notes",
            "The folder builds/weighted",
        ]
        assert "it has no manifest.json" in stands["notes"][1]
        page = Path(call("report", "--project", project, "--json").json["report"]).read_text(encoding="utf-8")
        assert "The folder builds/notes is left out" in page

    def test_a_dry_run_prints_the_plan_and_writes_nothing(self, project: Path) -> None:
        done = call("build", "--project", project, "--plan", "sequential", "--name", "new", "--dry-run")
        assert "plan sequential: originals first, then all together" in done.out
        assert f"would build {project / 'builds' / 'new'}" in done.out
        assert not (project / "builds" / "new").exists()

    @pytest.mark.parametrize("name", ["../outside", "a/b", ".hidden", "-rf", "a\nb"])
    def test_a_build_s_name_leads_nowhere_else(self, project: Path, name: str) -> None:
        before = set(project.parent.rglob("*"))
        assert "plain folder name" in sentence(call("build", "--project", project, "--plan", "equal", f"--name={name}"))
        assert set(project.parent.rglob("*")) == before


class TestCheckingABuild:
    """`build --check` says whether a folder would train as planned; each fault that is planted is found."""

    def checked(self, folder: Path) -> Outcome:
        done = call("build", "--check", folder, "--json")
        assert done.code == (0 if done.json["ok"] else 1)
        assert ("error" in done.json) is not done.json["ok"]
        return done

    @pytest.mark.parametrize("plan", PLANS)
    def test_what_was_built_is_ready(self, expanded: tuple[Path, dict[str, Any]], plan: str) -> None:
        found = self.checked(expanded[0] / "builds" / plan).json
        assert (found["problems"], found["warnings"]) == ([], [])
        assert found["steps"] == found["planned_steps"] > 0
        assert all(row["images"] == row["captions"] == row["planned_images"] for row in found["rows"])
        lines = call("build", "--check", expanded[0] / "builds" / plan).out.splitlines()
        headings = ["stage", "folder", "images", "captions", "cut", "repeats", "entries", "planned", "bucket", "colors"]
        assert lines[0].split() == headings
        assert lines[-1].startswith("ready: ")

    @pytest.mark.parametrize(
        ("fault", "problem"),
        [
            ("rm 12_original/*.txt", "12_original holds 1 image without a caption"),
            ("rm 12_original/*.png", "12_original holds 11 images, the plan has 12"),
            ("empty 12_original/*.txt", "12_original holds 1 image without a caption"),
            ("edit 12_original/*.txt", "changed since the build: 12_original/"),
            ("add 12_original/mine.png", "not of the build, but beside its images: 12_original/mine.png"),
            ("rm dataset.toml", "dataset.toml is missing"),
            ("edit dataset.toml", "dataset.toml cannot be read"),
            ("num_repeats = 1>num_repeats = 9", "dataset.toml shows "),
            ("batch_size = 4>batch_size = 5", "dataset.toml has batch size 5, the plan 4"),
            ("_generated>_elsewhere", "dataset.toml shows no generated images"),
            ("shuffle_caption = false>colour = 3", "dataset.toml: general.colour: unknown key"),
        ],
    )
    def test_a_planted_fault_is_found(self, project: Path, fault: str, problem: str) -> None:
        folder = project / "builds" / "weighted"
        if ">" in fault:
            old, new = fault.split(">")
            text = (folder / "dataset.toml").read_text(encoding="utf-8")
            assert old in text
            (folder / "dataset.toml").write_text(text.replace(old, new), encoding="utf-8")
        else:
            verb, pattern = fault.split()
            target = next(iter(sorted(folder.glob(pattern))), folder / pattern)
            if verb == "rm":
                target.unlink()
            else:
                target.write_text("" if verb == "empty" else "other = = words")
        found = self.checked(folder).json
        assert any(each.startswith(problem) for each in found["problems"]), found["problems"]
        assert "problem: " in call("build", "--check", folder).out

    def test_tuning_the_training_is_a_warning(self, project: Path) -> None:
        config = project / "builds" / "weighted" / "train.toml"
        config.write_text(config.read_text(encoding="utf-8").replace("unet_lr = 0.0001", "unet_lr = 0.0002"))
        found = self.checked(config.parent).json
        assert (found["problems"], found["warnings"]) == ([], ["edited since the build: train.toml"])
        assert call("build", "--verify", config.parent).code == 1, "the files are not those that were built"

    def test_verify_names_what_differs(self, project: Path) -> None:
        folder = project / "builds" / "equal"
        assert call("build", "--verify", folder, "--json").json["ok"] is True
        (folder / "train.sh").unlink()
        found = call("build", "--verify", folder, "--json")
        assert (found.code, found.json["missing"]) == (1, ["train.sh"])
        assert "missing: train.sh" in call("build", "--verify", folder).out

    def test_a_folder_that_is_no_build_is_one_sentence(self, tmp_path: Path) -> None:
        assert sentence(call("build", "--verify", tmp_path)).startswith("This folder is not a build")
        assert sentence(call("build", "--check", tmp_path)).startswith("There is nothing to train on here")


@pytest.mark.slow
def test_the_real_portraits_become_builds_for_all_plans(shared: Path, tmp_path: Path) -> None:
    real = shared / "data" / "portraits"
    done = call("expand", tmp_path, "--originals", real / "originals", "--candidates", real / "generated", "--json")
    assert done.code == 0
    assert [build["plan"]["name"] for build in done.json["builds"]] == PLANS
    assert done.json["ingest"]["added"] == {"original": 203, "generated": 25}
    assert all(verify(Path(build["folder"])).intact for build in done.json["builds"])
    assert len(names(done.json["select"]["selected"])) + len(done.json["select"]["dropped"]) == 25


@pytest.mark.slow
def test_the_demonstration_takes_less_than_a_minute_and_nothing_the_second_time(tmp_path: Path) -> None:
    started = time.monotonic()
    first = run("demo", tmp_path / "demo", "--no-experiment", "--json")
    assert first.code == 0
    assert time.monotonic() - started < 120, "drawing and expanding 203 + 203; 40 s of it are the expansion's at most"
    second = run("demo", tmp_path / "demo", "--no-experiment", "--json")
    assert [build["unchanged"] for build in second.json["builds"]] == [True] * 4
    third = run("demo", tmp_path / "demo", "--no-experiment", "--seed", "1")
    assert sentence(third).startswith("A sample set of seed 0 is there already")
