"""Self-contained HTML pages for people: what came in, what was admitted and why, in two minutes."""

from graftset.report.expansion import expansion_page
from graftset.report.html import render, write_report
from graftset.report.page import BuildSummary, ExpansionPage

__all__ = ["BuildSummary", "ExpansionPage", "expansion_page", "render", "write_report"]
