"""Chance that repeats: a number for each row, made of a seed and the row's place."""

from __future__ import annotations

from typing import Any

import numpy as np

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def fractions(seed: int, purpose: str, count: int) -> Any:
    """Return numbers in [0, 1) for rows 0 to count - 1: (count,) float64.

    The same for the same seed and purpose, whatever the count; splitmix64 of the row's place.
    """
    start = (seed ^ int.from_bytes(purpose.encode()[:8], "little")) & _MASK
    start = int(_mixed(np.array([start], np.uint64))[0])
    with np.errstate(over="ignore"):
        places = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN) + np.uint64(start)
    return (_mixed(places) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(values: Any) -> Any:
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
