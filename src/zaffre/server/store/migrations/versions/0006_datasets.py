"""Workspaces have datasets: two new tables, which servers of the release before do not know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "datasets",
        sa.Column("dataset_key", _BigKey, primary_key=True, autoincrement=True),
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("dataset_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("version", sa.Integer),
        sa.Column("record", sa.Text, nullable=False),
        sa.UniqueConstraint("workspace_id", "dataset_id"),
        sa.UniqueConstraint("workspace_id", "name", "version"),
    )
    op.create_table(
        "dataset_names",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("last_version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "name"),
    )
