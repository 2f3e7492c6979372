"""The page as one HTML file that needs nothing else: no network, no script, no neighbor file."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from graftset.files import write_whole
from graftset.report.experiment_page import ExperimentPage
from graftset.report.page import ExpansionPage
from graftset.report.run_page import RunPage
from graftset.report.wording import count, counted

# Control characters are not allowed in HTML, and lone surrogates (file names that are not UTF-8) not in UTF-8.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def render(page: ExpansionPage) -> str:
    """Render the page; every text in it is escaped, characters that HTML forbids become the replacement character."""
    return _render("expansion.html", page)


def render_run(page: RunPage) -> str:
    """Render the page of a run, likewise."""
    return _render("run.html", page)


def render_experiment(page: ExperimentPage) -> str:
    """Render the page of an experiment, likewise."""
    return _render("experiment.html", page)


def _render(template: str, page: ExpansionPage | RunPage | ExperimentPage) -> str:
    html = _environment().get_template(template).render(page=page)
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", html)


def write_report(page: ExpansionPage, path: Path) -> None:
    """Write the rendered page to `path`, whole or not at all; an older report there is replaced.

    Raises:
        UserError: The folder is missing, read-only or full.
    """
    write_whole(path, render(page))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("graftset.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = count
    environment.filters["counted"] = counted
    return environment
