"""Runners and a real server: what the two promise together."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from zaffre.runner import process_tree

FINAL = ("Completed", "Failed", "Canceled")
LIMIT_S = 30.0
SLEEPS = "import time; print('up', flush=True); time.sleep(300)"
LOGS = """
import os, time
from zaffre.client.metric_log import MetricLog
from zaffre.client.spool import Spool
metrics = MetricLog(os.environ["AZUREML_RUN_ID"], Spool(os.environ["ZAFFRE_SPOOL_FOLDER"]))
def log(value):
    metrics.scalar("loss", value)
"""


class Site:
    """One workspace and experiment on a real server."""

    def __init__(self, server: Any) -> None:
        self.server = server
        body = {"name": f"ws-{uuid.uuid4().hex[:8]}", "subscription_id": "s", "resource_group": "g"}
        self.workspace = self.post("/workspaces/open", body)["workspace"]["workspace_id"]
        path = f"/workspaces/{self.workspace}/experiments"
        self.experiment = self.post(path, {"name": "exp"})["experiment_id"]

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.server.client.post(f"/api/v1{path}", body)
        assert answer.status < 300, answer.body
        return answer.json

    def get(self, path: str) -> Any:
        answer = self.server.client.get(f"/api/v1{path}")
        assert answer.status == 200, answer.body
        return answer.json

    def submit(self, script: str, **spec: Any) -> str:
        data = script.encode()
        digest = hashlib.sha256(data).hexdigest()
        stored = self.server.client.request("PUT", f"/api/v1/blobs/{digest}", body=data)
        assert stored.status in (200, 201), stored.body
        entry = {"name": "train.py", "sha256": digest, "size_bytes": len(data)}
        path = f"/workspaces/{self.workspace}/snapshots"
        snapshot_id = self.post(path, {"files": [entry]})["snapshot_id"]
        run_id = f"run-{uuid.uuid4().hex[:12]}"
        request = {
            "run_id": run_id,
            "idempotency_key": run_id,
            "state": "Queued",
            "target": "local",
            "snapshot_id": snapshot_id,
            "spec": {
                "target": "local",
                "interpreter": sys.executable,
                "script": "train.py",
                "snapshot_id": snapshot_id,
                **spec,
            },
            "process_environment": {"PATH": os.environ["PATH"]},
        }
        self.post(f"/experiments/{self.experiment}/runs", request)
        return run_id

    def run(self, run_id: str) -> dict[str, Any]:
        return self.get(f"/runs/{run_id}")

    def wait(self, run_id: str, limit_s: float = LIMIT_S) -> dict[str, Any]:
        """Wait for the run's end."""
        until = time.monotonic() + limit_s
        run = self.run(run_id)
        while run["state"] not in FINAL:
            assert time.monotonic() < until, self.get(f"/runs/{run_id}/why")
            run = self.get(f"/runs/{run_id}/wait?state={run['state']}&timeout_s=2")
        return self.run(run_id)

    def log(self, run_id: str) -> str:
        path = f"/api/v1/runs/{run_id}/logs/user_logs/std_log.txt"
        return self.server.client.get(path).body.decode()

    def wait_for_log(self, run_id: str, text: str) -> None:
        until = time.monotonic() + LIMIT_S
        while text not in self.log(run_id):
            assert time.monotonic() < until, self.get(f"/runs/{run_id}/why")
            threading.Event().wait(0.02)

    def runner(self, run_id: str) -> int:
        folder = self.server.home / "runs" / run_id
        for pid in processes_with(b"AZUREML_RUN_ID=" + run_id.encode()):
            while pid > 1:
                if Path(f"/proc/{pid}/comm").read_text() == "zaffre-runner\n":
                    return pid
                status = Path(f"/proc/{pid}/status").read_text()
                pid = int(status.partition("PPid:\t")[2].split("\n", 1)[0])
        raise AssertionError(f"no runner, {list(folder.iterdir())}")


def processes_with(mark: bytes) -> list[int]:
    return [pid for pid in process_tree.marked([mark]) if process_tree.is_living(pid)]


@pytest.fixture
def site(server) -> Site:
    return Site(server)


def test_a_run_completes_with_log_metrics_and_files(site):
    script = LOGS + "log(1.5); log(2.5); print('done'); open('outputs/m', 'w').write('m')"
    run_id = site.submit(script)
    run = site.wait(run_id)
    assert run["state"] == "Completed", site.get(f"/runs/{run_id}/why")
    assert site.log(run_id) == "done\n"
    (series,) = site.get(f"/runs/{run_id}/metrics")["runs"][run_id]
    assert (series["name"], series["values"]) == ("loss", [1.5, 2.5])
    names = [item["name"] for item in site.get(f"/runs/{run_id}/files")["items"]]
    assert names == ["outputs/m", "user_logs/std_log.txt"]
    states = [entry["state"] for entry in site.get(f"/runs/{run_id}/why")["history"]]
    assert states[-4:] == ["Preparing", "Running", "Finalizing", "Completed"]
    until = time.monotonic() + LIMIT_S
    while (site.server.home / "runs" / run_id).exists():
        assert time.monotonic() < until


@pytest.mark.parametrize("isolated", [True, False])
def test_a_killed_runner_fails_its_run_within_a_second_and_all_is_shipped(site, isolated):
    script = LOGS + "for i in range(500): log(i)\nopen('outputs/m', 'w').write('m')\n" + SLEEPS
    run_id = site.submit(script, isolated=isolated)
    site.wait_for_log(run_id, "up")
    begun = time.monotonic()
    os.kill(site.runner(run_id), signal.SIGKILL)
    run = site.wait(run_id)
    assert time.monotonic() - begun < 1.5
    assert (run["state"], run["reason"]["kind"]) == ("Failed", "runner_died")
    assert processes_with(b"AZUREML_RUN_ID=" + run_id.encode()) == []
    (series,) = site.get(f"/runs/{run_id}/metrics")["runs"][run_id]
    assert series["values"] == list(range(500))
    names = [item["name"] for item in site.get(f"/runs/{run_id}/files")["items"]]
    assert "outputs/m" in names


@pytest.mark.parametrize("after_ms", [0, 5, 15, 25, 40, 80, 150])
def test_a_cancel_at_any_moment_ends_the_run_and_leaves_no_process(site, after_ms):
    run_id = site.submit(SLEEPS)
    threading.Event().wait(after_ms / 1000)
    site.post(f"/runs/{run_id}/cancel")
    begun = time.monotonic()
    run = site.wait(run_id)
    assert run["state"] == "Canceled"
    assert run["reason"]["kind"] == "canceled_by_user"
    assert time.monotonic() - begun < 5
    until = time.monotonic() + 2
    while processes_with(b"AZUREML_RUN_ID=" + run_id.encode()):
        assert time.monotonic() < until
    assert site.run(run_id)["state"] == "Canceled"


def test_a_restart_of_the_server_neither_kills_nor_forgets_a_run(new_server):
    server = new_server()
    site = Site(server)
    script = LOGS + "print('up', flush=True)\nfor i in range(40): log(i); time.sleep(0.1)\n"
    run_id = site.submit(script)
    site.wait_for_log(run_id, "up")
    server.kill()
    threading.Event().wait(0.5)
    server.start()
    assert site.run(run_id)["state"] == "Running"
    server.restart()
    run = site.wait(run_id)
    assert run["state"] == "Completed", site.get(f"/runs/{run_id}/why")
    (series,) = site.get(f"/runs/{run_id}/metrics")["runs"][run_id]
    assert series["values"] == list(range(40))


def test_a_runner_that_died_with_its_server_is_known_to_the_next_one(new_server):
    server = new_server()
    site = Site(server)
    run_id = site.submit(LOGS + "for i in range(50): log(i)\n" + SLEEPS)
    site.wait_for_log(run_id, "up")
    runner = site.runner(run_id)
    server.kill()
    os.kill(runner, signal.SIGKILL)
    server.start()
    run = site.wait(run_id)
    assert (run["state"], run["reason"]["kind"]) == ("Failed", "runner_died")
    (series,) = site.get(f"/runs/{run_id}/metrics")["runs"][run_id]
    assert series["values"] == list(range(50))


def test_a_cancel_reaches_a_runner_of_an_earlier_server(new_server):
    server = new_server()
    site = Site(server)
    run_id = site.submit(SLEEPS)
    site.wait_for_log(run_id, "up")
    server.kill()
    server.start()
    site.post(f"/runs/{run_id}/cancel")
    assert site.wait(run_id)["state"] == "Canceled"
    assert processes_with(b"AZUREML_RUN_ID=" + run_id.encode()) == []


def test_a_script_that_ends_while_the_server_is_away_completes_its_run(new_server):
    server = new_server()
    site = Site(server)
    run_id = site.submit("import time; print('up', flush=True); time.sleep(0.5); print('end')")
    site.wait_for_log(run_id, "up")
    server.kill()
    while processes_with(b"AZUREML_RUN_ID=" + run_id.encode()):
        pass
    threading.Event().wait(0.3)
    server.start()
    assert site.wait(run_id)["state"] == "Completed"
    assert site.log(run_id) == "up\nend\n"


def test_a_run_that_marks_itself_as_failed_is_failed_although_its_script_ends_well(site):
    script = """
import http.client, json, os, socket
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(os.environ["ZAFFRE_SOCKET"])
body = json.dumps({"error": {"code": "UserError", "message": "the loss is not a number"}})
path = f"/api/v1/runs/{os.environ['AZUREML_RUN_ID']}/fail"
token = os.environ["AZUREML_RUN_TOKEN"]
headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
connection.request("POST", path, body, headers)
print(connection.getresponse().status)
"""
    run_id = site.submit(script)
    run = site.wait(run_id)
    assert site.log(run_id) == "200\n"
    assert (run["state"], run["error"]["message"]) == ("Failed", "the loss is not a number")
