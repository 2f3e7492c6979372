"""Takes sd-scripts through the stages of a run, going on from its newest whole state. A script of its own.

    python driver.py TRAINER_FOLDER [--build DIR] [--sd-scripts DIR] [--python FILE] [--model MODEL] [--echo]

TRAINER_FOLDER holds job.json, which says what to run; the options overrule it on another machine, and --echo shows what
the trainer prints. Nothing but Python's
standard library is imported: graftset starts this file in a process of its own, which outlives it, and
`graftset train --script` copies it to machines that have no graftset.

    TRAINER_FOLDER/
      job.json                    what to run
      lock                        held by this process and by the trainer it starts, for as long as either lives
      driver.pid, trainer.pid     this process, and the group of the trainer
      ended.json                  how this process ended: finished, failed, stopped or nan
      stage1/attempt1/            one start of the trainer
        attempt.json              the command, and the step it began after
        log.txt                   what the trainer printed
        NAME-000001.safetensors, NAME-000001-state/, sample/, logs/
      stage1/finished.json        the weights the stage ended with

What sd-scripts (commit 48d368fa) does not do when it resumes is made up for here:

- It counts steps from 0 again and writes that count into later states. The place is therefore always told by
  --initial_epoch or --initial_step, from the names of the files.
- With a budget of steps it would begin the epoch anew and train it to its end, beyond the budget. It is ended when the
  checkpoint of the last planned step is whole. Names count from the resumption, so every attempt has its own folder.
- A state is saved before that checkpoint's pictures are painted (by epochs). Where they are missing, --sample_at_first
  has them painted first, from the resumed weights.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

JOB, LOCK, ENDED, ATTEMPT, LOG, FINISHED = "job.json", "lock", "ended.json", "attempt.json", "log.txt", "finished.json"
DRIVER_PID, TRAINER_PID = "driver.pid", "trainer.pid"
_POLL = 0.25  # seconds
_PRUNE_EVERY = 10.0  # seconds
_PATIENCE = 20.0  # seconds between asking the trainer to end and ending it
_NAN = re.compile(rb"avr_loss=(?:nan|-?inf)")
_PNG_END = b"IEND\xaeB`\x82"


def stage_folder(trainer: Path, number: int) -> Path:
    """The folder of a stage, counted from 1."""
    return trainer / f"stage{number}"


def attempts(stage: Path) -> list[Path]:
    """The folders of a stage's attempts, in order."""
    found = [path for path in stage.glob("attempt*") if path.name[7:].isdigit() and (path / ATTEMPT).is_file()]
    return sorted(found, key=lambda path: int(path.name[7:]))


def read_json(path: Path) -> Any:
    """A JSON file; an empty table where it is missing or damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}


def is_whole(path: Path) -> bool:
    """Whether a safetensors file is complete: as long as its header says."""
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 0 < length <= 100 << 20:
                return False
            table = json.loads(stream.read(length))
        ends = [entry["data_offsets"][1] for name, entry in table.items() if name != "__metadata__"]
        return 8 + length + max(ends, default=0) <= path.stat().st_size
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return False


def is_whole_state(folder: Path) -> bool:
    """Whether a state folder is complete: its parts are written in this order, the random numbers' last."""
    parts = [folder / name for name in ("optimizer.bin", "scheduler.bin", "random_states_0.pkl")]
    return is_whole(folder / "model.safetensors") and all(zipfile.is_zipfile(part) for part in parts)


def is_whole_picture(path: Path) -> bool:
    """Whether a PNG is written to its end."""
    try:
        with path.open("rb") as stream:
            stream.seek(-len(_PNG_END), os.SEEK_END)
            return stream.read() == _PNG_END
    except OSError:
        return False


def states(stage: dict[str, Any], name: str, folder: Path) -> list[tuple[int, int, Path]]:
    """Every whole state of a stage as (step, number of the attempt, folder), oldest first."""
    pattern = re.compile(re.escape(name) + (r"-step(\d{8,})-state" if stage["by_steps"] else r"-(\d{6})-state"))
    found = []
    for number, attempt in enumerate(attempts(folder), start=1):
        began = int(read_json(attempt / ATTEMPT).get("from_step", 0))
        for path in attempt.iterdir():
            match = pattern.fullmatch(path.name)
            if match and is_whole_state(path):
                at = int(match[1])
                found.append((began + at if stage["by_steps"] else at * stage["steps_per_epoch"], number, path))
    return sorted(found)


def pictures_of(stage: dict[str, Any], name: str, folder: Path, step: int) -> list[Path]:
    """The whole sample pictures of one checkpoint in the order of their prompts; of several attempts, the last's."""
    found: dict[int, Path] = {}
    for attempt in attempts(folder):
        began = int(read_json(attempt / ATTEMPT).get("from_step", 0))
        marks = ["e000000"] if step == began and began else []  # painted from the resumed weights
        if stage["by_steps"]:
            marks += [f"{step - began:06d}"] if step > began else []
        elif step % stage["steps_per_epoch"] == 0:
            marks += [f"e{step // stage['steps_per_epoch']:06d}"]
        for mark in marks:
            pattern = re.compile(re.escape(name) + "_" + mark + r"_(\d{2,})_\d{14}(?:_\d+)?\.png")
            for path in sorted((attempt / "sample").glob("*.png")):
                match = pattern.fullmatch(path.name)
                if match and is_whole_picture(path):
                    found[int(match[1])] = path
    return [found[number] for number in sorted(found)]


class Driver:
    """One call of this script."""

    def __init__(self, trainer: Path, job: dict[str, Any]) -> None:
        self.trainer = trainer
        self.job = job
        self.stopping = False
        self.echo = False

    def run(self) -> int:
        """Train what is left; returns the exit code."""
        weights = None
        for number, stage in enumerate(self.job["stages"], start=1):
            folder = stage_folder(self.trainer, number)
            done = self.finished(stage, folder)
            while done is None:
                code, reason = self.attempt(stage, folder, weights)
                done = self.finished(stage, folder) if reason == "finished" else None
                if done is None:
                    return self.end(code or 1, "failed" if reason == "finished" else reason, number)
            self.prune(stage, folder, keep=0)
            weights = done
        return self.end(0, "finished", len(self.job["stages"]))

    def finished(self, stage: dict[str, Any], folder: Path) -> Path | None:
        """The weights a finished stage ended with; None where it is not finished."""
        told = read_json(folder / FINISHED).get("weights")
        if told and is_whole(folder / told):
            return folder / str(told)
        name = self.job["name"]
        for attempt in reversed(attempts(folder)):
            last = attempt / f"{name}.safetensors"
            began = int(read_json(attempt / ATTEMPT).get("from_step", 0))
            if stage["by_steps"]:
                last = attempt / f"{name}-step{stage['steps'] - began:08d}.safetensors"
            if is_whole(last):
                self.write(folder / FINISHED, {"weights": last.relative_to(folder).as_posix()})
                return last
        return None

    def attempt(self, stage: dict[str, Any], folder: Path, weights: Path | None) -> tuple[int, str]:
        """Start the trainer once and wait for its end; returns its exit code and how it ended."""
        known = states(stage, self.job["name"], folder)
        step, state = (known[-1][0], known[-1][2]) if known else (0, None)
        number = 1 + max((int(path.name[7:]) for path in folder.glob("attempt*") if path.name[7:].isdigit()), default=0)
        output = folder / f"attempt{number}"
        output.mkdir(parents=True)
        command = self.command(stage, output, weights)
        if state is not None:
            command += ["--resume", str(state)]
            if stage["by_steps"]:
                command += ["--initial_step", str(step)]
            else:
                command += ["--initial_epoch", str(step // stage["steps_per_epoch"] + 1)]
            if len(pictures_of(stage, self.job["name"], folder, step)) < self.job["pictures"]:
                command += ["--sample_at_first"]
        command += self.job["arguments"]
        began = {"from_step": step, "state": None if state is None else str(state), "command": command}
        self.write(output / ATTEMPT, began | {"started": time.time()})
        last = None
        if stage["by_steps"] and step:
            last = output / f"{self.job['name']}-step{stage['steps'] - step:08d}.safetensors"
        return self.watch(command, output / LOG, last, lambda: self.prune(stage, folder, keep=1))

    def prune(self, stage: dict[str, Any], folder: Path, *, keep: int) -> None:
        """Delete states that nothing goes on from any more: each is six times as large as its checkpoint."""
        known = states(stage, self.job["name"], folder)
        done = [path for _, _, path in known[: len(known) - keep]]
        if not keep:  # those that a stop left half written too
            done = [path for attempt in attempts(folder) for path in attempt.glob(f"{self.job['name']}*-state")]
        for path in done:
            shutil.rmtree(path, ignore_errors=True)

    def command(self, stage: dict[str, Any], output: Path, weights: Path | None) -> list[str]:
        """The command line of a start from the beginning."""
        job = self.job
        launch = [job["python"]]
        if job["launcher"] == "accelerate":
            # One process whatever `accelerate config` says: more would divide the steps that the plan counts on.
            launch += ["-m", "accelerate.commands.launch", "--num_processes", "1", "--num_machines", "1"]
            launch += ["--mixed_precision", "no", "--dynamo_backend", "no"]
            launch += ["--num_cpu_threads_per_process", str(job["cpu_threads"])]
        every = "steps" if stage["by_steps"] else "epochs"
        command = [
            *launch, os.path.join(job["sd_scripts"], job["script"]),
            "--config_file", os.path.join(job["build"], stage["config"]),
            "--pretrained_model_name_or_path", job["model"],
            "--output_dir", str(output), "--output_name", job["name"], "--logging_dir", str(output / "logs"),
            "--seed", str(job["seed"]),
            "--sample_prompts", str(self.trainer / job["sample_prompts"]),
            f"--sample_every_n_{every}", str(stage["save_every"]),
            f"--save_every_n_{every}", str(stage["save_every"]), "--save_state",
        ]  # fmt: skip
        if not stage["by_steps"]:
            command += ["--max_train_epochs", str(stage["epochs"])]
        if weights is not None:
            command += ["--network_weights", str(weights), "--dim_from_weights"]
        return command

    def watch(self, command: list[str], log: Path, last: Path | None, prune: Callable[[], None]) -> tuple[int, str]:
        """Run the trainer until it ends, its loss is no number, `last` is whole, or a stop is asked for."""
        environment = {**os.environ, **self.job.get("environment", {}), "PYTHONUNBUFFERED": "1"}
        environment.setdefault("PYTHONIOENCODING", "utf-8")
        environment["COLUMNS"] = "200"  # of the trainer's log: its lines are broken at this width
        inherited = () if self.lock is None else (self.lock,)
        with log.open("ab") as stream:
            try:
                process = subprocess.Popen(
                    command, cwd=self.job["build"], env=environment, stdin=subprocess.DEVNULL,
                    stdout=stream, stderr=subprocess.STDOUT, pass_fds=inherited, start_new_session=True,
                )  # fmt: skip
                (self.trainer / TRAINER_PID).write_text(f"{process.pid}\n", encoding="utf-8")
            except OSError as error:
                stream.write(f"{command[0]}: {error.strerror}\n".encode())
                return 127, "failed"
        reason, read, before, pruned = "", 0, b"", time.monotonic()
        while process.poll() is None:
            time.sleep(_POLL)
            with log.open("rb") as stream:
                stream.seek(read)
                new = stream.read()
            read += len(new)
            text, before = before + new, (before + new)[-64:]  # what was cut at the last look is looked at again
            if self.echo:
                sys.stdout.buffer.write(new)
                sys.stdout.buffer.flush()
            if self.stopping:
                reason = "stopped"
            elif _NAN.search(text):
                reason = "nan"
            elif last is not None and is_whole(last):
                reason = "finished"
            if time.monotonic() - pruned > _PRUNE_EVERY:
                prune()
                pruned = time.monotonic()
            if reason:
                self.terminate(process)
                return process.returncode, reason
        if self.stopping:
            return process.returncode, "stopped"
        if _NAN.search(log.read_bytes()[-4096:]):
            return process.returncode, "nan"
        return process.returncode, "finished" if process.returncode == 0 else "failed"

    def terminate(self, process: subprocess.Popen[bytes]) -> None:
        """Ask the trainer to end, with all that it has started, and end it where it does not."""
        end_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        end_group(process.pid, signal.SIGKILL)
        process.wait()

    lock: int | None = None

    def take_lock(self) -> bool:
        """Hold the lock for as long as this process or one it starts lives; tell whether nobody else held it."""
        if fcntl is None:
            return True
        self.lock = os.open(self.trainer / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        for wait in (_POLL, _POLL, 0.0):  # whoever asks `is_busy` holds it for a moment
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                time.sleep(wait)
            else:
                return True
        return False

    def end(self, code: int, reason: str, stage: int) -> int:
        """Leave word of how it ended."""
        self.write(self.trainer / ENDED, {"code": code, "reason": reason, "stage": stage})
        return 0 if reason == "finished" else 1

    def write(self, path: Path, content: Any) -> None:
        """Write a JSON file whole."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        os.replace(temporary, path)


def end_group(leader: int, number: int) -> None:
    """Send a signal to a process and what it has started in its group."""
    with contextlib.suppress(OSError):  # all of them have ended
        os.killpg(leader, number)


def is_busy(trainer: Path) -> bool:
    """Whether a driver or a trainer still works in a folder."""
    if fcntl is None or not (trainer / LOCK).exists():
        return False
    lock = os.open(trainer / LOCK, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two that ask do not see one another
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Takes sd-scripts through the stages of a run.")
    parser.add_argument("trainer", type=Path)
    for name in ("build", "sd_scripts", "python", "model"):
        parser.add_argument(f"--{name.replace('_', '-')}")
    parser.add_argument("--echo", action="store_true")
    options = parser.parse_args()
    trainer = options.trainer.resolve()
    job = read_json(trainer / JOB)
    job.update({key: value for key, value in vars(options).items() if key in job and value is not None})
    driver = Driver(trainer, job)
    driver.echo = options.echo
    if not driver.take_lock():
        print(f"driver.py: another trainer works in {trainer}; wait for it", file=sys.stderr)
        return 1
    (trainer / ENDED).unlink(missing_ok=True)
    (trainer / DRIVER_PID).write_text(f"{os.getpid()}\n", encoding="utf-8")

    def stop(number: int, frame: object) -> None:
        driver.stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return driver.run()


if __name__ == "__main__":
    sys.exit(main())
