"""The stage: the pictures of one checkpoint -> its scorecard."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from graftset.errors import SkipFile
from graftset.evaluate.card import distances_of, figures_of, with_overall
from graftset.evaluate.looking import EVALUATOR, Originals, originals_sha256
from graftset.evaluate.prompts import asked_for
from graftset.evaluate.samples import Batch, Painted
from graftset.evaluate.scoring import score
from graftset.evaluate.style import LEAST_AUC, StyleModel
from graftset.files import sha256_file
from graftset.imageio import decode_png
from graftset.measuring import Measured, Picture, Request, measure_file
from graftset.records import Skip
from graftset.scorecards import Group, PictureScore, PromptAsked, Scorecard, StyleCheck


@dataclass(frozen=True, slots=True)
class Holdout:
    """What was kept from training.

    Attributes:
        trained_on: Hashes of the originals trained on; None where nobody says, and then all of them were.
        clean: Whether no generator of the training pictures can have seen those that were set aside; None where nothing
            was, or nobody says.
    """

    trained_on: frozenset[str] | None = None
    clean: bool | None = None


def style_check(style: StyleModel, sample_set_auc: float | None) -> StyleCheck:
    """Whether style consistency may be a criterion: it must tell both kinds of faults it was not fitted on."""
    found = (sample_set_auc, style.own_auc)
    usable = all(value is not None and value >= LEAST_AUC for value in found)
    return StyleCheck(sample_set_auc, style.own_auc, LEAST_AUC, usable)


def evaluate(
    run: str,
    batch: Batch,
    originals: Originals,
    *,
    sample_set_auc: float | None,
    holdout: Holdout | None = None,
    at: str = "",
) -> Scorecard:
    """Look at every picture of one checkpoint and sum up.

    Pictures that cannot be read, have no grid or another native size are left out, each with a reason.

    Args:
        run: Name of the run.
        batch: Its pictures at one checkpoint.
        originals: Fitted.
        sample_set_auc: How well style consistency told the sample set's planted faults; None where nobody asked.
        holdout: What was kept from training.
        at: The time, ISO 8601 UTC.
    """
    hashes, skipped = _hashes(batch)
    painted = [p for p in batch.pictures if str(p.path) in hashes]
    kept, pictures, refused = _measure(painted, hashes, originals)
    seen = originals.look(pictures)
    aside = holdout or Holdout()
    references = [p.prompt.reference if p.prompt.reference in originals.place else None for p in kept]
    # A trainer may leave it to us to say what a caption asks for.
    expects = [p.prompt.expects or asked_for(originals.vocabulary.labels(p.prompt.text)) for p in kept]
    scored = score(originals, seen, expects, references)
    check = style_check(originals.style, sample_set_auc)
    scores = tuple(
        PictureScore(
            prompt_id=p.prompt.id,
            group=group_of(p, aside),
            seed=p.seed,
            file=p.path.relative_to(batch.folder).as_posix(),
            sha256=hashes[str(p.path)],
            values=with_overall(one.values, check),
            asked=one.asked,
            seen=one.seen,
            copy_of=originals.sha_of.get(look.assessment.copy_of or ""),
            nearest=originals.sha_of.get(near.path) if (near := look.assessment.nearest_original) else None,
        )
        for p, one, look in zip(kept, scored, seen, strict=True)
    )
    notes = _notes(scores, batch)
    return Scorecard(
        run=run,
        place=batch.place,
        evaluator=EVALUATOR,
        prompts_sha256=prompts_sha256(batch.pictures),
        originals_sha256=originals_sha256(originals.originals),
        inputs_sha256=inputs_sha256(batch, originals_sha256(originals.originals), check, aside, hashes),
        figures=figures_of(originals, scores, seen) if scores else (),
        pictures=scores,
        prompts=tuple(
            {
                p.prompt.id: PromptAsked(p.prompt.id, group_of(p, aside), p.prompt.text, p.prompt.reference)
                for p in batch.pictures
            }.values()
        ),
        distances=distances_of(originals, scores, seen, references) if scores else (),
        skipped=(*batch.skipped, *skipped, *refused),
        style=check,
        holdout_clean=aside.clean,
        notes=notes,
        at=at,
    )


def group_of(painted: Painted, holdout: Holdout) -> Group:
    """Which group a prompt counts for: an original's caption that was kept from training measures no recall."""
    prompt = painted.prompt
    known = holdout.trained_on
    if prompt.kind == "training" and prompt.reference is not None and known is not None:
        return "training" if prompt.reference in known else "held_out"
    return prompt.kind


def prompts_sha256(pictures: Sequence[Painted]) -> str:
    """Changes with the prompts, what they expect, and the seeds; not with the order or the files."""
    digest = hashlib.sha256()
    prompts = ((p.prompt, p.seed) for p in pictures)
    rows = {(q.kind, q.text, repr(sorted(q.expects.items())), q.reference or "", str(seed)) for q, seed in prompts}
    for row in sorted(rows):
        digest.update("\x1f".join(row).encode("utf-8", "surrogatepass") + b"\x1e")
    return digest.hexdigest()


def inputs_sha256(
    batch: Batch, originals: str, style: StyleCheck, holdout: Holdout, hashes: dict[str, str] | None = None
) -> str:
    """Changes with anything a scorecard rests on, the pictures' content included.

    Args:
        batch: The pictures.
        originals: What `originals_sha256` gives.
        style: What `style_check` gives.
        holdout: What was kept from training.
        hashes: Of the pictures by path, where the caller has them.
    """
    known = _hashes(batch)[0] if hashes is None else hashes
    digest = hashlib.sha256()
    trained = "all" if holdout.trained_on is None else ",".join(sorted(holdout.trained_on))
    head = (EVALUATOR, originals, prompts_sha256(batch.pictures), repr(batch.place))
    for part in (*head, repr(style), repr(holdout.clean), trained):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\x1e")
    for painted in sorted(batch.pictures, key=lambda p: str(p.path)):
        row = f"{painted.prompt.id}\x1f{painted.seed}\x1f{known.get(str(painted.path), '')}\x1e"
        digest.update(row.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _hashes(batch: Batch) -> tuple[dict[str, str], list[Skip]]:
    """Content hash of every picture by path; those that cannot be opened are skipped."""
    found: dict[str, str] = {}
    skipped = []
    for painted in batch.pictures:
        try:
            found[str(painted.path)] = sha256_file(painted.path)
        except FileNotFoundError:
            skipped.append(Skip(str(painted.path), "is not there"))
        except OSError as error:
            skipped.append(Skip(str(painted.path), f"cannot be read: {error.strerror or error}"))
    return found, skipped


def _measure(
    painted: Sequence[Painted], hashes: dict[str, str], originals: Originals
) -> tuple[list[Painted], list[Picture], list[Skip]]:
    """The pictures at native size with their measures, and why others are left out."""
    size = originals.size
    requests = [Request(str(p.path), hashes[str(p.path)], size) for p in painted]
    kept, pictures, refused = [], [], []
    for one, measured in zip(painted, map(_measure_one, requests), strict=True):
        why = _refusal(measured, size)
        if why is None and measured.native_png is not None:
            kept.append(one)
            pictures.append(Picture(str(one.path), decode_png(measured.native_png), measured.data))
        else:
            refused.append(Skip(str(one.path), why or "no pixel grid was found"))
    return kept, pictures, refused


def _measure_one(request: Request) -> Measured:
    try:
        return measure_file(request)
    except SkipFile as skip:
        return Measured(request, {}, None, skip.reason)


def _refusal(measured: Measured, size: tuple[int, int]) -> str | None:
    """Why a picture is left out; None where it can be compared."""
    if measured.refused is not None:
        return measured.refused.replace("run `graftset ingest` again", "evaluate again")
    if not measured.data:
        return "no pixel grid was found"
    grid = measured.data["grid"]
    if (grid["width"], grid["height"]) != size:
        return f"its native size is {grid['width']}x{grid['height']}, the originals' is {size[0]}x{size[1]}"
    return None


def _notes(scores: Sequence[PictureScore], batch: Batch) -> tuple[str, ...]:
    notes = []
    if not scores:
        notes.append("No picture of this checkpoint could be looked at.")
    if batch.pictures and len(scores) < len(batch.pictures):
        notes.append(f"{len(batch.pictures) - len(scores)} of {len(batch.pictures)} pictures could not be looked at.")
    return tuple(notes)
