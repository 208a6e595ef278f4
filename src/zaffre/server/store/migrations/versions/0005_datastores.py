"""Workspaces have datastores, and a default one.

A new table, and a column that servers of the release before neither read nor write.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table and the column."""
    op.add_column("workspaces", sa.Column("default_datastore", sa.Text))
    op.create_table(
        "datastores",
        sa.Column("workspace_id", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.PrimaryKeyConstraint("workspace_id", "name_key"),
    )
