"""How the command line shows things: tables for people, JSON for programs.

In a terminal a table is drawn by rich, in colours and as wide as the window; elsewhere it is
plain lines with aligned columns that nothing is cut from, and rich is not imported.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import IO

from zaffre.contract import wire

#: Words that get a colour in a terminal: run states, and what `doctor` finds.
COLOURS = {
    "Completed": "green",
    "Failed": "red",
    "Canceled": "yellow",
    "CancelRequested": "yellow",
    "NotResponding": "red",
    "Running": "cyan",
    "Finalizing": "cyan",
    "ok": "green",
    "missing": "yellow",
    "problem": "red",
}

_MARK = "yellow"

Cells = Sequence[object]

#: Characters of a column that is never broken, and between two columns.
_SHORT = 13
_GAP = 2


def show_json(value: object) -> None:
    """Print `value` (records too) as JSON on stdout; numbers that JSON lacks become texts."""
    print(json.dumps(_finite(wire.encode(value)), indent=2, ensure_ascii=False))  # noqa: T201


def show_table(
    columns: Sequence[str],
    rows: Sequence[Cells],
    *,
    title: str | None = None,
    empty: str | None = None,
    marked: Sequence[bool] = (),
) -> None:
    """Print a table on stdout. A column whose name ends in '>' is aligned to the right.

    marked: which rows are shown in another colour.
    empty: what is said on stderr, instead of the columns' names, when there are no rows.
    """
    if not rows and empty is not None:
        print(empty, file=sys.stderr)  # noqa: T201
        return
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if has_colours(sys.stdout):
        _draw(columns, texts, title, marked or [False] * len(rows))
    else:
        _write(columns, texts, title)


def show_facts(facts: Mapping[str, object], *, title: str | None = None) -> None:
    """Print names and values below each other on stdout; None and empty ones are left out."""
    shown = [(name, str(value)) for name, value in facts.items() if value not in (None, "", {})]
    width = max((len(name) for name, _ in shown), default=0)
    if title:
        say(title)
    for name, value in shown:
        first, *more = value.splitlines() or [""]
        print(f"{name:<{width}}  {coloured(first)}")  # noqa: T201
        for line in more:
            print(f"{'':<{width}}  {line}")  # noqa: T201


def pairs(values: Mapping[str, object], *, between: str = ", ") -> str:
    """Return tags or properties as `key = value`; a tag without a value is its key."""
    return between.join(key if text is None else f"{key} = {text}" for key, text in values.items())


def say(text: str) -> None:
    """Print a line of a result on stdout."""
    print(text)  # noqa: T201


def has_colours(stream: IO[str]) -> bool:
    """Say whether `stream` is a terminal that wants colours (https://no-color.org)."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def coloured(text: str) -> str:
    """Return `text` in its colour, if it has one and stdout is a terminal."""
    colour = COLOURS.get(text)
    if colour is None or not has_colours(sys.stdout):
        return text
    import click

    return click.style(text, fg=colour)


def _draw(
    columns: Sequence[str], rows: list[list[str]], title: str | None, marked: Sequence[bool]
) -> None:
    """Draw a table that fits the window; plain lines where it cannot.

    Columns without any text are left out. Short ones, and the first, which has what people copy
    into their next command, are not broken; the others are.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    filled = [i for i in range(len(columns)) if not rows or any(row[i] for row in rows)]
    heads = [columns[i].rstrip(">") for i in filled]
    cells = [[row[i] for i in filled] for row in rows]
    widths = [
        max(len(line) for text in column for line in text.split("\n"))
        for column in zip(heads, *cells, strict=True)
    ]
    whole = [number == 0 or width <= _SHORT for number, width in enumerate(widths)]
    least = sum(w if kept else min(w, _SHORT) for w, kept in zip(widths, whole, strict=True))
    if least + _GAP * len(widths) > console.width:
        _write(columns, rows, title)
        return
    table = Table(
        box=box.SIMPLE_HEAD,
        title=title,
        title_justify="left",
        pad_edge=False,
        collapse_padding=True,
    )
    for i, head, kept in zip(filled, heads, whole, strict=True):
        right = columns[i].endswith(">")
        table.add_column(head, justify="right" if right else "left", overflow="fold", no_wrap=kept)
    for row, is_marked in zip(cells, marked, strict=True):
        style = _MARK if is_marked else None
        table.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row), style=style)
    console.print(table)


def _write(columns: Sequence[str], rows: list[list[str]], title: str | None) -> None:
    if title:
        say(title)
    flat = [[cell.replace("\n", " ") for cell in row] for row in rows]
    heads = [column.rstrip(">") for column in columns]
    widths = [max(map(len, cells)) for cells in zip(heads, *flat, strict=True)]
    for row in [heads, *flat]:
        cells = [
            cell.rjust(width) if column.endswith(">") else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]
        say("  ".join(cells).rstrip())


def _finite(value: object) -> object:
    """JSON has no NaN and no infinities: they become "NaN", "Infinity", "-Infinity"."""
    if isinstance(value, float) and value - value != 0:
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
