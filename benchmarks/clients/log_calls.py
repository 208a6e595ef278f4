"""A training script that times its own log calls, in turn with the limit's.

The limit is what any log call that survives kill -9 has to do: json.dumps and one write(2).
Standard library and azureml alone: it is submitted as a user's script, and stands alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CALLS = 1000
WARM_CALLS = 200


def timed(call: Callable[[int], object], first: int, count: int) -> list[float]:
    """Return how long each of `count` calls took, in seconds."""
    clock = time.perf_counter
    seconds: list[float] = []
    for i in range(first, first + count):
        begun = clock()
        call(i)
        seconds.append(clock() - begun)
    return seconds


def writes_of(call: Callable[[int], object], count: int) -> float:
    """Return how many write(2) a call makes, as the kernel counts them."""

    def counted() -> int:
        for line in Path("/proc/self/io").read_text().splitlines():
            if line.startswith("syscw:"):
                return int(line.split()[1])
        return 0

    before = counted()
    for i in range(count):
        call(i)
    return (counted() - before) / count


def measure(run: Any, folder: Path, rounds: int) -> dict[str, Any]:
    """Return the readings of all rounds: seconds of each call, by call and round."""
    limit_file = os.open(folder / "limit", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def limit(i: int) -> None:
        now = int(time.time() * 1000)
        record = {"k": "loss", "v": i * 0.1, "s": i, "t": now}
        line = json.dumps(record, separators=(",", ":")) + "\n"
        os.write(limit_file, line.encode())

    calls: dict[str, Callable[[int], object]] = {
        "limit": limit,
        "log": lambda i: run.log("loss", i * 0.1),
        "log_row": lambda i: run.log_row("row", a=i, b=i * 0.1, c=i * 0.2, d=i * 0.3, e="x"),
    }
    for call in calls.values():
        timed(call, 0, WARM_CALLS)
    readings: dict[str, Any] = {name: [] for name in calls}
    for k in range(rounds):
        for name, call in calls.items():
            readings[name].append(timed(call, k * CALLS, CALLS))
    readings["log_row writes"] = writes_of(calls["log_row"], 100)
    begun = time.perf_counter()
    run.flush()
    readings["flush"] = time.perf_counter() - begun
    os.close(limit_file)
    return readings


def main() -> None:
    """Measure in a submitted run; the readings go to the file argv[1]."""
    from azureml.core import Run

    result = Path(sys.argv[1])
    readings = measure(Run.get_context(), result.parent, int(sys.argv[2]))
    result.write_text(json.dumps(readings))


if __name__ == "__main__":
    main()
