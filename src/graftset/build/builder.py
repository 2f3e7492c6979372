"""Builds a training set: captioned images of one native size -> a folder that a trainer reads."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from graftset.build.folder import (
    refuse_foreign,
    refuse_loss,
    same_build_warnings,
    some_names,
    staging_folder,
    update_review,
    write_file,
)
from graftset.build.formats import FORMATS
from graftset.build.manifest import MANIFEST, Decisions, Reviewed, WrittenImage, manifest_bytes, read_manifest
from graftset.build.package import ORIGINS, Entry, Package, file_name, name_entries, one_line
from graftset.build.plans import PLANS, MixingPlan, plan_mix
from graftset.build.sizes import TrainingSize, choose_size
from graftset.errors import BuildError, SkipFile, UserError
from graftset.files import replace_folder
from graftset.imageio import encode_png
from graftset.pixels.grid import from_native
from graftset.records import ImageView, Origin, Skip

LoadNative = Callable[[ImageView], NDArray[np.uint8]]
Progress = Callable[[int, int], None]

_NOTHING: Mapping[str, object] = MappingProxyType({})
_NO_VERSIONS: Mapping[str, str] = MappingProxyType({})
_ALL_MEASURED: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did, or would do.

    Attributes:
        images: Number of images in the folder.
        skipped: Images left out, by file name, with the reason.
        warnings: Sentences for the user.
        written: The folder was written or replaced.
        unchanged: The same build was there already and nothing was done.
        build_sha256: Hash of the whole build; None for a dry run.
    """

    folder: Path
    plan: MixingPlan
    size: TrainingSize
    images: int
    skipped: tuple[Skip, ...]
    warnings: tuple[str, ...]
    written: bool = False
    unchanged: bool = False
    build_sha256: str | None = None


def build(
    images: Sequence[ImageView],
    *,
    load_native: LoadNative,
    folder: Path,
    plan: str | MixingPlan,
    format: str = "kohya",
    epochs: int = 10,
    batch_size: int = 4,
    size: int | None = None,
    root: str | None = None,
    strict: bool = False,
    force: bool = False,
    dry_run: bool = False,
    policy: Mapping[str, object] = _NOTHING,
    reviewed: Reviewed = "none",
    versions: Mapping[str, str] = _NO_VERSIONS,
    unmeasurable: Mapping[str, str] = _ALL_MEASURED,
    progress: Progress | None = None,
) -> BuildReport:
    """Build a training set that a trainer reads.

    The same images, captions, plan and options give the same bytes, wherever they lie and in whatever order they come.
    An identical build is left alone. Images without a caption are left out with a reason: trainers take a missing
    caption for an empty one, in silence. So are those that could not be measured: there are no native pixels of them.

    Args:
        images: All originals and the selected candidates; a plan that uses originals only ignores the rest.
        load_native: Gives the native pixels of an image, uint8 [cells down, cells across, 3].
        folder: The build folder; its parents are made.
        plan: A key of `PLANS`, or a plan for exactly these images.
        format: A key of `FORMATS`.
        epochs: Epochs of a plan given by name.
        batch_size: Images in an optimizer step of a plan given by name.
        size: Width of the training images, px; None chooses one that keeps native cells whole.
        root: Absolute path where the folder will lie on the machine that trains; None writes relative paths.
        strict: Refuse images without a caption, and those that could not be measured, instead of leaving them out.
        force: Replace a different build; never files that graftset did not write.
        dry_run: Work everything out, write nothing.
        policy: The selection's policy, for the manifest.
        reviewed: "none", or where the review stands, as JSON values. A build that is there already and differs in
            nothing else gets it written into its manifest.
        versions: Versions of measures and detectors, for the manifest.
        unmeasurable: Why images could not be measured, by path.
        progress: Called with images done and images in all.

    Raises:
        BuildError: The plan cannot be carried out on these images, or an image cannot be read.
        ExistsError: The folder holds something else.
        UserError: An argument is out of range, or the folder cannot be written.
    """
    if format not in FORMATS:
        raise UserError("No such format", field="format", value=format, remedy=f"Use one of: {', '.join(FORMATS)}")
    wanted = [view for view in images if view.origin in _origins(plan)]
    unmeasured = _skips((view, unmeasurable[view.path]) for view in wanted if view.path in unmeasurable)
    captioned, bare = _split_by_caption([view for view in wanted if view.path not in unmeasurable])
    if strict and unmeasured:
        raise BuildError(
            f"{len(unmeasured)} images could not be measured: {some_names(skip.path for skip in unmeasured)}",
            field="images",
            remedy="Mend or remove them, or build without --strict to leave them out",
        )
    if strict and bare:
        raise BuildError(
            f"{len(bare)} images have no caption: {some_names(skip.path for skip in bare)}",
            field="caption",
            remedy="Write captions for them, or build without --strict to leave them out",
        )
    skipped = (*unmeasured, *bare)
    mix = _settle_plan(plan, captioned, epochs=epochs, batch_size=batch_size)
    training_size = choose_size(*_one_native_size(captioned, load_native), requested=size)
    package = Package(mix, training_size, name_entries(captioned), _checked_root(root))
    size_warnings = () if training_size.warning is None else (training_size.warning,)
    report = BuildReport(
        folder=folder,
        plan=mix,
        size=training_size,
        images=len(package.entries),
        skipped=skipped,
        warnings=(*size_warnings, *FORMATS[format].warnings(package)),
    )
    if dry_run:
        return report
    refuse_foreign(folder)
    # A baseline must not change because another selection was made.
    decisions = Decisions(policy, reviewed, versions) if mix.images("generated") else Decisions(versions=versions)
    with staging_folder(folder) as staging:
        digest = _write_build(staging, package, format, load_native, decisions, skipped, progress)
        found = same_build_warnings(folder, digest)
        if found is not None:
            update_review(folder, staging)
            warnings = (*report.warnings, *found)
            return dataclasses.replace(report, unchanged=True, build_sha256=digest, warnings=warnings)
        refuse_loss(folder, force=force)
        replace_folder(staging, folder)
    return dataclasses.replace(report, written=True, build_sha256=digest)


def _write_build(
    staging: Path,
    package: Package,
    format: str,
    load_native: LoadNative,
    decisions: Decisions,
    skipped: Sequence[Skip],
    progress: Progress | None,
) -> str:
    """Write every file of a build, the manifest last; returns the hash of the whole."""
    written = []
    for entry in package.entries:
        written.append(_write_image(staging, package, entry, format, load_native))
        if progress is not None:
            progress(len(written), len(package.entries))
    texts = FORMATS[format].texts(package)
    for path, text in texts.items():
        write_file(staging, path, text.encode())
    manifest = manifest_bytes(
        package, format_name=format, decisions=decisions, images=written, texts=texts, skipped=skipped
    )
    write_file(staging, MANIFEST, manifest)
    return str(read_manifest(staging)["build_sha256"])


def _origins(plan: str | MixingPlan) -> tuple[Origin, ...]:
    """The origins a plan uses."""
    if isinstance(plan, MixingPlan):
        return tuple(origin for origin in ORIGINS if plan.images(origin))
    uses_generated = plan not in PLANS or PLANS[plan].uses_generated
    return ORIGINS if uses_generated else ("original",)


def _split_by_caption(views: Sequence[ImageView]) -> tuple[list[ImageView], tuple[Skip, ...]]:
    captioned = [view for view in views if one_line(view.training_caption)]
    bare = [view for view in views if not one_line(view.training_caption)]
    return captioned, _skips((view, f"{view.origin} without a caption") for view in bare)


def _skips(left_out: Iterable[tuple[ImageView, str]]) -> tuple[Skip, ...]:
    """Images left out, by file name, with the reason."""
    return tuple(Skip(name, reason) for name, reason in sorted((file_name(view), why) for view, why in left_out))


def _settle_plan(plan: str | MixingPlan, captioned: Sequence[ImageView], *, epochs: int, batch_size: int) -> MixingPlan:
    counts = {origin: sum(view.origin == origin for view in captioned) for origin in ORIGINS}
    if not counts["original"]:
        raise BuildError(
            "There is no original with a caption to train on",
            field="originals",
            remedy="Put a .txt file with a caption beside each original and ingest again",
        )
    if isinstance(plan, str):
        return plan_mix(
            plan,
            originals=counts["original"],
            generated=counts["generated"],
            epochs=epochs,
            batch_size=batch_size,
        )
    for origin in ORIGINS:
        if plan.images(origin) != counts[origin]:
            raise BuildError(
                f"The plan {plan.name} counts on {plan.images(origin)} {origin} images and {counts[origin]} have a "
                "caption",
                field="plan",
                value=plan.name,
                remedy="Make the plan for the images that are there",
            )
    return plan


def _one_native_size(views: Sequence[ImageView], load_native: LoadNative) -> tuple[int, int]:
    """The native width and height that all images share, in cells."""
    names: dict[tuple[int, int], list[str]] = defaultdict(list)
    for view in views:
        if view.grid is not None:
            names[view.grid.width, view.grid.height].append(file_name(view))
        else:
            height, width = _native(view, load_native).shape[:2]
            names[width, height].append(file_name(view))
    if len(names) > 1:
        by_count = sorted(names.items(), key=lambda item: (-len(item[1]), item[0]))
        sizes = "; ".join(f"{w} x {h}: {len(files)} ({some_names(sorted(files))})" for (w, h), files in by_count)
        raise BuildError(
            f"The images have {len(names)} different native sizes: {sizes}",
            field="images",
            remedy="Keep the images of one size and build the others apart; padding would teach the padding",
        )
    return next(iter(names))


def _checked_root(root: str | None) -> str | None:
    if root is None:
        return None
    if not (PurePosixPath(root).is_absolute() or PureWindowsPath(root).is_absolute()) or not root.isprintable():
        raise BuildError(
            "The root must be the absolute path of the build folder on the machine that trains",
            field="root",
            value=root,
            remedy="Give a path such as /workspace/builds/weighted",
        )
    return root.rstrip("/\\")


def _native(view: ImageView, load_native: LoadNative) -> NDArray[np.uint8]:
    try:
        return load_native(view)
    except (SkipFile, OSError) as error:
        raise BuildError(
            f"An image cannot be read any more: {error}",
            field="image",
            value=file_name(view),
            remedy="Put it back as it was, or ingest again",
        ) from error


def _write_image(staging: Path, package: Package, entry: Entry, format: str, load_native: LoadNative) -> WrittenImage:
    """Write one image at training size and its caption, and hash both."""
    trainer, size = FORMATS[format], package.size
    native = _native(entry.source, load_native)
    if native.shape != (size.native_height, size.native_width, 3) or native.dtype != np.uint8:
        raise BuildError(
            f"Native pixels are {native.dtype} {list(native.shape)}, not uint8 "
            f"{[size.native_height, size.native_width, 3]} as measured before",
            field="image",
            value=entry.source_name,
            remedy="Assess the images again",
        )
    image_file = trainer.image_file(package, entry)
    image_hash = write_file(staging, image_file, encode_png(from_native(native, size.width, size.height)))
    caption_file = trainer.caption_file(package, entry)
    caption_hash = None if caption_file is None else write_file(staging, caption_file, entry.caption.encode())
    return WrittenImage(entry, image_file, image_hash, caption_file, caption_hash)
