"""Times and sizes in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from zaffre.contract.wire import decode_time

_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def ago(moment: datetime | None) -> str:
    """Return how long ago `moment` was: `12 s ago`, `3 h ago`; a date from a week on."""
    if moment is None:
        return ""
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    if seconds >= 7 * 86_400:
        return moment.astimezone().strftime("%Y-%m-%d")
    for size, unit in _STEPS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def took(start: datetime | None, end: datetime | None) -> str:
    """Return how long something lasted, up to now if it has not ended; '' if it never began."""
    if start is None:
        return ""
    return lasted(((end or datetime.now(UTC)) - start).total_seconds())


def lasted(seconds: float) -> str:
    """Return a length of time: `0.8 s`, `12 s`, `3 min 4 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3_600} h {whole % 3_600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3_600} h"


def local(moment: datetime | None) -> str:
    """Return `moment` in this machine's time zone, to the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def with_local_times(text: str) -> str:
    """Return `text` with the times in it, which are in UTC, as `local` gives them."""
    return _UTC.sub(lambda found: local(decode_time(found.group())), text)


def size(count_bytes: float) -> str:
    """Return a number of bytes: `812 B`, `4.2 kB`, `300 MB`."""
    value = float(count_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
