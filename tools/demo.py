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
from zaffre.cli.server import connect, every_item, experiment_ids
from zaffre.client.doctor import examine
from zaffre.contract import wire
from zaffre.contract.metric import MetricSeries, decode_value
from zaffre.contract.model import Model
from zaffre.contract.run import Run

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "quickstart"
EXPERIMENT = WORKSPACE = "quickstart"
#: A column's name, and the metric whose last value it has.
COLUMNS = {
    "RATE>": "Regularization Rate",
    "LOSS>": "Loss",
    "ACCURACY>": "Accuracy",
    "AUC>": "AUC",
}
EXPECTED_RUNS = 4
ZAFFRE = os.path.relpath(Path(sys.executable).parent / "zaffre")


def main() -> int:
    """Return the exit status."""
    began = datetime.now(UTC)
    found = examine()
    if not found.azureml_is_ours:
        print("\n".join(found.problems), file=sys.stderr)
        return 1
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
    status = show(began)
    if not found.stand_ins:
        print(
            "\nBefore a notebook with '!pip install azureml-sdk', which would write over Zaffre:\n"
            f"  {ZAFFRE} doctor --fix --python PYTHON_OF_THE_NOTEBOOK"
        )
    return status


def show(began: datetime) -> int:
    """Print the runs since `began` with their metrics, the model, the address; return a status."""
    client = connect()
    (experiment_id,) = experiment_ids(client, name=EXPERIMENT, workspace=WORKSPACE)
    items = every_item(client, "/runs", {"experiment_id": experiment_id}, limit=20)
    runs = [run for item in items if (run := wire.decode(Run, item)).created_at >= began]
    print()
    table.show_table(
        ["HOW", "STATE", "TOOK>", *COLUMNS, "METRICS>"],
        [row_of(client, run) for run in reversed(runs)],
        title="The runs and their metrics",
    )
    models = client.request(
        "GET", f"/workspaces/{runs[0].workspace_id}/models", query={"limit": 1}
    )["items"]
    registered = [wire.decode(Model, item) for item in models]
    print()
    table.show_table(
        ["MODEL", "FROM RUN", "PROPERTIES"],
        [
            (
                f"{m.name}:{m.version}",
                m.run_id,
                "\n".join(f"{k} {float(v):.4g}" for k, v in m.properties.items()),
            )
            for m in registered
        ],
        title="The registered model",
    )
    facts = client.request("GET", "/server")
    print(f"\nZaffre runs at {facts['url']} (home {facts['home']}). Look around:")
    for arguments in ("run list", f"run show {runs[-1].run_id}", f"why {runs[0].run_id}", "down"):
        print(f"  {ZAFFRE} {arguments}")
    ended = [run for run in runs if run.state.value == "Completed"]
    whole = len(ended) == EXPECTED_RUNS and registered and registered[0].created_at >= began
    return 0 if whole else 1


def row_of(client: Any, run: Run) -> tuple[object, ...]:
    """Return a run's line in the table."""
    answer = client.request("GET", f"/runs/{run.run_id}/metrics")["runs"][run.run_id]
    metrics = {item["name"]: wire.decode(MetricSeries, item) for item in answer}
    last = [
        f"{decode_value(metrics[name].values[-1]):.4g}" if name in metrics else ""
        for name in COLUMNS.values()
    ]
    took = moment.took(run.started_at, run.ended_at)
    return run.display_name or "", run.state.value, took, *last, len(metrics)


if __name__ == "__main__":
    sys.exit(main())
