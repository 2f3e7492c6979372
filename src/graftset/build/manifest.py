"""The manifest: what a build consists of, with the hash of every file, and whether the folder still agrees with it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from graftset import __version__
from graftset.build.package import Entry, Package
from graftset.build.plans import Match
from graftset.errors import BuildError
from graftset.files import sha256_file
from graftset.records import Skip

MANIFEST = "manifest.json"
PROMPTS = "prompts.json"
FORMAT_VERSION = 2
_SCORE_DIGITS = 3
_IMAGES = "\0images\0"  # stands where the images go; no text of the manifest holds such characters
_NO_VERSIONS: Mapping[str, str] = MappingProxyType({})

Reviewed = str | float | Mapping[str, object]  # a number is what earlier versions wrote: the bound alone


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided before the build and travels with it.

    Attributes:
        policy: The selection's policy, as JSON values.
        reviewed: "none", or where the review stands: plan, n, wrong, bound on the share right, sentence.
        versions: Versions of the catalog, the measures and the detectors that led here, by name.
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
        contradictions: What of the manifest does not agree with the rest of it, as phrases: it was edited.
        versions: Names of what is of another version now than when it was built, with both; no fault of the build.
    """

    folder: Path
    build_sha256: str
    files: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    extra: tuple[str, ...]
    trained_on: tuple[str, ...]
    contradictions: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether training would use exactly the files that were built, and the manifest says what it said."""
        return not (self.missing or self.changed or self.trained_on or self.contradictions)


def write_manifest(
    staging: Path,
    package: Package,
    *,
    format_name: str,
    decisions: Decisions,
    images: Sequence[WrittenImage],
    texts: Mapping[str, str],
    skipped: Sequence[Skip],
    matches: Sequence[Match] = (),
) -> str:
    """Write the manifest as JSON: no times, no absolute paths but a given root, the same bytes for the same build.

    Images are written one by one: of thousands the whole text is never in memory.

    `build_sha256` is the SHA-256 of all that follows from the input: not of itself, nor of the versions of graftset and
    of its measures, nor of how far people have reviewed what is in it. Two builds that have it in common hold the same
    files, made from the same images by the same plan.

    Returns:
        `build_sha256`.

    Raises:
        BuildError: The policy holds something JSON cannot express.
    """
    size = package.size
    trained = {entry.source.sha256 for entry in package.entries}
    content: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "format": format_name,
        "plan": package.plan.as_dict(),
        "size": {"width": size.width, "height": size.height, "reason": size.reason},
        "native": {"width": size.native_width, "height": size.native_height},
        "root": package.root,
        "base": package.base,
        "prompts": {
            "file": PROMPTS,
            "sha256": hashlib.sha256(texts[PROMPTS].encode()).hexdigest(),
            "count": len(package.prompts),
            "first_seed": package.sampling.seed,
            # Captions of originals that this plan does not train on: what it says to them was not learned by heart.
            "held_out": [p.id for p in package.prompts if p.kind == "training" and p.reference not in trained],
        },
        "baseline": [
            {
                "checkpoint": match.checkpoint.number,
                "exposures": round(match.checkpoint.exposures, 4),
                "baseline_checkpoint": match.baseline.number,
                "baseline_exposures": round(match.baseline.exposures, 4),
            }
            for match in matches
        ],
        "policy": dict(decisions.policy),
        "skipped": [{"file": skip.path, "reason": skip.reason} for skip in skipped],
        "files": {path: hashlib.sha256(text.encode()).hexdigest() for path, text in sorted(texts.items())},
        "images": [_IMAGES],
    }
    if package.plan.images("generated"):  # a build of originals is the same whatever becomes of the others
        content["colors"] = package.colors
    try:
        digest = hashlib.sha256()
        for part in _with_images(content, (_image_dict(package, image) for image in images)):
            digest.update(part)
        versions = {"graftset": __version__, **decisions.versions}
        beside = {"versions": versions, "reviewed": decisions.reviewed}
        whole = {"build_sha256": digest.hexdigest(), **beside, **content}
        with (staging / MANIFEST).open("wb") as stream:
            told = (_image_dict(package, image) | _review_dict(image) for image in images)
            stream.writelines(_with_images(whole, told))
        return digest.hexdigest()
    except (TypeError, ValueError) as error:
        raise BuildError(
            f"The policy cannot be written to the manifest: {error}",
            field="policy",
            remedy="Use texts, numbers, lists and tables only",
        ) from error


def _with_images(content: object, images: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """The same bytes as `_json_bytes` with all images in their place, a few at a time."""
    mark = json.dumps(_IMAGES).encode()
    before, after = _json_bytes(content).split(mark)
    yield before
    for number, image in enumerate(images):
        text = _json_bytes(image).rstrip(b"\n")
        yield (b",\n  " if number else b"") + text.replace(b"\n", b"\n  ")  # two levels deep in the list of images
    yield after


def prompts_text(package: Package) -> str:
    """The file of sample prompts: a JSON list in the order in which they are painted."""
    prompts = [dataclasses.asdict(prompt) for prompt in package.prompts]
    return json.dumps(prompts, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


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


def verify(folder: Path, versions: Mapping[str, str] = _NO_VERSIONS) -> VerifyReport:
    """Compare every file of a build folder with its manifest, and the manifest with itself.

    Args:
        folder: The build folder, wherever it lies now.
        versions: Of the catalog, measures and detectors in use, to tell which are others than when it was built.

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
        contradictions=tuple(_contradictions(manifest)),
        versions=tuple(_other_versions(manifest, {"graftset": __version__, **versions})),
    )


def _contradictions(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What of a manifest does not follow from the rest of it."""
    if manifest["format_version"] < FORMAT_VERSION:
        return  # older ones were not written to be checked
    if _digest(_without_review(manifest)) == manifest.get("build_sha256"):
        return
    yield "its content is not the one that build_sha256 was made of"
    for image in manifest["images"]:
        caption = hashlib.sha256(str(image.get("caption")).encode("utf-8", "surrogatepass")).hexdigest()
        if image["caption_file"] is not None and caption != image["caption_sha256"]:
            yield f"{image['file']}: the caption it lists is not that of {image['caption_file']}"
    prompts = manifest.get("prompts")
    if isinstance(prompts, dict) and manifest["files"].get(prompts.get("file")) != prompts.get("sha256"):
        yield f"prompts: the hash is not that of {prompts.get('file')}"
    yield from _plan_contradictions(manifest)


def _plan_contradictions(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Images whose weights are not those of the plan's folders."""
    try:
        shown = [
            {
                subset["folder"]: (subset["repeats"], subset["loss_weight"], subset["uneven"])
                for subset in stage["subsets"]
            }
            for stage in manifest["plan"]["stages"]
        ]
        for image in manifest["images"]:
            for stage, repeats, weight in zip(shown, image["repeats"], image["loss_weights"], strict=True):
                planned = stage.get(image["folder"], (0, 0.0, None))
                if planned[2] is None and planned[:2] != (repeats, weight):
                    yield f"{image['file']}: repeats {repeats} and loss weight {weight}, the plan has {planned[:2]}"
    except (KeyError, TypeError, ValueError, AttributeError):
        yield "the plan or the weights are not as graftset writes them"


def _other_versions(manifest: Mapping[str, Any], now: Mapping[str, str]) -> Iterator[str]:
    then = manifest.get("versions")
    for name, version in sorted(now.items()):
        if isinstance(then, dict) and then.get(name, version) != version:
            yield f"{name}: {then[name]} then, {version} now"


def _without_review(manifest: Mapping[str, Any]) -> dict[str, object]:
    """What `build_sha256` was made of."""
    content = {key: value for key, value in manifest.items() if key not in ("build_sha256", "versions", "reviewed")}
    images = [{key: value for key, value in image.items() if key != "review"} for image in manifest["images"]]
    return content | {"images": images}


def review_told(manifest: Mapping[str, Any]) -> object:
    """What a manifest says of the review: how far it came, and the verdict on each image."""
    return manifest.get("reviewed"), [image.get("review") for image in manifest.get("images", ())]


def _digest(content: Mapping[str, object]) -> str:
    return hashlib.sha256(_json_bytes(content)).hexdigest()


def _image_dict(package: Package, image: WrittenImage) -> dict[str, object]:
    view = image.entry.source
    return {
        "file": image.file,
        "folder": image.entry.folder,
        "sha256": image.sha256,
        "caption_file": image.caption_file,
        "caption_sha256": image.caption_sha256,
        "caption": image.entry.caption,
        "caption_from": image.entry.caption_from,
        "origin": view.origin,
        "generation": view.generation,
        "composed": view.composed,
        "source_file": image.entry.source_name,
        "source_sha256": view.sha256,
        "score": None if view.score is None else round(view.score, _SCORE_DIGITS),
        "repeats": package.repeats(image.entry),
        "exposures": round(package.exposures(image.entry), 4),
        "loss_weights": package.loss_weights(image.entry),
    }


def _review_dict(image: WrittenImage) -> dict[str, object]:
    review = image.entry.source.review
    return {"review": None if review is None else review.verdict}


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
