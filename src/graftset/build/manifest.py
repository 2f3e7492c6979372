"""The manifest: what a build consists of, with the hash of every file, and whether the folder still agrees with it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from graftset import __version__
from graftset.build.package import Entry, Package
from graftset.errors import BuildError
from graftset.files import sha256_file
from graftset.records import Skip

MANIFEST = "manifest.json"
FORMAT_VERSION = 1
_SCORE_DIGITS = 3

Reviewed = str | float | Mapping[str, object]  # a number is what earlier versions wrote: the bound alone


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided before the build and travels with it.

    Attributes:
        policy: The selection's policy, as JSON values.
        reviewed: "none", or where the review stands: plan, n, wrong, bound on the share right, sentence.
        versions: Versions of the measures and detectors that led here, by name.
    """

    policy: Mapping[str, object] = field(default_factory=dict)
    reviewed: Reviewed = "none"
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WrittenImage:
    """One exported image: paths relative to the build folder and the hashes of what was written there."""

    entry: Entry
    file: str
    sha256: str
    caption_file: str | None
    caption_sha256: str | None


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """How a build folder differs from its manifest; paths relative to the folder, sorted.

    Attributes:
        files: Number of files the manifest lists.
        missing: Listed, but not there.
        changed: There, but with other content.
        extra: There, but not listed: trained weights, notes, caches.
        trained_on: Those of `extra` that lie beside the training images, where a trainer would read them.
    """

    folder: Path
    build_sha256: str
    files: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    extra: tuple[str, ...]
    trained_on: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether training would use exactly the files that were built."""
        return not (self.missing or self.changed or self.trained_on)


def manifest_bytes(
    package: Package,
    *,
    format_name: str,
    decisions: Decisions,
    images: Sequence[WrittenImage],
    texts: Mapping[str, str],
    skipped: Sequence[Skip],
) -> bytes:
    """The manifest as JSON: no times, no absolute paths but a given root, and the same bytes for the same build.

    `build_sha256` is the SHA-256 of all that follows from the input: not of itself, nor of the versions of graftset and
    of its measures, nor of how far people have reviewed what is in it. Two builds that have it in common hold the same
    files, made from the same images by the same plan.

    Raises:
        BuildError: The policy holds something JSON cannot express.
    """
    size = package.size
    content: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "format": format_name,
        "plan": package.plan.as_dict(),
        "size": {"width": size.width, "height": size.height, "reason": size.reason},
        "native": {"width": size.native_width, "height": size.native_height},
        "root": package.root,
        "policy": dict(decisions.policy),
        "skipped": [{"file": skip.path, "reason": skip.reason} for skip in skipped],
        "files": {path: hashlib.sha256(text.encode()).hexdigest() for path, text in sorted(texts.items())},
        "images": [_image_dict(package, image) for image in images],
    }
    try:
        digest = hashlib.sha256(_json_bytes(content)).hexdigest()
        versions = {"graftset": __version__, **decisions.versions}
        beside = {"versions": versions, "reviewed": decisions.reviewed}
        return _json_bytes({"build_sha256": digest, **beside, **content})
    except (TypeError, ValueError) as error:
        raise BuildError(
            f"The policy cannot be written to the manifest: {error}",
            field="policy",
            remedy="Use texts, numbers, lists and tables only",
        ) from error


def read_manifest(folder: Path) -> dict[str, Any]:
    """The parsed manifest of a build folder.

    Raises:
        BuildError: The folder has no manifest, or one that is damaged or of a later version.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise BuildError(
            "This folder is not a build: it has no manifest.json",
            field="folder",
            value=str(folder),
            remedy="Give the folder that `graftset build` wrote",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format_version"), int):
        raise _damaged(path, "it has no format_version")
    if manifest["format_version"] > FORMAT_VERSION:
        raise BuildError(
            "This build was written by a later graftset",
            field="format_version",
            value=manifest["format_version"],
            remedy="Update graftset",
        )
    return manifest


def verify(folder: Path) -> VerifyReport:
    """Compare every file of a build folder with its manifest.

    Raises:
        BuildError: The folder has no readable manifest.
    """
    manifest = read_manifest(folder)
    listed = _listed_hashes(folder, manifest)
    present = set(_files_below(folder)) - {MANIFEST}
    shared = sorted(present & listed.keys())
    extra = sorted(present - listed.keys())
    image_folders = {str(PurePosixPath(image["file"]).parent) for image in manifest["images"]}
    return VerifyReport(
        folder=folder,
        build_sha256=str(manifest.get("build_sha256")),
        files=len(listed),
        missing=tuple(sorted(listed.keys() - present)),
        changed=tuple(path for path in shared if sha256_file(folder / path) != listed[path]),
        extra=tuple(extra),
        trained_on=tuple(path for path in extra if str(PurePosixPath(path).parent) in image_folders),
    )


def _image_dict(package: Package, image: WrittenImage) -> dict[str, object]:
    view = image.entry.source
    return {
        "file": image.file,
        "sha256": image.sha256,
        "caption_file": image.caption_file,
        "caption_sha256": image.caption_sha256,
        "caption": image.entry.caption,
        "origin": view.origin,
        "generation": view.generation,
        "composed": view.composed,
        "source_file": image.entry.source_name,
        "source_sha256": view.sha256,
        "score": None if view.score is None else round(view.score, _SCORE_DIGITS),
        "repeats": [stage.repeats(view.origin) for stage in package.plan.stages],
        "exposures": package.plan.exposures(view.origin),
    }


def _json_bytes(content: object) -> bytes:
    # A file name that is not valid Unicode holds lone surrogates; their backslash escapes are valid JSON.
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    return (text + "\n").encode("utf-8", "backslashreplace")


def _listed_hashes(folder: Path, manifest: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of every listed file by path; the manifest may come from anywhere, so its shape is checked."""
    files, images = manifest.get("files"), manifest.get("images")
    if not isinstance(files, dict) or not isinstance(images, list):
        raise _damaged(folder / MANIFEST, "it does not list its files and images")
    pairs = list(files.items())
    for image in images:
        if not isinstance(image, dict) or not {"file", "sha256", "caption_file", "caption_sha256"} <= image.keys():
            raise _damaged(folder / MANIFEST, f"an image is listed as {image!r}")
        pairs.append((image["file"], image["sha256"]))
        if image["caption_file"] is not None:
            pairs.append((image["caption_file"], image["caption_sha256"]))
    for path, _ in pairs:
        if not isinstance(path, str) or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise _damaged(folder / MANIFEST, f"it lists {path!r}, which lies outside the folder")
    return dict(pairs)


def _files_below(folder: Path) -> list[str]:
    found = []
    for root, _, names in os.walk(folder):
        below = Path(root).relative_to(folder)
        found += [(below / name).as_posix() for name in names]
    return found


def _damaged(path: Path, why: str) -> BuildError:
    return BuildError(
        f"The manifest cannot be read: {why}",
        field="manifest",
        value=str(path),
        remedy="Move the folder away and build it again",
    )
