"""One server process: its start, its end, and who may have the home."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SOURCE, Client, ServerProcess, workspace_request

NewServer = Callable[..., ServerProcess]


def make_run(client: Client, run_id: str = "r1", **fields: Any) -> dict[str, Any]:
    opened = client.post("/api/v1/workspaces/open", workspace_request("ws1")).json
    path = f"/api/v1/workspaces/{opened['workspace']['workspace_id']}/experiments"
    experiment = client.post(path, {"name": "exp"}).json
    body = {"run_id": run_id, "idempotency_key": "k", "state": "Running", **fields}
    answer = client.post(f"/api/v1/experiments/{experiment['experiment_id']}/runs", body)
    assert answer.status in (200, 201), answer.body
    return answer.json


def test_it_is_reached_by_socket_and_by_port_with_the_same_answers(server: ServerProcess) -> None:
    by_socket = server.client.get("/api/v1/server").json
    host, _, port = server.url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    headers = {"Authorization": f"Bearer {server.token}"}
    connection.request("GET", "/api/v1/server", headers=headers)
    by_port = json.loads(connection.getresponse().read())
    connection.close()
    assert by_socket == by_port
    assert by_socket["pid"] == server.address["pid"]


def test_what_was_stored_is_there_after_a_kill_and_the_port_is_kept(
    new_server: NewServer,
) -> None:
    server = new_server()
    made = make_run(server.client)
    url, token = server.url, server.token
    server.kill()
    server.start()
    assert (server.url, server.token) == (url, token)
    assert server.client.get("/api/v1/runs/r1").json == made


def test_a_clean_stop_answers_held_requests_and_removes_the_address_last(
    new_server: NewServer,
) -> None:
    server = new_server()
    make_run(server.client)
    client = server.client
    answers: list[tuple[int, float]] = []

    def hold() -> None:
        began = time.monotonic()
        held = client.get("/api/v1/runs/r1/wait?state=Running&timeout_s=60", timeout_s=60)
        answers.append((held.status, time.monotonic() - began))

    thread = threading.Thread(target=hold)
    thread.start()
    deadline = time.monotonic() + 10
    while b"wait" not in _requests_of(server) and time.monotonic() < deadline:
        os.sched_yield()
    assert server.stop() == 0
    thread.join(10)
    assert answers[0][0] == 200
    assert answers[0][1] < 10
    assert not (server.home / "server.json").exists()
    assert not (server.home / "s.sock").exists()


def _requests_of(server: ServerProcess) -> bytes:
    """Say whether the server has two connections: ours and the held one's."""
    listed = Path("/proc/net/unix").read_text()
    connected = [line for line in listed.splitlines() if line.endswith(f"{server.home}/s.sock")]
    return b"wait" if len(connected) >= 2 else b""


def test_a_stop_by_request_ends_the_process(new_server: NewServer) -> None:
    server = new_server()
    assert server.client.post("/api/v1/server/stop").status == 202
    assert server.process is not None
    assert server.process.wait(20) == 0


def test_a_second_server_of_a_home_is_refused_in_one_sentence(server: ServerProcess) -> None:
    command = [sys.executable, "-m", "zaffre.server", "--home", str(server.home)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    refused = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=30, check=False
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: A server (process ")
    assert refused.stderr.count("\n") == 1
    assert server.client.get("/healthz").status == 200


def test_of_two_starts_at_once_one_serves_and_both_are_told_ok(tmp_path: Path) -> None:
    home = Path(f"/tmp/zf-{os.getpid()}-two")
    started: list[tuple[subprocess.Popen[bytes], int]] = []
    for _ in range(2):
        reader, writer = os.pipe()
        command = [sys.executable, "-m", "zaffre.server", "--home", str(home)]
        command += ["--started-by-sdk", "--ready-fd", str(writer)]
        environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(
                command, pass_fds=(writer,), env=environment, stderr=log, cwd="/"
            )
        os.close(writer)
        started.append((process, reader))
    said = []
    for _, reader in started:
        with os.fdopen(reader) as lines:
            said.append(lines.readline())
    address = json.loads((home / "server.json").read_text())
    ended = [process for process, _ in started if process.pid != address["pid"]]
    (serving,) = [process for process, _ in started if process.pid == address["pid"]]
    assert said == ["ok\n", "ok\n"]
    assert [process.wait(20) for process in ended] == [0]
    serving.terminate()
    assert serving.wait(20) == 0
    subprocess.run(["rm", "-rf", str(home)], check=True)


def test_a_server_that_an_sdk_started_ends_when_nobody_asks(new_server: NewServer) -> None:
    server = new_server("--started-by-sdk", environment={"ZAFFRE_IDLE_EXIT_S": "0.5"})
    assert server.process is not None
    assert server.process.wait(20) == 0
    assert not (server.home / "server.json").exists()


def test_a_server_that_was_started_by_hand_stays(new_server: NewServer) -> None:
    server = new_server(environment={"ZAFFRE_IDLE_EXIT_S": "0.2"})
    assert server.client.get("/api/v1/server").json["idle_exit_s"] is None


def test_a_request_that_is_held_open_is_use_of_the_server(new_server: NewServer) -> None:
    server = new_server("--started-by-sdk", environment={"ZAFFRE_IDLE_EXIT_S": "0.6"})
    make_run(server.client)
    held = server.client.get("/api/v1/runs/r1/wait?state=Running&timeout_s=2")
    assert held.json["state"] == "Running"


def test_a_wrong_setting_refuses_the_start_in_one_sentence(new_server: NewServer) -> None:
    with pytest.raises(AssertionError, match="error: local_slots: must be a number"):
        new_server(environment={"ZAFFRE_LOCAL_SLOTS": "many"})


def test_a_stale_socket_and_address_do_not_matter(new_server: NewServer) -> None:
    server = new_server()
    server.kill()
    assert (server.home / "s.sock").exists()
    server.start()
    assert server.client.get("/healthz").status == 200


def test_half_a_request_does_not_keep_the_server_from_stopping(new_server: NewServer) -> None:
    server = new_server()
    half = socket.socket(socket.AF_UNIX)
    half.connect(server.socket_path)
    half.sendall(
        b"POST /api/v1/workspaces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"
    )
    assert server.stop() == 0
    half.close()


def test_a_server_serves_from_either_database(new_server: NewServer, database_url: str) -> None:
    server = new_server("--database", database_url)
    made = make_run(server.client)
    kind = server.client.get("/api/v1/server").json["database"]
    assert kind == database_url.partition(":")[0]
    changed = server.client.patch("/api/v1/runs/r1", {"set_tags": {"a": "b"}})
    assert changed.json["tags"] == {"a": "b"}
    server.restart()
    server.client.post("/api/v1/runs/r1/complete")
    run = server.client.get("/api/v1/runs/r1").json
    assert (run["state"], run["number"]) == ("Completed", made["number"])


def test_a_run_goes_to_its_end_on_either_database(
    new_server: NewServer, prepared_database_url: str
) -> None:
    server = new_server("--database", prepared_database_url)
    spec = {"target": "local", "interpreter": sys.executable, "command": "echo hi"}
    run = make_run(server.client, state="Queued", spec=spec)
    deadline = time.monotonic() + 30
    while run["state"] not in ("Completed", "Failed") and time.monotonic() < deadline:
        path = f"/api/v1/runs/r1/wait?state={run['state']}&timeout_s=10"
        run = server.client.get(path).json
    assert run["state"] == "Completed", run
