"""RunDetails as text: whole for print-outs and plain front ends, and short for a terminal."""

from __future__ import annotations

from zaffre.sdk import run_details_words as words
from zaffre.sdk.run_details_view import FILE_KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from zaffre.sdk.run_details_view import Metric, RunView

_METRICS_SHOWN = 30
_CHILDREN_SHOWN = 30
_CHILD_METRICS_SHOWN = 4
_LOG_LINES_SHOWN = 40
_BRIEF_METRICS = 4
_BRIEF_LOG_LINES = 5


def whole(view: RunView, now: datetime) -> str:
    """Return all parts, one below the other."""
    drawn = [draw(view, now) for draw in PARTS.values()]
    return "\n\n".join(part for part in drawn if part)


def head(view: RunView, now: datetime) -> str:
    """Return what the run is and how it stands."""
    record = view.record
    rows = [("Run", view.run_id)]
    if record.get("display_name"):
        rows.append(("Name", str(record["display_name"])))
    rows.append(("Experiment", str(record.get("experiment_name", ""))))
    rows.append(("Status", view.state))
    rows.append(("Started", words.moment(record.get("started_at")) or "-"))
    rows.append(("Duration", words.run_time(record, now) or "-"))
    found, why = words.error(record), words.reason(view)
    if found:
        code, message, place = found
        rows.append(("Error", f"{code}: {message}{f' ({place})' if place else ''}"))
    if why and not (found and found[1] in why):
        rows.append(("Reason", why))
    rows += [("Warning", one) for one in record.get("warnings") or ()]
    if record.get("tags"):
        said = ", ".join(f"{k}={v}" if v else k for k, v in record["tags"].items())
        rows.append(("Tags", words.short(said, 200)))
    if view.trouble:
        rows.append(("Note", view.trouble))
    rows.append(("Details", view.url))
    return _aligned(rows)


def metrics(view: RunView, now: datetime) -> str:
    """Return the metrics and the children, each a table."""
    parts: list[str] = []
    found = list(view.metrics.values())
    if found:
        rows = [(words.short(m.name), _metric(m)) for m in found[:_METRICS_SHOWN]]
        if len(found) > _METRICS_SHOWN:
            rows.append(("...", f"{len(found) - _METRICS_SHOWN} more: run.get_metrics()"))
        parts.append("Metrics\n" + _aligned(rows, "  "))
    if view.children:
        parts.append(f"Children: {_states(view)}\n{_children(view, now)}")
    return "\n\n".join(parts)


def about(view: RunView, now: datetime) -> str:
    """Return the names of the files."""
    del now
    if not view.files:
        return ""
    rows = [(name, words.size(count)) for name, count in list(view.files.items())[:20]]
    if len(view.files) > len(rows):
        rows.append(("...", f"{len(view.files) - len(rows)} more: run.get_file_names()"))
    return "Files\n" + _aligned(rows, "  ")


def log(view: RunView, now: datetime) -> str:
    """Return the end of the script's log."""
    del now
    found = view.script_log()
    if found is None:
        return ""
    lines = found.lines()
    shown = lines[-_LOG_LINES_SHOWN:]
    if found.cut or len(lines) > len(shown):
        shown = ["...", *shown]
    return "\n".join([f"Log ({found.name})", *(f"  {line}" for line in shown)])


#: The parts in the order shown, by the names that their HTML has.
PARTS: dict[str, Callable[[RunView, datetime], str]] = {
    "head": head,
    "metrics": metrics,
    "about": about,
    "log": log,
}


def brief(view: RunView, now: datetime) -> list[str]:
    """Return a few lines that say how a run stands: state, metrics, children, the last output."""
    time = words.run_time(view.record, now) or words.wait_time(view.record, now)
    lines = [f"{view.state}  {time}  {words.title(view)}"]
    if view.trouble:
        lines.append(f"  {view.trouble}")
    elif not view.ended and words.reason(view):
        lines.append(f"  {words.reason(view)}")
    curves = [metric for metric in view.metrics.values() if metric.curve.last is not None]
    if curves:
        said = [f"{m.name} {words.number(m.curve.last)}" for m in curves[:_BRIEF_METRICS]]
        if len(curves) > _BRIEF_METRICS:
            said.append(f"+{len(curves) - _BRIEF_METRICS}")
        lines.append("  " + "   ".join(said))
    if view.children:
        lines.append(f"  children: {_states(view)}")
    found = view.script_log()
    if found is not None:
        lines += [f"  | {line}" for line in found.lines()[-_BRIEF_LOG_LINES:]]
    return lines


def _metric(metric: Metric) -> str:
    if metric.columns:
        row = [*metric.first_rows, *metric.last_rows][-1]
        cells = ", ".join(f"{name}={words.number(value)}" for name, value in row.items())
        return words.short(
            cells if metric.row_count == 1 else f"{metric.row_count:,} rows; last: {cells}"
        )
    if metric.kind in FILE_KINDS:
        names = [text.rpartition("/")[2] for text in metric.texts]
        return words.short(", ".join(names))
    if metric.curve.count <= 1 or metric.texts:
        values = metric.texts or [words.number(metric.curve.last)]
        return words.short(", ".join(values))
    said = [f"{word} {words.number(value)}" for word, value, _ in words.extremes(metric)]
    return f"{words.number(metric.curve.last)}  ({', '.join([*said, f'{metric.count:,} points'])})"


def _states(view: RunView) -> str:
    counted = words.counted_states(view.children)
    more = "+" if view.more_children else ""
    return f"{len(view.children)}{more} ({', '.join(f'{n} {state}' for state, n in counted)})"


def _children(view: RunView, now: datetime) -> str:
    columns = view.child_columns(_CHILD_METRICS_SHOWN)
    rows = [["Run", "State", "Duration", *(words.short(name, 20) for name in columns)]]
    for record in view.children[:_CHILDREN_SHOWN]:
        known = view.child_metrics.get(record["run_id"], {})
        values = [known[name].last_value() if name in known else None for name in columns]
        name = str(record.get("display_name") or record["run_id"])
        shown = ["" if value is None else words.short(words.number(value), 20) for value in values]
        rows.append([words.short(name, 40), record["state"], words.run_time(record, now), *shown])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in rows
    ]
    if len(view.children) > _CHILDREN_SHOWN or view.more_children:
        lines.append("  ... run.get_children() returns all of them")
    return "\n".join(lines)


def _aligned(rows: list[tuple[str, str]], indent: str = "") -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{indent}{name:<{width}}  {value}" for name, value in rows)
