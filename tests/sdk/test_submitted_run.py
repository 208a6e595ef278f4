"""Runs of submitted scripts: from inside the script and from where they are waited for."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from zaffre.client.connection import find_address
from zaffre.sdk import session
from zaffre.sdk.exceptions import (
    ActivityFailedException,
    AzureMLException,
    ExperimentExecutionException,
    RunEnvironmentException,
    UserErrorException,
)
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.offline_run import _OfflineRun  # pyright: ignore[reportPrivateUsage]
from zaffre.sdk.run import Run, get_run
from zaffre.sdk.script_run import ScriptRun
from zaffre.sdk.script_run_config import ScriptRunConfig
from zaffre.sdk.workspace import Workspace

Submit = Callable[..., Run]

HEAD = "from azureml.core import Run\nrun = Run.get_context()\n"


def test_outside_a_submitted_run_the_context_is_an_offline_run(home: Path) -> None:
    assert isinstance(Run.get_context(), _OfflineRun)
    with pytest.raises(RunEnvironmentException, match=r"experiment\.start_logging"):
        Run.get_context(allow_offline=False)


def test_the_deprecated_way_to_the_context_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RunEnvironmentException):
        Run.get_submitted_run()
    assert capsys.readouterr().out.count("\n") == 2


def test_the_context_needs_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZAFFRE_HOME", str(tmp_path))  # its spool is not the user's
    for name, value in {
        "AZUREML_RUN_ID": "e_1_abc",
        "AZUREML_EXPERIMENT_ID": "exp-id",
        "AZUREML_WORKSPACE_ID": "ws-id",
        "AZUREML_ARM_PROJECT_NAME": "e",
        "AZUREML_ARM_SUBSCRIPTION": "s",
        "AZUREML_ARM_RESOURCEGROUP": "g",
        "AZUREML_ARM_WORKSPACE_NAME": "w",
        "ZAFFRE_WORKSPACE_LOCATION": "local",
        "ZAFFRE_RUN_TOKEN": "t",
        "ZAFFRE_URL": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(session, "_session", session.Session())
    run = Run.get_context()
    assert run is not Run.get_context()
    assert type(run).__name__ == "_SubmittedRun"
    assert isinstance(run, Run)
    assert run.id == "e_1_abc"
    assert (run.experiment.name, run.experiment.id) == ("e", "exp-id")
    ws = run.experiment.workspace
    assert (ws.name, ws.location, ws.workspace_id) == ("w", "local", "ws-id")
    run.complete()


def test_a_script_logs_and_its_run_is_seen_from_outside(submit: Submit) -> None:
    run = submit(
        HEAD + "import sys, os\n"
        "run.log('reg', float(sys.argv[1]))\n"
        "run.log('reg', 2)\n"
        "run.complete()\n"
        "run.log('after', 1)\n"
        "assert run.get_metrics() == {'reg': [0.1, 2], 'after': 1}\n"
        "run.tag('k', 'v')\n"
        "assert isinstance(run, Run)\n"
        "print(run.experiment.workspace.name)\n"
        "open('outputs/model.pkl', 'w').write('m')\n",
        "0.1",
    )
    assert isinstance(run, ScriptRun)
    assert run.type == "azureml.scriptrun"
    assert run.id.startswith("test-experiment_")
    details = run.wait_for_completion()
    assert details["status"] == run.status == "Completed"
    assert details["runDefinition"]["arguments"] == ["0.1"]
    assert details["target"] == "local"
    assert list(details["logFiles"]) == ["user_logs/std_log.txt"]
    answer = requests.get(details["logFiles"]["user_logs/std_log.txt"], timeout=20)
    assert answer.text == f"{run.experiment.workspace.name}\n"
    assert run.get_metrics() == {"reg": [0.1, 2], "after": 1}
    assert run.get_tags() == {"k": "v"}
    assert run.get_file_names() == ["outputs/model.pkl", "user_logs/std_log.txt"]
    run.download_file("azureml-logs/70_driver_log.txt", "log.txt")
    assert Path("log.txt").read_text() == f"{run.experiment.workspace.name}\n"
    assert run.get_all_logs("logs") == ["logs/user_logs/std_log.txt"]
    text = run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert text == f"{run.experiment.workspace.name}\n"
    assert run.get_environment().name == "default-environment"
    assert run.get_snapshot_id() == run.properties["ContentSnapshotId"]


def test_every_way_to_a_run_gives_the_class_of_its_kind(submit: Submit) -> None:
    run = submit("pass")
    experiment = run.experiment
    run.wait_for_completion()
    for found in (
        Run.get(experiment.workspace, run.id),
        experiment.workspace.get_run(run.id),
        get_run(experiment, run.id),
        next(experiment.get_runs()),
        next(experiment.get_runs(type="azureml.scriptrun")),
    ):
        assert isinstance(found, ScriptRun)
        assert found.id == run.id
        assert found.status == "Completed"
    assert not isinstance(get_run(experiment, run.id, rehydrate=False), ScriptRun)


def test_the_printed_stream_is_v1s(submit: Submit, capsys: pytest.CaptureFixture[str]) -> None:
    run = submit(
        "import sys\nprint('one')\nprint('two ä', file=sys.stderr)\nprint('no end', end='')"
    )
    url = run.get_portal_url()
    details = run.wait_for_completion(show_output=True)
    assert capsys.readouterr().out == (
        f"RunId: {run.id}\nWeb View: {url}\n\n"
        "Streaming user_logs/std_log.txt\n===============================\n\n"
        "one\ntwo ä\nno end\n\n"
        f"Execution Summary\n=================\nRunId: {run.id}\nWeb View: {url}\n\n"
    )
    assert details["status"] == "Completed"


def test_submit_can_stream_itself(submit: Submit, capsys: pytest.CaptureFixture[str]) -> None:
    run = submit("print('hello')", show_output=True)
    assert run.status == "Completed"
    assert "hello\n\nExecution Summary" in capsys.readouterr().out


def test_a_long_log_with_bytes_that_are_no_text_is_streamed_whole(
    submit: Submit, capsys: pytest.CaptureFixture[str]
) -> None:
    run = submit(
        "import sys, time\n"
        "for i in range(2000):\n"
        "    sys.stdout.buffer.write(b'line %d \\xff \\xc3\\xa4\\n' % i)\n"
        "    if i % 500 == 0: sys.stdout.flush(); time.sleep(0.1)\n"
    )
    run.wait_for_completion(show_output=True)
    printed = capsys.readouterr().out
    body = printed.partition("===\n\n")[2].partition("\n\nExecution Summary")[0]
    assert body == "\n".join(f"line {i} \ufffd ä" for i in range(2000))


def test_a_failed_run_raises_after_the_summary_with_the_scripts_own_error(
    submit: Submit, capsys: pytest.CaptureFixture[str]
) -> None:
    run = submit("raise ValueError('bad value')")
    with pytest.raises(ActivityFailedException, match="Activity Failed:") as caught:
        run.wait_for_completion(show_output=True)
    assert "ValueError: bad value" in str(caught.value)
    assert "bad value" in caught.value.error_details
    assert capsys.readouterr().out.rstrip().endswith(f"Web View: {run.get_portal_url()}")
    with pytest.raises(ActivityFailedException):
        run.wait_for_completion()
    details = run.wait_for_completion(show_output=True, raise_on_error=False)
    assert details["status"] == "Failed"
    error = details["error"]["error"]
    assert error["code"] == "UserError"
    assert "Error:\n{\n    " in capsys.readouterr().out


def test_an_exit_code_decides(submit: Submit) -> None:
    good = submit("import sys; sys.exit(0)")
    bad = submit("import sys; sys.exit(3)")
    assert good.wait_for_completion()["status"] == "Completed"
    assert bad.wait_for_completion(raise_on_error=False)["status"] == "Failed"


def test_fail_inside_a_script_fails_the_run_at_its_end(submit: Submit) -> None:
    run = submit(HEAD + "run.fail('gave up', 'MyCode')\nprint('still here')\n")
    details = run.wait_for_completion(raise_on_error=False)
    assert details["status"] == "Failed"
    assert details["error"]["error"]["message"] == "gave up"
    assert run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"] == "still here\n"


def test_a_script_neither_waits_for_itself_nor_cancels_itself(submit: Submit) -> None:
    """R034."""
    run = submit(
        HEAD + "run.log('a', 1)\n"
        "run.flush(timeout_seconds=600)\n"
        "run.wait_for_completion(show_output=True)\n"
        "run.cancel()\n"
        "with run: run.log('a', 2)\n"
    )
    assert run.wait_for_completion()["status"] == "Completed"
    log = run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert "cannot be waited for here" in log
    assert "not supported for submitted runs" in log
    assert run.get_metrics() == {"a": [1, 2]}


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_worker_processes_log_to_the_one_run(submit: Submit, method: str) -> None:
    """R018."""
    run = submit(
        "import multiprocessing\n"
        "from azureml.core import Run\n"
        "def work(n):\n"
        "    run = Run.get_context(allow_offline=False)\n"
        "    for i in range(100): run.log('v', n * 100 + i)\n"
        "if __name__ == '__main__':\n"
        "    Run.get_context().log('main', 1)\n"
        f"    context = multiprocessing.get_context('{method}')\n"
        "    workers = [context.Process(target=work, args=(n,)) for n in range(4)]\n"
        "    for w in workers: w.start()\n"
        "    for w in workers: w.join(); assert w.exitcode == 0\n"
    )
    run.wait_for_completion()
    metrics = run.get_metrics()
    assert sorted(metrics["v"]) == list(range(400))
    assert metrics["main"] == 1
    assert len(list(run.experiment.get_runs(include_children=True))) == 1


def test_children_made_in_a_script_are_its_children(submit: Submit) -> None:
    run = submit(
        HEAD + "for child in run.create_children(count=2):\n"
        "    child.log('c', 1); child.complete()\n"
        "with run.child_run(name='x') as child:\n"
        "    child.log('c', 2)\n"
        "    child.upload_file('f', __file__)\n"
    )
    run.wait_for_completion()
    children = list(run.get_children())
    assert [child.status for child in children] == ["Completed"] * 3
    assert [child.get_metrics() for child in children] == [{"c": 2}, {"c": 1}, {"c": 1}]
    assert children[0].get_file_names() == ["f"]


def test_an_interactive_run_started_in_a_script_is_its_child(submit: Submit) -> None:
    run = submit(
        HEAD + "from azureml.core import Experiment\n"
        "other = Experiment(run.experiment.workspace, 'other').start_logging()\n"
        "other.log('o', 1)\n"
        "other.complete()\n"
        "run.log('a', 1)\n"
    )
    run.wait_for_completion()
    child = next(run.get_children())
    assert (child.experiment.name, child.status) == ("other", "Completed")
    assert child.get_metrics() == {"o": 1}
    assert run.get_metrics() == {"a": 1}


def test_a_script_cannot_log_to_a_run_that_is_none_of_its_kin(submit: Submit, run: Run) -> None:
    script = submit(
        HEAD + "import sys\n"
        "other = run.experiment.workspace.get_run(sys.argv[1])\n"
        "try: other.log('x', 1)\n"
        "except Exception as e: print(type(e).__name__, e.message)\n",
        run.id,
    )
    script.wait_for_completion()
    log = script.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert log.startswith("UserErrorException A script may log to its own run")


def test_a_script_registers_what_it_has_uploaded(submit: Submit) -> None:
    run = submit(
        HEAD + "open('m.pkl', 'w').write('m')\n"
        "run.upload_file('outputs/m.pkl', 'm.pkl')\n"
        "print(run.register_model('m', 'outputs/m.pkl').version)\n"
    )
    run.wait_for_completion()
    assert run.experiment.workspace.models["m"].run_id == run.id


def test_a_run_found_again_is_cancelled(submit: Submit) -> None:
    """R036."""
    run = submit("import time\nprint('up', flush=True)\ntime.sleep(60)")
    again = Run(run.experiment, run.id)
    again.cancel()
    assert again.status in ("CancelRequested", "Canceled")
    assert run.wait_for_completion()["status"] == "Canceled"


def test_failing_a_run_from_outside_ends_its_script(submit: Submit) -> None:
    run = submit("import time\nprint('up', flush=True)\ntime.sleep(60)")
    run.fail("stop it")
    assert run.get_status() == "Failed"
    assert run.wait_for_completion(raise_on_error=False)["status"] == "Failed"


def test_an_interrupted_stream_leaves_the_run_alone(submit: Submit) -> None:
    run = submit("import time\nprint('up', flush=True)\ntime.sleep(30)")
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(1.0, signal.pthread_kill, (main, signal.SIGINT))
    # Where tests run in the background of a shell, SIGINT is ignored from the start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        with pytest.raises(ExperimentExecutionException, match="still executing"):
            run.wait_for_completion(show_output=True)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert run.get_status() not in ("Canceled", "CancelRequested", "Failed")
    run.cancel()
    run.wait_for_completion()


def test_a_submitted_child_has_its_parent(submit: Submit, run: Run, tmp_path: Path) -> None:
    from zaffre.sdk.script_run_config import ScriptRunConfig

    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "train.py").write_text("pass")
    child = run.submit_child(ScriptRunConfig(str(tmp_path / "c"), "train.py"))
    child.wait_for_completion()
    parent = child.parent
    assert parent is not None
    assert parent.id == run.id
    assert [c.id for c in run.get_children(type="azureml.scriptrun")] == [child.id]


def test_runs_of_a_target(submit: Submit) -> None:
    run = submit("pass")
    run.wait_for_completion()

    class Target:
        workspace = run.experiment.workspace
        name = "local"

    assert [found.id for found in Run.list_by_compute(Target())] == [run.id]
    with pytest.raises(UserErrorException, match="status"):
        Run.list_by_compute(Target(), status="Failed")


def test_environment_variables_of_a_run_tell_where_it_belongs(
    submit: Submit, experiment: Experiment
) -> None:
    run = submit("import os, json\nprint(json.dumps(dict(os.environ)))")
    run.wait_for_completion()
    import json

    seen: dict[str, Any] = json.loads(
        run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    )
    assert seen["AZUREML_RUN_ID"] == run.id
    assert seen["AZUREML_ARM_PROJECT_NAME"] == experiment.name
    assert seen["AZUREML_EXPERIMENT_ID"] == experiment.id
    assert "ZAFFRE_HOME" not in seen or os.environ["ZAFFRE_HOME"] != seen["ZAFFRE_HOME"]


def test_waiting_starts_no_server_in_the_stead_of_one_that_was_stopped(
    new_server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path
) -> None:
    server = new_server()
    monkeypatch.setenv("ZAFFRE_HOME", str(server.home))
    ws = Workspace.create("ws", show_output=False)
    (tmp_path / "train.py").write_text("import time; print('up', flush=True); time.sleep(300)")
    run = Experiment(ws, "e").submit(ScriptRunConfig(str(tmp_path), "train.py"))
    session.current().client.retry_s = 2.0
    is_up = threading.Event()

    class Printed(io.StringIO):
        def write(self, text: str) -> int:
            if "up" in text.split():
                is_up.set()
            return len(text)

    monkeypatch.setattr(sys, "stdout", Printed())
    stopper = threading.Thread(target=lambda: is_up.wait(60) and server.stop())
    stopper.start()
    with pytest.raises(AzureMLException, match="the server was stopped"):
        run.wait_for_completion(show_output=True)
    stopper.join()
    assert find_address(str(server.home)) is None
    server.start()
    run.cancel()
    assert run.wait_for_completion(raise_on_error=False)["status"] == "Canceled"
