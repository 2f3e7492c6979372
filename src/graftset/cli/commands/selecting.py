"""Which candidates are admitted."""

from __future__ import annotations

from graftset.cli.console import finish
from graftset.cli.options import (
    HERE,
    AsJson,
    Count,
    Every,
    MinScore,
    ProjectDir,
    Seed,
    WrongAccessory,
    WrongBackground,
    asked_policy,
)
from graftset.cli.registry import command


@command(
    ("graftset select", "all that pass the gates of graftset.toml"),
    ("graftset select --count 50 --min-score 8.5", "the 50 most diverse of those that score 8.5 or more"),
    ("graftset select --all --wrong-background drop", "all that pass and show the background asked for"),
)
def select(
    project: ProjectDir = HERE,
    count: Count = None,
    every: Every = False,
    min_score: MinScore = None,
    wrong_background: WrongBackground = None,
    wrong_accessory: WrongAccessory = None,
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Choose the candidates to admit, with a reason for each.

    `graftset images` shows the reasons. Fewer come out than --count asks for where fewer pass.
    """
    from graftset.cli.show import selection_json, selection_lines
    from graftset.workflows import steps

    with steps.open_session(project) as session:
        policy = asked_policy(
            session.project,
            count=count,
            every=every,
            min_score=min_score,
            wrong_background=wrong_background,
            wrong_accessory=wrong_accessory,
            seed=seed,
        )
        selection = steps.choose(session, policy)
    finish(selection_json(selection), selection_lines(selection), as_json=as_json)
