"""The server: start to the first answer, and memory at rest."""

from __future__ import annotations

import time

from benchmarks.figure import AtMost, Figure
from benchmarks.place import Place
from benchmarks.process import memory_mb

LIMIT = "minimal ASGI server"
REST_S = 1.0


def measure(place: Place, rounds: int) -> list[Figure]:
    """Return the figures of a home made new, and of a start in a home that is there."""
    fresh: list[float] = []
    again: list[float] = []
    limit: list[float] = []
    memory: list[float] = []
    limit_memory: list[float] = []
    for k in range(-1, rounds):
        database = place.new_folder("database") / "limit.db"
        with place.limit_server("server", str(database)) as server:
            limit_s = server.start_s
            time.sleep(REST_S)
            limit_mb = memory_mb(server.process.pid)
        home = place.new_folder("start") / "home"
        with place.zaffre(home) as server:
            fresh_s = server.start_s
        with place.zaffre(home) as server:
            again_s = server.start_s
            time.sleep(REST_S)
            at_rest_mb = memory_mb(server.process.pid)
        if k >= 0:
            limit.append(limit_s)
            fresh.append(fresh_s)
            again.append(again_s)
            limit_memory.append(limit_mb)
            memory.append(at_rest_mb)
    return [
        Figure("server: first start to first answer", "s", fresh, LIMIT, limit, AtMost(1.5, "s")),
        Figure("... a later start", "s", again, LIMIT, limit, AtMost(1.5, "s")),
        Figure("... memory at rest", "MB", memory, LIMIT, limit_memory, AtMost(120, "MB")),
    ]
