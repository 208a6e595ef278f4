"""RunDetails on a real server: printed, followed while a run goes on, and v1's data."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from zaffre.sdk import session
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.run import Run
from zaffre.sdk.run_details_follow import Follower
from zaffre.sdk.run_details_view import RunView
from zaffre.sdk.run_details_widget import RunDetails
from zaffre.sdk.workspace import Workspace

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
LIMIT_S = 30
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


class Screen:
    """Keeps what it is told to paint, and lets a test wait for something on it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.seen: list[tuple[str, str]] = []
        self.view: RunView | None = None

    def paint(self, view: RunView) -> None:
        with self._changed:
            self.view = view
            self.seen.append((view.state, view.trouble))
            self._changed.notify_all()

    def wait_for(self, found: Callable[[RunView], object]) -> RunView:
        def is_there() -> bool:
            return self.view is not None and bool(found(self.view))

        with self._changed:
            assert self._changed.wait_for(is_there, LIMIT_S), self.seen
        assert self.view is not None
        return self.view


def follow(run: Run) -> tuple[Follower, Screen]:
    """Follow a run onto a screen."""
    screen = Screen()
    follower = Follower(RunView(run.id, run.refresh_record(), run.get_portal_url()))
    follower.show(screen.paint)
    return follower, screen


def threads() -> set[str]:
    """The names of the threads that follow runs."""
    return {t.name for t in threading.enumerate() if t.name.startswith("zaffre-run-")}


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


def test_what_is_shown_follows_the_run_and_its_threads_end_with_it(run: Run) -> None:
    follower, screen = follow(run)
    run.log("loss", 2.0)
    run.log("loss", 1.0)
    run.flush()
    screen.wait_for(lambda view: "loss" in view.metrics and view.metrics["loss"].count == 2)
    with run.child_run("c") as child:
        child.log("acc", 0.5)
    view = screen.wait_for(lambda view: view.child_metrics.get(child.id))
    assert view.child_metrics[child.id]["acc"].last_value() == 0.5
    run.complete()
    assert screen.wait_for(lambda view: view.ended).state == "Completed"
    follower.join(LIMIT_S)
    assert "zaffre-run-details" not in threads()


def test_what_is_shown_of_a_run_says_the_end_when_waiting_for_it_returns(
    submit: Callable[..., Run],
) -> None:
    run = submit("print('last words')\n")
    screen = Screen()
    again: list[int] = []
    view = RunView(run.id, run.refresh_record(), run.get_portal_url())
    Follower(view).show(screen.paint, lambda: again.append(len(screen.seen)))
    run.wait_for_completion()
    assert again == [len(screen.seen)]
    view = screen.view
    assert view is not None
    assert view.ended
    log = view.script_log()
    assert log is not None
    assert log.lines() == ["last words"]
    assert view.files == {"user_logs/std_log.txt": len("last words\n")}


def test_a_follower_that_is_told_to_stop_paints_no_more(run: Run) -> None:
    follower, screen = follow(run)
    follower.stop()
    follower.join(LIMIT_S)
    painted = len(screen.seen)
    run.log("loss", 1.0)
    run.complete()
    assert len(screen.seen) == painted


def test_pictures_and_documents_are_read_once_the_run_has_ended(run: Run) -> None:
    matrix = {
        "schema_type": "confusion_matrix",
        "schema_version": "1.0.0",
        "data": {"class_labels": ["a", "b"], "matrix": [[1, 0], [0, 1]]},
    }
    run.log_confusion_matrix("Confusion", matrix)
    with open("plot.png", "wb") as file:
        file.write(PNG)
    with open("broken.png", "wb") as file:
        file.write(b"no image")
    run.upload_file("outputs/plot.png", "plot.png")
    run.upload_file("outputs/broken.png", "broken.png")
    run.complete()
    _, screen = follow(run)
    view = screen.wait_for(lambda view: view.contents)
    assert view.contents == {
        "Confusion": matrix,
        "outputs/plot.png": PNG,
        "outputs/broken.png": "is of a format that browsers do not show",
    }


def test_while_no_server_answers_the_last_state_stays_and_no_server_is_started(
    new_server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, home: Any
) -> None:
    own = new_server()
    monkeypatch.setenv("ZAFFRE_HOME", str(own.home))
    monkeypatch.setattr(session, "_session", session.Session())
    workspace = Workspace.create("ws", show_output=False)
    run = Experiment(workspace, "e").start_logging(snapshot_directory=None)
    run.log("loss", 1.0)
    run.flush()
    follower, screen = follow(run)
    screen.wait_for(lambda view: view.metrics)
    before = own.address
    own.kill()
    view = screen.wait_for(lambda view: "not reachable" in view.trouble)
    assert (view.state, view.metrics["loss"].last_value()) == ("Running", 1.0)
    assert own.address == before
    own.start()
    screen.wait_for(lambda view: not view.trouble)
    run.complete()
    assert screen.wait_for(lambda view: view.ended).metrics["loss"].count == 1
    follower.join(LIMIT_S)
