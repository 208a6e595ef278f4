"""The benchmarks' table: each work beside the limit that is measured in the same run.

    python benchmarks/run.py [--only NAME]... [--rounds N] [--json] [--write docs/benchmarks.md]
                             [--realtime]

Everything runs in a temporary folder, on servers of its own, and ends with the command. It
raises its own priority where it may, for both sides alike. --realtime (root) is for a machine
that is busy otherwise: Linux groups processes by session, so that a nice value does not reach
the sessions of Zaffre's server and runs, and the limit alone would be favoured. Exit status: 0 if
all was measured, whether the goals are met or not; 1 if something could not be.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# As a script, this file's folder stands where the repository's root should.
if __name__ == "__main__" and __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from rich.console import Console

from benchmarks import (
    command_line,
    data,
    imports,
    log_call,
    machine,
    reads,
    report,
    server_start,
    submit,
    transfers,
    writes,
)
from benchmarks.figure import Figure, Missing
from benchmarks.place import Place

BENCHMARKS = {
    "submit": submit.measure,
    "log_call": log_call.measure,
    "writes": writes.measure,
    "reads": reads.measure,
    "transfers": transfers.measure,
    "data": data.measure,
    "imports": imports.measure,
    "command_line": command_line.measure,
    "server_start": server_start.measure,
}
ROUNDS = 5
_NICER = -5


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; return the exit status."""
    asked = _parse(arguments)
    facts = machine.describe()
    if asked.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        facts["priority"] = "realtime, both sides"
    else:
        with contextlib.suppress(OSError):
            os.nice(_NICER)
    figures: list[Figure] = []
    missing: list[Missing] = []
    progress = Console(stderr=True)
    with Place() as place:
        for name in asked.only or BENCHMARKS:
            with progress.status(f"measuring {name} ..."):
                try:
                    figures += BENCHMARKS[name](place, asked.rounds)
                except Exception as problem:
                    missing.append(Missing(name, f"{type(problem).__name__}: {problem}"))
    if asked.json:
        sys.stdout.write(report.as_json(figures, missing, facts) + "\n")
    else:
        report.show(figures, missing, facts)
    if asked.write and not missing:
        asked.write.write_text(report.page(figures, facts), encoding="utf-8")
    return 1 if missing else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="print all readings")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page of the docs")
    parser.add_argument("--realtime", action="store_true", help="before all other processes")
    asked = parser.parse_args(arguments)
    if asked.write and asked.only:
        parser.error("--write takes all benchmarks, so leave --only out")
    return asked


if __name__ == "__main__":
    sys.exit(main())
