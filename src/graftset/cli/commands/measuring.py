"""Taking images in and measuring them."""

from __future__ import annotations

from graftset.cli.console import finish, progress_bars
from graftset.cli.options import HERE, AsJson, ProjectDir, Strict
from graftset.cli.registry import command


@command()
def ingest(project: ProjectDir = HERE, strict: Strict = False, as_json: AsJson = False) -> None:
    """Take new and changed images and captions into the catalog."""
    from graftset.cli.show import ingest_json, ingest_lines
    from graftset.workflows import steps

    with progress_bars() as meter, steps.open_session(project, strict=strict, meter=meter) as session:
        report = steps.ingest(session)
    finish(ingest_json(report), ingest_lines(report), as_json=as_json)


@command()
def assess(project: ProjectDir = HERE, strict: Strict = False, as_json: AsJson = False) -> None:
    """Measure images: grid, background, nearest original, quality."""
    from graftset.cli.show import assess_json, assess_lines
    from graftset.workflows import steps

    with progress_bars() as meter, steps.open_session(project, strict=strict, meter=meter) as session:
        report = steps.assess(session)
    finish(assess_json(report), assess_lines(report), as_json=as_json)
