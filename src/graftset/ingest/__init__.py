"""Folders, caption files, prompts files and the text inside images -> records, with origin, source and generation.

stage.py        the stage: what is new, changed, moved or gone
folders.py      the folders of one run, and which of them an image belongs to
walk.py         the files of one folder
describe.py     one file and what is said of it -> its record
texts.py        which of several sayings about an image counts
captions.py     caption files beside images
prompts.py      prompts files and metadata tables: who they speak of
statements.py   their shapes: JSON, JSON lines, CSV
parameters.py   what AUTOMATIC1111 and Forge write into images
names.py        which file a name means
decoding.py     bytes -> text in whatever encoding
notes.py        remarks for the user
"""

from __future__ import annotations

from graftset.ingest.stage import BATCH, Catalog, IngestReport, ingest

__all__ = ["BATCH", "Catalog", "IngestReport", "ingest"]
