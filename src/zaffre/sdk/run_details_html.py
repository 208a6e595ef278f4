"""RunDetails as HTML: four parts that are replaced one by one, each complete with its styles.

There is no script and nothing is fetched, so every front end and a saved notebook show it. The
colours follow Jupyter's and VS Code's theme, else the system's. What users wrote is escaped.
"""

from __future__ import annotations

from html import escape
from math import isfinite

from zaffre.sdk import run_details_words as words
from zaffre.sdk.run_details_chart import line_chart
from zaffre.sdk.run_details_pictures import chart_figure, figure, image
from zaffre.sdk.run_details_style import STYLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from zaffre.sdk.run_details_view import Metric, RunView

CHARTS_SHOWN = 12
_TILES_SHOWN = 24
_TABLES_SHOWN = 6
_ROWS_SHOWN = 8
_COLUMNS_SHOWN = 8
_CHILDREN_SHOWN = 50
_CHILD_METRICS_SHOWN = 5
_LOG_LINES_SHOWN = 200
_OTHER_LOGS_SHOWN = 8
_OTHER_LOG_LINES = 60
_PICTURES_SHOWN = 12
_FILES_SHOWN = 200

#: State to the name of its colour.
_COLOURS = {
    "Completed": "good",
    "Failed": "bad",
    "Canceled": "off",
    "Running": "busy",
    "Finalizing": "busy",
    "Starting": "busy",
    "CancelRequested": "warn",
    "NotResponding": "warn",
}


def parts(view: RunView, now: datetime) -> dict[str, str]:
    """Return the HTML of each part, by its name in the order shown."""
    return {"head": head(view, now), **{name: draw(view, now) for name, draw in CHANGING.items()}}


def _card(body: str) -> str:
    return f'<div class="zf"><style>{STYLE}</style>{body}</div>'


# -- the head


def head(view: RunView, now: datetime) -> str:
    """Return state, name, times, tags, and what is wrong."""
    record = view.record
    time = words.run_time(record, now)
    parts_of = [
        '<div class="zf-head">',
        _pill(view.state),
        f'<span class="zf-name">{escape(words.title(view))}</span>',
        f'<span class="zf-time" title="{_times(view)}">{time}</span>' if time else "",
        "</div>",
        _meta(view, now),
        _chips(record.get("tags") or {}),
        _notes(view),
    ]
    return _card("".join(parts_of))


def _pill(state: str) -> str:
    colour = _COLOURS.get(state, "off")
    return f'<span class="zf-pill zf-{colour}"><i></i>{escape(_spaced(state))}</span>'


def _spaced(state: str) -> str:
    """Return `CancelRequested` as `Cancel requested`."""
    return "".join(f" {c.lower()}" if c.isupper() and i else c for i, c in enumerate(state))


def _times(view: RunView) -> str:
    record = view.record
    said = [
        f"{word} {words.moment(record.get(key))}"
        for word, key in (
            ("created", "created_at"),
            ("started", "started_at"),
            ("ended", "ended_at"),
        )
        if record.get(key)
    ]
    return escape("\n".join(said), quote=True)


def _meta(view: RunView, now: datetime) -> str:
    record = view.record
    waited = words.wait_time(record, now)
    facts = [
        ("Experiment", f"<b>{escape(str(record.get('experiment_name', '')))}</b>"),
        ("No.", f"<b>{escape(str(record.get('number', '')))}</b>"),
    ]
    if record.get("display_name"):
        facts.insert(0, ("Run", f'<b class="zf-mono">{escape(view.run_id)}</b>'))
    if record.get("target"):
        facts.append(("Target", f"<b>{escape(str(record['target']))}</b>"))
    if record.get("started_at"):
        facts.append(("Started", f"<b>{words.moment(record['started_at'])}</b>"))
    if waited:
        facts.append(("Waited" if record.get("started_at") else "Waiting", f"<b>{waited}</b>"))
    said = [f"<span>{name} {value}</span>" for name, value in facts]
    link = escape(view.url, quote=True)
    said.append(f'<a href="{link}" target="_blank" rel="noopener">Details ↗</a>')
    if not view.ended:
        said.append(f"<span>as of {words.clock(now)}</span>")
    return f'<div class="zf-meta">{"".join(said)}</div>'


def _chips(tags: dict[str, Any]) -> str:
    if not tags:
        return ""
    chips = [
        f'<span class="zf-chip">{escape(words.short(name))}'
        + (f" <b>{escape(words.short(value))}</b>" if value not in (None, "") else "")
        + "</span>"
        for name, value in list(tags.items())[:12]
    ]
    more = f'<span class="zf-chip">+{len(tags) - 12}</span>' if len(tags) > 12 else ""
    return f'<div class="zf-chips">{"".join(chips)}{more}</div>'


def _notes(view: RunView) -> str:
    notes: list[str] = []
    if view.trouble:
        notes.append(_note("warn", f"<div>{escape(view.trouble)}</div>"))
    found, why = words.error(view.record), words.reason(view)
    if found:
        code, message, place = found
        body = f"<div><b>{escape(code)}</b>  {escape(message)}</div>"
        if place:
            body += f'<div class="zf-mono">{escape(place)}</div>'
        if why and message not in why:
            body += f'<div class="zf-soft">{escape(why)}</div>'
        notes.append(_note("bad", body))
    elif why:
        notes.append(_note("bad" if view.state == "Failed" else "off", f"<div>{escape(why)}</div>"))
    notes += [
        _note("warn", f"<div>{escape(one)}</div>") for one in view.record.get("warnings") or ()
    ]
    return "".join(notes)


def _note(colour: str, body: str) -> str:
    return f'<div class="zf-note zf-{colour}">{body}</div>'


def _title(text: str, more: str = "") -> str:
    return f'<div class="zf-title">{text}{f"<span>{more}</span>" if more else ""}</div>'


# -- metrics and children


def metrics(view: RunView, now: datetime) -> str:
    """Return the children, single values, charts and tables."""
    shown = _children(view, now)
    found = list(view.metrics.values())
    tiles = [m for m in found if not m.is_curve and not m.columns and m.last_value() is not None]
    tiles = [m for m in tiles if m not in [metric for metric, _ in view.file_metrics()]]
    curves = [m for m in found if m.is_curve]
    tables = [m for m in found if m.columns]
    if tiles or curves or tables:
        shown += _title("Metrics", _counts(curves, "curve"))
        shown += _tiles(tiles) + _curves(curves)
        if tables:
            drawn = "".join(_table(metric) for metric in tables[:_TABLES_SHOWN])
            shown += f'<div class="zf-tables">{drawn}</div>'
        if len(tables) > _TABLES_SHOWN:
            shown += _more(len(tables) - _TABLES_SHOWN, "tables")
    elif not view.children:
        said = "No metrics were logged." if view.ended else "No metrics yet."
        shown += _title("Metrics") + f'<div class="zf-empty">{said}</div>'
    return _card(shown)


def _counts(found: Sequence[object], noun: str) -> str:
    return f"{len(found)} {noun}{'s' if len(found) > 1 else ''}" if found else ""


def _more(count: int, noun: str) -> str:
    how = '<span class="zf-mono">run.get_metrics()</span> returns all of them'
    return f'<p class="zf-empty">{count:,} more {noun}: {how}.</p>'


def _tiles(found: list[Metric]) -> str:
    if not found:
        return ""
    cells: list[str] = []
    for metric in found[:_TILES_SHOWN]:
        value = metric.last_value()
        as_words = ' class="zf-words"' if isinstance(value, str) else ""
        if metric.count > 1 and metric.texts:
            value = ", ".join(metric.texts)
        shown = words.short(words.number(value), 120)
        cells.append(
            f'<div class="zf-tile" title="{escape(metric.name, quote=True)}">'
            f"<div>{escape(metric.name)}</div><div{as_words}>{escape(shown)}</div></div>"
        )
    more = _more(len(found) - _TILES_SHOWN, "values") if len(found) > _TILES_SHOWN else ""
    return f'<div class="zf-tiles">{"".join(cells)}</div>{more}'


def _curves(found: list[Metric]) -> str:
    if not found:
        return ""
    charts: list[str] = []
    for metric in found[:CHARTS_SHOWN]:
        curve = metric.curve
        drawn = line_chart([("", curve.points)], curve.axis, metric.name)
        said = [
            f"{word} {words.number(value)} at {curve.axis} {words.number(place)}"
            for word, value, place in words.extremes(metric)[:1]
        ]
        if len(words.extremes(metric)) > 1:
            said = [f"{word} {words.number(v)}" for word, v, _ in words.extremes(metric)]
        said.append(f"{curve.count:,} points")
        if curve.not_finite:
            said.append(f"{curve.not_finite:,} NaN or infinite")
        charts.append(chart_figure(metric.name, words.number(curve.last), " · ".join(said), drawn))
    more = _more(len(found) - CHARTS_SHOWN, "curves") if len(found) > CHARTS_SHOWN else ""
    return f'<div class="zf-grid-of">{"".join(charts)}</div>{more}'


def _table(metric: Metric) -> str:
    points = metric.xy()
    columns = metric.columns
    title = (
        f'<div class="zf-sub">{escape(metric.name)} <span>{metric.row_count:,} rows</span></div>'
    )
    if points and len(points) > _ROWS_SHOWN:
        drawn = line_chart([("", points)], columns[0], columns[1])
        return f'<div>{title}<figure class="zf-chart">{drawn}</figure></div>'
    rows, left_out = metric.first_rows, metric.row_count - len(metric.first_rows)
    if metric.row_count > _ROWS_SHOWN:
        rows = metric.first_rows[: _ROWS_SHOWN // 2]
        last = [*metric.first_rows, *metric.last_rows][-_ROWS_SHOWN // 2 :]
        left_out = metric.row_count - len(rows) - len(last)
    else:
        last = []
    shown = columns[:_COLUMNS_SHOWN]
    body = "".join(_row(row, shown) for row in rows)
    if left_out:
        between = f"… {left_out:,} rows between …"
        body += f'<tr><td class="zf-empty" colspan="{len(shown)}">{between}</td></tr>'
    body += "".join(_row(row, shown) for row in last)
    numeric = [all(_is_figure(row.get(c)) for row in [*rows, *last]) for c in shown]
    names = "".join(
        f"<th{' class=zf-n' if is_numeric else ''}>{escape(words.short(c))}</th>"
        for c, is_numeric in zip(shown, numeric)
    )
    if len(columns) > len(shown):
        names += f"<th>+{len(columns) - len(shown)} columns</th>"
    return (
        f'<div>{title}<div class="zf-wide"><table><thead><tr>{names}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></div>"
    )


def _row(row: dict[str, Any], columns: Sequence[str]) -> str:
    return f"<tr>{''.join(_cell(row.get(column)) for column in columns)}</tr>"


def _cell(value: object, mark: str = "") -> str:
    figure = "zf-n" if _is_figure(value) else ""
    kind = f' class="{f"{figure} {mark}".strip()}"' if figure or mark else ""
    return f"<td{kind}>{escape(words.short('' if value is None else words.number(value)))}</td>"


def _is_figure(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _children(view: RunView, now: datetime) -> str:
    records = view.children
    if not records:
        return ""
    states = words.counted_states(records)
    share = "".join(
        f'<i class="zf-{_COLOURS.get(state, "off")}" style="flex:{count}"></i>'
        for state, count in states
    )
    legend = "".join(
        f'<span><i class="zf-{_COLOURS.get(state, "off")}" style="background:var(--zf-'
        f'{_COLOURS.get(state, "off")})"></i><b>{count}</b> {escape(_spaced(state).lower())}</span>'
        for state, count in states
    )
    columns = view.child_columns(_CHILD_METRICS_SHOWN)
    bests = {name: _best_child(view, name) for name in columns}
    body: list[str] = []
    for record in records[:_CHILDREN_SHOWN]:
        run_id = record["run_id"]
        cells = [
            f"<td>{escape(str(record.get('number', '')))}</td>",
            f'<td title="{escape(run_id, quote=True)}">'
            f"{escape(words.short(record.get('display_name') or run_id, 40))}</td>",
            f"<td>{_pill(record['state'])}</td>",
            f'<td class="zf-n">{words.run_time(record, now)}</td>',
        ]
        for name in columns:
            metric = view.child_metrics.get(run_id, {}).get(name)
            best = "zf-top" if bests[name] == run_id else ""
            cells.append(_cell(metric.last_value() if metric else None, best))
        body.append(f"<tr>{''.join(cells)}</tr>")
    names = "".join(
        f'<th class="zf-n" title="{escape(c, quote=True)}">{escape(words.short(c, 24))}</th>'
        for c in columns
    )
    count = f"{len(records)}{'+' if view.more_children else ''}"
    hidden = len(records) - _CHILDREN_SHOWN
    more = ""
    if hidden > 0 or view.more_children:
        more = (
            f'<p class="zf-empty">The newest {min(len(records), _CHILDREN_SHOWN)} are shown: '
            '<span class="zf-mono">run.get_children()</span> returns all of them.</p>'
        )
    return (
        f'{_title("Children", count)}<div class="zf-share">{share}</div>'
        f'<div class="zf-legend">{legend}</div><div class="zf-wide"><table><thead><tr><th>No.</th>'
        f'<th>Run</th><th>State</th><th class="zf-n">Duration</th>{names}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>{more}"
    )


def _best_child(view: RunView, name: str) -> str | None:
    """Return the child whose last value is best, None if the name does not say what is."""
    is_low = words.best_is_low(name)
    numbers: dict[str, float] = {}
    for run_id, found in view.child_metrics.items():
        value = found[name].last_value() if name in found else None
        if isinstance(value, (int, float)) and isfinite(value):
            numbers[run_id] = value
    if is_low is None or len(numbers) < 2:
        return None
    return (min if is_low else max)(numbers, key=lambda run_id: numbers[run_id])


# -- pictures, files, properties


def about(view: RunView, now: datetime) -> str:
    """Return pictures, then files and properties folded up."""
    del now
    figures = [
        drawn
        for metric, names in view.file_metrics()
        for name in names
        for drawn in [figure(view, metric, name)]
        if drawn
    ]
    own = {name for _, names in view.file_metrics() for name in names}
    figures += [image(name, view.contents[name]) for name in view.contents if name not in own]
    shown = ""
    if figures:
        grid = "".join(figures[:_PICTURES_SHOWN])
        shown += _title("Pictures") + f'<div class="zf-grid-of">{grid}</div>'
        if len(figures) > _PICTURES_SHOWN:
            shown += _more(len(figures) - _PICTURES_SHOWN, "pictures")
    properties: dict[str, str] = view.record.get("properties") or {}
    if view.files:
        listed = list(view.files.items())[:_FILES_SHOWN]
        rows = "".join(
            f'<tr><td class="zf-mono">{escape(name)}</td>'
            f'<td class="zf-n">{words.size(count)}</td></tr>'
            for name, count in listed
        )
        if len(view.files) > _FILES_SHOWN:
            rows += f'<tr><td class="zf-empty">{len(view.files) - _FILES_SHOWN:,} more</td></tr>'
        shown += _folded(f"Files ({len(view.files):,})", rows)
    rows = "".join(
        f"<tr><td>{escape(name)}</td>"
        f'<td class="zf-mono">{escape(words.short(value, 200))}</td></tr>'
        for name, value in properties.items()
    )
    shown += _folded(f"Properties ({len(properties)})", rows or "<tr><td>None</td></tr>")
    return _card(shown)


def _folded(title: str, rows: str) -> str:
    return (
        f'<details><summary>{title}</summary><div class="zf-wide"><table><tbody>{rows}</tbody>'
        "</table></div></details>"
    )


# -- logs


def log(view: RunView, now: datetime) -> str:
    """Return the end of the script's log, and of the others folded up."""
    del now
    first = view.script_log()
    if first is None:
        said = "Nothing was printed." if view.ended else "No output yet."
        return _card(_title("Log") + f'<div class="zf-empty">{said}</div>')
    lines = first.lines()
    cut = first.cut or len(lines) > _LOG_LINES_SHOWN
    about_it = f'<span class="zf-mono">{escape(first.name)}</span>' + (" (its end)" if cut else "")
    shown = _title("Log", about_it) + _log_box(lines[-_LOG_LINES_SHOWN:])
    others = [name for name in sorted(view.logs) if name != first.name]
    for name in others[:_OTHER_LOGS_SHOWN]:
        other = view.logs[name].lines()
        shown += (
            f'<details><summary class="zf-mono">{escape(name)}</summary>'
            f"{_log_box(other[-_OTHER_LOG_LINES:])}</details>"
        )
    if len(others) > _OTHER_LOGS_SHOWN:
        shown += (
            f'<p class="zf-empty">{len(others) - _OTHER_LOGS_SHOWN} more logs: '
            '<span class="zf-mono">run.get_all_logs()</span> downloads them.</p>'
        )
    return _card(shown)


def _log_box(lines: list[str]) -> str:
    # In a reversed column the box stands at its end without a script.
    return f'<div class="zf-log"><pre>{escape(chr(10).join(lines))}</pre></div>'


#: The parts that change with what they show and not with the clock.
CHANGING = {"metrics": metrics, "about": about, "log": log}
