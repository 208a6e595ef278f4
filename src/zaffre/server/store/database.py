"""Transactions on SQLite or PostgreSQL.

A use case is one function and one transaction; it runs in a worker thread, so all of this is
synchronous. SQLite has one writer: writes take a lock and one kept connection; reads have
connections of their own and see the last commit (WAL). A commit survives the death of every
process (synchronous=NORMAL). What must survive power loss too (run states at their ends, model
versions) is synced before the transaction returns and anybody is told of it: that is what
synchronous=FULL does, but here after the writer's turn, so that others write meanwhile, and only
the server's own loops are woken before it, so that a run's start does not wait for the disk.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psycopg.errors
import sqlalchemy as sa
import sqlalchemy.exc
from sqlalchemy import event

P = ParamSpec("P")
T = TypeVar("T")

#: Topics that the server's own loops wait for; a loss of power takes what they began as well.
_OF_LOOPS = frozenset({"queue", "attempts"})

#: What PostgreSQL says to a transaction that it takes back so that another one can go on:
#: serialization_failure, deadlock_detected.
_TAKEN_BACK = ("40001", "40P01")
#: How often such a use case is tried, and the longest pause before the second time, seconds.
_TRIES = 5
_PAUSE_S = 0.02


class Prepared:
    """A query whose SQL is made once per kind of database, for what is asked for all the time.

    SQLAlchemy takes several times as long over a query as SQLite: a row by its key 131 us instead
    of 47. Rows are the driver's own tuples (a boolean of SQLite's is 0 or 1).
    """

    def __init__(self, query: sa.SelectBase) -> None:
        self._query = query
        self._made: dict[str, tuple[str, dict[str, Any], list[str] | None]] = {}

    def text(self, dialect: sa.Dialect) -> tuple[str, dict[str, Any], list[str] | None]:
        """Return the SQL, the values of its own parameters, and their order if they have one."""
        made = self._made.get(dialect.name)
        if made is None:
            compiled: Any = self._query.compile(dialect=dialect)
            made = str(compiled), dict(compiled.params), compiled.positiontup
            self._made[dialect.name] = made
        return made


class Transaction:
    """One open transaction. `notify` tells waiting requests after the commit."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.topics: set[str] = set()

    def notify(self, topic: str) -> None:
        """Wake whoever waits for `topic` (such as 'run:ID', 'queue') once this is committed."""
        self.topics.add(topic)

    def execute(self, statement: Any, parameters: Any = None) -> sa.CursorResult[Any]:
        """Execute one SQLAlchemy statement."""
        return self.connection.execute(statement, parameters)

    def cursor(self, query: Prepared, parameters: dict[str, Any]) -> Any:
        """Return the driver's cursor over the rows of a prepared query."""
        text, values, order = query.text(self.connection.dialect)
        values = {**values, **parameters}
        driver: Any = self.connection.connection.driver_connection
        given = values if order is None else [values[name] for name in order]
        return driver.execute(text, given)

    def fetch(self, query: Prepared, parameters: dict[str, Any]) -> list[Any]:
        """Return the rows of a prepared query as plain tuples."""
        return self.cursor(query, parameters).fetchall()

    def fetch_one(self, query: Prepared, parameters: dict[str, Any]) -> Any:
        """Return the first row of a prepared query as a plain tuple, or None."""
        return next(iter(self.fetch(query, parameters)), None)


class Database:
    """The metadata store. `on_commit` receives the topics of each committed transaction."""

    def __init__(
        self, url: str | sa.URL, on_commit: Callable[[set[str]], None] = lambda topics: None
    ) -> None:
        self.url = sa.make_url(url)
        self.on_commit = on_commit
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._write_lock = threading.Lock()
        self._is_wal_known = False
        # SQLite's one writing connection: to check it out of a pool costs 80 us, a third of a
        # batch of metrics.
        self._kept: sa.Connection | None = None
        # Parameters hide themselves: they hold users' variables, and errors are logged.
        if self.is_sqlite:
            self._reader = sa.create_engine(
                self.url, pool_size=8, max_overflow=24, hide_parameters=True
            )
            self._writer = sa.create_engine(
                self.url, poolclass=sa.pool.StaticPool, hide_parameters=True
            )
            for engine in (self._reader, self._writer):
                event.listen(engine, "connect", _prepare_sqlite)
                event.listen(engine, "begin", _begin_sqlite)
        else:
            self.url = self.url.set(drivername="postgresql+psycopg")
            self._reader = self._writer = sa.create_engine(
                self.url,
                pool_size=16,
                max_overflow=16,
                pool_pre_ping=True,
                hide_parameters=True,
            )

    @contextlib.contextmanager
    def reading(self, *, limit_s: float | None = None) -> Iterator[Transaction]:
        """Open a transaction that only reads.

        limit_s: raise TimeoutError from a prepared query that the database is not done with by
        then.
        """
        with self._reader.connect() as connection:
            if limit_s is None:
                yield Transaction(connection)
            elif self.is_sqlite:
                with _sqlite_limit(connection, limit_s):
                    yield Transaction(connection)
            else:
                with _postgresql_limit(connection, limit_s):
                    yield Transaction(connection)

    @contextlib.contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[Transaction]:
        """Open a transaction that writes; it commits at the end of the block, or rolls back.

        durable: when the block ends, the commit survives power loss, not only dead processes.
        """
        with self._writing() as connection, connection.begin():
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif not durable:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            tx = Transaction(connection)
            yield tx
        topics = tx.topics
        if durable and self.is_sqlite:
            early = topics & _OF_LOOPS
            if early:
                self.on_commit(early)
            self._sync_wal()
            topics = topics - early
        if topics:
            self.on_commit(topics)

    @contextlib.contextmanager
    def driver_turn(self) -> Iterator[Any]:
        """Hand out the writer's raw driver connection, for the metric batches' bulk paths.

        The caller begins and commits by itself. (SQLAlchemy costs twice the time there:
        docs/adr has the figures.)
        """
        with self._writing() as connection:
            yield connection.connection.driver_connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """Hand out a connection to write with; SQLite has one, kept, since it has one writer."""
        if not self.is_sqlite:
            with self._writer.connect() as connection:
                yield connection
            return
        with self._write_lock:
            if self._kept is None:
                self._kept = self._writer.connect()
            yield self._kept

    def _sync_wal(self) -> None:
        """Bring what is committed to the disk.

        It is in the WAL, or SQLite has checkpointed it since, which syncs the WAL beforehand.
        (Never so with the database itself: to close one descriptor of a file drops all locks
        that the process holds on it, SQLite's too. It locks nothing in the WAL.)
        """
        database = Path(str(self.url.database))
        _sync(database.with_name(f"{database.name}-wal"))
        if not self._is_wal_known:
            # The file is made by this process's first write and stays until the last connection
            # closes; its name must last as well.
            _sync(database.parent)
            self._is_wal_known = True

    def close(self) -> None:
        """Close all connections."""
        self._is_wal_known = False
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        self._reader.dispose()
        self._writer.dispose()


#: How many of SQLite's steps pass between two looks at the clock: some 50 us.
_STEPS = 1_000


@contextlib.contextmanager
def _sqlite_limit(connection: sa.Connection, limit_s: float) -> Iterator[None]:
    raw: Any = connection.connection.driver_connection
    deadline = time.monotonic() + limit_s
    raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise TimeoutError from problem
        raise
    finally:
        raw.set_progress_handler(None, 0)


@contextlib.contextmanager
def _postgresql_limit(connection: sa.Connection, limit_s: float) -> Iterator[None]:
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(limit_s * 1000))}")
    try:
        yield
    except psycopg.errors.QueryCanceled as problem:
        raise TimeoutError from problem


def repeating(use: Callable[P, T]) -> Callable[P, T]:
    """Return a function that calls `use` again when PostgreSQL has taken its transaction back.

    Use cases may be called again just as requests may come twice.
    """

    @functools.wraps(use)
    def call(*arguments: P.args, **named: P.kwargs) -> T:
        for tried in range(1, _TRIES):
            try:
                return use(*arguments, **named)
            except Exception as problem:
                if not _is_taken_back(problem):
                    raise
            # Of two that stood in each other's way, one is to be ahead now.
            time.sleep(random.uniform(0, _PAUSE_S * tried))  # noqa: S311
        return use(*arguments, **named)

    return call


def _is_taken_back(problem: Exception) -> bool:
    cause = problem.orig if isinstance(problem, sqlalchemy.exc.DBAPIError) else problem
    return getattr(cause, "sqlstate", None) in _TAKEN_BACK


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sqlite_url(path: Path) -> sa.URL:
    """Return the URL of the SQLite file at `path`."""
    return sa.URL.create("sqlite", database=str(path))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event below says when
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA cache_size=-16000")


def _begin_sqlite(connection: sa.Connection) -> None:
    """Reads run in autocommit: each statement sees the newest commit and holds no lock."""
