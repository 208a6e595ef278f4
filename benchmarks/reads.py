"""Reading runs and metrics: the newest 100 of 10,000 runs, 100,000 points of one metric."""

from __future__ import annotations

from typing import Any

from benchmarks.figure import Figure, Times
from benchmarks.place import Place

LIMIT = "the same SQL behind minimal ASGI"
RUNS = 10_000
NEWEST = 100
POINTS = 100_000
METRIC = "loss"
# A reading of the runs is a few milliseconds, so more of them are cheap.
TIMES_EACH = 5


def measure(place: Place, rounds: int) -> list[Figure]:
    """Return the figures of the SDK's reads, and of the server's answer alone."""
    home = place.new_folder("reads") / "home"
    runs: list[list[float]] = [[], [], []]
    points: list[list[float]] = [[], []]
    with place.zaffre(home), place.user_client("reads", home) as user:
        experiment_id = user.ask("fill_runs", count=RUNS)
        run_id = user.ask("fill_points", count=POINTS)
        database = home / "store" / "zaffre.db"
        with (
            place.limit_server("reads", str(database)) as server,
            place.limit_client("reads_client") as limit,
        ):
            path = str(server.path)
            asked: dict[str, Any] = {"experiment_id": experiment_id, "count": NEWEST}
            for k in range(-1, rounds):
                for _ in range(TIMES_EACH):
                    readings = [
                        limit.ask("newest", path=path, **asked),
                        user.ask("newest", count=NEWEST),
                        user.ask("newest_answer", **asked),
                    ]
                    _keep(runs, readings, NEWEST, k)
                readings = [
                    limit.ask("metric", path=path, run_id=run_id, name=METRIC),
                    user.ask("metric", run_id=run_id),
                ]
                _keep(points, readings, POINTS, k)
    return [
        Figure(f"newest {NEWEST} of {RUNS:,} runs", "ms", runs[1], LIMIT, runs[0], Times(2)),
        Figure("... the server's answer alone", "ms", runs[2], LIMIT, runs[0]),
        Figure(f"{POINTS:,} points of one metric", "ms", points[1], LIMIT, points[0], Times(2)),
    ]


def _keep(kept: list[list[float]], readings: list[Any], count: int, k: int) -> None:
    """Keep a round's readings, unless it warms up; all must have found the same."""
    for side, (taken_ms, found) in zip(kept, readings, strict=True):
        if found != count:
            raise ValueError(f"{found} came instead of {count}")
        if k >= 0:
            side.append(taken_ms)
