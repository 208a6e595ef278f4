"""One server at a time has a database, whichever home it serves.

A second one would end the first one's attempts, and replace its owner's token. SQLite: a flock on
a file beside the database. PostgreSQL: an advisory lock of the database, held by a connection that
lives as long as the server. Servers of a team share a database on purpose and do not ask.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

import sqlalchemy as sa

from zaffre.contract.errors import ZaffreError

if TYPE_CHECKING:
    import psycopg

#: How long PostgreSQL may take to notice that a killed server's connection is gone, seconds.
GONE_S = 10.0
_LOOK_S = 0.1
#: Any number that nobody else locks in a database of Zaffre's.
_LOCK: LiteralString = "SELECT pg_try_advisory_lock(8821304619)"


class DatabaseTaken(ZaffreError):
    """Another server has this database."""

    code = "database.taken"
    status = 409

    def __init__(self, shown: str) -> None:
        super().__init__(
            f"Another Zaffre server uses the database {shown}. Stop that server, or give this one "
            "a database of its own."
        )


@contextlib.contextmanager
def sole_server(url: str | sa.URL) -> Iterator[None]:
    """Hold a database for this server alone. Raises DatabaseTaken."""
    parsed = sa.engine.make_url(url)
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite":
        with _locked_file(Path(f"{parsed.database}.lock"), shown):
            yield
    else:
        with _locked_database(parsed.render_as_string(hide_password=False), shown):
            yield


@contextlib.contextmanager
def _locked_file(path: Path, shown: str) -> Iterator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatabaseTaken(shown) from None
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def _locked_database(url: str, shown: str) -> Iterator[None]:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        deadline = time.monotonic() + GONE_S
        while not _try_lock(connection):
            if time.monotonic() > deadline:
                raise DatabaseTaken(shown)
            time.sleep(_LOOK_S)
        yield


def _try_lock(connection: psycopg.Connection) -> bool:
    row = connection.execute(_LOCK).fetchone()
    return row is not None and bool(row[0])
