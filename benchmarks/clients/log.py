"""A user's process that logs: by a run of its own, and by a script that it submits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from azureml.core import Experiment, ScriptRunConfig, Workspace
from benchmarks.clients import log_calls
from benchmarks.clients.asked import answer


def _experiment() -> Any:
    workspace = Workspace.create("bench", subscription_id="s", resource_group="g", exist_ok=True)
    return Experiment(workspace, "log-calls")


def interactive(folder: str, rounds: int) -> dict[str, Any]:
    """Log from this process, as a notebook does, while a thread ships."""
    run = _experiment().start_logging(snapshot_directory=None)
    readings = log_calls.measure(run, Path(folder), rounds)
    run.complete()
    return readings


def submitted(folder: str, rounds: int) -> dict[str, Any]:
    """Log from a submitted script."""
    script = Path(log_calls.__file__)
    source = Path(folder) / "source"
    source.mkdir()
    (source / script.name).write_text(script.read_text())
    result = Path(folder) / "readings.json"
    config = ScriptRunConfig(str(source), script=script.name, arguments=[str(result), rounds])
    config.run_config.environment.python.user_managed_dependencies = True
    _experiment().submit(config).wait_for_completion(show_output=False)
    return json.loads(result.read_text())


if __name__ == "__main__":
    answer({"interactive": interactive, "submitted": submitted})
