"""The client of limits/transfers.py."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from benchmarks.clients.asked import answer
from benchmarks.limits.http import UnixConnection

_PIECE_BYTES = 1 << 20


def small_up(path: str, source: str, target: str) -> float:
    """Return how long the small files took by one request, in ms."""
    del target
    connection = _connected(path)
    begun = time.perf_counter()
    body = bytearray()
    for name in sorted(os.listdir(source)):  # noqa: PTH208
        with open(f"{source}/{name}", "rb", buffering=0) as file:  # noqa: PTH123
            content = file.read(_PIECE_BYTES)
        body += f"{name} {len(content)}\n".encode() + content
    connection.post("/put_many", bytes(body))
    return (time.perf_counter() - begun) * 1e3


def large_up(path: str, source: str, target: str) -> float:
    """Return how long the large file took by one streamed PUT, in ms."""
    del target
    connection = _connected(path)
    file_path = Path(source) / "large.bin"
    begun = time.perf_counter()
    connection.putrequest("PUT", "/put/large.bin")
    connection.putheader("Content-Length", str(file_path.stat().st_size))
    connection.endheaders()
    with file_path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE_BYTES):
            connection.sock.sendall(piece)
    connection.getresponse().read()
    return (time.perf_counter() - begun) * 1e3


def large_hash(path: str, source: str, target: str) -> float:
    """Return how long the large file takes to be hashed, in ms."""
    del path, target
    begun = time.perf_counter()
    with (Path(source) / "large.bin").open("rb", buffering=0) as file:
        hashlib.file_digest(file, "sha256")
    return (time.perf_counter() - begun) * 1e3


def small_down(path: str, source: str, target: str) -> float:
    """Return how long the small files took to come back by one request, in ms."""
    del source
    return _down(path, "f", target)


def large_down(path: str, source: str, target: str) -> float:
    """Return how long the large file took to come back, in ms."""
    del source
    return _down(path, "large", target)


def _down(path: str, prefix: str, target: str) -> float:
    connection = _connected(path)
    begun = time.perf_counter()
    os.makedirs(target, exist_ok=True)  # noqa: PTH103
    connection.request("GET", f"/get/{prefix}")
    response = connection.getresponse()
    view = memoryview(bytearray(_PIECE_BYTES))
    while line := response.readline():
        name, size = line.decode().rsplit(" ", 1)
        left = int(size)
        state = hashlib.sha256()
        with open(f"{target}/{name}", "wb", buffering=0) as file:  # noqa: PTH123
            while left:
                count = response.readinto(view[: min(left, _PIECE_BYTES)])
                state.update(view[:count])
                file.write(view[:count])
                left -= count
        state.hexdigest()
    return (time.perf_counter() - begun) * 1e3


def _connected(path: str) -> UnixConnection:
    connection = UnixConnection(path)
    connection.post("/healthz", b"")
    return connection


if __name__ == "__main__":
    answer(
        {
            "small_up": small_up,
            "small_down": small_down,
            "large_up": large_up,
            "large_down": large_down,
            "large_hash": large_hash,
        }
    )
