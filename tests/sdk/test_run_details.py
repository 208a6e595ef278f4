"""RunDetails: text and HTML of a run, in notebooks and out of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from zaffre.sdk.experiment import Experiment
from zaffre.sdk.run import Run
from zaffre.sdk.run_details_widget import RunDetails, View, duration_text, value_text

KEYS = {
    "status",
    "workbench_run_details_uri",
    "run_id",
    "run_properties",
    "child_runs",
    "children_metrics",
    "run_metrics",
    "run_logs",
    "graph",
    "widget_settings",
}


def test_show_prints_state_metrics_and_log_and_returns_none(
    submit: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    run = submit(
        "from azureml.core import Run\nRun.get_context().log('loss', 0.25)\nprint('a <b> line')\n"
    )
    run.wait_for_completion()
    assert RunDetails(run).show() is None
    out = capsys.readouterr().out
    for shown in (run.id, "Completed", "loss", "0.25", "a <b> line", run.get_portal_url()):
        assert shown in out


def test_the_widget_data_has_the_keys_of_the_sdk(experiment: Experiment) -> None:
    run = experiment.start_logging(snapshot_directory=None)
    run.log("loss", 1.5)
    child = run.child_run("c")
    child.log("acc", 0.5)
    child.complete()
    data = RunDetails(run).get_widget_data(widget_settings={"a": 1})
    assert set(data) == KEYS
    assert (data["run_id"], data["status"]) == (run.id, "Running")
    assert data["run_metrics"] == {"loss": 1.5}
    assert data["children_metrics"] == {child.id: {"acc": 0.5}}
    assert [one["run_id"] for one in data["child_runs"]] == [child.id]
    assert data["widget_settings"] == {"a": 1}
    run.complete()


def test_there_are_no_details_of_nothing() -> None:
    with pytest.raises(AttributeError):
        RunDetails(None)  # type: ignore[arg-type]


def looked_at(**changes: Any) -> View:
    """A look at a failed run whose texts are HTML."""
    data: dict[str, Any] = {
        "status": "Failed",
        "workbench_run_details_uri": 'http://x/"><script>',
        "run_id": "<i>",
        "run_properties": {
            "experiment_name": "e",
            "start_time": "2021-01-17T14:42:38.635595Z",
            "end_time": "2021-01-17T15:43:40Z",
            "error": {"error": {"code": "UserError", "message": "<script>bad</script>"}},
        },
        "child_runs": [{"run_id": f"c{i}", "status": "Completed"} for i in range(40)],
        "run_metrics": {"<b>": [1, 2], "row": {"x": [1.5]}},
        "run_logs": "</pre><script>",
    }
    return View({**data, **changes})


def test_what_users_wrote_is_escaped_in_the_html_and_there_is_no_script() -> None:
    bundle = looked_at()._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "<script" not in bundle["text/html"]
    assert "&lt;script&gt;" in bundle["text/html"]
    assert "<i>" not in bundle["text/html"]
    assert "UserError: <script>bad</script>" in bundle["text/plain"]
    assert "10 more" in bundle["text/plain"]


def test_long_values_are_shortened_to_their_last_ones() -> None:
    assert value_text(0.5) == "0.5"
    assert value_text([1, 2]) == "[1, 2]"
    assert value_text(list(range(1000))) == "[..., 995, 996, 997, 998, 999] (1,000 values)"
    assert value_text({"x": [1, 2], "y": 3}) == "x: [1, 2], y: 3"


def test_durations_are_hours_minutes_and_seconds() -> None:
    assert duration_text("2021-01-17T14:42:38.635595Z", "2021-01-17T15:43:40Z") == "1:01:01"
    assert duration_text(None, None) == "-"
    assert duration_text("2100-01-17T14:42:38Z", None) == "0:00:00"
