"""What a benchmark found: readings of Zaffre and of the limit, taken in turn, and the goal.

A ratio is formed within each round and the median taken of the ratios, so that other work on the
machine, which slows both sides of a round alike, cancels out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Times:
    """A goal: at most so many times the limit."""

    most: float

    def __str__(self) -> str:
        return f"≤ {self.most:g}x"

    def is_met(self, figure: Figure) -> bool:
        """Say whether the median ratio stays within the goal."""
        return figure.ratio is not None and figure.ratio <= self.most


@dataclass(frozen=True)
class AtMost:
    """A goal in the figure's own unit, whatever the limit is."""

    most: float
    unit: str

    def __str__(self) -> str:
        return f"≤ {self.most:g} {self.unit}".rstrip()

    def is_met(self, figure: Figure) -> bool:
        """Say whether Zaffre's median stays within the goal."""
        return median(figure.zaffre) <= self.most


@dataclass(frozen=True)
class Figure:
    """One row of the table. Less is better in every row.

    work: what was measured. unit: of both sides' readings, one a round. limit: what Zaffre is
    compared with; without readings of it there is no ratio. goal: None for a row that only
    informs.
    """

    work: str
    unit: str
    zaffre: list[float]
    limit: str = ""
    limit_readings: list[float] = field(default_factory=list[float])
    goal: Times | AtMost | None = None

    @property
    def ratios(self) -> list[float]:
        """Zaffre's reading over the limit's, a round each."""
        pairs = zip(self.zaffre, self.limit_readings, strict=False)
        return [zaffre / limit for zaffre, limit in pairs]

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios."""
        return median(self.ratios) if self.ratios else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        return None if self.goal is None else self.goal.is_met(self)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as what JSON holds."""
        return {
            "work": self.work,
            "unit": self.unit,
            "zaffre": self.zaffre,
            "limit": self.limit or None,
            "limit_readings": self.limit_readings,
            "ratio": self.ratio,
            "goal": None if self.goal is None else str(self.goal),
            "is_met": self.is_met,
        }


@dataclass(frozen=True)
class Missing:
    """A benchmark that could not be run, and why."""

    benchmark: str
    why: str
