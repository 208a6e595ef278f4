"""A database of any release meets this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from zaffre.server.store import schema, tables
from zaffre.server.store.database import Database

LAST = schema.REVISIONS[-1]
NEXT = f"{int(LAST) + 1:04}"
COLORED = '''
"""Runs have a color."""

import sqlalchemy as sa
from alembic import op

revision = "{next}"
down_revision = "{last}"


def upgrade():
    op.add_column("runs", sa.Column("color", sa.Text))
    {then}
'''


def next_release(folder: Path, then: str = "pass") -> Path:
    migrations = folder / "migrations"
    shutil.copytree(schema.MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    text = COLORED.format(next=NEXT, last=LAST, then=then)
    (migrations / "versions" / f"{NEXT}_color.py").write_text(text)
    return migrations


def columns(database: Database) -> set[str]:
    with database.reading() as tx:
        return {column["name"] for column in sa.inspect(tx.connection).get_columns("runs")}


def test_a_fresh_database_is_stamped_and_prepared_once(database_url: str) -> None:
    database = Database(database_url)
    schema.prepare(database)
    schema.prepare(database)
    assert "run_id" in columns(database)
    database.close()


def test_an_older_schema_is_migrated(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    schema.prepare(database)
    schema.prepare(database, revisions=(*schema.REVISIONS, NEXT), migrations=next_release(tmp_path))
    assert "color" in columns(database)
    if database.is_sqlite:
        (copy,) = tmp_path.glob(f"zaffre.db.schema-{LAST}-*")
        before = Database(f"sqlite:///{copy}")
        assert "color" not in columns(before)
        before.close()
    database.close()


def test_a_migration_that_fails_changes_nothing(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    schema.prepare(database)
    broken = next_release(tmp_path, then="raise RuntimeError('half way')")
    with pytest.raises(RuntimeError, match="half way"):
        schema.prepare(database, revisions=(*schema.REVISIONS, NEXT), migrations=broken)
    assert "color" not in columns(database)
    database.close()


def test_a_newer_schema_is_refused_in_one_sentence(database_url: str) -> None:
    database = Database(database_url)
    schema.prepare(database, revisions=("0001", "0007"))
    with pytest.raises(schema.SchemaTooNew, match="schema 0007, which is newer"):
        schema.prepare(database)
    database.close()


#: What the first release did not have; its workspaces, experiments and metrics are below.
LATER_TABLES = {"secrets", "links", "run_parameters", "datastores", "datasets", "dataset_names"}
LATER_INDEXES = {"runs_of_snapshot"}


def first_release(database: Database) -> None:
    """Make a database as the first release made it."""
    first = sa.MetaData()
    sa.Table(
        "workspaces",
        first,
        sa.Column("workspace_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("subscription_id", sa.Text, nullable=False),
        sa.Column("resource_group", sa.Text, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.UniqueConstraint("subscription_id", "resource_group", "name"),
    )
    sa.Table(
        "experiments",
        first,
        sa.Column("experiment_id", sa.Text, primary_key=True),
        sa.Column(
            "workspace_id", sa.Text, sa.ForeignKey("workspaces.workspace_id"), nullable=False
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("archived_at", sa.Double),
        sa.Column("tags", sa.Text, nullable=False, server_default="{}"),
        sa.Column("run_count", sa.Integer, nullable=False, server_default="0"),
        sa.UniqueConstraint("workspace_id", "name"),
    )
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    sa.Table(
        "metrics",
        first,
        sa.Column("metric_key", key, primary_key=True, autoincrement=True),
        sa.Column("run_key", key, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("point_count", sa.BigInteger, nullable=False),
        sa.Column("last_number", sa.Double),
        sa.UniqueConstraint("run_key", "name"),
        sa.Index("metrics_by_number", "name", "last_number"),
    )
    for table in tables.metadata.sorted_tables:
        if table.name not in LATER_TABLES | set(first.tables):
            old = table.to_metadata(first)
            old.indexes = {index for index in old.indexes if index.name not in LATER_INDEXES}
    with database.transaction() as tx:
        first.create_all(tx.connection)
        tx.connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        tx.connection.execute(sa.text("INSERT INTO alembic_version VALUES ('0001')"))


def shape(database: Database) -> dict[str, object]:
    """Return what tells two schemas apart: columns, keys and indexes of every table."""
    with database.reading() as tx:
        look = sa.inspect(tx.connection)
        return {
            name: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(name)],
                look.get_pk_constraint(name)["constrained_columns"],
                sorted(str(u["column_names"]) for u in look.get_unique_constraints(name)),
                sorted((str(i["name"]), i["unique"]) for i in look.get_indexes(name)),
            )
            for name in look.get_table_names()
            if name != "alembic_version"
        }


def test_migrations_lead_from_the_first_release_to_the_schema_of_a_fresh_database(
    database_url: str, tmp_path: Path
) -> None:
    database = Database(database_url)
    first_release(database)
    names = {"workspace_id": "w", "name": "ws", "record": "{}", "created_at": 1.0}
    experiment = {"experiment_id": "e", "workspace_id": "w", "name": "exp", "created_at": 2.0}
    with database.transaction() as tx:
        row = {**names, "subscription_id": "s", "resource_group": "r"}
        tx.execute(sa.insert(tables.workspaces), row)
        tx.execute(sa.insert(tables.experiments), experiment)
    schema.prepare(database)
    migrated = shape(database)
    with database.reading() as tx:
        kept = tx.execute(sa.select(tables.experiments)).one()
    assert (kept.experiment_id, kept.name, kept.created_at, kept.tags) == ("e", "exp", 2.0, "{}")
    with database.transaction() as tx:
        tables.metadata.drop_all(tx.connection)
        tables.metadata.create_all(tx.connection)
    assert migrated == shape(database)
    database.close()


def test_runs_of_the_first_release_are_searched_by_what_they_logged_and_were_given(
    database_url: str,
) -> None:
    database = Database(database_url)
    first_release(database)
    spec = '{"target":"local","interpreter":"python","script":"a.py","arguments":["--lr","0.1"]}'
    with database.transaction() as tx:
        texts = ("run_id", "workspace_id", "experiment_id", "experiment_name", "root_run_id")
        run = {**dict.fromkeys(texts, "x"), "state": "Running", "idempotency_key": "k"}
        run |= {"number": 1, "created_at": 1.0, "spec": spec}
        tx.execute(sa.insert(tables.runs), run)
        tx.execute(
            sa.text("INSERT INTO metrics VALUES (1, 1, 'loss', 'scalar', NULL, 3, NULL)"),
        )
        points = [(0, 2.5, None), (1, 0.5, None), (2, None, '"NaN"')]
        rows = [{"position": p, "number": n, "text": t} for p, n, t in points]
        tx.execute(sa.insert(tables.points).values(metric_key=1, at=1.0), rows)
    schema.prepare(database)
    with database.reading() as tx:
        metric = tx.execute(sa.select(tables.metrics)).one()
        assert (metric.min_number, metric.max_number, metric.experiment_id) == (0.5, 2.5, "x")
        given = tx.execute(sa.select(tables.run_parameters)).one()
        assert (given.run_key, given.key, given.value, given.number) == (1, "lr", "0.1", 0.1)
    database.close()


def test_the_revisions_are_those_of_the_migrations() -> None:
    files = sorted(path.name for path in (schema.MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert tuple(name.partition("_")[0] for name in files) == schema.REVISIONS
