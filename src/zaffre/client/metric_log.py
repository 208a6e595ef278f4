"""From a logged value to a record in the spool: the path that a training loop pays for.

Measured on Python 3.11 and 3.8: a dict through json.JSONEncoder costs what json.dumps does; the
common record, a number, is put together by hand in 60 % of that.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from time import time

from zaffre.contract.metric_value import RECORD_MAX_BYTES, encode_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Mapping, Sequence

    from zaffre.client.spool import Spool
    from zaffre.contract.metric import MetricKind

_INFINITY = float("inf")
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class MetricLog:
    """Appends records of one run to a spool. Safe to call from threads.

    Names and values are taken as they are: Python's own int, float, bool, str and None (what
    numpy holds is turned into these by the caller); NaN and infinities are kept as such.

    after: called when a record has been appended, such as what wakes the shipping thread.

    Each method raises RecordTooLarge, or OSError when the disk is full.
    """

    def __init__(
        self, run_id: str, spool: Spool, *, after: Callable[[], None] | None = None
    ) -> None:
        self.run_id = run_id
        self.spool = spool
        self._after = after
        self._head = f'{{"run":{_encode(run_id)},"name":'

    def scalar(
        self,
        name: str,
        value: float | str | None,
        *,
        step: int | None = None,
        description: str | None = None,
    ) -> None:
        """Add one value."""
        # NaN fails both comparisons; a bool is not exactly an int, and JSON writes it otherwise.
        is_number = type(value) in (float, int) and -_INFINITY < value < _INFINITY  # type: ignore[operator]
        if is_number and description is None:
            tail = "}" if step is None else f',"step":{step}}}'
            text = (
                f"{self._head}{encode_basestring(name)}"
                f',"kind":"scalar","at":{time()!r},"value":{value!r}{tail}'
            )
            self._append(text)
            return
        record = self._record(name, "scalar", description)
        record["value"] = encode_value(value)
        if step is not None:
            record["step"] = step
        self._append(_encode(record))

    def values(self, name: str, values: Sequence[Any], *, description: str | None = None) -> None:
        """Add a list of values, as several records if one would be too large."""
        record = self._record(name, "list", description)
        record["values"] = [encode_value(value) for value in values]
        self._append_split(record, "values")

    def row(self, name: str, cells: Mapping[str, Any], *, description: str | None = None) -> None:
        """Add one row."""
        record = self._record(name, "row", description)
        record["row"] = {column: encode_value(cell) for column, cell in cells.items()}
        self._append(_encode(record))

    def table(
        self,
        name: str,
        columns: Mapping[str, Sequence[Any]],
        *,
        description: str | None = None,
    ) -> None:
        """Add a table: columns of one length, as several records if one would be too large."""
        record = self._record(name, "table", description)
        record["columns"] = {
            column: [encode_value(cell) for cell in cells] for column, cells in columns.items()
        }
        self._append_split(record, "columns")

    def file(
        self, name: str, kind: MetricKind, uri: str, *, description: str | None = None
    ) -> None:
        """Add a metric that is kept as a file of the run (an image, a confusion matrix ...)."""
        record = self._record(name, kind.value, description)
        record["value"] = uri
        self._append(_encode(record))

    def _record(self, name: str, kind: str, description: str | None) -> dict[str, Any]:
        record: dict[str, Any] = {
            "run": self.run_id,
            "name": name,
            "kind": kind,
            "at": time(),
        }
        if description is not None:
            record["description"] = description
        return record

    def _append(self, text: str) -> None:
        try:
            line = text.encode()
        except UnicodeEncodeError:
            # Half a surrogate pair has no place in UTF-8, and the rest of the record has.
            line = text.encode("utf-8", "replace")
        self.spool.append(line)
        if self._after is not None:
            self._after()

    def _append_split(self, record: dict[str, Any], field: str) -> None:
        """Append a record, halved as often as it takes for each part to be short enough."""
        text = _encode(record)
        points = record[field]
        length = len(points) if field == "values" else max(map(len, points.values()), default=0)
        if len(text) * 4 <= RECORD_MAX_BYTES or length < 2 or _fits(text):
            self._append(text)
            return
        half = length // 2
        for part in (slice(None, half), slice(half, None)):
            cut = points[part] if field == "values" else {c: v[part] for c, v in points.items()}
            self._append_split({**record, field: cut}, field)


def _fits(text: str) -> bool:
    return len(text.encode("utf-8", "replace")) <= RECORD_MAX_BYTES
