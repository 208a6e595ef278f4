"""What has happened to a run since a cursor: states, log text, points of metrics.

The cursor says how far its holder has come: the state told last, an offset per log, a
position per metric. So a stream that was cut goes on where it stopped, at any server, and no
server remembers anybody. A cursor has a largest size, however many metrics a run has: it names the
longest ones, and who goes on gets the others from their start again.
"""

from __future__ import annotations

import base64
import binascii
import heapq
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import msgspec

from zaffre.contract.errors import Invalid
from zaffre.contract.run import is_final
from zaffre.server.access import Caller, require
from zaffre.server.store import log as logs
from zaffre.server.store import metric as metrics
from zaffre.server.store import run as runs
from zaffre.server.store import run_key as run_keys
from zaffre.server.store.database import Transaction
from zaffre.server.store.metric import Metric
from zaffre.server.store.run_key import RunKey
from zaffre.server.store.store import Store

K = TypeVar("K", str, int)

#: Most bytes of one log, and most points of one metric, in one event.
LOG_MAX_BYTES = 256 << 10
POINTS_MAX = 10_000
#: Most bytes and points in one reading, over all logs and metrics.
_READ_MAX_BYTES = 1 << 20
_READ_MAX_POINTS = 50_000
_CURSOR_MAX_CHARS = 65_536
#: Most metrics that a cursor names, and most logs: their names may be long.
CURSOR_METRICS_MAX = 250
_CURSOR_LOGS_MAX = 30


@dataclass
class Cursor:
    """How far a reader has come.

    state: the state and attempt that it was told last. logs: offsets by name. metrics: positions
    by metric_key.
    """

    state: str = ""
    logs: dict[str, int] = field(default_factory=dict)
    metrics: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One event: 'state' with the run, 'log' or 'metric'."""

    kind: str
    data: Any


@dataclass(frozen=True)
class Reading:
    """What is new, where the reader is then, whether there is more at once, and if that is all."""

    events: list[Event]
    cursor: Cursor
    more: bool
    ended: bool


_decoder = msgspec.json.Decoder(Cursor)


def encode_cursor(cursor: Cursor) -> str:
    """Return a cursor as one word that names the longest logs and metrics."""
    logs_left = _longest(cursor.logs, _CURSOR_LOGS_MAX)
    short = Cursor(cursor.state, logs_left, _longest(cursor.metrics, CURSOR_METRICS_MAX))
    return base64.urlsafe_b64encode(msgspec.json.encode(short)).decode()


def _longest(read: dict[K, int], most: int) -> dict[K, int]:
    if len(read) <= most:
        return read
    return dict(heapq.nlargest(most, read.items(), key=lambda item: item[1]))


def parse_cursor(text: str) -> Cursor:
    """Return the cursor that `encode_cursor` made; '' is the start."""
    if not text:
        return Cursor()
    if len(text) > _CURSOR_MAX_CHARS:
        raise Invalid("since", "is not the id of an event of this stream")
    try:
        cursor = _decoder.decode(base64.urlsafe_b64decode(text))
    except (msgspec.DecodeError, binascii.Error, ValueError) as problem:
        raise Invalid("since", "is not the id of an event of this stream") from problem
    if any(not 0 <= n < 2**62 for n in [*cursor.logs.values(), *cursor.metrics.values()]):
        raise Invalid("since", "is not the id of an event of this stream")
    return cursor


def check(run_id: str, *, caller: Caller, store: Store) -> None:
    """Refuse a caller who may not listen, before the stream begins."""
    with store.database.reading() as tx:
        require(caller, "run.read", run_keys.get(tx, run_id).workspace_id)


def read(run_id: str, cursor: Cursor, *, store: Store) -> Reading:
    """Return what has happened since `cursor`.

    The run's state is read first: once it is final, all that belongs to the run is there, and the
    state is told after it.
    """
    after = Cursor(cursor.state, dict(cursor.logs), dict(cursor.metrics))
    with store.database.reading() as tx:
        run = runs.get(tx, run_id).run
        key = run_keys.get(tx, run_id)
        final = is_final(run.state)
        events, logs_left = _read_logs(tx, key, after, store, final=final)
        points, points_left = _read_metrics(tx, key, after)
    events += points
    more = logs_left or points_left
    state = f"{run.state.value}@{run.attempt}"
    if state != after.state and not (final and more):
        after.state = state
        place = len(events) if final else 0
        events.insert(place, Event("state", replace(run, spec=None)))
    return Reading(events, after, more=more, ended=final and not more)


def _read_logs(
    tx: Transaction, run: RunKey, after: Cursor, store: Store, *, final: bool
) -> tuple[list[Event], bool]:
    events: list[Event] = []
    left = _READ_MAX_BYTES
    more = False
    for log in logs.find_all(tx, run.run_key):
        offset = after.logs.get(log.name, 0)
        path = logs.file_path(store.logs_path, run.run_key, log.name)
        size = logs.size_of(path)
        if size <= offset:
            continue
        if left <= 0:
            more = True
            continue
        with logs.open_log(path) as file:
            file.seek(offset)
            content = file.read(min(LOG_MAX_BYTES, left))
        whole = content if final and offset + len(content) >= size else _whole_text(content)
        if not whole:
            continue
        text = whole.decode("utf-8", "replace")
        events.append(Event("log", {"name": log.name, "offset": offset, "text": text}))
        after.logs[log.name] = offset + len(whole)
        left -= len(whole)
        more = more or offset + len(content) < size
    return events, more


def _whole_text(content: bytes) -> bytes:
    """Return `content` without the beginning of a character at its end."""
    for back in range(1, min(4, len(content)) + 1):
        byte = content[-back]
        if byte < 0x80:
            return content
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return content[:-back] if length > back else content
    return content


def _read_metrics(tx: Transaction, run: RunKey, after: Cursor) -> tuple[list[Event], bool]:
    events: list[Event] = []
    left = _READ_MAX_POINTS
    more = False
    for metric in metrics.find_all(tx, [run.run_key]):
        first = after.metrics.get(metric.metric_key, 0)
        if metric.point_count <= first:
            continue
        if left <= 0:
            more = True
            continue
        limit = min(POINTS_MAX, left)
        columns = metrics.read(tx, metric.metric_key, first=first, limit=limit)
        count = len(columns.values)
        if not count:
            continue
        events.append(Event("metric", _metric_event(metric, first, columns)))
        after.metrics[metric.metric_key] = first + count
        left -= count
        more = more or first + count < metric.point_count
    return events, more


def _metric_event(metric: Metric, first: int, columns: metrics.Columns) -> dict[str, Any]:
    return {
        "name": metric.name,
        "kind": metric.kind,
        "values": columns.values,
        "steps": columns.steps,
        "times": columns.times,
        "first_position": first,
    }
