"""Counts of a series of kills, and the table that docs/durability.md shows of them."""

from __future__ import annotations

import os
import platform
import statistics
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "durability.md"
BEGIN, END = "<!-- figures: written by make faults -->", "<!-- end of figures -->"


@dataclass(frozen=True)
class Kill:
    """One kill. before, end: the run's states; acknowledged, stored: what was logged, in order."""

    before: str
    end: str
    acknowledged: list[int]
    stored: list[int]
    end_s: float

    @property
    def lost_count(self) -> int:
        """Records that were promised and are not stored."""
        return len(set(self.acknowledged) - set(self.stored))

    @property
    def doubled_count(self) -> int:
        """Records that are stored more than once."""
        return len(self.stored) - len(set(self.stored))


class Figures:
    """What happened in each kill."""

    def __init__(self) -> None:
        self._kills: dict[str, list[Kill]] = {}

    def add(self, victim: str, kill: Kill) -> None:
        """Note one kill before it is judged, so that a broken promise stands in the table too."""
        self._kills.setdefault(victim, []).append(kill)

    def table(self) -> str:
        """Return the table."""
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
            times = [kill.end_s for kill in kills]
            rows.append(
                f"| {victim} | {len(kills)} | {_counts([kill.before for kill in kills])} "
                f"| {_counts([kill.end for kill in kills])} "
                f"| {sum(len(kill.acknowledged) for kill in kills)} "
                f"| {sum(kill.lost_count for kill in kills)} "
                f"| {sum(kill.doubled_count for kill in kills)} "
                f"| {statistics.median(times):.2f} s ({max(times):.2f} s) |"
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
