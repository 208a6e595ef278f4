"""The client of limits/reads.py."""

from __future__ import annotations

import time

import msgspec

from benchmarks.clients.asked import answer
from benchmarks.limits.http import UnixConnection


def newest(path: str, experiment_id: str, count: int) -> tuple[float, int]:
    """Return how long the newest runs took, in ms, and how many came."""
    body = msgspec.json.encode({"experiment_id": experiment_id, "count": count})
    connection = UnixConnection(path)
    connection.post("/healthz", b"")
    begun = time.perf_counter()
    answered = msgspec.json.decode(connection.post("/newest", body))
    return (time.perf_counter() - begun) * 1e3, len(answered)


def metric(path: str, run_id: str, name: str) -> tuple[float, int]:
    """Return how long all points of a metric took, in ms, and how many came."""
    body = msgspec.json.encode({"run_id": run_id, "name": name})
    connection = UnixConnection(path)
    connection.post("/healthz", b"")
    begun = time.perf_counter()
    answered = msgspec.json.decode(connection.post("/metric", body))
    return (time.perf_counter() - begun) * 1e3, len(answered)


if __name__ == "__main__":
    answer({"newest": newest, "metric": metric})
