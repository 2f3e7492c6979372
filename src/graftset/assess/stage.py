"""The assess stage: measure what is new, relate it to the originals and to the other candidates."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from graftset.assess.detecting import detectors_for
from graftset.catalog import Catalog
from graftset.engine import map_each
from graftset.errors import EmptyInputError, UserError
from graftset.imageio import decode_png
from graftset.measuring import PRODUCER, VERSION, Measured, Picture, Reference, Request, measure_file
from graftset.pixels.similarity import NativeIndex, suspected_repeats
from graftset.records import Assessment, Grid, ImageRecord, ImageView, Traits
from graftset.vocabulary import NOTHING_NAMED, Named

U8 = NDArray[np.uint8]
Progress = Callable[[str, int, int], None]

RELATED = "5"  # raise it when anything relative to the originals changes: everything is then assessed anew
_REFUSED = "refused"  # version of the assessment of an image that could not be measured: never up to date
_COMMIT = 64  # pictures per transaction: what a killed command loses at most
_BLOCK = 64  # pictures assessed together


@dataclass(frozen=True, slots=True)
class AssessReport:
    """What one run of the stage did."""

    measured: int  # files opened and measured
    assessed: int  # images whose assessment was made or changed
    unchanged: int
    refused: tuple[tuple[str, str], ...]  # (path, reason): could not be measured
    notes: tuple[str, ...]


def assess(
    catalog: Catalog,
    *,
    workers: int = 0,
    strict: bool = False,
    progress: Progress | None = None,
    named: Named = NOTHING_NAMED,
) -> AssessReport:
    """Measure and assess every ingested image that changed since the last run.

    Args:
        catalog: With the images that were ingested.
        workers: Processes; 0 means one for each core.
        strict: An image that could not be measured is an error.
        progress: Called with a stage, how many are done, and of how many.
        named: What the user names in the settings.

    Raises:
        EmptyInputError: Nothing was ingested, or no original could be measured.
        UserError: The originals have different native sizes; with `strict`, an image could not be measured.
    """
    originals, candidates = _by_origin(catalog)
    if not originals:
        raise EmptyInputError(
            "There are no originals to measure against",
            field="originals",
            remedy="Run `graftset ingest` first, with a folder of originals that holds images.",
        )
    refused: dict[str, str] = {}
    tell = progress or (lambda stage, done, of: None)
    size, first = _measure_originals(catalog, originals, workers, refused, partial(tell, "originals"))
    second = _measure(catalog, candidates, size, workers, refused, partial(tell, "candidates"))
    with threadpool_limits(1):  # on matrices as small as these, threads mostly wait for each other
        made, unchanged, notes = _relate(
            catalog, originals, candidates, size, refused, workers, partial(tell, "compare"), named
        )
    if refused and strict:
        path, reason = next(iter(refused.items()))
        raise UserError(
            f"{Path(path).name} could not be measured", field=path, value=reason, remedy="Mend or remove it."
        )
    return AssessReport(first + second, made, unchanged, tuple(sorted(refused.items())), tuple(notes))


def outdated(catalog: Catalog, named: Named = NOTHING_NAMED) -> int:
    """How many images have no assessment, or one that rests on other files or another version of the measures."""
    originals, candidates = _by_origin(catalog)
    _, version = _assessment_version(originals, candidates, named)
    stored = catalog.assessment_versions()
    return sum(1 for file in (*originals, *candidates) if stored.get(file.path) not in (version, _REFUSED))


def native_png(catalog: Catalog, sha256: str, grid: Grid | None) -> bytes | None:
    """The native picture of an image as PNG, as it was read on `grid`; None where it was not measured on it.

    A file may have been measured for originals of several native sizes in the life of a project; `grid` (that of its
    present assessment) tells which of the pictures is meant.
    """
    if grid is None:
        return None
    for version in (_version((grid.width, grid.height)), _version(None)):
        blob = catalog.blob(sha256, PRODUCER, version)
        if blob is not None and decode_png(blob).shape[:2] == (grid.height, grid.width):
            return blob
    return None


def load_native(catalog: Catalog, sha256: str, grid: Grid | None) -> U8 | None:
    """The native picture of an image, uint8 [h, w, 3]; None where it was not measured on `grid`."""
    blob = native_png(catalog, sha256, grid)
    return None if blob is None else decode_png(blob)


def known_pictures(catalog: Catalog, views: Sequence[ImageView]) -> dict[str, Picture]:
    """What was measured of some images, by path, with the texts they came with; those without a grid are left out."""
    texts = {path: file.text for path, file in catalog.known_files().items()}
    sizes = {(view.grid.width, view.grid.height) for view in views if view.grid is not None}
    measured: dict[tuple[str, tuple[int, int]], tuple[dict[str, Any], bytes]] = {}
    for version in (_version(None), *(_version(size) for size in sorted(sizes))):
        for sha, data, blob in catalog.measurements(PRODUCER, version):
            if data and blob is not None:
                measured[sha, (data["grid"]["width"], data["grid"]["height"])] = data, blob
    found: dict[str, Picture] = {}
    for view in views:
        known = None if view.grid is None else measured.get((view.sha256, (view.grid.width, view.grid.height)))
        if known is not None:
            found[view.path] = Picture(view.path, decode_png(known[1]), known[0], texts.get(view.path))
    return found


def _version(expected: tuple[int, int] | None) -> str:
    """Measures depend on the native size that is expected, so the cache key does too."""
    return f"{VERSION}:{expected[0]}x{expected[1]}" if expected else VERSION


def _measure(
    catalog: Catalog,
    files: Sequence[ImageRecord],
    expected: tuple[int, int] | None,
    workers: int,
    refused: dict[str, str],
    progress: Callable[[int, int], None],
) -> int:
    """Measure the files whose content has no measurement yet; returns how many were opened."""
    version = _version(expected)
    have = catalog.measured(PRODUCER, version)
    todo: dict[str, Request] = {}
    for file in files:
        if file.sha256 not in have:
            todo.setdefault(file.sha256, Request(file.path, file.sha256, expected))
    waiting: list[tuple[str, dict[str, Any], bytes | None]] = []

    def commit() -> None:
        catalog.save_measurements(PRODUCER, version, waiting)
        waiting.clear()

    try:
        for done, result in enumerate(map_each(measure_file, list(todo.values()), workers=workers), start=1):
            _take(result, waiting, refused)
            if len(waiting) >= _COMMIT:
                commit()
            progress(done, len(todo))
    finally:
        commit()  # also on Ctrl-C: what was measured stays measured
    return len(todo)


def _take(result: Measured, waiting: list[tuple[str, dict[str, Any], bytes | None]], refused: dict[str, str]) -> None:
    if result.refused is not None:
        refused[result.request.path] = result.refused
    else:
        waiting.append((result.request.sha256, result.data, result.native_png))


def _by_origin(catalog: Catalog) -> tuple[list[ImageRecord], list[ImageRecord]]:
    """Originals and candidates, by path: what is said of them does not depend on the order they came in."""
    files = sorted(catalog.known_files().values(), key=lambda file: file.path)
    return [f for f in files if f.origin == "original"], [f for f in files if f.origin == "generated"]


def _measure_originals(
    catalog: Catalog,
    originals: Sequence[ImageRecord],
    workers: int,
    refused: dict[str, str],
    progress: Callable[[int, int], None],
) -> tuple[tuple[int, int], int]:
    """Measure the originals; returns their native (width, height) and how many files were opened."""
    opened = _measure(catalog, originals, None, workers, refused, progress)
    sizes = _native_sizes(catalog, originals, [_version(None)], refused)
    if not sizes:
        raise EmptyInputError(
            "No pixel grid was found in any original",
            field="originals",
            value=len(originals),
            remedy="Give originals that are pixel art, at native size or enlarged.",
        )
    common = Counter(sizes.values()).most_common(1)[0][0]
    odd = [original for original in originals if sizes.get(original.path, common) != common]
    if odd:
        # A picture drawn in coarse blocks passes for a small one enlarged, until the size of the others is known.
        opened += _measure(catalog, odd, common, workers, refused, progress)
        sizes = _native_sizes(catalog, originals, [_version(None), _version(common)], refused)
        _require_one_size(sizes)
    return common, opened


def _native_sizes(
    catalog: Catalog, originals: Sequence[ImageRecord], versions: Sequence[str], refused: dict[str, str]
) -> dict[str, tuple[int, int]]:
    """Native (width, height) of the originals that have a grid, by path; the last of the versions counts."""
    found = {
        sha: (data["grid"]["width"], data["grid"]["height"])
        for version in versions
        for sha, data, _ in catalog.measurements(PRODUCER, version)
        if data
    }
    for original in originals:
        if original.sha256 not in found:
            refused.setdefault(original.path, "no pixel grid was found in this original")
    return {original.path: found[original.sha256] for original in originals if original.sha256 in found}


def _require_one_size(sizes: Mapping[str, tuple[int, int]]) -> None:
    names: dict[tuple[int, int], list[str]] = defaultdict(list)
    for path, size in sizes.items():
        names[size].append(Path(path).name)
    if len(names) == 1:
        return
    counts = sorted(names.items(), key=lambda item: -len(item[1]))
    listed = ", ".join(f"{w}x{h}: {len(n)} (such as {sorted(n)[0]})" for (w, h), n in counts[:4])
    raise UserError(
        f"The originals have {len(names)} different native sizes: {listed}",
        field="originals",
        remedy="Keep one native size in a project: move the others to a folder and project of their own.",
    )


def _relate(
    catalog: Catalog,
    originals: Sequence[ImageRecord],
    candidates: Sequence[ImageRecord],
    size: tuple[int, int],
    refused: dict[str, str],
    workers: int,
    progress: Callable[[int, int], None],
    named: Named,
) -> tuple[int, int, list[str]]:
    """Assess against the originals what is new, and find repeats among the candidates.

    Returns the number of assessments made or changed, the number left as they were, and notes.
    """
    base, version = _assessment_version(originals, candidates, named)
    stored = catalog.assessment_versions()
    everyone = [*originals, *candidates]
    notes: list[str] = []
    if len(originals) < 20:
        notes.append(
            f"{len(originals)} originals are too few to learn what is normal for them: the score rests on the render "
            "measures alone (20 or more also judge colours and structure)."
        )
    pictures = _pictures(catalog, everyone, size, refused)
    catalog.save_assessments(_REFUSED, {path: _unreadable(reason) for path, reason in refused.items()})
    if all(stored.get(path) == version for path in pictures):
        return 0, len(pictures), notes
    known = [pictures[o.path] for o in originals if o.path in pictures]
    reference = Reference(known, detectors_for(catalog, known, named))
    fresh = [f for f in everyone if f.path in pictures and not stored.get(f.path, "").startswith(base)]
    assessments = _assess_fresh(reference, fresh, pictures, workers, progress)
    kept = {
        path: a
        for path, a in catalog.assessments().items()
        if path in pictures and path not in assessments and stored[path].startswith(base)
    }
    generated = [c.path for c in candidates if c.path in pictures]
    merged = _with_repeats({**kept, **assessments}, generated, pictures, workers)
    catalog.save_assessments(version, merged)
    changed = sum(1 for path, a in merged.items() if kept.get(path) != a)
    return changed, len(merged) - changed, notes


def _unreadable(reason: str) -> Assessment:
    """What is said of an image that could not be measured."""
    return Assessment(None, None, {}, {}, traits=Traits(), notes=(f"unreadable: {reason}",))


def _assessment_version(
    originals: Sequence[ImageRecord], candidates: Sequence[ImageRecord], named: Named
) -> tuple[str, str]:
    """The version of what an image says beside these originals, and of that beside these other candidates too."""
    rests_on = [(o.path, o.sha256, o.text or "") for o in originals]
    rests_on += [] if named == NOTHING_NAMED else [("named", repr(named), "")]
    base = f"{VERSION}.{RELATED}:{_fingerprint(rests_on)}"
    return base, f"{base}:{_fingerprint((c.path, c.sha256) for c in candidates)}"


def _assess_fresh(
    reference: Reference,
    fresh: Sequence[ImageRecord],
    pictures: dict[str, Picture],
    workers: int,
    progress: Callable[[int, int], None],
) -> dict[str, Assessment]:
    """Assess in blocks, on every core."""
    blocks: list[tuple[list[Picture], bool]] = []
    for members in (True, False):
        group = [pictures[f.path] for f in fresh if (f.origin == "original") is members]
        blocks += [(group[i : i + _BLOCK], members) for i in range(0, len(group), _BLOCK)]
    assessments: dict[str, Assessment] = {}
    worth = len(fresh) // max(1, len(blocks))
    results = map_each(partial(_assess_block, reference), blocks, workers=workers, each_worth=worth)
    for (block, _), found in zip(blocks, results, strict=True):
        assessments |= {picture.path: assessment for picture, assessment in zip(block, found, strict=True)}
        progress(len(assessments), len(fresh))
    return assessments


def _assess_block(reference: Reference, block: tuple[list[Picture], bool]) -> list[Assessment]:
    return reference.assess(block[0], members=block[1])


def _pictures(
    catalog: Catalog, files: Iterable[ImageRecord], size: tuple[int, int], refused: dict[str, str]
) -> dict[str, Picture]:
    """Measured pictures by path; those of another native size or without a grid are refused."""
    measured: dict[str, tuple[dict[str, Any], bytes | None]] = {}
    for version in (_version(None), _version(size)):
        measured |= {sha: (data, blob) for sha, data, blob in catalog.measurements(PRODUCER, version)}
    pictures: dict[str, Picture] = {}
    for file in files:
        data, blob = measured.get(file.sha256, ({}, None))
        if file.path in refused:
            continue
        if not data:
            refused[file.path] = "no pixel grid was found"
            continue
        grid = data["grid"]
        if blob is None or (grid["width"], grid["height"]) != size:
            refused[file.path] = (
                f"its native size is {grid['width']}x{grid['height']}, the originals' is {size[0]}x{size[1]}"
            )
            continue
        pictures[file.path] = Picture(file.path, decode_png(blob), data, file.text)
    return pictures


def _with_repeats(
    assessments: dict[str, Assessment], candidates: Sequence[str], pictures: dict[str, Picture], workers: int
) -> dict[str, Assessment]:
    """Point every repeat at the best of its group: the highest score, then the first path."""
    if not candidates:
        return assessments
    index = NativeIndex([pictures[p].native for p in candidates], [pictures[p].figure for p in candidates])
    leader = list(range(len(candidates)))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    suspects = list(suspected_repeats(index))
    blocks = [suspects[i : i + _BLOCK] for i in range(0, len(suspects), _BLOCK)]
    for found in map_each(partial(_repeats_among, index), blocks, workers=workers, each_worth=_BLOCK // 4):
        for i, j in found:
            leader[find(j)] = find(i)
    groups: dict[int, list[str]] = defaultdict(list)
    for i, path in enumerate(candidates):
        groups[find(i)].append(path)
    result = {path: replace(a, repeat_of=None) for path, a in assessments.items()}
    for group in groups.values():
        if len(group) > 1:
            best = min(group, key=lambda path: (-(assessments[path].score or 0.0), path))
            for path in group:
                if path != best:
                    result[path] = replace(assessments[path], repeat_of=best)
    return result


def _repeats_among(index: NativeIndex, block: Sequence[tuple[int, NDArray[np.intp]]]) -> list[tuple[int, int]]:
    """The suspected pairs (i, j), i < j, that are copies."""
    return [(other, picture) for picture, suspects in block for other in index.copied_from(picture, suspects)]


def _fingerprint(rows: Iterable[Sequence[str]]) -> str:
    """Sixteen hex digits that change when any of the rows does; their order does not matter."""
    digest = hashlib.sha256()
    for row in sorted("\x1f".join(row) for row in rows):
        digest.update(row.encode("utf-8", "surrogatepass") + b"\x1e")
    return digest.hexdigest()[:16]
