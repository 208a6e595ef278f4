"""A user's process that fills a workspace and reads from it."""

from __future__ import annotations

import itertools
import time
import uuid
from typing import Any

from azureml.core import Experiment, Run, Workspace
from benchmarks.clients.asked import answer
from zaffre.client.connection import connect

TAGS = {"model": "ridge", "data": "diabetes"}
PER_REQUEST = 500
METRIC = "loss"


def _experiment() -> Any:
    workspace = Workspace.create("bench", subscription_id="s", resource_group="g", exist_ok=True)
    return Experiment(workspace, "reads")


def fill_runs(count: int) -> str:
    """Make `count` runs with tags and properties; return the experiment's id."""
    client = connect()
    experiment = _experiment()
    for first in range(0, count, PER_REQUEST):
        items: list[dict[str, Any]] = [
            {
                "run_id": str(uuid.uuid4()),
                "idempotency_key": uuid.uuid4().hex,
                "state": "NotStarted",
                "display_name": f"run {i}",
                "tags": {**TAGS, "number": str(i)},
                "properties": {"azureml.runsource": "experiment", "number": str(i)},
            }
            for i in range(first, min(first + PER_REQUEST, count))
        ]
        url = f"/experiments/{experiment.id}/runs/batch"
        client.request("POST", url, json={"items": items})
    return experiment.id


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


def metric(run_id: str) -> tuple[float, int]:
    """Return how long `get_metrics` took, and how many points came."""
    run = Run(_experiment(), run_id)
    begun = time.perf_counter()
    values = run.get_metrics(METRIC)[METRIC]
    return (time.perf_counter() - begun) * 1e3, len(values)


if __name__ == "__main__":
    answer(
        {
            "fill_runs": fill_runs,
            "fill_points": fill_points,
            "newest": newest,
            "newest_answer": newest_answer,
            "metric": metric,
        }
    )
