"""Contact sheets of a run: a row for each prompt, a column for each checkpoint, the original beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from graftset.report.page import Picture, Tile
from graftset.report.pictures import PngAlbum
from graftset.report.run_page import Mark, SheetCell, SheetRow, SheetView
from graftset.report.wording import shortened, words
from graftset.scorecards import PictureScore, PromptAsked, Scorecard

MAX_ROWS = 48  # prompts on the page, shared out among the groups: about 0.8 MB at ten checkpoints of 24 x 24 cells


class PaintedAlbum:
    """Hands out tiles of painted pictures and of originals, each picture embedded once.

    Args:
        native_png: Gives the native PNG of a painted picture by checkpoint and content hash, or None.
        reference_png: Gives the native PNG of an original by content hash, or None.
    """

    def __init__(
        self, native_png: Callable[[str, str], bytes | None], reference_png: Callable[[str], bytes | None]
    ) -> None:
        self._native_png, self._reference_png = native_png, reference_png
        self._album = PngAlbum()

    def painted(self, checkpoint: str, picture: PictureScore, alt: str) -> Tile:
        """A tile of a painted picture."""
        return self._album.tile(picture.sha256, lambda: self._native_png(checkpoint, picture.sha256), alt)

    def original(self, sha256: str, alt: str) -> Tile:
        """A tile of an original."""
        return self._album.tile(f"original:{sha256}", lambda: self._reference_png(sha256), alt)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture that was handed out, in the order of first use."""
        return self._album.pictures


def contact_sheets(
    cards: Sequence[Scorecard], album: PaintedAlbum, groups: Mapping[str, tuple[str, str]]
) -> tuple[SheetView, ...]:
    """A sheet for each group of prompts; of large groups evenly spaced prompts are shown, the first seed of each."""
    newest = cards[-1]
    by_group: dict[str, list[PromptAsked]] = {}
    for prompt in newest.prompts:
        by_group.setdefault(prompt.group, []).append(prompt)
    painted = [_first_seeds(card) for card in cards]
    present = [group for group in groups if group in by_group]
    places = _shares([len(by_group[group]) for group in present], MAX_ROWS)
    sheets = []
    for group, count in zip(present, places, strict=True):
        own = by_group[group]
        shown = [own[i * len(own) // count] for i in range(count)]
        title, meaning = groups[group]
        rows = tuple(_row(prompt, cards, painted, album) for prompt in shown)
        anchor = f"sheet-{group.replace('_', '-')}"
        sheets.append(SheetView(anchor, title, meaning, rows, len(own), any(row.reference for row in rows)))
    return tuple(sheets)


def _row(
    prompt: PromptAsked,
    cards: Sequence[Scorecard],
    painted: Sequence[Mapping[str, PictureScore]],
    album: PaintedAlbum,
) -> SheetRow:
    cells = []
    asked: Mapping[str, str] = {}
    for card, own in zip(cards, painted, strict=True):
        picture = own.get(prompt.id)
        if picture is None:
            cells.append(SheetCell(None, "untold", "no picture"))
            continue
        asked = picture.asked
        text = _told(picture)
        alt = f"checkpoint {card.place.number}: {text}"
        cells.append(SheetCell(album.painted(card.place.checkpoint, picture, alt), _mark(picture), text))
    reference = None if prompt.reference is None else album.original(prompt.reference, "the original of this caption")
    return SheetRow(shortened(prompt.text), asked_in_words(asked), reference, tuple(cells))


def asked_in_words(asked: Mapping[str, str]) -> str:
    """What a prompt asks for as people would say it: "lady, blue hair, crown, green background"."""
    said = [asked["figure"]] if "figure" in asked else []
    said += [f"{asked[slot]} {slot}" for slot in ("hair", "eyes", "skin") if slot in asked]
    worn = {slot.removeprefix("accessory:"): word for slot, word in asked.items() if slot.startswith("accessory:")}
    said += [words(term) if word == "present" else f"no {words(term)}" for term, word in worn.items()]
    said += [f"{asked['background']} background"] if "background" in asked else []
    return ", ".join(said)


def _mark(picture: PictureScore) -> Mark:
    """Whether everything that decides accuracy is right, some of it, or nothing."""
    values = picture.values
    accuracy = values.get("original_accuracy", values.get("variation_accuracy"))
    if accuracy is None:
        return "untold"
    return "right" if accuracy >= 1 else "wrong" if accuracy <= 0 else "partly"


def _told(picture: PictureScore) -> str:
    """What was right and wrong, in words."""
    values, said = picture.values, []
    for name, what in (("background_exact_match", "background"), ("hair_color_exact_match", "hair")):
        if name in values:
            said.append(f"{what} {'as the original' if values[name] >= 1 else 'another'}")
    if "overall_similarity" in values:
        said.append(f"likeness {values['overall_similarity']:.2f}")
    if not said:
        for slot, seen in picture.seen.items():
            wanted = picture.asked.get(slot, "")
            said.append(f"{_slot(slot)} {seen}" + ("" if seen == wanted else f", asked {wanted}"))
    return "; ".join(said) or "nothing to judge by"


def _slot(slot: str) -> str:
    return words(slot.removeprefix("accessory:"))


def _first_seeds(card: Scorecard) -> Mapping[str, PictureScore]:
    first: dict[str, PictureScore] = {}
    for picture in card.pictures:
        if picture.prompt_id not in first or picture.seed < first[picture.prompt_id].seed:
            first[picture.prompt_id] = picture
    return first


def _shares(sizes: Sequence[int], limit: int) -> list[int]:
    """Share out places: small groups are served whole, large ones divide what is left."""
    shares, left = [0] * len(sizes), limit
    for place, index in enumerate(sorted(range(len(sizes)), key=lambda i: sizes[i])):
        shares[index] = min(sizes[index], left // (len(sizes) - place))
        left -= shares[index]
    return shares
