"""The figures as a table for a terminal, as JSON, and as docs/benchmarks.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure, Missing
from benchmarks.peers import PEERS

_HEAD = ("work", "limit", "Zaffre", "ratio", "goal", "met")
#: Columns where no terminal says how many there are.
_WIDTH = 150
_MET = {True: "yes", False: "NO", None: ""}

_INTRODUCTION = """\
# Benchmarks

How fast Zaffre is, beside what the machine allows. `make bench` prints this table;
`python benchmarks/run.py --write docs/benchmarks.md` writes this page anew.

Each row has a limit: the least that any program must do for the same work, measured in the same
round. A reading is a median with the smallest and the largest in brackets; a ratio is formed
within each round, and its median counts. Less is better in every row.

- `python script.py` and `python -c pass` run in a clean virtual environment; so does Zaffre.
- json.dumps + write(2): what a log call must do to survive `kill -9`.
- minimal ASGI: uvicorn (uvloop, httptools), one function, msgspec, and for writes one SQLite
  transaction a request (WAL, synchronous=NORMAL); for reads Zaffre's own database and SQL. No
  token, no offsets, no checks. Both sides speak over a Unix socket.
- Files: the limit's server hashes what comes in one request, writes it and names it in one SQLite
  transaction; Zaffre's side is the SDK's `upload_*` and `download_*`. Neither side syncs.
- A notebook's log call shares its process with the thread that ships; a submitted script has
  no such thread.
- "first line" is the script's own clock; the run is submitted by `Experiment.submit` and its end
  awaited by `run.wait_for_completion`. The folder of 100 files is sent whole where they are new.
"""

_PEERS = """
## Others, for comparison

Not measured by this command: measured on 2026-11-25 on a machine of the same kind (2 AMD EPYC
cores, 24 GB, Debian 12, Python 3.11.7), each in its own environment and warm, in turn with the
limit. "x" is the multiple of that limit.

| work | limit then | others |
|---|---|---|
"""


def table(figures: Sequence[Figure], missing: Sequence[Missing]) -> Table:
    """Return the table for a terminal."""
    shown = Table(*_HEAD, title="Zaffre beside the machine's limits", title_justify="left")
    for figure in figures:
        style = "red" if figure.is_met is False else ""
        shown.add_row(*_cells(figure), style=style)
    for one in missing:
        shown.add_row(
            one.benchmark, "", f"not measured: {one.why[-300:]}", "", "", "NO", style="red"
        )
    return shown


def show(figures: Sequence[Figure], missing: Sequence[Missing], machine: Mapping[str, str]) -> None:
    """Print the table and the machine."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(table(figures, missing))
    console.print("; ".join(f"{name}: {value}" for name, value in machine.items()), style="dim")


def as_json(
    figures: Sequence[Figure], missing: Sequence[Missing], machine: Mapping[str, str]
) -> str:
    """Return all readings as JSON."""
    content = {
        "machine": dict(machine),
        "figures": [figure.as_json() for figure in figures],
        "missing": [{"benchmark": one.benchmark, "why": one.why} for one in missing],
    }
    return json.dumps(content, indent=1)


def page(figures: Sequence[Figure], machine: Mapping[str, str]) -> str:
    """Return docs/benchmarks.md."""
    lines = [
        f"| {' | '.join(_HEAD)} |",
        f"|{'---|' * len(_HEAD)}",
        *(f"| {' | '.join(_cells(figure))} |" for figure in figures),
    ]
    measured = "".join(f"- {name}: {value}\n" for name, value in machine.items())
    peers = "\n".join(f"| {work} | {limit} | {others} |" for work, limit, others in PEERS)
    rows = "\n".join(lines)
    return f"{_INTRODUCTION}\n{rows}\n\nThe machine:\n\n{measured}{_PEERS}{peers}\n"


def _cells(figure: Figure) -> tuple[str, ...]:
    limit = ""
    if figure.limit_readings:
        limit = f"{figure.limit}: {_readings(figure.limit_readings)}"
    ratio = ""
    if figure.ratio is not None:
        ratio = f"{figure.ratio:.2f}x"
        if len(figure.ratios) > 1:
            ratio += f" ({min(figure.ratios):.1f}-{max(figure.ratios):.1f})"
    zaffre = f"{_readings(figure.zaffre)} {figure.unit}"
    goal = "" if figure.goal is None else str(figure.goal)
    return figure.work, limit, zaffre, ratio, goal, _MET[figure.is_met]


def _readings(values: Sequence[float]) -> str:
    if len(values) == 1:
        return _number(values[0])
    return f"{_number(median(values))} ({_number(min(values))}-{_number(max(values))})"


def _number(value: float) -> str:
    """Return three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
