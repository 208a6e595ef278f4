"""What RunDetails keeps of a run, and how it draws that: rules without a server."""

from __future__ import annotations

import math
import xml.etree.ElementTree as tree
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zaffre.sdk import run_details_html as html
from zaffre.sdk import run_details_screen as screens
from zaffre.sdk import run_details_text as text
from zaffre.sdk import run_details_words as words
from zaffre.sdk.run_details_chart import bar_chart, line_chart
from zaffre.sdk.run_details_view import (
    CURVE_POINTS,
    FIRST_ROWS,
    LOG_TAIL_CHARS,
    Log,
    Metric,
    RunView,
    thin,
)

NOW = datetime(2021, 1, 17, 15, 0, tzinfo=UTC)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def record(**changes: Any) -> dict[str, Any]:
    """A server's record of a run."""
    return {
        "run_id": "r1",
        "experiment_name": "e",
        "number": 3,
        "state": "Running",
        "created_at": "2021-01-17T14:42:30.000000Z",
        "started_at": "2021-01-17T14:42:38.635595Z",
        **changes,
    }


def looked_at(**changes: Any) -> RunView:
    """A view of a run of which nothing but its record is known."""
    return RunView("r1", record(**changes), "http://localhost/runs/r1")


def log_metric(
    view: RunView, name: str, values: list[Any], kind: str = "scalar", **more: Any
) -> None:
    """Take values of a metric as the server sends them."""
    event = {"name": name, "kind": kind, "values": values, "first_position": 0, **more}
    view.take("metric", event)


def whole_html(view: RunView) -> str:
    """All parts, one after the other."""
    return "".join(html.parts(view, NOW).values())


# -- what is kept


@given(st.lists(FINITE, min_size=1, max_size=400), st.integers(2, 60))
def test_a_thinned_curve_keeps_its_extremes_and_its_order(ys: list[float], limit: int) -> None:
    points = [(float(x), y) for x, y in enumerate(ys)]
    kept = thin(points, limit)
    assert len(kept) <= limit
    assert kept == sorted(kept)
    assert set(kept) <= set(points)
    assert min(y for _, y in kept) == min(ys)
    assert max(y for _, y in kept) == max(ys)


def test_a_long_curve_stays_small_and_knows_its_extremes_and_its_last_value() -> None:
    metric = Metric("loss")
    count = 50 * CURVE_POINTS
    values = [math.sin(i / 999) for i in range(count)]
    values[7_777], values[33_333] = -9.0, 9.0
    for start in range(0, count, 500):
        metric.take("scalar", values[start : start + 500], None)
    assert metric.curve.count == count
    assert metric.curve.low == (7_777, -9.0)
    assert metric.curve.high == (33_333, 9.0)
    assert metric.curve.last == values[-1]
    assert len(metric.curve.points) <= CURVE_POINTS
    assert {(7_777, -9.0), (33_333, 9.0)} <= set(metric.curve.points)


def test_a_curve_goes_by_steps_until_one_is_missing_or_falls_back() -> None:
    metric = Metric("loss")
    metric.take("scalar", [3.0, 1.0], [10, 20])
    assert (metric.curve.axis, metric.curve.points) == ("step", [(10, 3.0), (20, 1.0)])
    metric.take("scalar", [2.0], [15])
    assert (metric.curve.axis, metric.curve.points) == ("position", [(0, 3.0), (1, 1.0), (2, 2.0)])
    assert metric.curve.low == (1, 1.0)


def test_values_that_are_no_finite_numbers_are_counted_and_not_drawn() -> None:
    view = looked_at()
    log_metric(view, "loss", [1.0, "NaN", 0.5, "Infinity"])
    assert view.metrics["loss"].curve.points == [(0, 1.0), (2, 0.5)]
    assert "2 NaN or infinite" in whole_html(view)
    log_metric(view, "gone", ["NaN", "NaN"])
    assert "nan" in whole_html(view)


def test_of_many_rows_the_first_and_the_last_are_kept() -> None:
    metric = Metric("rows")
    count = 10 * FIRST_ROWS
    metric.take("row", [{"x": i} for i in range(count)], None)
    assert metric.row_count == count
    assert [row["x"] for row in metric.last_rows] == list(range(count - 4, count))
    view = looked_at()
    view.metrics["rows"] = metric
    assert f"… {count - 8:,} rows between …" in whole_html(view)


def test_a_log_shows_its_end_as_a_terminal_would() -> None:
    log = Log("user_logs/std_log.txt")
    log.take("\x1b[1;31mred\x1b[0m\r\n")
    log.take(" 10%|#   |\r 50%|##  |\r100%|####|\nend\n\n")
    assert log.lines() == ["red", "100%|####|", "end"]
    log.take("x" * 79 + "\n")
    for _ in range(LOG_TAIL_CHARS // 80):
        log.take("y" * 79 + "\n")
    assert len(log.text) == LOG_TAIL_CHARS
    assert set("".join(log.lines())) == {"y"}


def test_a_stream_that_begins_anew_doubles_nothing() -> None:
    view = looked_at()
    for _ in range(2):
        view.take("log", {"name": "user_logs/std_log.txt", "offset": 0, "text": "one\n"})
        view.take("log", {"name": "user_logs/std_log.txt", "offset": 4, "text": "two\n"})
        log_metric(view, "loss", [1.0, 2.0])
    log = view.script_log()
    assert log is not None
    assert log.lines() == ["one", "two"]
    assert view.metrics["loss"].count == 2


# -- words


def test_durations_are_seconds_below_a_minute_and_a_clock_above() -> None:
    assert words.duration(-1) == "0.0 s"
    assert words.duration(4.24) == "4.2 s"
    assert words.duration(59.9) == "59 s"
    assert words.duration(3661) == "1:01:01"
    assert words.run_time(record(), NOW) == "0:17:21"
    assert words.run_time(record(started_at=None), NOW) == ""


def test_numbers_are_short() -> None:
    numbers = [0.1 + 0.2, 1234567.0, 1.5e-7, 12, True, "text", float("nan")]
    assert [words.number(n) for n in numbers] == [
        "0.3",
        "1,234,567",
        "1.5e-7",
        "12",
        "True",
        "text",
        "nan",
    ]


@pytest.mark.parametrize(
    ("name", "is_low"),
    [("val_loss", True), ("Accuracy", False), ("RMSE", True), ("auc_micro", False), ("rate", None)],
)
def test_the_name_of_a_metric_says_which_end_is_best(name: str, is_low: bool | None) -> None:
    assert words.best_is_low(name) is is_low


# -- drawings


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=50))
def test_whatever_is_finite_can_be_drawn(points: list[tuple[float, float]]) -> None:
    drawn = tree.fromstring(line_chart([("", sorted(points))], "step", "<loss>"))
    for element in drawn.iter():
        for name in ("cx", "cy", "x", "y", "width"):
            assert math.isfinite(float(element.get(name, "0")))


def test_a_chart_names_its_axes_and_says_values_under_the_pointer() -> None:
    drawn = line_chart([("", [(0, 0.5), (10, 1.5)])], "step", "loss")
    texts = [e.text for e in tree.fromstring(drawn).iter() if e.tag == "text"]
    assert {"step", "loss", "0", "10", "0.50", "1.50"} <= set(texts)
    assert "<title>step 10\nloss: 1.5</title>" in drawn
    assert "-1 to 0: 3" in bar_chart([-1, 0, 1], [3, 4], "residual", "count")


def test_a_large_run_gives_a_small_page() -> None:
    view = looked_at(state="Completed", ended_at="2021-01-17T15:00:00Z")
    for number in range(40):
        log_metric(view, f"metric {number}", [math.sin(i / 50) for i in range(3_000)])
    view.take("log", {"name": "user_logs/std_log.txt", "offset": 0, "text": "line\n" * 10_000})
    page = whole_html(view)
    assert page.count("<svg") == html.CHARTS_SHOWN
    assert f"{40 - html.CHARTS_SHOWN} more curves" in page
    assert len(page) < 300_000


def test_what_users_wrote_is_escaped_and_there_is_no_script() -> None:
    bad = '"><script>alert(1)</script>'
    view = looked_at(
        state="Failed",
        display_name=bad,
        experiment_name=bad,
        tags={bad: bad},
        properties={bad: bad},
        target=bad,
        error={"code": bad, "message": bad, "exception": bad, "file": bad, "line": 1},
        reason={"kind": "marked_failed", "facts": {"message": bad}},
        warnings=[bad],
    )
    view.url = f"http://localhost/{bad}"
    view.trouble = bad
    uri = "aml://artifactId/ExperimentRun/dcid.r1/"
    log_metric(view, bad, [1.0, 2.0])
    log_metric(view, bad + "text", [bad])
    log_metric(view, bad + "rows", [{bad: bad}, {bad: bad}], "row")
    for kind in ("image", "confusion_matrix", "accuracy_table", "residuals", "predictions"):
        log_metric(view, bad + kind, [uri + bad + kind], kind)
        view.contents[bad + kind] = bad
    view.contents[bad + "confusion_matrix"] = {
        "data": {"class_labels": [bad, "b"], "matrix": [[1, 2], [3, 4]]}
    }
    view.contents[bad + "residuals"] = {"data": {"bin_edges": bad}}
    view.files = {bad: 1}
    view.children = [{**record(state=bad, display_name=bad), "run_id": bad}]
    view.child_metrics = {bad: {bad: view.metrics[bad + "text"]}}
    for name in ("user_logs/std_log.txt", bad):
        view.take("log", {"name": name, "offset": 0, "text": f"</pre>{bad}"})
    page = whole_html(view)
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert bad not in page
    for part in html.parts(view, NOW).values():
        tree.fromstring(
            part.replace("<style>", "<style><![CDATA[").replace("</style>", "]]></style>")
        )


def test_a_failed_run_says_what_where_and_why() -> None:
    view = looked_at(
        state="Failed",
        error={
            "code": "UserError",
            "message": "no",
            "exception": "ValueError",
            "file": "t.py",
            "line": 7,
        },
        reason={"kind": "script_failed", "facts": {"exit_code": 1, "exception": ""}},
    )
    for shown in (html.head(view, NOW), text.head(view, NOW)):
        assert "ValueError" in shown
        assert "t.py:7" in shown
        assert "exit code 1" in shown


def test_children_are_counted_by_state_and_the_best_value_is_marked() -> None:
    view = looked_at()
    for run_id, state, loss in (
        ("a", "Completed", 0.5),
        ("b", "Completed", 0.2),
        ("c", "Queued", 0.3),
    ):
        view.children.append({**record(state=state), "run_id": run_id})
        metric = Metric("loss")
        metric.take("scalar", [loss], None)
        view.child_metrics[run_id] = {"loss": metric}
    page = html.metrics(view, NOW)
    assert '<td class="zf-n zf-top">0.2</td>' in page
    assert page.count("zf-top") - page.count(".zf-top") == 1
    assert "3 (2 Completed, 1 Queued)" in text.metrics(view, NOW)


def test_a_waiting_run_says_what_it_waits_for() -> None:
    facts = {"target": "t", "running": 2, "slots": 2, "ahead": 0}
    view = looked_at(
        state="Queued", started_at=None, reason={"kind": "waits_for_slot", "facts": facts}
    )
    assert "2 of 2 runs are running there, 0 wait before" in html.head(view, NOW)
    assert text.brief(view, NOW) == [
        "Queued  0:17:30  r1",
        "  Waiting for compute target t: 2 of 2 runs are running there, 0 wait before this one.",
    ]


def test_what_the_server_says_now_of_a_wait_beats_the_stored_reason() -> None:
    facts = {"target": "t", "running": 2, "slots": 2, "ahead": 5}
    view = looked_at(state="Queued", reason={"kind": "waits_for_slot", "facts": facts})
    view.waits = "Waiting for compute target t: 0 wait before this one."
    assert view.waits in html.head(view, NOW)
    assert "5 wait" not in html.head(view, NOW)


def test_lines_of_a_terminal_are_cut_and_move_no_cursor() -> None:
    assert screens.fitted("a\x1b[2Jb\tc" + "x" * 50, 8) == "a [2Jb c"
    assert screens.fitted("漢字漢字", 5) == "漢字"
