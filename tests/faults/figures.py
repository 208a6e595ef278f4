"""Counts of a series of kills, and the table that docs/durability.md shows of them."""

from __future__ import annotations

import os
import platform
import statistics
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "durability.md"
BEGIN, END = "<!-- figures: written by make faults -->", "<!-- end of figures -->"


class Figures:
    """What happened in each kill."""

    def __init__(self) -> None:
        self._kills: dict[str, list[tuple[str, str, int, float]]] = {}

    def add(self, victim: str, before: str, end: str, acknowledged: int, end_s: float) -> None:
        """Note one kill: the state before, how it ended, records promised, seconds to the end."""
        self._kills.setdefault(victim, []).append((before, end, acknowledged, end_s))

    def table(self) -> str:
        """Return the table. A kill that broke the promise fails its test, so none is in it."""
        when = datetime.now(UTC).strftime("%Y-%m-%d")
        machine = (
            f"{os.cpu_count()} cores, {platform.release()}, Python {platform.python_version()}"
        )
        rows = [
            f"{when}, {machine}. Each kill is at a random moment between submit and end.",
            "",
            "| killed | times | states when killed | ended as | records promised | lost | doubled "
            "| to the final state, median (max) |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for victim, kills in self._kills.items():
            times = [kill[3] for kill in kills]
            rows.append(
                f"| {victim} | {len(kills)} | {_counts([kill[0] for kill in kills])} "
                f"| {_counts([kill[1] for kill in kills])} | {sum(kill[2] for kill in kills)} "
                f"| 0 | 0 | {statistics.median(times):.2f} s ({max(times):.2f} s) |"
            )
        return "\n".join(rows)

    def write(self) -> None:
        """Put the table into docs/durability.md."""
        text = DOCUMENT.read_text()
        head, _, rest = text.partition(BEGIN)
        tail = rest.partition(END)[2]
        DOCUMENT.write_text(f"{head}{BEGIN}\n{self.table()}\n{END}{tail}")


def _counts(names: list[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in Counter(names).most_common())
