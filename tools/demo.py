"""`make demo`: start Zaffre in the background, run the quickstart against it, show what came out.

The exit status says whether it worked.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zaffre.cli import moment, table
from zaffre.cli.main import call
from zaffre.cli.metric import number
from zaffre.cli.server import connect, every_item, experiment_ids
from zaffre.contract import wire
from zaffre.contract.metric import MetricSeries, decode_value
from zaffre.contract.model import Model
from zaffre.contract.run import Run

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "quickstart"
EXPERIMENT = WORKSPACE = "quickstart"
COLUMNS = ("Regularization Rate", "Loss", "Accuracy", "AUC")
EXPECTED_RUNS = 4


def main() -> int:
    """Return the exit status."""
    began = datetime.now(UTC)
    status = call(["up"])
    if status:
        return status
    sys.stdout.flush()
    done = subprocess.run(
        [sys.executable, "quickstart.py"],
        cwd=EXAMPLE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        check=False,
    )
    if done.returncode:
        print(f"The quickstart ended with exit code {done.returncode}.", file=sys.stderr)
        return 1
    return show(began)


def show(began: datetime) -> int:
    """Print the runs since `began` with their metrics, the model, the address; return a status."""
    client = connect()
    (experiment_id,) = experiment_ids(client, name=EXPERIMENT, workspace=WORKSPACE)
    items = every_item(client, "/runs", {"experiment_id": experiment_id}, limit=20)
    runs = [run for item in items if (run := wire.decode(Run, item)).created_at >= began]
    print()
    table.show_table(
        ["RUN", "HOW", "STATE", "TOOK>", *(f"{name}>" for name in COLUMNS), "METRICS>"],
        [row_of(client, run) for run in reversed(runs)],
        title="The runs and their metrics",
    )
    models = client.request(
        "GET", f"/workspaces/{runs[0].workspace_id}/models", query={"limit": 1}
    )["items"]
    registered = [wire.decode(Model, item) for item in models]
    print()
    table.show_table(
        ["MODEL", "VERSION>", "FROM RUN", "PROPERTIES"],
        [
            (m.name, m.version, m.run_id, ", ".join(f"{k} {v}" for k, v in m.properties.items()))
            for m in registered
        ],
        title="The registered model",
    )
    facts = client.request("GET", "/server")
    zaffre = os.path.relpath(Path(sys.executable).parent / "zaffre")
    print(f"\nZaffre runs at {facts['url']} (home {facts['home']}).")
    print(f"Look around: {zaffre} run list; {zaffre} run show {runs[-1].run_id}; {zaffre} down")
    ended = [run for run in runs if run.state.value == "Completed"]
    whole = len(ended) == EXPECTED_RUNS and registered and registered[0].created_at >= began
    return 0 if whole else 1


def row_of(client: Any, run: Run) -> tuple[object, ...]:
    """Return a run's line in the table."""
    answer = client.request("GET", f"/runs/{run.run_id}/metrics")["runs"][run.run_id]
    metrics = {item["name"]: wire.decode(MetricSeries, item) for item in answer}
    last = [
        number(decode_value(metrics[name].values[-1])) if name in metrics else ""
        for name in COLUMNS
    ]
    took = moment.took(run.started_at, run.ended_at)
    return run.run_id, run.display_name or "", run.state.value, took, *last, len(metrics)


if __name__ == "__main__":
    sys.exit(main())
