"""The client of limits/reads.py."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from benchmarks.clients.asked import answer
from benchmarks.limits.http import UnixConnection


def ask(path: str, what: str, **values: Any) -> tuple[float, int]:
    """Return how long an answer took, in ms, and how many rows came."""
    body = msgspec.json.encode(values)
    connection = UnixConnection(path)
    connection.post("/healthz", b"")
    begun = time.perf_counter()
    answered = msgspec.json.decode(connection.post(f"/{what}", body))
    return (time.perf_counter() - begun) * 1e3, len(answered)


if __name__ == "__main__":
    answer({"ask": ask})
