"""Verdicts of reviewers, and the plans they follow."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "review_plans",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("drawn", sa.JSON, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("image_id", sa.Integer, sa.ForeignKey("images.id"), nullable=False, index=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("caption", sa.Text),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("action", sa.String(80), nullable=False),
        sa.Column("act", sa.String(8), nullable=False),
        sa.Column("of", sa.String(80)),
        sa.Column("reason", sa.Text),
        sa.Column("plan_id", sa.Integer, sa.ForeignKey("review_plans.id")),
        sa.Column("settles", sa.Boolean, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.UniqueConstraint("action", "image_id", name="verdicts_once"),
    )
