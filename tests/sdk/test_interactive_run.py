"""Runs that this process starts: logging, reading back, ending."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from zaffre.sdk.exceptions import AzureMLException, ServiceException, UserErrorException
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.run import Run
from zaffre.sdk.run_metrics import FileMetric
from zaffre.sdk.workspace import Workspace

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


class Figure:
    """What log_image asks of a figure."""

    def savefig(self, file: Any, **_: Any) -> None:
        file.write(PNG)


def test_an_interactive_run_is_running_at_once_and_completed_after_complete(
    experiment: Experiment,
) -> None:
    run = experiment.start_logging()
    uuid.UUID(run.id)
    assert run.status == run.get_status() == "Running"
    assert (
        repr(run)
        == str(run)
        == (f"Run(Experiment: test-experiment,\nId: {run.id},\nType: None,\nStatus: Running)")
    )
    run.complete()
    assert run.status == run.get_status() == "Completed"
    run.complete()
    details = run.get_details()
    assert list(details)[:5] == ["runId", "target", "status", "startTimeUtc", "endTimeUtc"]
    assert details["target"] == "local"
    assert details["properties"]["ContentSnapshotId"] == run.get_snapshot_id()
    assert details["logFiles"] == {}
    assert run.get_details_with_logs()["logFiles"] == {}
    json.dumps(details)


def test_the_table_that_notebooks_show(run: Run) -> None:
    html = run._repr_html_()
    heads = ["Experiment", "Id", "Type", "Status", "Details Page", "Docs Page"]
    assert "".join(f"<th>{head}</th>" for head in heads) in html
    assert html.startswith('<table style="width:100%">')
    assert run.get_portal_url().startswith(f"{run.portal_url}/runs/{run.id}?wsid=/subscriptions/")


def test_metrics_of_every_kind_are_read_back(run: Run) -> None:
    """R002."""
    chart = {"schema_version": "1.0.0", "data": {}}
    run.log("scalar", 0.5)
    run.log_list("list", [1, 2])
    run.log_row("row", x=1, y="b")
    run.log_table("table", {"x": [1, 2], "y": ["a", "b"]})
    run.log_image("image", plot=Figure())
    matrix = {"class_labels": ["a", "b"], "matrix": [[3, 0], [1, 2]]}
    run.log_confusion_matrix(
        "confusion", {**chart, "schema_type": "confusion_matrix", "data": matrix}
    )
    with pytest.warns(UserWarning, match="cannot be drawn"):
        run.log_accuracy_table("accuracy", {**chart, "schema_type": "accuracy_table"})
    with pytest.warns(UserWarning, match="cannot be drawn"):
        run.log_residuals("residuals", json.dumps({**chart, "schema_type": "residuals"}))
    with pytest.warns(UserWarning, match="cannot be drawn"):
        run.log_predictions("predictions", "[]")
    run.complete()
    metrics = run.get_metrics()
    uri = f"aml://artifactId/ExperimentRun/dcid.{run.id}/"
    assert metrics["scalar"] == 0.5
    assert metrics["list"] == [1, 2]
    assert metrics["row"] == {"x": 1, "y": "b"}
    assert metrics["table"] == {"x": [1, 2], "y": ["a", "b"]}
    assert metrics["image"].startswith(f"{uri}image_")
    for name in ("confusion", "accuracy", "residuals", "predictions"):
        assert metrics[name] == uri + name
    assert len(metrics) == 9
    json.dumps(metrics)
    populated = run.get_metrics(populate=True)["confusion"]
    assert isinstance(populated, FileMetric)
    assert populated.filename == "confusion"
    assert populated.metric_type == "confusion_matrix"
    assert json.loads(populated.get_content())["data"] == matrix


def test_one_value_is_a_scalar_and_several_are_a_list(run: Run) -> None:
    """R001: v1's flattening is kept, since scripts of that age rely on it."""
    run.log_list("one", [5])
    run.log_row("r", x=1)
    run.log_row("rows", x=1)
    run.log_row("rows", x=2, y=3)
    run.log_table("t", {"x": ["a"], "y": [1]})
    run.log("twice", 1)
    run.log("twice", "b")
    assert run.get_metrics() == {
        "one": 5,
        "r": {"x": 1},
        "rows": {"x": [1, 2], "y": [None, 3]},
        "t": {"x": "a", "y": 1},
        "twice": [1, "b"],
    }
    assert run.get_metrics("one") == {"one": 5}
    assert run.get_metrics(name="absent") == {}


def test_values_keep_their_kind(run: Run) -> None:
    for value in (True, 3, 0.25, "NaN", "'x", "ä\ud800", float("nan"), float("inf"), None):
        run.log("v", value)
    run.log("only none", None)
    run.log("huge", 10**30)
    found = run.get_metrics()
    assert "only none" not in found
    assert found["huge"] == 1e30
    values = found["v"]
    assert values[:5] == [True, 3, 0.25, "NaN", "'x"]
    assert [type(value) for value in values[:5]] == [bool, int, float, str, str]
    assert values[5].startswith("ä")
    assert math.isnan(values[6])
    assert values[7:] == [float("inf"), None]


def test_names_that_differ_by_a_blank_are_two_metrics(run: Run) -> None:
    """R005."""
    run.log("loss ", 0.5)
    run.log("loss", 0.4)
    assert run.get_metrics() == {"loss ": 0.5, "loss": 0.4}


def test_a_refused_table_stores_nothing_and_the_run_goes_on(run: Run) -> None:
    """R014."""
    with pytest.raises(AzureMLException, match="x: 2, y: 1"):
        run.log_table("t", {"x": [1, 2], "y": [3]})
    with pytest.raises(UserErrorException, match="metric name"):
        run.log("", 1)
    run.log("a", 1)
    assert run.get_metrics() == {"a": 1}


def test_empty_lists_and_tables_are_taken(run: Run) -> None:
    run.log_list("l", [])
    run.log_table("t", {})
    run.log_row("r")
    run.complete()
    assert run.status == "Completed"


def test_long_lists_and_tables_are_stored_whole(run: Run) -> None:
    run.log_list("l", (i / 7 for i in range(200_000)))
    run.log_table("t", {"i": range(50_000), "s": ["x" * 20] * 50_000})
    metrics = run.get_metrics()
    assert metrics["l"] == [i / 7 for i in range(200_000)]
    assert metrics["t"]["i"] == list(range(50_000))
    assert len(metrics["t"]["s"]) == 50_000


def test_a_value_too_large_for_a_record_is_refused_and_the_run_goes_on(run: Run) -> None:
    with pytest.raises(AzureMLException, match="too large"):
        run.log_row("r", x="x" * 2_000_000)
    with pytest.raises(AzureMLException, match="too large"):
        run.log("v", "x" * 2_000_000)
    run.log("a", 1)
    assert run.get_metrics() == {"a": 1}


def test_steps_are_kept_as_whole_numbers(run: Run) -> None:
    run.log("a", 1.0, step=3)
    run.log("a", 2.0, step=1.5)  # type: ignore[arg-type]
    with pytest.raises(UserErrorException, match="step"):
        run.log("a", 2.0, step="x")  # type: ignore[arg-type]
    assert run.get_metrics() == {"a": [1.0, 2.0]}


def test_images_of_one_name_are_all_kept(run: Run) -> None:
    Path("im.png").write_bytes(PNG)
    run.log_image("a", path="im.png")
    run.log_image("b/c d", plot=Figure())
    run.log_image("b/c d", plot=Figure())
    metrics = run.get_metrics()
    assert metrics["a"].endswith(f"{run.id}/im.png")
    assert len(set(metrics["b/c d"])) == 2
    names = run.get_file_names()
    assert names[2] == "im.png"
    assert all(name.startswith("b/c d_") for name in names[:2])


def test_log_image_takes_one_image(run: Run) -> None:
    Path("no.png").write_text("no image")
    for arguments in ({}, {"path": "no.png", "plot": Figure()}, {"plot": 5}):
        with pytest.raises(AzureMLException):
            run.log_image("a", **arguments)
    with pytest.raises(AzureMLException, match=r"argument \[no.png\] is malformed"):
        run.log_image("a", path="no.png")
    with pytest.raises(FileNotFoundError):
        run.log_image("a", path="absent.png")


def test_the_current_figure_of_matplotlib_is_logged(run: Run) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.plot([1, 2])
    run.log_image("im", plot=plt)
    run.download_file(run.get_file_names()[0], "im.png")
    assert Path("im.png").read_bytes().startswith(b"\x89PNG")


def test_text_that_is_no_json_is_refused(run: Run) -> None:
    with pytest.raises(UserErrorException, match="invalid JSON provided"):
        run.log_confusion_matrix("c", "{")


def test_a_block_completes_the_run_and_keeps_what_was_printed(
    experiment: Experiment, capsys: pytest.CaptureFixture[str]
) -> None:
    with experiment.start_logging(snapshot_directory=None) as run:
        print("inside ä")
        sys.stdout.write("more\n")
    assert run.status == "Completed"
    assert capsys.readouterr().out == "inside ä\nmore\n"
    run.download_file("logs/user_log.txt")
    assert Path("user_log.txt").read_text() == "inside ä\nmore\n"


def test_a_blocks_exception_fails_the_run_and_goes_on(experiment: Experiment) -> None:
    run = experiment.start_logging(snapshot_directory=None)

    def fail() -> None:
        with run:
            print("before")
            raise ValueError("bad value")

    with pytest.raises(ValueError, match="bad value"):
        fail()
    details = run.get_details()
    assert details["status"] == "Failed"
    error = details["error"]["error"]
    assert error["message"] == "User program failed with ValueError: bad value"
    assert error["code"] == "UserError"
    run.download_file("logs/user_log.txt", "log.txt")
    assert Path("log.txt").read_text().startswith("before\nTraceback")


def test_a_run_that_was_ended_inside_its_block_stays_as_it_is(experiment: Experiment) -> None:
    with experiment.start_logging(snapshot_directory=None) as run:
        run.cancel()
    assert run.get_status() == "Canceled"


def test_fail_records_a_text_or_an_exception(experiment: Experiment) -> None:
    first, second, third = (experiment.start_logging(snapshot_directory=None) for _ in range(3))
    first.fail("went wrong", "MyCode")
    second.fail(KeyError("k"))
    third.fail()
    assert first.status == second.status == third.status == "Failed"
    error = first.get_details()["error"]["error"]
    assert (error["code"], error["message"]) == ("MyCode", "went wrong")
    assert second.get_details()["error"]["error"]["message"] == (
        "User program failed with KeyError: 'k'"
    )
    assert third.get_details()["error"]["error"]["code"] == "UserError"


def test_cancel_ends_an_interactive_run_at_once_and_keeps_what_was_logged(run: Run) -> None:
    run.log("a", 1)
    run.cancel()
    assert run.status == "Canceled"
    assert run.get_metrics() == {"a": 1}
    with pytest.raises(ServiceException) as caught:
        run.complete()
    assert caught.value.status_code == 409


def test_waiting_for_a_run_that_this_process_has_to_end_returns_and_says_so(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.wait_for_completion(show_output=True)["status"] == "Running"
    assert "cannot be waited for here" in capsys.readouterr().out
    run.complete()
    assert run.wait_for_completion()["status"] == "Completed"


def test_a_named_outputs_folder_is_uploaded_at_the_end(
    experiment: Experiment, capsys: pytest.CaptureFixture[str]
) -> None:
    """R045."""
    Path("outputs/sub").mkdir(parents=True)
    with_outputs = experiment.start_logging(outputs="outputs", snapshot_directory=None)
    without = experiment.start_logging(outputs=None, snapshot_directory=None)
    Path("outputs/model.pkl").write_text("m")
    Path("outputs/sub/a.txt").write_text("a")
    with_outputs.complete()
    assert capsys.readouterr().out == ""
    without.complete()
    printed = capsys.readouterr().out
    assert "2 new file(s)" in printed
    assert "upload_folder('outputs', 'outputs')" in printed
    assert with_outputs.get_file_names() == ["outputs/model.pkl", "outputs/sub/a.txt"]
    assert without.get_file_names() == []


def test_old_files_in_outputs_are_not_mentioned(
    experiment: Experiment, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("outputs").mkdir()
    Path("outputs/old.pkl").write_text("m")
    os.utime("outputs/old.pkl", (1, 1))
    experiment.start_logging(snapshot_directory=None).complete()
    assert capsys.readouterr().out == ""


def test_a_folder_too_large_for_a_snapshot_only_warns(experiment: Experiment) -> None:
    """R023."""
    Path("data").mkdir()
    with Path("data/big.bin").open("wb") as file:
        file.truncate(400_000_000)
    with pytest.warns(UserWarning, match=r"no snapshot was taken.*data/big\.bin"):
        first = experiment.start_logging(snapshot_directory=".")
    with pytest.warns(UserWarning, match="no snapshot was taken"):
        second = experiment.start_logging()
    for run in (first, second):
        assert run.status == "Running"
        assert run.get_snapshot_id() is None
        run.complete()


def test_a_missing_snapshot_directory_only_warns(experiment: Experiment) -> None:
    with pytest.warns(UserWarning, match="absent"):
        run = experiment.start_logging(snapshot_directory="absent")
    run.complete()


def test_names_and_ids_can_be_chosen_and_a_taken_id_is_refused(experiment: Experiment) -> None:
    run = experiment.start_logging(
        display_name="mine", run_id="my-run-" + uuid.uuid4().hex, snapshot_directory=None
    )
    assert run.display_name == run.name == "mine"
    with pytest.raises(ServiceException, match="exists already"):
        experiment.start_logging(run_id=run.id, snapshot_directory=None)
    run.display_name = "other"
    run.description = "about"
    again = Run(experiment, run.id)
    assert (again.display_name, again.description) == ("other", "about")


def test_a_run_that_does_not_exist_is_a_404(experiment: Experiment) -> None:
    for get in (lambda: Run(experiment, "absent"), lambda: Run.get(experiment.workspace, "absent")):
        with pytest.raises(ServiceException) as caught:
            get()
        assert caught.value.status_code == 404


def test_a_run_of_another_workspace_is_not_found(run: Run) -> None:
    other = Workspace.create(f"{run.experiment.workspace.name[:20]}-other", show_output=False)
    with pytest.raises(ServiceException, match="not in workspace"):
        other.get_run(run.id)


def test_tags_and_properties(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.tag("k", 3)
    run.tag("bare")
    assert capsys.readouterr().out == "Converting non-string tag to string: (k: 3)\n"
    run.set_tags({"k": "4", "z": "1"})
    run.set_tags("text")
    assert run.tags == run.get_tags() == {"k": "4", "bare": None, "z": "1", "text": None}
    assert run.remove_tags(["z", "text"]) == {"k": "4", "bare": None}
    run.add_properties({"p": 1})
    run.add_properties({"p": "1"})
    assert run.properties == run.get_properties() == {"p": "1"}
    with pytest.raises(UserErrorException, match="'p' is '1' and cannot become '2'"):
        run.add_properties({"p": "2"})
    with pytest.raises(UserErrorException, match="tags"):
        run.set_tags(5)
    with pytest.raises(UserErrorException, match=r"1,?000"):
        run.tag("long", "x" * 1_001)


def test_children_are_running_at_once_and_log_for_themselves(run: Run) -> None:
    run.log("a", 0)
    with run.child_run(name="one") as child:
        child.log("a", 1)
        assert child.status == "Running"
        grandchild = child.child_run()
        grandchild.log("a", 2)
        grandchild.complete()
    assert child.get_status() == "Completed"
    assert run.get_status() == "Running"
    parent = child.parent
    assert parent is not None
    assert parent.id == run.id
    assert run.parent is None
    assert child.get_metrics() == {"a": 1}
    child.log("late", 5)
    assert Run(run.experiment, child.id).get_metrics() == {"a": 1, "late": 5}
    child.log("late", 6)
    child.flush()
    assert run.get_metrics(recursive=True) == {
        run.id: {"a": 0},
        child.id: {"a": 1, "late": [5, 6]},
        grandchild.id: {"a": 2},
    }
    assert [c.id for c in run.get_children()] == [child.id]
    assert [c.id for c in run.get_children(recursive=True)] == [grandchild.id, child.id]
    completed = run.get_children(recursive=True, status="Completed")
    assert [c.id for c in completed] == [grandchild.id, child.id]
    run.complete()


def test_children_made_together_wait_to_be_used(run: Run) -> None:
    children = run.create_children(count=3)
    assert [child.status for child in children] == ["NotStarted"] * 3
    assert [child.tags for child in children] == [
        {"azureml.batch_child_number": str(number)} for number in range(3)
    ]
    children[0].log("a", 1)
    assert children[0].get_status() == "Running"
    assert children[1].get_status() == "NotStarted"
    for child in children:
        child.complete()
    assert {child.get_status() for child in children} == {"Completed"}
    assert children[0].get_metrics() == {"a": 1}
    tagged = run.create_children(tag_key="k", tag_values=["x", "y"])
    assert [child.tags for child in tagged] == [{"k": "x"}, {"k": "y"}]
    assert [c.id for c in run.get_children(tags={"k": "y"})] == [tagged[1].id]
    for arguments in ({}, {"count": 1, "tag_key": "k"}, {"tag_key": "k"}):
        with pytest.raises(UserErrorException, match="create_children"):
            run.create_children(**arguments)  # type: ignore[arg-type]


def test_a_forked_child_logs_to_the_same_run_once(run: Run) -> None:
    run.log("a", 0)
    pid = os.fork()
    if not pid:
        status = 1
        try:
            run.log("a", 1)
            run.flush()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    run.log("a", 2)
    assert sorted(run.get_metrics()["a"]) == [0, 1, 2]


def test_what_is_shipped_leaves_nothing_behind(run: Run, home: Path) -> None:
    run.log("a", 1)
    folder = home / "interactive" / run.id
    assert folder.exists()
    run.complete()
    assert not folder.exists()


def test_a_run_found_later_goes_on(run: Run, experiment: Experiment) -> None:
    run.log("a", 1)
    again = Run(experiment, run.id)
    again.log("a", 2)
    assert again.get_metrics() == {"a": [1, 2]}
    again.complete()
    assert run.get_status() == "Completed"


def test_what_a_process_logged_before_it_was_killed_is_there_after_a_sync(
    experiment: Experiment, home: Path
) -> None:
    script = (
        "import os\n"
        "from azureml.core import Workspace, Experiment\n"
        f"ws = Workspace.get({experiment.workspace.name!r})\n"
        f"run = Experiment(ws, {experiment.name!r}).start_logging(snapshot_directory=None)\n"
        "for i in range(1000): run.log('a', i)\n"
        "print(run.id, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    source = Path(__file__).resolve().parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
        check=False,
    )
    assert done.returncode == -9, done.stderr
    from zaffre.client.connection import connect
    from zaffre.client.interactive import sync

    sync(connect(), str(home))
    assert Run(experiment, done.stdout.strip()).get_metrics() == {"a": list(range(1000))}


def test_a_snapshot_is_taken_restored_and_renewed(run: Run) -> None:
    assert run.get_snapshot_id() is None
    Path("src").mkdir()
    Path("src/a.py").write_text("1")
    first = run.take_snapshot("src")
    assert run.get_snapshot_id() == first
    Path("src/a.py").write_text("2")
    second = run.take_snapshot("src")
    third = run.take_snapshot("src/a.py")
    assert second == third
    assert run.get_snapshot_id() == second != first
    archive = run.restore_snapshot(path="snapshots")
    assert archive == os.path.join("snapshots", f"{run.id}.zip")
    import zipfile

    with zipfile.ZipFile(archive) as opened:
        assert opened.read("a.py") == b"2"
    old = run.restore_snapshot(first)
    with zipfile.ZipFile(old) as opened:
        assert opened.read("a.py") == b"1"


def test_a_run_without_an_environment_says_so(run: Run) -> None:
    with pytest.raises(UserErrorException, match="no run definition or environment"):
        run.get_environment()


def test_detailed_status_and_types(run: Run) -> None:
    assert run.get_detailed_status() == {"status": "Running", "details": None}
    assert run.type is None
    assert run.number == 1
    assert run.input_datasets == {}
    with pytest.raises(KeyError):
        run.input_datasets["x"]


def test_a_type_provider_makes_the_objects_of_its_type(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zaffre.sdk import run as runs
    from zaffre.sdk import session

    class Mine(Run):
        pass

    monkeypatch.setattr(runs, "_providers", {})
    Run.add_type_provider("mine", lambda experiment, dto: Mine(experiment, dto.run_id))
    run_id = str(uuid.uuid4())
    session.current().request(
        "POST",
        f"/experiments/{run.experiment.id}/runs",
        json={
            "run_id": run_id,
            "idempotency_key": run_id,
            "state": "Running",
            "type": "mine",
        },
    )
    assert isinstance(Run.get(run.experiment.workspace, run_id), Mine)
    assert isinstance(next(run.experiment.get_runs(type="mine")), Mine)
