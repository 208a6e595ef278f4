"""Experiments can be archived, experiments and workspaces deleted; their names are then free.

`removal_at` hides a row and says when what it holds is removed. The names of what is hidden or
archived may come again, so uniqueness moves from a constraint to an index over the others. The
short tables of workspaces and experiments are rewritten on SQLite; PostgreSQL locks them briefly.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_old = sa.MetaData()
_workspaces = sa.Table(
    "workspaces",
    _old,
    sa.Column("workspace_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("subscription_id", sa.Text, nullable=False),
    sa.Column("resource_group", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)
_experiments = sa.Table(
    "experiments",
    _old,
    sa.Column("experiment_id", sa.Text, primary_key=True),
    sa.Column("workspace_id", sa.Text, sa.ForeignKey("workspaces.workspace_id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("archived_at", sa.Double),
    sa.Column("tags", sa.Text, nullable=False, server_default="{}"),
    sa.Column("run_count", sa.Integer, nullable=False, server_default="0"),
)


def upgrade() -> None:
    """Free the names, add the column and the indexes."""
    for table, constraint in (
        (_workspaces, "workspaces_subscription_id_resource_group_name_key"),
        (_experiments, "experiments_workspace_id_name_key"),
    ):
        if op.get_bind().dialect.name == "sqlite":
            # Without the constraint, which has no name there.
            with op.batch_alter_table(table.name, copy_from=table, recreate="always") as batch:
                batch.add_column(sa.Column("removal_at", sa.Double))
        else:
            op.drop_constraint(constraint, table.name)
            op.add_column(table.name, sa.Column("removal_at", sa.Double))
    _unique("workspaces", ["subscription_id", "resource_group", "name"], "removal_at IS NULL")
    _unique("experiments", ["workspace_id", "name"], "archived_at IS NULL AND removal_at IS NULL")
    op.create_index("experiments_of_workspace", "experiments", ["workspace_id", "name"])
    op.create_index("runs_of_snapshot", "runs", ["snapshot_id"])


def _unique(table: str, columns: list[str], where: str) -> None:
    op.create_index(
        f"{table}_by_name",
        table,
        columns,
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
