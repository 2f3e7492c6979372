"""Scorecards of runs, and what evaluators learned once."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "scorecards",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(200), nullable=False, index=True),
        sa.Column("checkpoint", sa.String(200), nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("evaluator", sa.String(32), nullable=False),
        sa.Column("prompts_sha256", sa.String(64), nullable=False),
        sa.Column("inputs_sha256", sa.String(64), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.UniqueConstraint("run", "checkpoint", name="scorecards_once"),
    )
    op.create_table(
        "evaluator_fits",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
