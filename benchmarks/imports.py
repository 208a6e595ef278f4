"""Importing v1's names."""

from __future__ import annotations

import subprocess
import time

from benchmarks.figure import AtMost, Figure, Times
from benchmarks.place import Place
from benchmarks.process import ROOT

IMPORT = (
    "from azureml.core import"
    " Workspace, Run, Experiment, Environment, ScriptRunConfig, Dataset, Model"
)
LIMIT = "python -c pass"
# Printed by the process itself: what wait4 says begins with its parent's memory.
_REPORT = """
import sys
modules = len(sys.modules)
for line in open("/proc/self/status"):
    if line.startswith("VmHWM:"):
        print(modules, line.split()[1])
"""
STARTS_EACH = 8
WARM_STARTS = 2


def measure(place: Place, rounds: int) -> list[Figure]:
    """Return the figures of the import in a clean environment."""
    zaffre, limit = in_turn(place, [place.user, "-c", IMPORT], rounds)
    modules, peak_mb = _report(place, place.user, IMPORT)
    modules_before, peak_before_mb = _report(place, place.plain, "pass")
    return [
        Figure("import of the v1 names", "ms", zaffre, LIMIT, limit, Times(3)),
        Figure(
            "... modules loaded",
            "modules",
            [modules],
            LIMIT,
            [modules_before],
            AtMost(120, "modules"),
        ),
        Figure("... memory added", "MB", [peak_mb - peak_before_mb], goal=AtMost(6, "MB")),
    ]


def in_turn(place: Place, command: list[str], rounds: int) -> tuple[list[float], list[float]]:
    """Return how long a command and the limit took, in ms, started in turn."""
    environment = place.environment()
    limit_command = [place.plain, "-c", "pass"]
    zaffre: list[float] = []
    limit: list[float] = []
    for k in range(-WARM_STARTS, rounds * STARTS_EACH):
        before = _start_ms(limit_command, environment)
        taken = _start_ms(command, environment)
        if k >= 0:
            limit.append(before)
            zaffre.append(taken)
    return zaffre, limit


def _start_ms(command: list[str], environment: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, env=environment, cwd=ROOT.parent, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1e3


def _report(place: Place, python: str, code: str) -> tuple[int, float]:
    """Return how many modules `code` leaves loaded and the process's peak of memory in MB."""
    output = subprocess.run(
        [python, "-c", f"{code}\n{_REPORT}"],
        check=True,
        env=place.environment(),
        cwd=place.folder,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    modules, peak_kb = output.split()
    return int(modules), int(peak_kb) / 1024
