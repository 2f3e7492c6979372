"""The real catalog keeps records exactly, so that a rerun finds nothing changed."""

from __future__ import annotations

from pathlib import Path

from graftset.catalog import Catalog
from graftset.ingest import Catalog as NeededCatalog
from graftset.ingest import IngestReport, ingest
from ingest_helpers import A1111, Project, png_with


def test_a_rerun_on_the_real_catalog_changes_nothing_and_a_move_keeps_the_text(
    project: Project, tmp_path: Path
) -> None:
    catalog = Catalog.open(f"sqlite:///{tmp_path}/catalog.db")
    needed: NeededCatalog = catalog  # what the stage asks for is what the catalog has
    project.image("originals/line\nbreak 👑.png", "a lady")
    png_with(project.generated / "c.png", parameters=A1111)
    prompts = project.file("prompts.json", '{"c.png": {"seed": 18446744073709551615}}')

    def take(prompts: Path | None) -> IngestReport:
        return ingest(needed, originals=project.originals, candidates=project.generated, prompts=prompts)

    take(prompts)
    assert take(prompts).unchanged == {"original": 1, "generated": 1}
    (project.generated / "c.png").rename(project.generated / "d.png")
    assert take(None).moved == {"original": 0, "generated": 1}
    record = catalog.known_files()[str(project.generated / "d.png")]
    assert (record.text, record.provenance.seed) == ("a lady, brown hair", 42)
    catalog.close()
