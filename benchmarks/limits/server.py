"""The limit of a server's start and memory: uvicorn, msgspec, an SQLite file made new."""

from __future__ import annotations

import sqlite3
import sys

import msgspec

from benchmarks.limits.asgi import serve


def main() -> None:
    """Serve at the socket argv[1], with a new database at argv[2]."""
    database = sqlite3.connect(sys.argv[2], isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("create table runs(run_id text primary key, record text)")
    answer = msgspec.json.encode({"status": "ok"})
    serve(sys.argv[1], {"/healthz": lambda _: answer})


if __name__ == "__main__":
    main()
