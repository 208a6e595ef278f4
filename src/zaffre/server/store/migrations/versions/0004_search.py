"""Runs are searched by their parameters, and by the newest, least and largest value of metrics.

Expand step: servers of the release before neither read nor need what is new. The metrics that
they begin while both run lack their experiment until this release stores a batch of them. Reads
all points once, for the least and largest values.
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from zaffre.contract import parameters

revision = "0004"
down_revision = "0003"

_AT_ONCE = 1_000


def upgrade() -> None:
    """Make the columns and the table, and fill them."""
    for column in (
        sa.Column("min_number", sa.Double),
        sa.Column("max_number", sa.Double),
        sa.Column("experiment_id", sa.Text),
    ):
        op.add_column("metrics", column)
    op.execute(
        "UPDATE metrics SET"
        " experiment_id = (SELECT experiment_id FROM runs WHERE runs.run_key = metrics.run_key),"
        " min_number = (SELECT MIN(number) FROM points"
        " WHERE points.metric_key = metrics.metric_key),"
        " max_number = (SELECT MAX(number) FROM points"
        " WHERE points.metric_key = metrics.metric_key)"
    )
    op.drop_index("metrics_by_number", "metrics")
    op.create_index(
        "metrics_by_number", "metrics", ["experiment_id", "name", "last_number", "run_key"]
    )
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    made = op.create_table(
        "run_parameters",
        sa.Column("run_key", key, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("number", sa.Double),
        sa.PrimaryKeyConstraint("run_key", "key"),
        sqlite_with_rowid=False,
    )
    _fill_parameters(op.get_bind(), made)


def _fill_parameters(connection: sa.Connection, table: sa.Table) -> None:
    find = sa.text(
        "SELECT run_key, spec FROM runs WHERE spec IS NOT NULL AND run_key > :last"
        " ORDER BY run_key LIMIT :most"
    )
    last = -1
    while found := connection.execute(find, {"last": last, "most": _AT_ONCE}).all():
        rows: list[dict[str, Any]] = []
        for run_key, spec in found:
            rows += [
                {"run_key": run_key, "key": name, "value": text, "number": number}
                for name, text, number in _parameters(spec)
            ]
            last = run_key
        if rows:
            connection.execute(sa.insert(table), rows)


def _parameters(spec: str) -> list[tuple[str, str, float | None]]:
    asked = msgspec.json.decode(spec)
    given = parameters.of_command_line(asked.get("command"), asked.get("arguments") or ())
    return [(name, text, parameters.as_number(text)) for name, text in given.items()]
