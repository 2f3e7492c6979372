"""Every finding of the preflight in one table: what it means, how grave it is, what to do.

docs/preflight.md is written from this table. A *problem* makes training stop, or silently go another way than folders
and configs say; a *warning* is worth a thought; a *note* explains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Severity = Literal["problem", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note")
_SHOWN = 3  # of the evidence in a line


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding.

    Attributes:
        code: Its name, for `--json`.
        meaning: What it is, as a sentence.
        remedy: What to do, as an imperative sentence; "" where nothing need be done.
        stops: The trainer ends with an error.
    """

    code: str
    severity: Severity
    meaning: str
    remedy: str = ""
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        message: A sentence without its full stop, with figures.
        evidence: Files, keys or words it was seen at.
        where: The config or folder it concerns; "" where the message says it.
    """

    kind: Kind
    message: str
    evidence: tuple[str, ...] = ()
    where: str = ""

    def sentence(self) -> str:
        """The message with its first evidence."""
        shown = ", ".join(self.evidence[:_SHOWN])
        more = f" and {len(self.evidence) - _SHOWN} more" if len(self.evidence) > _SHOWN else ""
        return f"{self.message} ({shown}{more})" if shown else self.message


def _problem(code: str, meaning: str, remedy: str, *, stops: bool = False) -> Kind:
    return Kind(code, "problem", meaning, remedy, stops)


def _warning(code: str, meaning: str, remedy: str) -> Kind:
    return Kind(code, "warning", meaning, remedy)


def _note(code: str, meaning: str, remedy: str = "") -> Kind:
    return Kind(code, "note", meaning, remedy)


_TABLE: Sequence[Kind] = (
    # nothing to train on
    _problem(
        "nothing-to-train",
        "sd-scripts finds no image, says so in one line of its log and ends without an error.",
        "Name the image folders in a dataset TOML, or put them into folders such as 10_name.",
    ),
    _problem(
        "image-folder-itself",
        "`train_data_dir` has to be the parent of image folders; in the image folder itself no image is found.",
        "Give the folder above, or name this one as image_dir in a dataset TOML.",
    ),
    _problem(
        "folder-ignored",
        "A sub-folder whose name does not begin with a number of 1 or more and `_` is left out.",
        "Rename it to REPEATS_NAME, such as 1_name.",
    ),
    _problem(
        "folder-name-trap",
        "The number in a folder's name is read as repeats, and here it is the number of images.",
        "Use a dataset TOML, which does not read folder names, or rename the folder to 1_name.",
    ),
    _note(
        "repeats-from-names",
        "With `train_data_dir` repeats come from the folders' names, the rest of a name is the caption of images "
        "without one.",
    ),
    _problem(
        "folder-missing", "An image folder is not there; sd-scripts warns and trains without it.", "Correct image_dir."
    ),
    _problem(
        "folder-empty",
        "An image folder holds no image that sd-scripts knows; it warns and trains without it.",
        "Correct image_dir, or the images' endings.",
    ),
    _problem(
        "no-repeats",
        "A subset with num_repeats below 1 is left out.",
        "Give num_repeats 1 or more, or take the subset out.",
    ),
    _problem(
        "folder-twice",
        "The same image_dir stands twice in one dataset; the second subset is dropped, its repeats too.",
        "Keep one, with the repeats that both should have.",
    ),
    _problem(
        "folder-alias",
        "Two spellings lead to one folder. sd-scripts does not see it: counts go wrong, or its images train twice.",
        "Keep one, with the repeats that both should have.",
    ),
    _problem(
        "image-ignored",
        "Pictures that sd-scripts does not find: hidden, or with an ending it does not know, by the letter "
        "(.Png is unknown, .gif and .tif too).",
        "Rename or convert them to .png.",
    ),
    _problem(
        "image-loose",
        "With `train_data_dir` only the folders in it are read, not the images that lie beside them.",
        "Move them into a folder REPEATS_NAME.",
    ),
    _problem(
        "nested-ignored",
        "Pictures in folders inside an image folder are never found.",
        "Move them up, or make each folder a subset of its own.",
    ),
    # configs
    _problem("config-unreadable", "A config is missing or damaged.", "Correct the file.", stops=True),
    _problem(
        "key-refused",
        "The schema of the dataset TOML is strict: sd-scripts ends at a key it does not know or a value of another "
        "kind.",
        "Correct or remove the key. prior_loss_weight belongs to the config file or the command line.",
        stops=True,
    ),
    _problem(
        "key-ignored",
        "The config file is not checked: a key that sd-scripts does not know does nothing, silently.",
        "Write the real key.",
    ),
    _problem(
        "value-mistyped",
        "The config file is not checked: a value of another kind fails later, or does something else.",
        "Write the value as the trainer's command line would read it.",
    ),
    _problem("value-refused", "A value with which sd-scripts does not start.", "Correct it.", stops=True),
    _problem(
        "resolution-missing",
        "sd-scripts ends where no resolution is set.",
        "Set resolution in the config, or give --set resolution=512,512 for what you mean to use.",
        stops=True,
    ),
    _note(
        "defaults-assumed",
        "A folder was given without a config: whatever --set does not say has the default of sd-scripts.",
    ),
    _warning(
        "key-without-effect",
        "A key of the config file that something else overrules.",
        "Remove it, or set the one that acts.",
    ),
    _warning(
        "starts-elsewhere",
        "Paths count from the folder training is started in, and from the present one they lead nowhere.",
        "Start training in the folder that is named.",
    ),
    _warning(
        "outside",
        "Images and captions come from a metadata file or a dataset class; this preflight reads image folders with "
        "caption "
        "files only, and nothing was checked.",
        "Look at the metadata file itself.",
    ),
    _note(
        "steps-by-default",
        "Neither epochs nor steps are set, so sd-scripts stops after its default of 1600 steps.",
        "Set max_train_epochs.",
    ),
    _note(
        "last-epoch-cut",
        "The steps end within an epoch, so some images are shown once less often than others.",
    ),
    # captions
    _problem(
        "caption-missing",
        "Images without a caption file train with the folder's class tokens or with no words at all, after one "
        "warning.",
        "Write the captions, or check caption_extension.",
    ),
    _note(
        "caption-from-name",
        "No image of the folder has a caption file; its class tokens or its name are the caption of all.",
    ),
    _problem(
        "caption-extension",
        "Captions are there, under an ending that is not looked for. The default is .caption; capitals count, except "
        "on Windows.",
        'Set caption_extension = ".txt", or rename the files.',
    ),
    _problem(
        "caption-borrowed",
        "A name of five or more parts between `_` (the path counts) and without a caption of its own takes that of the "
        "name "
        "less its last four parts.",
        "Write a caption file for each image.",
    ),
    _problem(
        "caption-refused",
        "sd-scripts ends at a caption file that is empty or not UTF-8.",
        "Write a caption in UTF-8, or delete the file.",
        stops=True,
    ),
    _problem(
        "caption-blank",
        "The first line is blank, so the caption is empty whatever follows.",
        "Write the caption in the first line.",
    ),
    _problem(
        "caption-lines",
        "Only the first line is read; words stand in others.",
        "Join the lines, or set enable_wildcard to draw one of them each time.",
    ),
    _note(
        "caption-mark",
        "A byte order mark begins the caption; the tokenizer drops it only where ftfy is installed.",
        "Save the file as UTF-8 without it.",
    ),
    _problem(
        "caption-cut",
        "Captions are longer than what is read: the rest is cut in silence.",
        "Set max_token_length to 150 or 225 in the config file, or shorten them, the important words first.",
    ),
    _warning(
        "caption-cut-anyway",
        "Captions are longer than the 225 tokens that sd-scripts can read.",
        "Shorten them, the important words first.",
    ),
    _warning("caption-without-image", "Caption files that belong to no image.", "Check the names."),
    _problem(
        "caption-cache",
        "Captions and sizes come from metadata_cache.json, not from the files, and the two differ.",
        "Delete metadata_cache.json.",
    ),
    _warning(
        "shuffle-moves-trigger",
        "Captions are shuffled and fewer leading parts are kept in place than they share, so the trigger word moves "
        "too.",
        "Set keep_tokens to the number of leading parts that must stay.",
    ),
    _note("keep-tokens-idle", "keep_tokens acts only with shuffling, tag dropout or token warmup, and none is on."),
    _warning(
        "prefix-glued",
        "caption_prefix is joined by a space: without a separator at its end it becomes one part with the caption's "
        "first words.",
        "End it with a comma.",
    ),
    _warning(
        "separator-shown",
        "keep_tokens_separator is only taken out where captions are shuffled; here the encoder reads it.",
        "Remove it from the captions, or turn shuffling on.",
    ),
    _note("caption-dropout", "Caption dropout blanks the whole caption, trigger word included."),
    _note("caption-drawn", "Wildcards draw lines and words anew each time; tokens are counted for the longest."),
    # pictures
    _problem("image-refused", "sd-scripts ends at a file it cannot open.", "Remove or replace it.", stops=True),
    _problem(
        "size-refused",
        "Without buckets and without cached latents an image has to have exactly the training size; sd-scripts ends at "
        "the first that has not.",
        "Set cache_latents or enable_bucket, or resize the images.",
        stops=True,
    ),
    _problem(
        "augmentation-refused",
        "color_aug and random_crop cannot go with cached latents; sd-scripts ends.",
        "Turn off one or the other.",
        stops=True,
    ),
    _problem(
        "face-name-refused",
        "face_crop_aug_range reads the last four parts of a name as numbers, and here they are none.",
        "Rename the images, or remove face_crop_aug_range.",
        stops=True,
    ),
    _problem(
        "colors-multiplied",
        "Resizing invents colors between the pixels of a picture with few: pixel art turns soft.",
        'Set resize_interpolation = "nearest", or export at training size.',
    ),
    _warning(
        "cells-uneven",
        "Nearest enlarges by a broken factor, so some pixels become wider than others.",
        "Choose a size that is a whole multiple.",
    ),
    _warning(
        "cropped",
        "Images are cropped to their bucket.",
        "Resize them to a multiple of the bucket step, or choose a resolution of their shape.",
    ),
    _problem(
        "alpha-dropped",
        "Transparency is dropped, and fully transparent pixels show the color hidden under them.",
        "Lay the pictures over a background first, or set alpha_mask = true to leave those pixels out of the loss.",
    ),
    _warning(
        "orientation-ignored",
        "EXIF orientation is not applied, so the picture is trained on lying down.",
        "Save it upright.",
    ),
    _warning(
        "flip",
        "flip_aug mirrors every other picture; captions that say left or right then say the wrong side.",
        "Turn flip_aug off.",
    ),
    _note("color-aug", "color_aug shifts hue or gamma of a third of the pictures, which leaves the palette."),
    _note(
        "face-crop",
        "Without buckets, face_crop_aug_range cuts around the place that the last four parts of a name give.",
    ),
    _note(
        "pixels-sampled",
        "Not every picture was opened; colors, transparency and damage are those of the sample.",
        "Give --pixels a larger number.",
    ),
    # caches
    _problem(
        "cache-stale",
        "A latent cache beside an image is older than the image, of another size or damaged. sd-scripts checks only "
        "that it "
        "holds latents, so the old picture is trained on.",
        "Delete the .npz files.",
    ),
    _problem(
        "text-cache-stale",
        "A cache of text encoder outputs beside an image is older than its caption or damaged. sd-scripts compares it "
        "with nothing, so the old caption is trained on.",
        "Delete the _te_outputs.npz files.",
    ),
    _warning(
        "cache-idle",
        "Latent caches lie beside the images and are not used, since cache_latents_to_disk is off.",
        "Delete them.",
    ),
    _problem(
        "size-from-cache",
        "The size of an image is taken from the name of a cache, its own or one whose name begins alike, and it is not "
        "the image's.",
        "Delete the .npz files.",
    ),
    # regularization
    _problem(
        "reg-unused",
        "Regularization images are taken in file order until they are as many as the training entries; the rest is "
        "never used.",
        "Raise the repeats of the training images, or take fewer.",
    ),
    _warning(
        "reg-repeated",
        "Regularization images are repeated until they are as many as the training entries, which doubles the steps.",
        "Count on it, or leave them out.",
    ),
    _note("reg-weight", "Regularization images weigh as much as others where prior_loss_weight is 1."),
    _problem(
        "reg-nothing",
        "A dataset has only regularization images: without training images none is used.",
        "Set is_reg = false.",
    ),
    # buckets and batches
    _note(
        "batches-partial",
        "Buckets are filled up on their own, so some batches hold fewer images, which then count more.",
    ),
    # validation
    _problem(
        "validation-overlap",
        "Images lie in the training and in the validation list.",
        "Set validation_seed, and a share that comes out at whole images; or keep a folder of its own with "
        "validation_split = 1.0.",
    ),
    _problem("validation-share", "validation_split is a share between 0 and 1.", "Write 0.2 for a fifth."),
    _note(
        "validation-silent", "Validation losses go to a tracker only, and logging_dir is not set.", "Set logging_dir."
    ),
    # a build of graftset
    _problem(
        "plan-differs",
        "The build would not train as its plan says.",
        "Build it again with --force, or mend what is listed.",
    ),
    _problem("build-files", "Files of the build are missing, changed or added.", "Build it again with --force."),
    _warning("build-edited", "A config was edited since the build.", "Nothing, where that was meant."),
    _problem("format-unknown", "The build is of a trainer format that this version does not know.", "Update graftset."),
)
KINDS: Mapping[str, Kind] = MappingProxyType({kind.code: kind for kind in _TABLE})


def finding(code: str, message: str, evidence: Sequence[str] = (), *, where: str = "") -> Finding:
    """A finding of the table."""
    return Finding(KINDS[code], message, tuple(evidence), where)


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings by severity, then in the order of the table; each once."""
    ranks = {code: rank for rank, code in enumerate(KINDS)}
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda each: (SEVERITIES.index(each.kind.severity), ranks[each.kind.code])))
