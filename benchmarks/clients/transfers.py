"""A user's process that sends a run's files and fetches them, by the SDK."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azureml.core import Experiment, Workspace
from benchmarks.clients.asked import answer

_runs: list[Any] = []


def _run() -> Any:
    """Return this process's run, made and warm."""
    if not _runs:
        workspace = Workspace.create(
            "bench", subscription_id="s", resource_group="g", exist_ok=True
        )
        run = Experiment(workspace, "transfers").start_logging(snapshot_directory=None)
        run.upload_file("warm", __file__)
        _runs.append(run)
    return _runs[0]


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e3


def small_up(path: str, source: str, target: str) -> float:
    """Return how long a folder of small files took, in ms."""
    del path, target
    run = _run()
    return _timed(lambda: run.upload_folder("small", source))


def small_down(path: str, source: str, target: str) -> float:
    """Return how long the folder took to come back."""
    del path, source
    run = _run()
    return _timed(lambda: run.download_files("small", target, append_prefix=False))


def large_up(path: str, source: str, target: str) -> float:
    """Return how long the large file took."""
    del path, target
    run = _run()
    return _timed(lambda: run.upload_file("large.bin", str(Path(source) / "large.bin")))


def large_down(path: str, source: str, target: str) -> float:
    """Return how long the large file took to come back."""
    del path, source
    run = _run()
    return _timed(lambda: run.download_file("large.bin", f"{target}/"))


if __name__ == "__main__":
    answer(
        {
            "small_up": small_up,
            "small_down": small_down,
            "large_up": large_up,
            "large_down": large_down,
        }
    )
