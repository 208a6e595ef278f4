"""A user's process that fills a workspace and reads from it."""

from __future__ import annotations

import itertools
import time
from typing import Any

from azureml.core import Experiment, Run, Workspace
from benchmarks.clients.asked import answer
from zaffre.client.connection import connect
from zaffre.sdk import run_metrics

METRIC = "loss"
PARAMETER = "lr"


def _experiment() -> Any:
    workspace = Workspace.create("bench", subscription_id="s", resource_group="g", exist_ok=True)
    return Experiment(workspace, "reads")


def open_experiment() -> str:
    """Make the experiment; return its id."""
    return _experiment().id


def fill_runs(count: int) -> int:
    """Make `count` interactive runs and end them; return how many."""
    experiment = _experiment()
    for _ in range(count):
        experiment.start_logging(snapshot_directory=None).complete()
    return count


def fill_points(count: int) -> str:
    """Log `count` points of one metric by an interactive run; return the run's id."""
    run = _experiment().start_logging(snapshot_directory=None)
    for i in range(count):
        run.log(METRIC, i * 0.5)
    run.complete()
    return run.id


def newest(count: int) -> tuple[float, int]:
    """Return how long the newest runs took, as objects of the SDK, and how many came."""
    experiment = _experiment()
    begun = time.perf_counter()
    runs = list(itertools.islice(experiment.get_runs(), count))
    states = [(run.id, run.status, run.tags) for run in runs]
    return (time.perf_counter() - begun) * 1e3, len(states)


def newest_answer(experiment_id: str, count: int) -> tuple[float, int]:
    """Return how long the newest runs took as one answer of the server."""
    client = connect()
    query: dict[str, Any] = {"experiment_id": experiment_id, "limit": count}
    client.request("GET", "/runs", query={**query, "limit": 1})
    begun = time.perf_counter()
    items = client.request("GET", "/runs", query=query)["items"]
    return (time.perf_counter() - begun) * 1e3, len(items)


def best(count: int) -> tuple[float, int]:
    """Return how long the first runs by a metric took, as objects of the SDK."""
    experiment = _experiment()
    begun = time.perf_counter()
    runs = list(experiment.search_runs(order_by=f"metrics.{METRIC}", limit=count))
    states = [(run.id, run.status, run.tags) for run in runs]
    return (time.perf_counter() - begun) * 1e3, len(states)


def newest_in_full(count: int) -> tuple[float, int]:
    """Return how long many of the newest runs took, as objects of the SDK."""
    experiment = _experiment()
    begun = time.perf_counter()
    runs = list(experiment.search_runs(limit=count))
    states = [(run.id, run.status, run.tags) for run in runs]
    return (time.perf_counter() - begun) * 1e3, len(states)


def table() -> tuple[float, int]:
    """Return how long a table of a metric and a parameter of all runs took."""
    experiment = _experiment()
    begun = time.perf_counter()
    rows = experiment.runs_table(["id", f"metrics.{METRIC}", f"params.{PARAMETER}"])
    return (time.perf_counter() - begun) * 1e3, len(rows)


def chart(run_id: str, count: int) -> tuple[float, int]:
    """Return how long a metric's buckets took, and how many came."""
    run = Run(_experiment(), run_id)
    begun = time.perf_counter()
    columns = run_metrics.buckets(run, METRIC, count)["buckets"]
    return (time.perf_counter() - begun) * 1e3, len(columns["last"])


def metric(run_id: str) -> tuple[float, int]:
    """Return how long `get_metrics` took, and how many points came."""
    run = Run(_experiment(), run_id)
    begun = time.perf_counter()
    values = run.get_metrics(METRIC)[METRIC]
    return (time.perf_counter() - begun) * 1e3, len(values)


if __name__ == "__main__":
    answer(
        {
            "open_experiment": open_experiment,
            "fill_runs": fill_runs,
            "fill_points": fill_points,
            "newest": newest,
            "newest_answer": newest_answer,
            "metric": metric,
            "best": best,
            "newest_in_full": newest_in_full,
            "table": table,
            "chart": chart,
        }
    )
