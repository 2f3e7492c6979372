"""Self-contained HTML pages for people: what came in, what was admitted and why, in two minutes."""

from graftset.report.expansion import expansion_page
from graftset.report.experiment import experiment_page
from graftset.report.experiment_page import ExperimentPage, NextTry
from graftset.report.html import render, render_experiment, render_run, write_report
from graftset.report.page import BuildSummary, ExpansionPage
from graftset.report.run_page import RunPage
from graftset.report.runs import run_page

__all__ = [
    "BuildSummary",
    "ExpansionPage",
    "ExperimentPage",
    "NextTry",
    "RunPage",
    "expansion_page",
    "experiment_page",
    "render",
    "render_experiment",
    "render_run",
    "run_page",
    "write_report",
]
