"""The limit of storing points: decode, one SQLite transaction a request, answer. Nothing else.

No token, no offset, no run to look up: what Zaffre does beside this is its own cost.
"""

from __future__ import annotations

import sqlite3
import sys

import msgspec

from benchmarks.limits.asgi import serve

_TABLE = """
create table points(
    run text, name text, step integer, at real, value real,
    primary key(run, name, step)
) without rowid
"""


class Point(msgspec.Struct, array_like=True):
    """One point of one metric."""

    name: str
    step: int
    at: float
    value: float


class Batch(msgspec.Struct):
    """The body of a request."""

    run: str
    points: list[Point]


def main() -> None:
    """Serve at the socket argv[1], with a new database at argv[2]."""
    database = sqlite3.connect(sys.argv[2], isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("pragma synchronous=normal")
    database.execute(_TABLE)
    decode = msgspec.json.Decoder(Batch).decode

    def store(body: bytes) -> bytes:
        batch = decode(body)
        run = batch.run
        rows = [(run, p.name, p.step, p.at, p.value) for p in batch.points]
        database.execute("begin immediate")
        database.executemany("insert or ignore into points values(?,?,?,?,?)", rows)
        database.execute("commit")
        return b"{}"

    serve(sys.argv[1], {"/healthz": lambda _: b"{}", "/points": store})


if __name__ == "__main__":
    main()
