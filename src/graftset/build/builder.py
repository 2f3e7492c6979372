"""Builds a training set: captioned images of one native size -> a folder that a trainer reads."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
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
from graftset.build.manifest import PROMPTS, Decisions, Reviewed, prompts_text, write_manifest
from graftset.build.package import Colors, Package, Sampling, file_name, name_entries
from graftset.build.plans import Match, MixingPlan, PlanSpec, accept_real_mass, at_equal_exposures, plan_mix, plan_named
from graftset.build.sizes import Base, TrainingSize, choose_size
from graftset.build.supply import Budget, Wishes, members_by_plan, members_of_value, sort_out
from graftset.build.writing import write_images
from graftset.errors import BuildError, SkipFile, UserError
from graftset.files import replace_folder
from graftset.prompts import sample_prompts
from graftset.records import ImageView, SamplePrompt, Skip

LoadNative = Callable[[ImageView], NDArray[np.uint8]]
Progress = Callable[[int, int], None]

_NOTHING: Mapping[str, object] = MappingProxyType({})
_NO_PLANS: Mapping[str, PlanSpec] = MappingProxyType({})
_NO_RANKS: Mapping[str, int] = MappingProxyType({})
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
        matches: The plan's checkpoints beside the baseline's of equal exposures; none for the baseline itself.
        prompts: Number of sample prompts.
        colors: What becomes of the colors of generated images; None where the plan has none.
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
    matches: tuple[Match, ...] = ()
    prompts: int = 0
    colors: Colors | None = None


def build(
    images: Sequence[ImageView],
    *,
    load_native: LoadNative,
    folder: Path,
    plan: str | MixingPlan,
    pool: Sequence[ImageView] = (),
    own_plans: Mapping[str, PlanSpec] = _NO_PLANS,
    ranks: Mapping[str, int] = _NO_RANKS,
    count: int | None = None,
    seed: int = 0,
    format: str = "kohya",
    base: Base = "sd15",
    epochs: int = 10,
    steps: int | None = None,
    batch_size: int = 4,
    override_real_mass: str = "",
    max_generation: int | None = None,
    size: int | None = None,
    flip: bool = False,
    colors: Colors = "merged",
    prompts: Sequence[SamplePrompt] | None = None,
    sampling: Sampling | None = None,
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
        images: All originals and the admitted candidates; a plan that uses originals only ignores the rest.
        load_native: Gives the native pixels of an image, uint8 [cells down, cells across, 3].
        folder: The build folder; its parents are made.
        plan: A key of `PLANS` or of `own_plans`, or a plan for exactly these images.
        pool: Candidates that were not admitted; the plan random draws from them too.
        own_plans: Plans of the user's own, by name.
        ranks: The selection's ranking of the admitted, 0 for the first, by path.
        count: How many of the admitted to use, the first by that ranking; None uses all.
        seed: Of what is drawn at random.
        format: A key of `FORMATS`.
        base: The base model that is trained.
        epochs: Epochs of a plan given by name.
        steps: Optimizer steps of a plan given by name, in place of epochs.
        batch_size: Images in an optimizer step of a plan given by name.
        override_real_mass: Why fewer than half originals are accepted, where the plan shows fewer.
        max_generation: Images of a higher generation are left out; those above 1 also where nobody approved them.
        size: Width of the training images, px; None chooses one that keeps native cells whole.
        flip: Whether the trainer may mirror images.
        colors: Whether the colors of generated images are merged that differ by render noise alone.
        prompts: Sample prompts; None makes them from the images and the pool.
        sampling: How the trainer paints them.
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
    spec = None if isinstance(plan, MixingPlan) else plan_named(plan, own_plans)
    supply = sort_out(images, pool, _wishes(plan, spec), unmeasurable=unmeasurable, max_generation=max_generation)
    if strict:
        supply.refuse_left_out()
    native = _one_native_size(supply.usable, load_native)
    if spec is None:
        assert isinstance(plan, MixingPlan)
        mix, members = members_of_value(plan, supply)
    else:
        assert isinstance(plan, str)
        budget = Budget(epochs, steps, batch_size, override_real_mass)
        of_size = [view for view in supply.pool if _native_size(view, load_native) == native]
        mix, members = members_by_plan(plan, spec, supply, of_size, budget, ranks=ranks, count=count, seed=seed)
    mix = accept_real_mass(FORMATS[format].adapt(mix), override_real_mass or (spec.override if spec else mix.override))
    if prompts is None:
        prompts = sample_prompts([*images, *pool], seed=seed)
    package = Package(
        plan=mix,
        size=choose_size(*native, requested=size, base=base),
        entries=name_entries(members),
        root=_checked_root(root),
        base=base,
        flip=flip,
        colors=colors,
        prompts=tuple(prompts),
        sampling=sampling or Sampling(),
    )
    warnings = [package.size.warning, *supply.warnings, *FORMATS[format].warnings(package)]
    report = BuildReport(
        folder=folder,
        plan=mix,
        size=package.size,
        images=len(package.entries),
        skipped=supply.left_out,
        warnings=tuple(warning for warning in warnings if warning),
        matches=at_equal_exposures(mix, _baseline(mix, epochs, steps)) if mix.images("generated") else (),
        prompts=len(package.prompts),
        colors=colors if mix.images("generated") else None,
    )
    if dry_run:
        return report
    refuse_foreign(folder)
    # A baseline must not change because another selection was made.
    decisions = Decisions(policy, reviewed, versions) if mix.images("generated") else Decisions(versions=versions)
    with staging_folder(folder) as staging:
        digest = _write_build(staging, package, format, load_native, decisions, report, progress)
        found = same_build_warnings(folder, digest)
        if found is not None:
            update_review(folder, staging)
            return dataclasses.replace(report, unchanged=True, build_sha256=digest, warnings=(*report.warnings, *found))
        refuse_loss(folder, force=force)
        replace_folder(staging, folder)
    return dataclasses.replace(report, written=True, build_sha256=digest)


def _write_build(
    staging: Path,
    package: Package,
    format: str,
    load_native: LoadNative,
    decisions: Decisions,
    report: BuildReport,
    progress: Progress | None,
) -> str:
    """Write every file of a build, the manifest last; returns the hash of the whole."""
    trainer = FORMATS[format]
    written = []
    for image in write_images(staging, package, trainer, lambda view: _native(view, load_native)):
        written.append(image)
        if progress is not None:
            progress(len(written), len(package.entries))
    texts = {PROMPTS: prompts_text(package), **trainer.texts(package)}
    for path, text in texts.items():
        write_file(staging, path, text.encode())
    return write_manifest(
        staging,
        package,
        format_name=format,
        decisions=decisions,
        images=written,
        texts=texts,
        skipped=report.skipped,
        matches=report.matches,
    )


def _wishes(plan: str | MixingPlan, spec: PlanSpec | None) -> Wishes:
    """What a plan wants of the images."""
    if spec is not None:
        return Wishes(spec.uses_generated, spec.draws_from_pool, spec.captions, spec.only_asked)
    return Wishes(isinstance(plan, MixingPlan) and plan.images("generated") > 0)


def _baseline(plan: MixingPlan, epochs: int, steps: int | None) -> MixingPlan:
    """The plan originals of the same length: the same budget of steps, or as many epochs."""
    stage = plan.stages[0]
    budget = None if stage.budget is None else plan.steps
    return plan_mix(
        "originals",
        originals=plan.images("original"),
        generated=0,
        epochs=epochs,
        batch_size=stage.batch_size,
        steps=budget if steps is None else steps,
    )


def _native_size(view: ImageView, load_native: LoadNative) -> tuple[int, int]:
    """Width and height of an image, in cells."""
    if view.grid is not None:
        return view.grid.width, view.grid.height
    height, width = _native(view, load_native).shape[:2]
    return width, height


def _one_native_size(views: Sequence[ImageView], load_native: LoadNative) -> tuple[int, int]:
    """The native width and height that all images share, in cells."""
    names: dict[tuple[int, int], list[str]] = defaultdict(list)
    for view in views:
        names[_native_size(view, load_native)].append(file_name(view))
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
