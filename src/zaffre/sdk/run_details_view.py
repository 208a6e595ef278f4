"""What RunDetails knows of a run, put together from the events that the server sends.

However long a run is, this stays small: of each metric's curve at most 2 * CURVE_POINTS points
are kept, of each log its end.
"""

from __future__ import annotations

import math

from zaffre.contract.metric import decode_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Tuple

    #: Where a value stands (its position or its step), and the value.
    Points = List[Tuple[float, float]]

FINAL = ("Completed", "Failed", "Canceled")
#: Metrics whose values are addresses of files of the run.
FILE_KINDS = ("image", "confusion_matrix", "accuracy_table", "residuals", "predictions")
CURVE_POINTS = 1_000
#: So much of the end of a log is kept, characters.
LOG_TAIL_CHARS = 20_000
#: Of a metric of rows so many first and last ones are kept.
FIRST_ROWS = 500
LAST_ROWS = 4
_KEPT_VALUES = 8


def thin(points: Points, limit: int) -> Points:
    """Return at most `limit` of the points, sorted by their place, that draw the same curve.

    Of each of limit / 2 equally wide columns the lowest and the highest are kept.
    """
    if len(points) <= limit:
        return points
    left = points[0][0]
    width = (points[-1][0] - left) / max(1, limit // 2) or 1.0
    columns: dict[int, list[tuple[float, float]]] = {}
    for point in points:
        column = min(int((point[0] - left) / width), max(1, limit // 2) - 1)
        pair = columns.setdefault(column, [point, point])
        if point[1] < pair[0][1]:
            pair[0] = point
        if point[1] >= pair[1][1]:
            pair[1] = point
    kept: Points = []
    for low, high in columns.values():
        kept.extend(sorted({low, high}))
    return kept


class Curve:
    """Numbers in the order logged. low, high: the (place, value) of the extremes."""

    def __init__(self) -> None:
        self.count = 0
        self.not_finite = 0
        self.last: float | None = None
        self.low: tuple[float, float] | None = None
        self.high: tuple[float, float] | None = None
        self.by_step = True
        self._by_position: Points = []
        self._by_step: Points = []

    @property
    def points(self) -> Points:
        """The points to draw, by step if all had one that did not fall, else by position."""
        return thin(self._by_step if self.by_step else self._by_position, CURVE_POINTS)

    @property
    def axis(self) -> str:
        """What the places are."""
        return "step" if self.by_step else "position"

    def add(self, position: int, step: int | None, value: float) -> None:
        """Add the next value."""
        self.count += 1
        self.last = value
        if self.by_step and (step is None or (self._by_step and step < self._by_step[-1][0])):
            self.by_step = False
            self.low = self._at_position(self.low)
            self.high = self._at_position(self.high)
            self._by_step = []
        if not math.isfinite(value):
            self.not_finite += 1
            return
        place = step if self.by_step and step is not None else position
        if self.low is None or value < self.low[1]:
            self.low = (place, value)
        if self.high is None or value > self.high[1]:
            self.high = (place, value)
        self._by_position = _with(self._by_position, (position, value))
        if self.by_step:
            self._by_step = _with(self._by_step, (place, value))

    def _at_position(self, extreme: tuple[float, float] | None) -> tuple[float, float] | None:
        if extreme is None:
            return None
        value = extreme[1]
        return next((point for point in self._by_position if point[1] == value), extreme)


def _with(points: Points, point: tuple[float, float]) -> Points:
    points.append(point)
    return thin(points, CURVE_POINTS) if len(points) > 2 * CURVE_POINTS else points


class Metric:
    """One metric of a run: a curve of numbers, the last texts, the first and last rows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind = "scalar"
        self.count = 0
        self.curve = Curve()
        self.texts: list[str] = []
        self.columns: list[str] = []
        self.first_rows: list[dict[str, Any]] = []
        self.last_rows: list[dict[str, Any]] = []

    @property
    def is_curve(self) -> bool:
        """Whether there is a line to draw."""
        return self.curve.count > 1 and self.curve.low is not None and not self.columns

    def take(self, kind: str, values: list[Any], steps: list[int | None] | None) -> None:
        """Add values as the server encodes them."""
        self.kind = kind
        for index, encoded in enumerate(values):
            value = decode_value(encoded)
            if isinstance(value, dict):
                self._add_row(value)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                self.curve.add(self.count, steps[index] if steps else None, float(value))
            else:
                self.texts = [*self.texts[-_KEPT_VALUES + 1 :], str(value)]
            self.count += 1

    def _add_row(self, row: dict[str, Any]) -> None:
        self.columns.extend(column for column in row if column not in self.columns)
        if len(self.first_rows) < FIRST_ROWS:
            self.first_rows.append(row)
        else:
            self.last_rows = [*self.last_rows[-LAST_ROWS + 1 :], row]

    @property
    def row_count(self) -> int:
        """How many rows were logged, of which `first_rows` and `last_rows` are kept."""
        return self.count - self.curve.count

    def xy(self) -> Points:
        """Return the rows as points, if they are two columns of numbers that are all kept."""
        if len(self.columns) != 2 or self.last_rows or len(self.first_rows) < 3:
            return []
        x, y = self.columns
        points = [(row.get(x), row.get(y)) for row in self.first_rows]
        if all(is_number(one) and is_number(other) for one, other in points):
            return sorted(points)  # pyright: ignore[reportReturnType] - seen in the line before
        return []

    def last_value(self) -> float | str | None:
        """Return the last number or text; None for rows."""
        if self.curve.last is not None:
            return self.curve.last
        return self.texts[-1] if self.texts else None


def is_number(value: object) -> bool:
    """Say whether a value can be drawn."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


class Log:
    """The end of one log."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""
        self.cut = False

    def take(self, text: str) -> None:
        """Add what was written since."""
        whole = self.text + text
        self.cut = self.cut or len(whole) > LOG_TAIL_CHARS
        self.text = whole[-LOG_TAIL_CHARS:]

    def lines(self) -> list[str]:
        """Return the lines as a terminal would show them: colours left out, bars by their last."""
        import re

        text = re.sub(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)", "", self.text)
        lines = text.replace("\r\n", "\n").split("\n")
        if self.cut and len(lines) > 1:
            lines = lines[1:]  # the first is half a line
        shown = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in lines]
        while shown and not shown[-1]:
            shown.pop()
        return shown


class RunView:
    """What is known of one run. changes: how often each part has changed.

    record: the server's. children: the records of the newest children; child_values: by child id
    the last value of each of its metrics, and by `child_curves` its low and high. files: name to
    size in bytes, None while nobody has looked. contents: what was read of files, by name.
    trouble: why the view may be behind, '' if it is not.
    """

    def __init__(self, run_id: str, record: dict[str, Any], url: str) -> None:
        self.run_id = run_id
        self.record = record
        self.url = url
        self.metrics: dict[str, Metric] = {}
        self.logs: dict[str, Log] = {}
        self.children: list[dict[str, Any]] = []
        self.more_children = False
        self.child_metrics: dict[str, dict[str, Metric]] = {}
        self.files: dict[str, int] | None = None
        self.contents: dict[str, Any] = {}
        self.trouble = ""
        self.changes = {"metrics": 0, "log": 0, "about": 0}

    @property
    def state(self) -> str:
        """The run's state, as last told."""
        return self.record["state"]

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more."""
        return self.state in FINAL

    def take(self, kind: str, data: dict[str, Any]) -> None:
        """Take one event of the server's stream. One that begins at 0 begins its thing anew."""
        if kind == "state":
            self.record = data
            self.changes["about"] += 1
        elif kind == "log":
            name = data["name"]
            if not data["offset"] or name not in self.logs:
                self.logs[name] = Log(name)
            self.logs[name].take(data["text"])
            self.changes["log"] += 1
        elif kind == "metric":
            name = data["name"]
            if not data["first_position"] or name not in self.metrics:
                self.metrics[name] = Metric(name)
            self.metrics[name].take(data["kind"], data["values"], data.get("steps"))
            self.changes["metrics"] += 1

    def script_log(self) -> Log | None:
        """Return the log to show first: what the script printed, else the last by name."""
        for name in ("user_logs/std_log.txt", "azureml-logs/70_driver_log.txt"):
            if name in self.logs:
                return self.logs[name]
        return self.logs[max(self.logs)] if self.logs else None

    def file_metrics(self) -> list[tuple[Metric, list[str]]]:
        """Return the metrics that are files, with the names of these."""
        prefix = f"aml://artifactId/ExperimentRun/dcid.{self.run_id}/"
        found: list[tuple[Metric, list[str]]] = []
        for metric in self.metrics.values():
            if metric.kind in FILE_KINDS:
                own = [text for text in metric.texts if text.startswith(prefix)]
                found.append((metric, [text[len(prefix) :] for text in own]))
        return found

    def child_columns(self, limit: int) -> list[str]:
        """Return the names of the metrics that most children have, at most `limit`."""
        counts: dict[str, int] = {}
        for metrics in self.child_metrics.values():
            for name, metric in metrics.items():
                if metric.last_value() is not None and metric.kind not in FILE_KINDS:
                    counts[name] = counts.get(name, 0) + 1
        return sorted(counts, key=lambda name: -counts[name])[:limit]
