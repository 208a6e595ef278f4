"""Runs on a real server with real runners: started, restarted under, killed, canceled."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Client, ServerProcess, workspace_request

FINAL = ("Completed", "Failed", "Canceled")
NewServer = Callable[..., ServerProcess]


class Lab:
    """A server with an experiment, and scripts that wait for a file of the test's."""

    def __init__(self, server: ServerProcess, folder: Path) -> None:
        self.server = server
        self.folder = folder
        opened = server.client.post("/api/v1/workspaces/open", workspace_request()).json
        path = f"/api/v1/workspaces/{opened['workspace']['workspace_id']}/experiments"
        self.experiment_id = server.client.post(path, {"name": "exp"}).json["experiment_id"]

    @property
    def client(self) -> Client:
        return self.server.client

    def submit(self, command: str | None, **spec: Any) -> str:
        run_id = uuid.uuid4().hex
        body = {
            "run_id": run_id,
            "idempotency_key": "k",
            "state": "Queued",
            "spec": {
                "target": "local",
                "interpreter": sys.executable,
                "command": command,
                "isolated": False,
                **spec,
            },
            "process_environment": {"PATH": os.environ["PATH"], "GREETING": "hello"},
        }
        answer = self.client.post(f"/api/v1/experiments/{self.experiment_id}/runs", body)
        assert answer.status == 201, answer.body
        return run_id

    def waiting_script(self) -> str:
        """A command that ends once `release` was called."""
        return f"while [ ! -e {self.folder}/go ]; do sleep 0.05; done"

    def release(self) -> None:
        (self.folder / "go").touch()

    def run(self, run_id: str) -> dict[str, Any]:
        return self.client.get(f"/api/v1/runs/{run_id}").json

    def wait(self, run_id: str, *states: str, limit_s: float = 40.0) -> dict[str, Any]:
        """Wait until the run is in one of `states`."""
        deadline = time.monotonic() + limit_s
        run = self.run(run_id)
        while run["state"] not in states:
            left = deadline - time.monotonic()
            assert left > 0, f"still {run['state']}: {self.why(run_id)}"
            assert run["state"] not in FINAL, f"{run['state']}: {run['error']}"
            query = f"state={run['state']}&attempt={run['attempt']}&timeout_s={min(left, 20):.1f}"
            run = self.client.get(f"/api/v1/runs/{run_id}/wait?{query}").json
        return run

    def why(self, run_id: str) -> dict[str, Any]:
        return self.client.get(f"/api/v1/runs/{run_id}/why").json

    def runner_pid(self, run_id: str) -> int:
        """The process that reports for the run: the zygote's child with the run's folder."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                links = {os.readlink(fd) for fd in (entry / "fd").iterdir()}
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"zaffre.runner" in command and any(f"/{run_id}/" in link for link in links):
                return int(entry.name)
        raise AssertionError(f"no runner of {run_id}")


@pytest.fixture
def lab(server: ServerProcess, tmp_path: Path) -> Lab:
    return Lab(server, tmp_path)


@pytest.fixture
def own_lab(new_server: NewServer, tmp_path: Path) -> Iterator[Lab]:
    made = Lab(new_server(environment={"ZAFFRE_LOCAL_SLOTS": "2"}), tmp_path)
    yield made
    made.release()


def test_a_command_runs_to_its_end(lab: Lab) -> None:
    run_id = lab.submit("echo $GREETING from $AZUREML_RUN_ID")
    run = lab.wait(run_id, "Completed")
    assert run["attempt"] == 1
    log = lab.client.get(f"/api/v1/runs/{run_id}/files/user_logs/std_log.txt").body
    assert log == f"hello from {run_id}\n".encode()


def test_a_failing_command_fails_its_run_with_the_exit_code(lab: Lab) -> None:
    run = lab.wait(lab.submit("exit 7"), "Failed")
    assert run["reason"]["kind"] == "script_failed"
    assert run["reason"]["facts"]["exit_code"] == 7


def test_a_missing_interpreter_is_named(lab: Lab) -> None:
    run_id = lab.submit(None, script="train.py", interpreter="/nowhere/python")
    run = lab.wait(run_id, "Failed")
    assert run["reason"]["kind"] == "interpreter_missing"
    assert "/nowhere/python" in run["error"]["message"]


def test_runs_beyond_the_slots_wait_and_say_so(own_lab: Lab) -> None:
    running = [own_lab.submit(own_lab.waiting_script()) for _ in range(2)]
    for run_id in running:
        own_lab.wait(run_id, "Running")
    late = own_lab.submit("true")
    deadline = time.monotonic() + 10
    while own_lab.why(late)["sentence"] is None and time.monotonic() < deadline:
        pass
    assert "2 of 2 runs are running there" in own_lab.why(late)["sentence"]
    own_lab.release()
    for run_id in (*running, late):
        own_lab.wait(run_id, "Completed")


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_server_restart_neither_kills_nor_forgets_running_runs(own_lab: Lab, how: str) -> None:
    running = own_lab.submit(own_lab.waiting_script())
    own_lab.wait(running, "Running")
    getattr(own_lab.server, how)()
    own_lab.server.start()
    assert own_lab.run(running)["state"] == "Running"
    own_lab.release()
    run = own_lab.wait(running, "Completed")
    assert run["attempt"] == 1


def test_runs_that_were_queued_start_after_a_restart(own_lab: Lab) -> None:
    running = [own_lab.submit(own_lab.waiting_script()) for _ in range(2)]
    for run_id in running:
        own_lab.wait(run_id, "Running")
    queued = own_lab.submit("true")
    own_lab.server.kill()
    own_lab.server.start()
    own_lab.release()
    for run_id in (*running, queued):
        own_lab.wait(run_id, "Completed")


def test_a_server_killed_while_it_starts_runs_starts_each_once(own_lab: Lab) -> None:
    for round_number in range(3):
        mark = own_lab.folder / f"started-{round_number}"
        made = [own_lab.submit(f"echo x >> {mark}-{number}") for number in range(4)]
        own_lab.server.kill()
        own_lab.server.start()
        for run_id in made:
            own_lab.wait(run_id, "Completed", "Failed")
        for number in range(4):
            started = Path(f"{mark}-{number}")
            assert started.read_text() == "x\n" if started.exists() else True


def test_a_killed_runner_fails_its_run_within_a_second_or_two(lab: Lab) -> None:
    run_id = lab.submit(lab.waiting_script())
    lab.wait(run_id, "Running")
    os.kill(lab.runner_pid(run_id), signal.SIGKILL)
    began = time.monotonic()
    run = lab.wait(run_id, "Failed")
    lab.release()
    assert time.monotonic() - began < 5
    assert run["reason"]["kind"] == "runner_died"
    assert "signal 9" in lab.why(run_id)["sentence"]


def test_a_runner_killed_while_no_server_runs_is_found_dead(own_lab: Lab) -> None:
    run_id = own_lab.submit(own_lab.waiting_script())
    own_lab.wait(run_id, "Running")
    pid = own_lab.runner_pid(run_id)
    own_lab.server.kill()
    os.kill(pid, signal.SIGKILL)
    own_lab.server.start()
    run = own_lab.wait(run_id, "Failed")
    assert run["reason"]["kind"] == "runner_died"


def test_cancel_ends_a_script_that_ignores_sigterm(lab: Lab) -> None:
    run_id = lab.submit(f"trap '' TERM; {lab.waiting_script()}")
    lab.wait(run_id, "Running")
    asked = lab.client.post(f"/api/v1/runs/{run_id}/cancel")
    assert (asked.status, asked.json["state"]) == (202, "CancelRequested")
    run = lab.wait(run_id, "Canceled")
    assert run["reason"]["kind"] == "canceled_by_user"
    again = lab.client.post(f"/api/v1/runs/{run_id}/cancel")
    assert (again.status, again.json["state"]) == (202, "Canceled")


def test_a_silent_runner_is_not_responding_and_comes_back(
    new_server: NewServer, tmp_path: Path
) -> None:
    lab = Lab(new_server(environment={"ZAFFRE_LEASE_S": "3"}), tmp_path)
    run_id = lab.submit(lab.waiting_script())
    lab.wait(run_id, "Running")
    pid = lab.runner_pid(run_id)
    os.kill(pid, signal.SIGSTOP)
    try:
        lab.wait(run_id, "NotResponding")
    finally:
        os.kill(pid, signal.SIGCONT)
    lab.wait(run_id, "Running")
    lab.release()
    lab.wait(run_id, "Completed")


def test_a_server_that_was_stopped_for_longer_than_a_lease_judges_nobody(
    new_server: NewServer, tmp_path: Path
) -> None:
    server = new_server(environment={"ZAFFRE_LEASE_S": "2"})
    lab = Lab(server, tmp_path)
    run_id = lab.submit(lab.waiting_script())
    lab.wait(run_id, "Running")
    assert server.process is not None
    runner = lab.runner_pid(run_id)
    for pid in (server.process.pid, runner):
        os.kill(pid, signal.SIGSTOP)
    threading.Event().wait(6)  # three leases: the time itself is what is tested
    for pid in (server.process.pid, runner):
        os.kill(pid, signal.SIGCONT)
    lab.release()
    lab.wait(run_id, "Completed")
    states = [line["state"] for line in lab.why(run_id)["history"]]
    assert "NotResponding" not in states
