"""A database of any release meets this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from zaffre.server.store import schema
from zaffre.server.store.database import Database

SECOND = '''
"""Runs have a color."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("runs", sa.Column("color", sa.Text))
    {then}
'''


def next_release(folder: Path, then: str = "pass") -> Path:
    migrations = folder / "migrations"
    shutil.copytree(schema.MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    (migrations / "versions" / "0002_color.py").write_text(SECOND.format(then=then))
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
    schema.prepare(database, revisions=("0001", "0002"), migrations=next_release(tmp_path))
    assert "color" in columns(database)
    if database.is_sqlite:
        (copy,) = tmp_path.glob("zaffre.db.schema-0001-*")
        before = Database(f"sqlite:///{copy}")
        assert "color" not in columns(before)
        before.close()
    database.close()


def test_a_migration_that_fails_changes_nothing(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    schema.prepare(database)
    broken = next_release(tmp_path, then="raise RuntimeError('half way')")
    with pytest.raises(RuntimeError, match="half way"):
        schema.prepare(database, revisions=("0001", "0002"), migrations=broken)
    assert "color" not in columns(database)
    database.close()


def test_a_newer_schema_is_refused_in_one_sentence(database_url: str) -> None:
    database = Database(database_url)
    schema.prepare(database, revisions=("0001", "0007"))
    with pytest.raises(schema.SchemaTooNew, match="schema 0007, which is newer"):
        schema.prepare(database)
    database.close()


def test_the_revisions_are_those_of_the_migrations() -> None:
    files = sorted(path.name for path in (schema.MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert tuple(name.partition("_")[0] for name in files) == schema.REVISIONS
