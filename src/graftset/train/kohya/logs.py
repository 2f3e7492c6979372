"""What sd-scripts prints while it trains: epoch, step, loss, time; and why it ended, in a sentence.

Source: the tqdm bar "steps" and `accelerator.print` in `NetworkTrainer.train` of `train_network.py` of
kohya-ss/sd-scripts at commit 48d368fa. The loss it prints, avr_loss, is the mean over as many steps as an epoch has,
with three significant digits.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

_PIECES = re.compile(rb"[\r\n]+")
_BAR = re.compile(rb"steps:\s+\d+%\|.*\|\s*(\d+)/\d+ \[([\d:]+)<.*?(?:avr_loss=([\d.e+-]+|nan|-?inf))?\]")
_EPOCH = re.compile(rb"epoch (\d+)/(\d+)\s*$")
_PAINTING = b"generating sample images"
_TAIL = 64 << 10  # bytes of a log that tell how it ended

_ERROR = re.compile(r"^(?:[\w.]*\.)?\w*(?:Error|Exception|Interrupt)\b.*")
_SEEN: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), why, remedy)
    for pattern, why, remedy in (
        (
            r"out of memory|OutOfMemoryError|can't allocate memory|bad_alloc",
            "it ran out of memory",
            "Use less: --gradient_checkpointing in arguments under [train.kohya], or a build with a smaller batch_size",
        ),
        (
            r"no space left on device|errno 28\b|disk quota exceeded",
            "the disk is full",
            "Make room and run the same command again; it goes on from the last whole state",
        ),
        (
            r"No module named '(?P<what>[^']+)'",
            "its interpreter lacks {what}",
            "Install the requirements.txt of sd-scripts there, or set python under [train.kohya]",
        ),
        (
            r"unrecognized arguments: (?P<what>.+)",
            "it does not know {what}",
            "Mend arguments under [train.kohya]",
        ),
        (
            r"error: argument (?P<what>.+)",
            "it does not take an argument: {what}",
            "Mend arguments under [train.kohya]",
        ),
        (
            r"voluptuous\.error|extra keys not allowed|Invalid user config",
            "it does not take the build's dataset.toml",
            "Check out the commit of sd-scripts that docs/kohya.md names, or see `graftset build --check`",
        ),
        (
            r"SafetensorError|HeaderTooLarge|MetadataIncompleteBuffer|InvalidHeader|PytorchStreamReader",
            "a file of weights cannot be read: it is cut short or of another format",
            "Copy or download the base model again",
        ),
        (
            r"couldn't connect to|LocalEntryNotFound|is not a local folder and is not a valid|Can't load tokenizer",
            "a model or tokenizer could not be downloaded",
            "Name local ones: model, and --tokenizer_cache_dir in arguments, under [train.kohya]",
        ),
        (
            r"No data found",
            "it found no images",
            "Look at what it would read: graftset build --check",
        ),
    )
)


class AttemptLog:
    """The log of one start of the trainer, read as it grows.

    Attributes:
        step: Steps taken since the start.
        seconds: Since the first of them.
        epoch: "epoch 3 of 10"; empty before the first.
        painting: Whether it paints samples now.
        losses: The loss printed at each step, by step.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.step = 0
        self.seconds = 0.0
        self.epoch = ""
        self.painting = False
        self.losses: dict[int, tuple[float, float]] = {}  # step -> loss, seconds
        self._read = 0
        self._rest = b""

    @property
    def loss(self) -> float:
        """The last one printed."""
        return self.losses[max(self.losses)][0] if self.losses else math.nan

    def look(self) -> None:
        """Read what came since the last look."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(self._read)
                block = stream.read()
        except FileNotFoundError:
            return
        self._read += len(block)
        *pieces, self._rest = _PIECES.split(self._rest + block)
        # A bar's last piece ends with what begins the next one; it is whole once its bracket is closed.
        if self._rest.endswith(b"]"):
            pieces.append(self._rest)
        for piece in pieces:
            self._take(piece)

    def _take(self, piece: bytes) -> None:
        if _PAINTING in piece:
            self.painting = True
        elif epoch := _EPOCH.match(piece):
            self.epoch = f"epoch {int(epoch[1])} of {int(epoch[2])}"
        elif bar := _BAR.match(piece):
            self.painting = False
            step = int(bar[1])
            self.step, self.seconds = step, _seconds(bar[2])
            if bar[3] is not None:
                self.losses[step] = (float(bar[3]), self.seconds)


def why_ended(log: Path, code: int, reason: str) -> tuple[str, str]:
    """Why a start of the trainer ended before its time, and what to do.

    Args:
        log: What it printed.
        code: Its exit code; negative where a signal ended it.
        reason: The driver's word: "failed", "nan", "stopped", or "" where the driver itself was ended.
    """
    if reason == "nan":
        return (
            "the loss is no number any more",
            "Lower the learning rates or use bf16, by arguments under [train.kohya], and train under another --name",
        )
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _TAIL))
            text = re.sub(r"[\r\n]+", "\n", stream.read().decode("utf-8", "replace"))
    except OSError:
        text = ""
    for pattern, why, remedy in _SEEN:
        if found := pattern.search(text):
            return why.format(**{key: value.strip()[:120] for key, value in found.groupdict().items()}), remedy
    if reason == "stopped":
        return "it was stopped", "Run the same command again; it goes on from the last whole state"
    if code in (-9, 137):
        return (
            "the trainer was killed, which the system does where memory runs out",
            "Run the same command again; it goes on from the last whole state",
        )
    if reason == "":
        return "the trainer was ended from outside", "Run the same command again; it goes on from the last whole state"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = next((line for line in reversed(lines) if _ERROR.match(line)), lines[-1] if lines else "it printed nothing")
    if code < 0:
        return f"signal {-code} ended the trainer ({told[:160]})", f"See {log}, then run the same command again"
    return f"the trainer ended with code {code}: {told[:200]}", f"See {log}"


def _seconds(clock: bytes) -> float:
    """tqdm's "1:02:03" or "02:03" in seconds."""
    total = 0
    for part in clock.split(b":"):
        total = 60 * total + int(part)
    return float(total)
