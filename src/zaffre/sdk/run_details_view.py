"""What RunDetails knows of a run, put together from the events that the server sends.

However long a run is, this stays small: of each metric's curve at most 2 * CURVE_POINTS points
are kept, of each log its end.
"""

from __future__ import annotations

import operator
from math import isfinite

from zaffre.contract.metric import decode_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Tuple, TypeVar

    #: A place, a value, and what else belongs to it.
    Point = TypeVar("Point", Tuple[float, float], Tuple[float, float, float])
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
_FIGURES = frozenset((int, float))


def thin(points: list[Point], limit: int) -> list[Point]:
    """Return at most `limit` of the points, sorted by their place, that draw the same curve.

    Of each of limit / 2 equally wide columns the lowest and the highest are kept.
    """
    if len(points) <= limit:
        return points
    count = max(1, limit // 2)
    left = points[0][0]
    width = (points[-1][0] - left) / count or 1.0
    kept: list[Point] = []
    column, low, high = 0, points[0], points[0]
    for point in points:
        # Rounding must not make one column more of the last place.
        its_column = min(int((point[0] - left) / width), count - 1)
        if its_column != column:
            kept += _in_order(low, high)
            column, low, high = its_column, point, point
        elif point[1] < low[1]:
            low = point
        elif point[1] >= high[1]:
            high = point
    return kept + _in_order(low, high)


def _in_order(low: Point, high: Point) -> list[Point]:
    if low is high:
        return [low]
    return [low, high] if low[0] <= high[0] else [high, low]


class Curve:
    """Numbers in the order logged. low, high: the (place, value) of the extremes."""

    def __init__(self) -> None:
        self.count = 0
        self.not_finite = 0
        self.last: float | None = None
        self.low: tuple[float, float] | None = None
        self.high: tuple[float, float] | None = None
        self.by_step = True
        #: (place, value, position): the place is the step or the position.
        self._points: list[tuple[float, float, float]] = []

    @property
    def points(self) -> Points:
        """The points to draw, by step if all had one that did not fall, else by position."""
        return [(place, value) for place, value, _ in thin(self._points, CURVE_POINTS)]

    @property
    def axis(self) -> str:
        """What the places are."""
        return "step" if self.by_step else "position"

    def add(self, first: int, values: list[float], steps: list[int | None] | None) -> None:
        """Add values that stand at positions from `first` on."""
        self.count += len(values)
        self.last = values[-1]
        positions = range(first, first + len(values))
        places = self._rising(steps) if self.by_step else None
        if places is None and self.by_step:
            self.by_step = False
            self._points = [(position, value, position) for _, value, position in self._points]
            self.low, self.high = self._by_position(self.low), self._by_position(self.high)
        points = [
            point for point in zip(places or positions, values, positions) if isfinite(point[1])
        ]
        self.not_finite += len(values) - len(points)
        if not points:
            return
        low, high = min(points, key=_value), max(points, key=_value)
        if self.low is None or low[1] < self.low[1]:
            self.low = low[:2]
        if self.high is None or high[1] > self.high[1]:
            self.high = high[:2]
        self._points += points
        if len(self._points) > 2 * CURVE_POINTS:
            self._points = thin(self._points, CURVE_POINTS)

    def _rising(self, steps: list[int | None] | None) -> list[int] | None:
        """Return the steps if there are all and none falls."""
        found = [step for step in steps or () if step is not None]
        if not found or steps is None or len(found) != len(steps):
            return None
        whole = [int(self._points[-1][0]), *found] if self._points else found
        return found if all(map(operator.le, whole, whole[1:])) else None

    def _by_position(self, extreme: tuple[float, float] | None) -> tuple[float, float] | None:
        if extreme is None:
            return None
        value = extreme[1]
        return next((point[:2] for point in self._points if point[1] == value), extreme)


_value = operator.itemgetter(1)


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
        if values and _FIGURES.issuperset(map(type, values)):
            self.curve.add(self.count, values, steps)
            self.count += len(values)
            return
        for index, encoded in enumerate(values):
            value = decode_value(encoded)
            if isinstance(value, dict):
                self._add_row(value)
            elif type(value) in _FIGURES:
                self.curve.add(self.count, [value], [steps[index]] if steps else None)
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
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


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

    record: the server's. children: the records of the newest children; child_metrics: by child id
    and name. files: name to size in bytes, None while nobody has looked. contents: by file name an
    image's bytes, a document, or a text that says why it is not shown.
    waits: the server's present sentence for what a queued run waits for, '' while nobody has asked.
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
        self.waits = ""
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
