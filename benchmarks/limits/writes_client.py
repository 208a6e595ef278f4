"""The client of limits/writes.py."""

from __future__ import annotations

import time
import uuid

import msgspec

from benchmarks.clients.asked import answer
from benchmarks.limits.http import UnixConnection

NAMES = 5


def send(path: str, count: int, per_request: int) -> tuple[float, float]:
    """Send `count` requests; return when the first began and the last was answered."""
    connection = UnixConnection(path)
    run = uuid.uuid4().hex
    now = time.time()
    bodies = [
        msgspec.json.encode(
            {
                "run": run,
                "points": [
                    (f"m{i % NAMES}", (k * per_request + i) // NAMES, now, i * 0.5)
                    for i in range(per_request)
                ],
            }
        )
        for k in range(count)
    ]
    connection.post("/points", msgspec.json.encode({"run": run, "points": []}))
    begun = time.monotonic()
    for body in bodies:
        connection.post("/points", body)
    return begun, time.monotonic()


if __name__ == "__main__":
    answer({"send": send})
