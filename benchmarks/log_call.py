"""What `run.log(name, value)` costs the training loop, kept at kill -9."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.figure import AtMost, Figure, Times
from benchmarks.place import Place

LIMIT = "json.dumps + write(2)"
GOAL = Times(3)


def measure(place: Place, rounds: int) -> list[Figure]:
    """Return the figures of a submitted script, and of a notebook's interactive run."""
    home = place.new_folder("log-call") / "home"
    with place.zaffre(home), place.user_client("log", home) as client:
        folder = place.new_folder("submitted")
        script = client.ask("submitted", folder=str(folder), rounds=rounds)
        folder = place.new_folder("interactive")
        notebook = client.ask("interactive", folder=str(folder), rounds=rounds)
    return [
        _call("run.log in a submitted script", script, "log", GOAL),
        _slowest("... its 99th percentile", script, "log"),
        _call("run.log in a notebook", notebook, "log", GOAL),
        _slowest("... its 99th percentile", notebook, "log"),
        _call("run.log_row of 5 columns in a script", script, "log_row", None),
        Figure("... writes per log_row", "writes", [script["log_row writes"]], goal=AtMost(1, "")),
        Figure(
            f"run.flush after {_count(notebook)} calls in a notebook",
            "ms",
            [notebook["flush"] * 1e3],
        ),
    ]


def _call(work: str, readings: dict[str, Any], name: str, goal: Times | None) -> Figure:
    return Figure(
        work,
        "us",
        [median(calls) * 1e6 for calls in readings[name]],
        LIMIT,
        [median(calls) * 1e6 for calls in readings["limit"]],
        goal,
    )


def _slowest(work: str, readings: dict[str, Any], name: str) -> Figure:
    return Figure(
        work,
        "us",
        [_percentile(calls) * 1e6 for calls in readings[name]],
        LIMIT,
        [_percentile(calls) * 1e6 for calls in readings["limit"]],
        AtMost(100, "us"),
    )


def _percentile(calls: list[float]) -> float:
    return sorted(calls)[int(len(calls) * 0.99)]


def _count(readings: dict[str, Any]) -> str:
    return f"{sum(len(calls) for name in ('log', 'log_row') for calls in readings[name]):,}"
