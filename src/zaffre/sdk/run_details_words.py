"""The words that RunDetails shows in text and in HTML: numbers, durations, what went wrong."""

from __future__ import annotations

#: Longest text in a cell of a table.
CELL_CHARS = 60

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from zaffre.sdk.run_details_view import Metric, RunView

#: Parts of a metric's name that say whether less or more of it is better.
_LESS = ("loss", "error", "err", "mae", "mse", "rmse", "rmsle", "mape", "perplexity", "residual")
_MORE = ("accuracy", "acc", "auc", "f1", "precision", "recall", "score", "r2", "map", "bleu", "iou")


def number(value: object) -> str:
    """Return a value as people write it: five significant digits, texts as they are."""
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return f"{int(value):,}"
        shown = f"{value:,.5g}"
        if "e" in shown:
            shown = f"{value:.5g}"
            head, _, power = shown.partition("e")
            return f"{head}e{int(power)}"
        return shown
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if abs(value) < 10**15 else f"{value:.5g}"
    return str(value)


def duration(seconds: float) -> str:
    """Return seconds as `1:02:03`, less than a minute as `42 s` or `4.2 s`."""
    if seconds < 60:
        return f"{max(0.0, seconds):.1f} s" if seconds < 10 else f"{int(seconds)} s"
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def between(start: str | None, end: str | None, now: datetime) -> float | None:
    """Return the seconds between two of a record's times, until now without an end."""
    if not start:
        return None
    from zaffre.contract import wire

    until = wire.decode_time(end) if end else now
    return (until - wire.decode_time(start)).total_seconds()


def run_time(record: dict[str, Any], now: datetime) -> str:
    """Return how long a run has run, '' if it never did."""
    seconds = between(record.get("started_at"), record.get("ended_at"), now)
    return "" if seconds is None else duration(seconds)


def wait_time(record: dict[str, Any], now: datetime) -> str:
    """Return how long a run waited until it started, or ended; '' for less than a second."""
    until = record.get("started_at") or record.get("ended_at")
    seconds = between(record.get("created_at"), until, now)
    return "" if seconds is None or seconds < 1 else duration(seconds)


def moment(text: str | None) -> str:
    """Return a record's time as `2021-01-17 14:42:38 UTC`, '' for None."""
    return f"{text[:10]} {text[11:19]} UTC" if text else ""


def clock(now: datetime) -> str:
    """Return the time of day, UTC."""
    return now.strftime("%H:%M:%S UTC")


def size(count: int) -> str:
    """Return bytes as `1.5 MB` (10**6)."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"


def best_is_low(name: str) -> bool | None:
    """Say whether less of a metric is better, judged by its name; None if that does not tell."""
    import re

    parts = re.split(r"[^a-z0-9]+", name.lower())
    if any(part in _LESS or part.endswith("loss") for part in parts):
        return True
    if any(part in _MORE or part.endswith(("accuracy", "score")) for part in parts):
        return False
    return None


def extremes(metric: Metric) -> list[tuple[str, float, float]]:
    """Return (word, value, place): the best of a curve, or both ends where best is unknown."""
    low, high = metric.curve.low, metric.curve.high
    if low is None or high is None:
        return []
    is_low = best_is_low(metric.name)
    if is_low is not None:
        place, value = low if is_low else high
        return [("best", value, place)]
    return [("min", low[1], low[0]), ("max", high[1], high[0])]


def reason(view: RunView) -> str:
    """Return why a run waits or ended as it did, in a sentence; '' if nothing is recorded."""
    if view.waits and view.state == "Queued":
        return view.waits
    from zaffre.contract import reason as reasons

    found = view.record.get("reason")
    if not found:
        return ""
    try:
        kind = reasons.ReasonKind(found["kind"])
    except ValueError:  # a newer server's
        return str(found["kind"])
    return reasons.sentence(reasons.Reason(kind, found.get("facts") or {}))


def error(record: dict[str, Any]) -> tuple[str, str, str] | None:
    """Return an error's code, message and place."""
    found = record.get("error")
    if not found:
        return None
    place = f"{found['file']}:{found.get('line')}" if found.get("file") else ""
    code = found.get("exception") or found.get("code") or "Error"
    return str(code), str(found.get("message") or ""), place


def counted_states(records: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Return each state of some runs and how many have it, ended ones first."""
    order = ("Completed", "Failed", "Canceled", "Finalizing", "Running")
    counts: dict[str, int] = {}
    for record in records:
        counts[record["state"]] = counts.get(record["state"], 0) + 1
    known = [state for state in order if state in counts]
    return [(state, counts[state]) for state in [*known, *sorted(set(counts) - set(order))]]


def title(view: RunView) -> str:
    """Return what a run is called."""
    return str(view.record.get("display_name") or view.run_id)


def short(value: object, limit: int = CELL_CHARS) -> str:
    """Return a value as text, cut to `limit` characters."""
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
