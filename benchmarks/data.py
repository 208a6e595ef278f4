"""300 MB of CSV in 10 files to pandas, and the first rows of a folder of 10 GB."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.figure import AtMost, Figure, Times
from benchmarks.place import Place
from benchmarks.process import ROOT

FILES = 10
SIZE_BYTES = 300_000_000
#: So many names of the same files make a folder of 10 GB.
LINKS = 34
LIMIT = "pyarrow's CSV reader"


def measure(place: Place, rounds: int) -> list[Figure]:
    """Return the figures of reading a dataset, each reading a process of its own."""
    folder = place.new_folder("csv")
    _run(place, "limits.data", "make", str(folder), str(FILES), str(SIZE_BYTES))
    large = place.new_folder("large")
    for number in range(LINKS):
        for path in folder.iterdir():
            os.link(path, large / f"{number:02}-{path.name}")
    readings: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for work in ("all", "two"):
        for number in range(-1, rounds):  # the first only warms
            for side in ("limits.data", "clients.data"):
                reading = _run(place, side, work, str(folder))
                if number >= 0:
                    readings.setdefault((work, side), []).append(reading)
    for work in ("take", "types"):
        readings[work, "clients.data"] = [
            _run(place, "clients.data", work, str(large)) for _ in range(rounds)
        ]
    return [
        _both("300 MB of CSV to pandas, v1's types", "s", "all", readings),
        _both("... peak memory", "MB", "all", readings),
        _both("... 2 of 10 columns kept", "s", "two", readings),
        _both("... peak memory", "MB", "two", readings),
        _first("take(10) of 10 GB of CSV", "take", readings),
        _first("types of 10 GB of CSV", "types", readings),
    ]


def _both(
    work: str, unit: str, name: str, readings: dict[tuple[str, str], list[dict[str, Any]]]
) -> Figure:
    zaffre, limit = (
        [one[unit] for one in readings[name, side]] for side in ("clients.data", "limits.data")
    )
    return Figure(work, unit, zaffre, LIMIT, limit, Times(1.3))


def _first(work: str, name: str, readings: dict[tuple[str, str], list[dict[str, Any]]]) -> Figure:
    seconds = [one["s"] for one in readings[name, "clients.data"]]
    return Figure(work, "s", seconds, goal=AtMost(0.2, "s"))


def _run(place: Place, module: str, *arguments: str) -> dict[str, Any]:
    output = subprocess.run(
        [place.own, "-m", f"benchmarks.{module}", *arguments],
        check=True,
        env=place.environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return json.loads(output)


def peak_mb() -> float:
    """Return the most memory that this process has held, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status tells no peak of memory")
