"""Scorecards of runs, and what evaluators learned once and need not learn again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from graftset.catalog.schema import evaluator_fits, scorecards
from graftset.scorecards import Scorecard, as_json, from_json


@dataclass(frozen=True, slots=True)
class EvaluatedRun:
    """One run that was evaluated: where its pictures lie, and its cards in the order of the checkpoints."""

    name: str
    folder: str
    cards: tuple[Scorecard, ...]


def save(connection: Connection, card: Scorecard, folder: str) -> None:
    """Put a card in the place of that of the same run and checkpoint."""
    name = card.place.checkpoint
    connection.execute(delete(scorecards).where(scorecards.c.run == card.run, scorecards.c.checkpoint == name))
    connection.execute(
        insert(scorecards).values(
            run=card.run,
            checkpoint=name,
            folder=folder,
            evaluator=card.evaluator,
            prompts_sha256=card.prompts_sha256,
            inputs_sha256=card.inputs_sha256,
            data=as_json(card),
            at=card.at,
        )
    )


def known(connection: Connection, run: str | None = None) -> list[EvaluatedRun]:
    """Every run that was evaluated, or the one named, by name."""
    query = select(scorecards.c.run, scorecards.c.folder, scorecards.c.data).order_by(scorecards.c.run)
    if run is not None:
        query = query.where(scorecards.c.run == run)
    cards: dict[str, list[Scorecard]] = {}
    folders: dict[str, str] = {}
    for row in connection.execute(query):
        cards.setdefault(row.run, []).append(from_json(row.data, where=f"the catalog, run {row.run}"))
        folders[row.run] = row.folder
    return [
        EvaluatedRun(name, folders[name], tuple(sorted(own, key=lambda card: card.place.number)))
        for name, own in cards.items()
    ]


def inputs(connection: Connection, run: str) -> dict[str, str]:
    """What the cards of a run rest on, as one hash each, by checkpoint."""
    query = select(scorecards.c.checkpoint, scorecards.c.inputs_sha256).where(scorecards.c.run == run)
    return {row.checkpoint: row.inputs_sha256 for row in connection.execute(query)}


def forget(connection: Connection, run: str) -> None:
    """Drop the cards of a run."""
    connection.execute(delete(scorecards).where(scorecards.c.run == run))


def fit(connection: Connection, kind: str, key: str) -> dict[str, Any] | None:
    """What was learned under a key; None where nothing was."""
    query = select(evaluator_fits.c.data).where(evaluator_fits.c.kind == kind, evaluator_fits.c.key == key)
    found = connection.execute(query).scalar()
    return None if found is None else dict(found)


def save_fit(connection: Connection, kind: str, key: str, data: Mapping[str, Any], at: str) -> None:
    """Remember what was learned; what was under the key is replaced."""
    where = evaluator_fits.c.kind == kind, evaluator_fits.c.key == key
    connection.execute(delete(evaluator_fits).where(*where))
    connection.execute(insert(evaluator_fits).values(kind=kind, key=key, data=dict(data), at=at))
