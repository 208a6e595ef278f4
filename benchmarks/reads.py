"""Reading: lists, searches and tables of 10,000 runs, 100,000 points of one metric."""

from __future__ import annotations

from typing import Any

from benchmarks import filling
from benchmarks.figure import AtMost, Figure, Times
from benchmarks.place import Place

LIMIT = "the same SQL behind minimal ASGI"
RUNS = 10_000
MORE_RUNS = 100_000
NEWEST = 100
MANY = 1_000
BUCKETS = 1_000
POINTS = 100_000
METRIC = "loss"
# A reading of the runs is a few milliseconds, so more of them are cheap.
TIMES_EACH = 5


def measure(place: Place, rounds: int) -> list[Figure]:
    """Return the figures of the SDK's reads, and of the server's answer alone."""
    home = place.new_folder("reads") / "home"
    database = home / "store" / "zaffre.db"
    runs: list[list[float]] = [[], [], []]
    points: list[list[float]] = [[], []]
    chart: list[list[float]] = [[], []]
    best: list[list[float]] = [[], []]
    full: list[list[float]] = [[], []]
    table: list[list[float]] = [[], []]
    best_of_many: list[list[float]] = [[], []]
    with place.zaffre(home), place.user_client("reads", home) as user:
        experiment_id = user.ask("open_experiment")
        filling.add_runs(database, experiment_id, RUNS - 1)
        run_id = user.ask("fill_points", count=POINTS)
        with (
            place.limit_server("reads", str(database)) as server,
            place.limit_client("reads_client") as limit,
        ):

            def ask_limit(what: str, **values: Any) -> Any:
                return limit.ask("ask", path=str(server.path), what=what, **values)

            of_one: dict[str, Any] = {"run_id": run_id, "name": METRIC}
            newest: dict[str, Any] = {"experiment_id": experiment_id, "count": NEWEST}
            many = {**newest, "count": MANY}
            by_metric = {**newest, "name": METRIC}
            columns = {"experiment_id": experiment_id, "metric": METRIC, "parameter": "lr"}
            for k in range(-1, rounds):
                for _ in range(TIMES_EACH):
                    readings = [
                        ask_limit("newest", **newest),
                        user.ask("newest", count=NEWEST),
                        user.ask("newest_answer", **newest),
                    ]
                    _keep(runs, readings, NEWEST, k)
                    readings = [ask_limit("best", **by_metric), user.ask("best", count=NEWEST)]
                    _keep(best, readings, NEWEST, k)
                readings = [ask_limit("newest", **many), user.ask("newest_in_full", count=MANY)]
                _keep(full, readings, MANY, k)
                readings = [ask_limit("table", **columns), user.ask("table")]
                _keep(table, readings, RUNS, k)
                readings = [ask_limit("metric", **of_one), user.ask("metric", run_id=run_id)]
                _keep(points, readings, POINTS, k)
                readings = [
                    ask_limit("chart", size=POINTS // BUCKETS, **of_one),
                    user.ask("chart", run_id=run_id, count=BUCKETS),
                ]
                _keep(chart, readings, BUCKETS, k)
            filling.add_runs(database, experiment_id, MORE_RUNS - RUNS)
            for k in range(-1, rounds):
                readings = [ask_limit("best", **by_metric), user.ask("best", count=NEWEST)]
                _keep(best_of_many, readings, NEWEST, k)
    return [
        Figure(f"newest {NEWEST} of {RUNS:,} runs", "ms", runs[1], LIMIT, runs[0], Times(2)),
        Figure("... the server's answer alone", "ms", runs[2], LIMIT, runs[0]),
        _figure(f"newest {MANY:,} of them in full", full, Times(2)),
        _figure(f"first {NEWEST} of them by a metric", best, Times(2)),
        _figure(f"first {NEWEST} of {MORE_RUNS:,} by a metric", best_of_many, AtMost(50, "ms")),
        _figure(f"a metric and a parameter of all {RUNS:,}", table, Times(2)),
        _figure(f"{POINTS:,} points of one metric", points, Times(2)),
        _figure(f"... in {BUCKETS:,} buckets for a chart", chart, Times(2)),
    ]


def _figure(work: str, readings: list[list[float]], goal: Times | AtMost) -> Figure:
    return Figure(work, "ms", readings[1], LIMIT, readings[0], goal)


def _keep(kept: list[list[float]], readings: list[Any], count: int, k: int) -> None:
    """Keep a round's readings, unless it warms up; all must have found the same."""
    for side, (taken_ms, found) in zip(kept, readings, strict=True):
        if found != count:
            raise ValueError(f"{found} came instead of {count}")
        if k >= 0:
            side.append(taken_ms)
