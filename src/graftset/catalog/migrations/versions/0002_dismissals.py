"""Findings of the audit that a person dismissed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "dismissals",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
