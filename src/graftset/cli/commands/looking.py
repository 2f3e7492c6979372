"""Looking at what is known."""

from __future__ import annotations

from typing import Annotated

import typer

from graftset.cli.console import emit, finish, show, shown
from graftset.cli.options import HERE, AsJson, ProjectDir
from graftset.cli.registry import command


@command(
    ("graftset report", "what came in, what was admitted and why: reports/expansion.html"),
    ("graftset report --experiment mix", "what an experiment found: reports/experiment-mix.html"),
)
def report(
    project: ProjectDir = HERE,
    experiment: Annotated[str | None, typer.Option(help="The page of this experiment instead.", metavar="NAME")] = None,
    as_json: AsJson = False,
) -> None:
    """Write an HTML report: of the expansion, or of an experiment."""
    from graftset.workflows import steps
    from graftset.workflows.experiment_pages import write_experiment_page

    with steps.open_session(project) as session:
        path = steps.report(session) if experiment is None else write_experiment_page(session, experiment)
    finish({"report": str(path)}, [f"report: {shown(path)}"], as_json=as_json)


@command()
def status(project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Where the project stands, and what to run next.

    Also which files cannot be used and why, and what is out of date.
    """
    from graftset.cli.show_standing import standing_json, standing_lines
    from graftset.workflows import steps
    from graftset.workflows.standing import standing

    with steps.open_session(project) as session:
        stands = standing(session)
    finish(standing_json(stands, project), standing_lines(stands, project), as_json=as_json)


@command(("graftset images", "a line for each"), ("graftset images --json | head -1", "everything known of the first"))
def images(project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """List every image with what is known of it.

    With --json one object per line, with everything.
    """
    from graftset.catalog.contract import image_json
    from graftset.cli.show import image_line
    from graftset.workflows import steps

    with steps.open_session(project) as session:
        views = session.catalog.views()
    for view in views:
        if as_json:
            emit(image_json(view))
        else:
            show([image_line(view)])
