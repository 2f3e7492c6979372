"""Losses and scorecards reach the trackers, once each, and a tracker that fails stops nothing."""

from __future__ import annotations

import struct
import sys
from collections import defaultdict
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
from tensorboardX.crc32c import crc32c
from tensorboardX.proto.event_pb2 import Event

from graftset.config import TrackingSettings
from graftset.errors import UserError
from graftset.runs import MetricsLine, RunRecord, append_metrics, create_run, open_run
from graftset.scorecards import write_scorecard
from graftset.tracking import LEDGER, TRACKERS, Point, Tracked, Where, load_tracker, points_of_card, track
from running import call, sentence
from scored_runs import card
from training_sets import make_build

LINES = tuple(MetricsLine(step, 4 * step, step / 2, 1.0 / step, 0.002, float(step)) for step in (10, 20, 30))
CARDS = tuple(card(number, number / 10) for number in (1, 2))


@pytest.fixture
def run(tmp_path: Path) -> Tracked:
    """A run with three lines of metrics and two scorecards."""
    folder = tmp_path / "runs" / "arm"
    folder.mkdir(parents=True)
    return Tracked("arm", folder, "0123456789abcdef", {"seed": 3, "plan": "equal"}, LINES, CARDS)


@pytest.fixture
def where(tmp_path: Path) -> Where:
    """A place for the trackers that keep several runs together."""
    return Where(tmp_path / "reports", "portraits")


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Every scalar of the event files in a folder: steps and values by tag, checksums compared."""
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data, position = path.read_bytes(), 0
        while position < len(data):
            length, of_length = struct.unpack_from("<QI", data, position)
            record = data[position + 12 : position + 12 + length]
            (of_record,) = struct.unpack_from("<I", data, position + 12 + length)
            assert (of_length, of_record) == (masked(data[position : position + 8]), masked(record))
            for value in Event.FromString(record).summary.value:
                if value.HasField("simple_value"):
                    found[value.tag].append((Event.FromString(record).step, value.simple_value))
                else:
                    found[value.tag].append((0, 0.0))
            position += 16 + length
    return dict(found)


def masked(data: bytes) -> int:
    """The checksum of a record, as TensorFlow masks it."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def test_tensorboard_gets_every_figure_once_over_images_seen(run: Tracked, where: Where) -> None:
    count = track(run, ["tensorboard"], where)
    found = events(run.folder / "tensorboard")
    assert found["train/loss"] == [(4 * line.step, pytest.approx(line.loss)) for line in LINES]
    assert [step for step, _ in found["train/lr"]] == [40, 80, 120]
    recall = found["evaluate/original_accuracy/training"]
    assert recall == [(1, pytest.approx(0.1)), (2, pytest.approx(0.2))]
    assert "evaluate/original_accuracy/training/low" in found
    assert count == sum(len(points) for points in found.values()) - 1  # the table of settings is no figure
    assert any("settings" in tag for tag in found)
    assert track(run, ["tensorboard"], where) == 0
    assert events(run.folder / "tensorboard") == found


def test_only_what_is_new_is_added(run: Tracked, where: Where) -> None:
    track(replace(run, metrics=LINES[:1], cards=CARDS[:1]), ["tensorboard"], where)
    changed = replace(CARDS[0], inputs_sha256="f" * 64)
    track(replace(run, cards=(changed, CARDS[1])), ["tensorboard"], where)
    found = events(run.folder / "tensorboard")
    assert [step for step, _ in found["train/loss"]] == [40, 80, 120]
    assert [step for step, _ in found["evaluate/original_accuracy/training"]] == [1, 1, 2]
    assert sum("settings" in tag for tag in found) == 1


def test_a_kill_before_the_note_writes_the_same_figures_again(run: Tracked, where: Where) -> None:
    track(run, ["tensorboard"], where)
    (run.folder / LEDGER).unlink()
    track(run, ["tensorboard"], where)
    losses = events(run.folder / "tensorboard")["train/loss"]
    assert len(losses) == 6
    assert len(set(losses)) == 3
    (run.folder / LEDGER).write_text("{")
    with pytest.raises(UserError, match=r"tracking.json cannot be read.*Delete it"):
        track(run, ["tensorboard"], where)


def test_what_an_imported_run_does_not_know_is_left_out() -> None:
    anywhere = replace(CARDS[0].place, images_seen=None, step=None, epoch=7)
    assert {point.at for point in points_of_card(replace(CARDS[0], place=anywhere))} == {7}
    unknown = [replace(LINES[0], loss=float("nan"))]
    from graftset.tracking import points_of_metrics

    assert {point.name for point in points_of_metrics(unknown)} == {"train/lr", "train/exposures"}


class Library(ModuleType):
    """A stand-in for a tracker's library that keeps what it is told."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.told: list[tuple[str, Any]] = []


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Library:
    """What of MLflow is called."""
    library, entities = Library("mlflow"), ModuleType("mlflow.entities")
    entities.Metric = lambda key, value, timestamp, step: (key, value, timestamp, step)  # type: ignore[attr-defined]
    entities.Param = lambda key, value: (key, value)  # type: ignore[attr-defined]

    class Info:
        run_id = experiment_id = "id-1"

    class Client:
        def __init__(self, tracking_uri: str) -> None:
            library.told.append(("uri", tracking_uri))

        def get_experiment_by_name(self, name: str) -> None:
            return None

        def create_experiment(self, name: str) -> str:
            library.told.append(("experiment", name))
            return "1"

        def create_run(self, experiment: str, run_name: str, tags: dict[str, str]) -> Any:
            library.told.append(("run", run_name))
            made = ModuleType("run")
            made.info = Info  # type: ignore[attr-defined]
            return made

        def log_batch(self, run_id: str, metrics: Sequence[Any] = (), params: Sequence[Any] = ()) -> None:
            assert len(metrics) <= 1000
            assert len(params) <= 100
            library.told += [("metric", metric) for metric in metrics] + [("param", param) for param in params]

        def set_terminated(self, run_id: str) -> None:
            library.told.append(("ended", run_id))

    library.MlflowClient = Client  # type: ignore[attr-defined]
    return install(monkeypatch, library, entities)


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> Library:
    """What of Weights & Biases is called."""
    library = Library("wandb")

    class Run:
        def define_metric(self, name: str, step_metric: str) -> None:
            library.told.append(("axis", step_metric))

        def log(self, values: dict[str, float]) -> None:
            library.told.append(("log", values))

        def finish(self) -> None:
            library.told.append(("finish", None))

    def init(**options: Any) -> Run:
        library.told.append(("init", options))
        return Run()

    library.init = init  # type: ignore[attr-defined]
    library.Settings = lambda **options: options  # type: ignore[attr-defined]
    return install(monkeypatch, library)


def install(monkeypatch: pytest.MonkeyPatch, library: Library, *parts: ModuleType) -> Library:
    """Put a stand-in in the place of a library, for one test."""
    import importlib.machinery

    library.__spec__ = importlib.machinery.ModuleSpec(library.__name__, None)
    for module in (library, *parts):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, f"graftset.tracking.{library.__name__}", raising=False)
    return library


def test_mlflow_goes_on_with_the_run_it_began(run: Tracked, where: Where, mlflow: Library) -> None:
    track(replace(run, metrics=LINES[:2]), ["mlflow"], where)
    told = defaultdict(list)
    for kind, what in mlflow.told:
        told[kind].append(what)
    assert told["uri"] == [f"sqlite:///{where.reports}/mlflow.db"]
    assert (told["experiment"], told["run"], told["ended"]) == (["portraits"], ["arm"], ["id-1"])
    assert ("seed", "3") in told["param"]
    assert [(key, at) for key, _, _, at in told["metric"] if key == "train/loss"] == [
        ("train/loss", 40), ("train/loss", 80)
    ]  # fmt: skip
    mlflow.told.clear()
    track(run, ["mlflow"], where)
    assert [what for what in mlflow.told if what[0] == "run"] == []
    assert [what[1][3] for what in mlflow.told if what[0] == "metric"] == [120] * 3


def test_wandb_is_offline_and_gets_the_figures_of_one_place_together(
    run: Tracked, where: Where, wandb: Library
) -> None:
    track(run, ["wandb"], where)
    (begun,) = [what for kind, what in wandb.told if kind == "init"]
    assert (begun["mode"], begun["project"], begun["name"], begun["id"]) == (
        "offline",
        "portraits",
        "arm",
        run.identity,
    )
    assert Path(begun["dir"]) == where.reports / "wandb"
    assert begun["config"] == {"seed": 3, "plan": "equal"}
    logs = [what for kind, what in wandb.told if kind == "log"]
    assert [entry["images_seen"] for entry in logs] == [40, 80, 120, 1, 2]
    assert logs[0]["train/loss"] == pytest.approx(0.1)
    assert logs[3]["evaluate/original_accuracy/training"] == pytest.approx(0.1)
    assert ("axis", "images_seen") in wandb.told
    assert wandb.told[-1] == ("finish", None)


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_the_real_libraries_take_the_figures_where_they_are_installed(name: str, run: Tracked, where: Where) -> None:
    pytest.importorskip(name)
    assert track(run, [name], where) > 0
    assert track(run, [name], where) == 0
    if name == "mlflow":
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{where.reports}/mlflow.db")
        (found,) = client.search_runs([client.get_experiment_by_name("portraits").experiment_id])
        losses = client.get_metric_history(found.info.run_id, "train/loss")
        assert [(one.step, one.value) for one in losses] == [(4 * line.step, line.loss) for line in LINES]
        assert found.data.params["seed"] == "3"
    else:
        assert list((where.reports / "wandb").rglob("*.wandb"))


def test_every_tracker_of_the_table_can_be_named_in_the_settings() -> None:
    kinds = get_args(get_args(TrackingSettings.model_fields["to"].annotation)[0])
    assert sorted(kinds) == sorted(TRACKERS)


@pytest.mark.parametrize("name", sorted(TRACKERS))
def test_every_tracker_names_its_library_where_that_is_missing(
    name: str, run: Tracked, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    with pytest.raises(UserError, match=rf"Writing to {name} needs \w+, which is not installed.*pip install"):
        track(run, [name], where)
    assert TRACKERS[name].summary


def test_a_tracker_that_nobody_knows_is_a_sentence() -> None:
    with pytest.raises(UserError, match="There is no such tracker"):
        load_tracker("paper")


class Broken:
    """A tracker whose server is gone."""

    @contextmanager
    def open_tracker(self, run: Tracked, where: Where, memory: MutableMapping[str, str]) -> Iterator[Broken]:
        """Open without a fault."""
        yield self

    def write(self, points: Sequence[Point]) -> None:
        """Fail as a library does."""
        raise ConnectionError("no route\nto host")


def test_a_tracker_that_fails_is_a_sentence_and_nothing_is_noted(
    run: Tracked, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graftset.tracking.stage.load_tracker", lambda name: Broken())
    with pytest.raises(UserError) as caught:
        track(run, ["tensorboard"], where)
    assert '"no route"' in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (run.folder / LEDGER).exists()


TOML = """
[project]
originals = "originals"
candidates = "generated"

[train]
samples = 1

[train.native]
precision = "float32"
width = 8
batch_size = 4
sampling_steps = 2

[tracking]
to = ["tensorboard"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that trains in a moment, and tracks."""
    (tmp_path / "graftset.toml").write_text(TOML)
    for name in ("originals", "generated"):
        (tmp_path / name).mkdir()
    make_build(tmp_path / "builds" / "mixed", "weighted")
    return tmp_path


def test_training_is_tracked_and_goes_on_without_its_tracker(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("train", "--project", project, "--plan", "weighted", "--steps", 2)
    monkeypatch.setattr("graftset.workflows.tracking._EVERY", 0.0)
    assert call(*words, "--name", "arm").code == 0
    run = open_run(project / "runs" / "arm")
    losses = events(run.folder / "tensorboard")["train/loss"]
    assert losses
    assert losses == [(line.images_seen, pytest.approx(line.loss)) for line in run.metrics()]
    monkeypatch.setattr("graftset.tracking.stage.load_tracker", lambda name: Broken())
    done = call(*words, "--name", "other")
    assert done.code == 0
    assert done.err.count("tensorboard does not take the figures") == 1
    assert open_run(project / "runs" / "other").finished


def test_track_writes_what_is_missing(project: Path) -> None:
    record = RunRecord("arm", "kohya", "b", "", "equal", 24, 24, 12, 0, 0, 30, 4, "cpu", (30,), (0,), "", 1)
    run = create_run(project / "runs" / "arm", record)
    for line in LINES:
        append_metrics(run, line)
    write_scorecard(CARDS[0], run.scorecard_file("0000001"))
    done = call("track", "--project", project, "--json")
    assert (done.code, done.json["trackers"]) == (0, ["tensorboard"])
    assert done.json["written"]["arm"] > 9
    assert "train/loss" in events(run.folder / "tensorboard")
    assert call("track", "arm", "--project", project).out == "arm: 0 new figures in tensorboard\n"
    assert "There is no such run" in sentence(call("track", "none", "--project", project))
    assert "There is no such tracker" in sentence(call("track", "--to", "paper", "--project", project))
    (project / "graftset.toml").write_text(TOML.partition("[tracking]")[0])
    assert "No tracker is named" in sentence(call("track", "--project", project))
