"""Points through the server: one a request, 1,000 a request, 8 clients at once.

Both sides speak over a Unix socket, as the SDK does, and send bodies that are made beforehand:
encoding is part of `run.log`, which has a row of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import Figure, Times
from benchmarks.place import Place
from benchmarks.process import Asked

LIMIT = "minimal ASGI + SQLite transaction"
CLIENTS = 8
ONE_BY_ONE = 400
BATCHES = 20
POINTS = 1000


def measure(place: Place, rounds: int) -> list[Figure]:
    """Return the figures of the three works, in microseconds per point."""
    home = place.new_folder("writes") / "home"
    database = place.new_folder("limit") / "limit.db"
    single = _Both()
    batch = _Both()
    crowd = _Both()
    with contextlib.ExitStack() as stack:
        stack.enter_context(place.zaffre(home))
        server = stack.enter_context(place.limit_server("writes", str(database)))
        users = [stack.enter_context(place.user_client("writes", home)) for _ in range(CLIENTS)]
        limits = [stack.enter_context(place.limit_client("writes_client")) for _ in range(CLIENTS)]
        for k in range(-1, rounds):
            for both, clients, count, points in (
                (single, 1, ONE_BY_ONE, 1),
                (batch, 1, BATCHES, POINTS),
                (crowd, CLIENTS, ONE_BY_ONE // 4, 1),
            ):
                limit_us = _us_per_point(limits[:clients], server.path, count, points)
                zaffre_us = _us_per_point(users[:clients], server.path, count, points)
                if k >= 0:
                    both.limit.append(limit_us)
                    both.zaffre.append(zaffre_us)
    return [
        single.figure("points through the server, one a request"),
        batch.figure(f"... {POINTS:,} a request"),
        crowd.figure(f"... one a request, {CLIENTS} clients at once"),
    ]


class _Both:
    """The readings of one work."""

    def __init__(self) -> None:
        self.limit: list[float] = []
        self.zaffre: list[float] = []

    def figure(self, work: str) -> Figure:
        return Figure(work, "us a point", self.zaffre, LIMIT, self.limit, Times(2))


def _us_per_point(clients: Sequence[Asked], path: Path, count: int, points: int) -> float:
    """Have all clients send at once; return the microseconds that one point took of the whole."""
    for client in clients:
        client.send("send", path=str(path), count=count, per_request=points)
    spans = [client.receive() for client in clients]
    seconds = max(ended for _, ended in spans) - min(begun for begun, _ in spans)
    return seconds / (count * points * len(clients)) * 1e6
