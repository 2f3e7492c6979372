"""Everything that is said of an image outside its own file, and which of several sayings counts.

For the text, the first of these that exists: the prompts file, because the user named it for this run; `<stem>.txt`,
`<stem>.caption`, `<name>.txt`; `metadata.jsonl` or `metadata.csv` in the same or a parent folder. A caption file that
is there but empty says that there is no text. What the image itself carries comes last, and is the caller's to add.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from graftset.ingest.captions import CaptionFiles, read_caption
from graftset.ingest.notes import Notes
from graftset.ingest.prompts import MetadataTables
from graftset.ingest.statements import Statement
from graftset.ingest.walk import Found
from graftset.records import Skip


@dataclass(frozen=True, slots=True)
class Stated:
    """What is said of one image; `source` and `seed_source` are file names, None where nothing says anything."""

    text: str | None = None
    source: str | None = None
    seed: int | None = None
    seed_source: str | None = None
    original: str | None = None
    generation: int | None = None


class StatedTexts:
    """What is said of the images of one folder.

    Args:
        found: The folder's files.
        prompts: What the prompts file says, by image.
        prompts_file: That file, which is no caption wherever it lies.
        notes: Where oddities are remarked.
    """

    def __init__(
        self, found: Found, prompts: Mapping[Path, Statement], prompts_file: Path | None, notes: Notes
    ) -> None:
        self._captions = CaptionFiles(path for path in found.captions if path != prompts_file)
        self._tables = MetadataTables((path for path in found.metadata if path != prompts_file), found.images, notes)
        self._prompts = prompts
        self._prompts_name = prompts_file.name if prompts_file else None
        self._notes = notes
        self._captions.remark_shared(found.images, notes)

    def captions_without_image(self, found: Found) -> list[Skip]:
        """Return the caption files of the folder that belong to no image."""
        return self._captions.without_image(found.images)

    def of(self, image: Path) -> Stated:
        """Return what is said of an image."""
        prompt, (row, table) = self._prompts.get(image), self._tables.of(image)
        sources = [(prompt, self._prompts_name), (row, table)]
        text, source = self._text(image, prompt, row, table)
        seed, seed_source = next(
            ((statement.seed, name) for statement, name in sources if statement and statement.seed is not None),
            (None, None),
        )
        statements = [statement for statement, _ in sources if statement]
        return Stated(
            text=text,
            source=source,
            seed=seed,
            seed_source=seed_source,
            original=next((statement.original for statement in statements if statement.original), None),
            generation=next((statement.generation for statement in statements if statement.generation), None),
        )

    def _text(
        self, image: Path, prompt: Statement | None, row: Statement | None, table: str | None
    ) -> tuple[str | None, str | None]:
        if prompt and prompt.text:
            return prompt.text, self._prompts_name
        caption = self._captions.of(image)
        if caption is not None:
            return read_caption(caption, self._notes), caption.name
        if row and row.text:
            return row.text, table
        return None, None
