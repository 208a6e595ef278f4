"""Bringing a database to the schema of this release, or refusing it.

A fresh database is made from the tables at once; an older one is migrated by Alembic (which is
imported only then: 0.6 s), SQLite after a copy beside it; a newer one is refused.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from zaffre.contract.errors import ZaffreError
from zaffre.server.store import tables
from zaffre.server.store.database import Database

#: Every revision of store/migrations/versions, oldest first; the last is this release's.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaTooNew(ZaffreError):
    """The database was written by a newer release."""

    code = "schema.too_new"
    status = 500

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The database has schema {found}, which is newer than this release of Zaffre "
            f"({REVISIONS[-1]}): start the release that wrote it, or a later one."
        )


def prepare(
    database: Database,
    *,
    revisions: tuple[str, ...] = REVISIONS,
    migrations: Path = MIGRATIONS,
) -> None:
    """Make `database` ready for this release. Raises SchemaTooNew.

    revisions, migrations: those of another release, for tests.
    """
    with database.reading() as tx:
        found = _revision(tx.connection)
    if found == revisions[-1]:
        return
    if found is None:
        with database.transaction(durable=True) as tx:
            tables.metadata.create_all(tx.connection)
            _stamp(tx.connection, revisions[-1])
        return
    if found not in revisions:
        raise SchemaTooNew(found)
    if database.is_sqlite:
        _copy_sqlite(Path(str(database.url.database)), found)
    migrate(database.url, migrations)


def migrate(url: sa.URL, migrations: Path = MIGRATIONS) -> None:
    """Run the migrations that are due."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    command.upgrade(config, "head")


def _revision(connection: sa.Connection) -> str | None:
    names = set(sa.inspect(connection).get_table_names())
    if "alembic_version" not in names:
        return None
    row: Any = connection.execute(sa.text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row[0])


def _stamp(connection: sa.Connection, revision: str) -> None:
    connection.execute(
        sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    )
    connection.execute(
        sa.text("INSERT INTO alembic_version VALUES (:version)"), {"version": revision}
    )


def _copy_sqlite(path: Path, revision: str) -> Path:
    """Copy the file beside itself by SQLite's own means, the write-ahead log included."""
    copy = path.with_name(f"{path.name}.schema-{revision}-{int(time.time())}")
    source = sqlite3.connect(path)
    target = sqlite3.connect(copy)
    with target:
        source.backup(target)
    target.close()
    source.close()
    copy.chmod(0o600)
    return copy
