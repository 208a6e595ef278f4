"""The limit of storing files: hash what comes, write it, one SQLite transaction. Nothing else.

No token, no question what is there already, no check on the way; what is stored is found by name.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, cast

import uvicorn

_TABLE = "create table files(name text primary key, sha256 text, size integer) without rowid"
_PIECE_BYTES = 1 << 20
_Event = dict[str, Any]
_Receive = Callable[[], Awaitable[_Event]]
_Send = Callable[[_Event], Awaitable[None]]


class _Stored:
    """Files in a folder by content, their names in SQLite."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.database = sqlite3.connect(f"{folder}/limit.db", isolation_level=None)
        self.database.execute("pragma journal_mode=wal")
        self.database.execute("pragma synchronous=normal")
        self.database.execute(_TABLE)
        for number in range(256):
            os.mkdir(f"{folder}/{number:02x}")  # noqa: PTH102

    def path(self, sha256: str) -> str:
        return f"{self.folder}/{sha256[:2]}/{sha256}"

    def name(self, rows: list[tuple[str, str, int]]) -> None:
        self.database.execute("begin immediate")
        self.database.executemany("insert or replace into files values(?,?,?)", rows)
        self.database.execute("commit")

    def find(self, prefix: str) -> list[tuple[str, str, int]]:
        query = "select name, sha256, size from files where name >= ? and name < ? order by name"
        return self.database.execute(query, (prefix, prefix + "\uffff")).fetchall()


async def _pieces(receive: _Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        event = await receive()
        more = event["more_body"]
        yield event["body"]


async def _put(stored: _Stored, name: str, receive: _Receive) -> None:
    """Store one file as it streams in: what has come is hashed and written while more comes."""
    state = hashlib.sha256()
    size = 0
    part = f"{stored.folder}/part"
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)

    def take(content: bytearray) -> None:
        state.update(content)
        os.write(file, content)

    loop = asyncio.get_running_loop()
    under_way: asyncio.Future[None] = loop.create_future()
    under_way.set_result(None)
    held = bytearray()
    async for piece in _pieces(receive):
        held += piece
        size += len(piece)
        if len(held) >= _PIECE_BYTES:
            await under_way
            under_way = loop.run_in_executor(None, take, held)
            held = bytearray()
    await under_way
    take(held)
    os.close(file)
    sha256 = state.hexdigest()
    os.rename(part, stored.path(sha256))  # noqa: PTH104
    stored.name([(name, sha256, size)])


async def _put_many(stored: _Stored, receive: _Receive) -> None:
    """Store a bundle: repeated `NAME SIZE`, newline, bytes."""
    body = b"".join([piece async for piece in _pieces(receive)])
    rows: list[tuple[str, str, int]] = []
    start = 0
    while start < len(body):
        end = body.index(b"\n", start)
        name, size = body[start:end].decode().rsplit(" ", 1)
        content = body[end + 1 : end + 1 + int(size)]
        start = end + 1 + int(size)
        sha256 = hashlib.sha256(content).hexdigest()
        file = os.open(stored.path(sha256), os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(file, content)
        os.close(file)
        rows.append((name, sha256, len(content)))
    stored.name(rows)


def _contents(stored: _Stored, rows: list[tuple[str, str, int]]) -> Iterator[bytes]:
    """Yield files, each behind its line, in pieces of a megabyte or so."""
    held = bytearray()
    for name, sha256, size in rows:
        held += _line(name, size)
        file = os.open(stored.path(sha256), os.O_RDONLY)
        while piece := os.read(file, _PIECE_BYTES):
            if len(held) + len(piece) > _PIECE_BYTES:
                yield bytes(held)
                held.clear()
            if len(piece) == _PIECE_BYTES:
                yield piece
            else:
                held += piece
        os.close(file)
    yield bytes(held)


def _line(name: str, size: int) -> bytes:
    return f"{name} {size}\n".encode()


def main() -> None:
    """Serve at the socket argv[1], with the folder argv[2]."""
    stored = _Stored(sys.argv[2])

    async def application(scope: _Event, receive: _Receive, send: _Send) -> None:
        work, _, name = scope["path"][1:].partition("/")
        if work == "put":
            await _put(stored, name, receive)
        elif work == "put_many":
            await _put_many(stored, receive)
        rows = stored.find(name) if work == "get" else []
        length = sum(len(_line(name, size)) + size for name, _, size in rows)
        headers = [(b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if rows:
            for piece in _contents(stored, rows):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    uvicorn.run(
        cast("Any", application),
        uds=sys.argv[1],
        log_level="error",
        access_log=False,
        lifespan="off",
    )


if __name__ == "__main__":
    main()
