"""The options that several commands share, and the texts of their help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftset.errors import UserError

if TYPE_CHECKING:
    from graftset.config import Project
    from graftset.selection import Policy

HERE = Path()
KEPT = "Default: what graftset.toml says"

ProjectDir = Annotated[
    Path, typer.Option("--project", help="The project folder.", metavar="DIR", show_default="this folder")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, errors too, instead of lines for people.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Make input files that cannot be used an error. Default: leave them out.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace what graftset wrote before and is different now; never files of yours.")
]
Prompts = Annotated[
    Path | None,
    typer.Option(
        help="JSON or CSV file with the prompts of the candidates, for those that have none beside them or inside.",
        metavar="FILE",
    ),
]
Count = Annotated[
    int | None,
    typer.Option("--count", help=f"Admit at most this many, the most diverse. {KEPT}, else all.", min=1, metavar="N"),
]
Every = Annotated[bool, typer.Option("--all", help="Admit all that pass, whatever graftset.toml says.")]
MinScore = Annotated[
    float | None,
    typer.Option(help=f"Lowest quality score, 0 to 10. {KEPT}, else 8.0.", min=0, max=10, metavar="SCORE"),
]
WrongBackground = Annotated[
    str | None,
    typer.Option(
        help="Where the background is not the one asked for: recaption admits the picture under a corrected caption, "
        f"drop leaves it out. {KEPT}, else recaption.",
        metavar="WHAT",
    ),
]
WrongAccessory = Annotated[
    str | None,
    typer.Option(
        help="Where something asked for is not worn: recaption admits the picture under a corrected caption, drop "
        f"leaves it out. {KEPT}, else recaption.",
        metavar="WHAT",
    ),
]
Seed = Annotated[int | None, typer.Option(help=f"Seed of every random draw. {KEPT}, else 0.", min=0, metavar="N")]
Size = Annotated[
    int | None,
    typer.Option(
        help=f"Width of the training images in px. {KEPT}, else a size that keeps native cells whole.",
        min=1,
        metavar="PX",
    ),
]


def asked_policy(
    project: Project,
    *,
    count: int | None,
    every: bool,
    min_score: float | None,
    wrong_background: str | None,
    wrong_accessory: str | None,
    seed: int | None,
) -> Policy:
    """The project's selection policy, with what the command line asks for in its place.

    Raises:
        UserError: Options that contradict each other, or a value that there is not.
    """
    from dataclasses import replace

    from graftset.selection import policy_from_settings

    if count is not None and every:
        raise UserError("--count and --all contradict each other", field="--count", value=count, remedy="Give one.")
    if wrong_background not in (None, "recaption", "drop"):
        raise UserError(
            "There is no such way with a wrong background",
            field="--wrong-background",
            value=wrong_background,
            remedy="Use recaption or drop.",
        )
    if wrong_accessory not in (None, "recaption", "drop"):
        raise UserError(
            "There is no such way with a wrong accessory",
            field="--wrong-accessory",
            value=wrong_accessory,
            remedy="Use recaption or drop.",
        )
    wishes = {
        "min_score": min_score,
        "wrong_background": wrong_background,
        "wrong_accessory": wrong_accessory,
        "seed": seed,
    }
    policy = replace(
        policy_from_settings(project.settings.select),
        **{name: value for name, value in wishes.items() if value is not None},  # type: ignore[arg-type]
    )
    return replace(policy, count=count) if every or count is not None else policy
