"""Line charts as the numbers an inline SVG needs: no library, no script, nothing that a reader must load.

Coordinates are those of a `WIDTH` x `HEIGHT` view box. Every chart says in a sentence what it shows, for everyone who
cannot see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 34.0, 12.0, 12.0, 24.0  # margins
TICKS = 4


@dataclass(frozen=True, slots=True)
class Value:
    """One point of a line: where it stands, and its interval where one is known."""

    at: int  # checkpoint number, 1 is the first
    point: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Dot:
    """One drawn point with what it says."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One drawn line with its interval band."""

    name: str
    style: str  # "first", "second", "third": class names of the style sheet
    path: str
    band: str  # closed path; "" where no interval is known
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """One mark of an axis: where, in the view box, and its text."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """Everything an SVG needs."""

    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    wanted: float | None  # y of the line of the success criterion
    wanted_from: float  # x of the checkpoint at which it is judged; 0 while that is not there
    wanted_text: str
    window: tuple[float, float] | None  # x and width of the window the measure is read in
    spoken: str


def line_chart(
    series: Sequence[tuple[str, Sequence[Value]]],
    *,
    low: float,
    high: float,
    count: int,
    text: str,
    names: Sequence[str] = (),
    wanted: float | None = None,
    wanted_at: int = 1,
    window: tuple[int, int] | None = None,
) -> LineChart:
    """Draw lines over the checkpoints of a run.

    Args:
        series: Name and values of each line, at most three.
        low: Lower end of the axis.
        high: Upper end.
        count: Checkpoints of the whole run: the axis is as long from the start, so that a live chart does not jump.
        text: "percent", "number" or "share": how values are written.
        names: What stands below each checkpoint; its number where there is none.
        wanted: Value of the success criterion.
        wanted_at: Checkpoint at which it is judged; 0 while that is not there.
        window: First and last checkpoint of the window the measure is read in.
    """
    styles = ("first", "second", "third")
    lines = tuple(
        _line(name, style, values, low, high, count, text)
        for (name, values), style in zip(series, styles, strict=False)
    )
    half = (_x(2, count) - _x(1, count)) / 2 if count > 1 else (WIDTH - LEFT - RIGHT) / 2
    shade = None
    if window is not None:
        left, right = max(LEFT, _x(window[0], count) - half), min(WIDTH - RIGHT, _x(window[1], count) + half)
        shade = (round(left, 1), round(right - left, 1))
    step = (high - low) / TICKS
    return LineChart(
        lines=lines,
        x_ticks=tuple(Tick(round(_x(n, count), 1), names[n - 1] if n <= len(names) else str(n)) for n in _shown(count)),
        y_ticks=tuple(
            Tick(round(_y(low + i * step, low, high), 1), written(low + i * step, text)) for i in range(TICKS + 1)
        ),
        wanted=None if wanted is None else round(_y(wanted, low, high), 1),
        wanted_from=round(_x(min(wanted_at, count), count), 1) if wanted_at else 0.0,
        wanted_text="" if wanted is None else f"{written(wanted, text)} wanted",
        window=shade,
        spoken="; ".join(_spoken(name, values, text) for name, values in series if values),
    )


def written(value: float, text: str) -> str:
    """A value as an axis or a sentence has it."""
    if text == "percent":
        return f"{100 * value:.0f} %"
    return f"{value:.2f}" if text == "share" else f"{value:.1f}".removesuffix(".0")


def _line(name: str, style: str, values: Sequence[Value], low: float, high: float, count: int, text: str) -> Line:
    points = [(_x(v.at, count), _y(v.point, low, high)) for v in values]
    known = [v for v in values if v.low is not None and v.high is not None]
    band = ""
    if len(known) > 1:
        upper = [(_x(v.at, count), _y(v.high or 0.0, low, high)) for v in known]
        lower = [(_x(v.at, count), _y(v.low or 0.0, low, high)) for v in reversed(known)]
        band = _path([*upper, *lower]) + "Z"
    dots = tuple(
        Dot(round(x, 1), round(y, 1), f"{name}, checkpoint {v.at}: {_with_interval(v, text)}")
        for (x, y), v in zip(points, values, strict=True)
    )
    return Line(name, style, _path(points), band, dots)


def _with_interval(value: Value, text: str) -> str:
    if value.low is None or value.high is None:
        return written(value.point, text)
    return f"{written(value.point, text)} ({written(value.low, text)} to {written(value.high, text)})"


def _spoken(name: str, values: Sequence[Value], text: str) -> str:
    first, last = values[0], values[-1]
    if len(values) == 1:
        return f"{name}: {_with_interval(first, text)} at checkpoint {first.at}"
    return (
        f"{name}: {_with_interval(first, text)} at checkpoint {first.at}, {_with_interval(last, text)} at checkpoint "
        f"{last.at}"
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))


def _x(number: int, count: int) -> float:
    if count == 1:
        return (LEFT + WIDTH - RIGHT) / 2
    inner = WIDTH - LEFT - RIGHT - 12
    return LEFT + 6 + inner * (number - 1) / (count - 1)


def _y(value: float, low: float, high: float) -> float:
    share = (min(max(value, low), high) - low) / (high - low)
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _shown(count: int) -> list[int]:
    """Checkpoint numbers that get a mark: all up to ten, else some ten of them, first and last always."""
    if count <= 10:
        return list(range(1, count + 1))
    step = -(-count // 8)
    return [*range(1, count - step // 2, step), count]
