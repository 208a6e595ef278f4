"""Shipping: each logged record is in the store exactly once, whatever was cut or killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.client.conftest import SOURCE, RunPython
from tests.client.cutting_proxy import CuttingProxy
from tests.client.wire_server import WireServer, answer
from tests.conftest import ServerProcess, workspace_request

from zaffre.client import interactive
from zaffre.client.background import Background
from zaffre.client.connection import FoundServer, NamedServer
from zaffre.client.http import Client
from zaffre.client.metric_log import MetricLog
from zaffre.client.shipping import BATCH_MAX_BYTES, Shipper
from zaffre.client.spool import Spool, spool_files
from zaffre.contract.errors import Refused, ServerUnreachable
from zaffre.contract.metric import decode_value


@dataclass
class InteractiveRun:
    """An interactive run on a server, and a client of it that never starts one."""

    client: Client
    run_id: str
    experiment_id: str

    def values(self, name: str = "n", run_id: str | None = None) -> list[Any]:
        """All values of a metric in the store, in its order."""
        run = run_id or self.run_id
        answer = self.client.request("GET", f"/runs/{run}/metrics", query={"name": name})
        for series in answer["runs"].get(run, []):
            if series["name"] == name:
                return [decode_value(value) for value in series["values"]]
        return []

    def state(self) -> str:
        return self.client.request("GET", f"/runs/{self.run_id}")["state"]


def start_run(client: Client) -> InteractiveRun:
    workspace = client.request("POST", "/workspaces/open", json=workspace_request())["workspace"]
    experiment = client.request(
        "POST", f"/workspaces/{workspace['workspace_id']}/experiments", json={"name": "e"}
    )
    run_id = f"r-{uuid.uuid4().hex[:12]}"
    client.request(
        "POST",
        f"/experiments/{experiment['experiment_id']}/runs",
        json={"run_id": run_id, "idempotency_key": uuid.uuid4().hex, "state": "Running"},
    )
    return InteractiveRun(client, run_id, experiment["experiment_id"])


@pytest.fixture
def run(server: ServerProcess) -> InteractiveRun:
    return start_run(Client(FoundServer(str(server.home))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def test_what_is_logged_is_read_after_a_flush(run: InteractiveRun, folder: Path) -> None:
    spool = Spool(str(folder))
    log = MetricLog(run.run_id, spool)
    shipper = Shipper(run.client, run.run_id, str(folder))
    assert shipper.flush(10.0)
    for n in range(100):
        log.scalar("n", n)
    assert shipper.has_news()
    assert shipper.flush(10.0)
    assert not shipper.has_news()
    assert run.values() == list(range(100))
    log.scalar("n", 100)
    assert shipper.ship().bytes > 0
    assert shipper.ship().bytes == 0
    assert run.values() == list(range(101))


def test_a_shipper_that_forgot_everything_stores_nothing_twice(
    run: InteractiveRun, folder: Path
) -> None:
    log = MetricLog(run.run_id, Spool(str(folder)))
    for n in range(50):
        log.scalar("n", n)
        if n % 7 == 0:
            assert Shipper(run.client, run.run_id, str(folder)).ship().complete
    for n in range(50, 5000):
        log.scalar("n", n)
    for _ in range(2):
        assert Shipper(run.client, run.run_id, str(folder)).flush(10.0)
    assert run.values() == list(range(5000))


def test_rival_shippers_store_each_record_once(run: InteractiveRun, folder: Path) -> None:
    log = MetricLog(run.run_id, Spool(str(folder)))
    done = threading.Event()
    failures: list[BaseException] = []

    def rival() -> None:
        shipper = Shipper(run.client, run.run_id, str(folder))
        try:
            while not done.is_set():
                shipper.ship()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=rival) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(2000):
        log.scalar("n", n)
    assert Shipper(run.client, run.run_id, str(folder)).flush(20.0)
    done.set()
    for thread in threads:
        thread.join(20)
    assert not failures
    assert run.values() == list(range(2000))


def test_more_than_a_batch_arrives_in_order(run: InteractiveRun, folder: Path) -> None:
    log = MetricLog(run.run_id, Spool(str(folder)))
    for n in range(12):
        log.scalar("n", f"{n} " + "x" * 900_000)
    [(_, path)] = spool_files(str(folder))
    assert os.stat(path).st_size > 2 * BATCH_MAX_BYTES
    assert Shipper(run.client, run.run_id, str(folder)).flush(30.0)
    assert [int(value.split()[0]) for value in run.values()] == list(range(12))


def test_the_half_of_a_record_stays_until_it_is_a_line_and_is_skipped_then(
    run: InteractiveRun, folder: Path
) -> None:
    spool = Spool(str(folder))
    log = MetricLog(run.run_id, spool)
    log.scalar("n", 1)
    assert spool.path is not None
    with Path(spool.path).open("ab") as file:
        file.write(b'\n{"run":"' + run.run_id.encode() + b'","name":"n","ki')
    shipper = Shipper(run.client, run.run_id, str(folder))
    assert shipper.flush(10.0)
    log.scalar("n", 2)
    assert shipper.flush(10.0)
    assert run.values() == [1, 2]


def test_lost_answers_and_torn_requests_neither_lose_nor_double_a_record(
    server: ServerProcess, run: InteractiveRun, tmp_path: Path
) -> None:
    folder = tmp_path / "spool"
    spools = [Spool(str(folder)) for _ in range(3)]
    logs = [MetricLog(run.run_id, spool) for spool in spools]
    path = server.home / f"{uuid.uuid4().hex[:8]}.sock"
    seed = int.from_bytes(os.urandom(4), "big")
    with CuttingProxy(path, server.socket_path, server.token, seed=seed) as proxy:
        shipper = Shipper(Client(proxy, retry_s=30.0), run.run_id, str(folder))
        n = 0
        for _ in range(25):
            for _ in range(random.Random(seed).randrange(1, 40)):
                logs[n % 3].scalar(f"n{n % 3}", n)
                n += 1
            shipper.ship()
            shipper.client.close()
        assert proxy.cut_up_count
        assert proxy.cut_down_count
        proxy.calm = True
        assert shipper.flush(20.0), f"seed {seed}"
    for one in range(3):
        assert run.values(f"n{one}") == list(range(one, n, 3)), f"seed {seed}"


def test_a_server_that_is_killed_and_comes_back_has_each_record_once(
    new_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = new_server()
    run = start_run(Client(FoundServer(str(server.home))))
    log = MetricLog(run.run_id, Spool(str(tmp_path / "spool")))
    shipper = Shipper(run.client, run.run_id, str(tmp_path / "spool"))
    ended = threading.Event()

    def ship() -> None:
        while not ended.is_set():
            try:
                shipper.ship(patience_s=0.2)
            except ServerUnreachable:
                continue

    shipping = threading.Thread(target=ship)
    shipping.start()
    n = 0
    for _ in range(4):
        stop = n + 3000
        while n < stop:
            log.scalar("n", n)
            n += 1
        server.kill()
        for _ in range(500):
            log.scalar("n", n)
            n += 1
        server.start()
    ended.set()
    shipping.join(30)
    assert shipper.flush(30.0)
    assert run.values() == list(range(n))


def test_a_server_that_is_away_is_said_within_the_timeout_and_costs_nothing(
    tmp_path: Path,
) -> None:
    log = MetricLog("r1", Spool(str(tmp_path / "spool")))
    log.scalar("n", 1)
    shipper = Shipper(Client(FoundServer(str(tmp_path))), "r1", str(tmp_path / "spool"))
    started = time.monotonic()
    assert not shipper.flush(0.3)
    assert time.monotonic() - started < 2.0
    with pytest.raises(ServerUnreachable):
        shipper.ship(patience_s=0.0)
    assert shipper.has_news()


def test_a_run_that_is_not_there_is_refused(server: ServerProcess, folder: Path) -> None:
    MetricLog("nowhere", Spool(str(folder))).scalar("n", 1)
    client = Client(FoundServer(str(server.home)))
    with pytest.raises(Refused, match="nowhere"):
        Shipper(client, "nowhere", str(folder)).ship()


def test_a_spool_that_is_shorter_than_what_the_server_has_is_not_shipped(
    run: InteractiveRun, folder: Path
) -> None:
    spool = Spool(str(folder))
    log = MetricLog(run.run_id, spool)
    for n in range(100):
        log.scalar("n", n)
    assert Shipper(run.client, run.run_id, str(folder)).flush(10.0)
    assert spool.path is not None
    os.truncate(spool.path, 1000)
    result = Shipper(run.client, run.run_id, str(folder)).ship()
    assert not result.complete
    assert result.problem
    assert "is not the file that was shipped" in result.problem
    assert run.values() == list(range(100))


def test_a_child_runs_records_go_by_their_own_name(run: InteractiveRun, folder: Path) -> None:
    child = f"{run.run_id}-child"
    run.client.request(
        "POST",
        f"/experiments/{run.experiment_id}/runs",
        json={
            "run_id": child,
            "idempotency_key": "k",
            "state": "Running",
            "parent_run_id": run.run_id,
        },
    )
    spool = Spool(str(folder))
    MetricLog(run.run_id, spool).scalar("n", 1)
    MetricLog(child, spool).scalar("n", 2)
    assert Shipper(run.client, run.run_id, str(folder)).flush(10.0)
    assert run.values() == [1]
    assert run.values(run_id=child) == [2]


def wait_for(condition: Callable[[], bool], limit_s: float = 20.0) -> None:
    """Wait for what another thread or process does; there is no event to wait on across HTTP."""
    deadline = time.monotonic() + limit_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.05)


def test_the_background_ships_and_renews_without_being_asked(
    run: InteractiveRun, folder: Path
) -> None:
    background = Background()
    log = MetricLog(run.run_id, Spool(str(folder)), after=background.ensure_running)
    shipper = Shipper(run.client, run.run_id, str(folder))
    background.watch(shipper)
    for n in range(10):
        log.scalar("n", n)
    wait_for(lambda: run.values() == list(range(10)))
    background.forget(shipper)
    wait_for(lambda: background._thread is None)


def test_the_background_renews_as_often_as_the_lease_asks(folder: Path) -> None:
    with WireServer(lambda _: answer(b'{"lease_s": 0.5}')) as server:
        background = Background()
        shipper = Shipper(Client(NamedServer(server.url, "t")), "r", str(folder))
        background.watch(shipper)
        wait_for(lambda: len(server.requests) > 3)
        background.forget(shipper)
        wait_for(lambda: background._thread is None)
    assert {request.line for request in server.requests} == {"POST /api/v1/runs/r/renew HTTP/1.1"}


NOTEBOOK = """
import os, sys
from zaffre.client import interactive
from zaffre.client.background import background
from zaffre.client.connection import connect, home_folder
from zaffre.client.metric_log import MetricLog
from zaffre.client.shipping import Shipper
from zaffre.client.spool import Spool
run_id = sys.argv[1]
folder = interactive.prepare(home_folder(), run_id, server=None)
shipper = Shipper(connect(), run_id, folder)
log = MetricLog(run_id, Spool(folder), after=background.ensure_running)
background.watch(shipper)
"""


def test_a_notebook_that_ends_ships_its_last_records(
    server: ServerProcess, run: InteractiveRun, run_python: RunPython
) -> None:
    script = NOTEBOOK + "for n in range(1000): log.scalar('n', n)"
    done = run_python(script, run.run_id, environment={"ZAFFRE_HOME": str(server.home)})
    assert (done.returncode, done.stderr) == (0, "")
    assert run.values() == list(range(1000))


def test_a_notebook_that_ends_names_a_spool_that_cannot_be_read(
    server: ServerProcess, run: InteractiveRun, run_python: RunPython
) -> None:
    script = NOTEBOOK + "log.scalar('n', 1); os.mkdir(f'{folder}/0-1-folder.spool')"
    done = run_python(script, run.run_id, environment={"ZAFFRE_HOME": str(server.home)})
    assert done.returncode == 0
    assert "0-1-folder.spool cannot be read: Is a directory" in done.stderr
    assert run.values() == [1]


def test_a_notebook_that_ends_at_once_leaves_a_run_that_stops_counting_as_alive(
    new_server: Callable[..., ServerProcess], run_python: RunPython
) -> None:
    server = new_server(environment={"ZAFFRE_LEASE_S": "1"})
    run = start_run(Client(FoundServer(str(server.home))))
    script = NOTEBOOK + "log.scalar('n', 1)"
    done = run_python(script, run.run_id, environment={"ZAFFRE_HOME": str(server.home)})
    assert (done.returncode, done.stderr) == (0, "")
    wait_for(lambda: run.client.request("GET", f"/runs/{run.run_id}")["state"] == "NotResponding")


def test_a_notebook_whose_server_is_away_is_not_held_up_and_sync_ships_what_it_left(
    new_server: Callable[..., ServerProcess], run_python: RunPython
) -> None:
    server = new_server()
    run = start_run(Client(FoundServer(str(server.home))))
    server.kill()
    environment = {"ZAFFRE_HOME": str(server.home)}
    script = NOTEBOOK + (
        "import time\nt = time.monotonic()\n"
        "for n in range(1000): log.scalar('n', n)\n"
        "print(time.monotonic() - t)"
    )
    started = time.monotonic()
    done = run_python(script, run.run_id, environment=environment)
    assert time.monotonic() - started < 15
    assert float(done.stdout) < 1.0
    assert "zaffre sync" in done.stderr
    assert run.run_id in done.stderr
    server.start()
    synced = run_python(
        "import sys; from zaffre.client.__main__ import main; sys.exit(main(['sync', '--json']))",
        environment=environment,
    )
    assert synced.returncode == 0, synced.stderr
    [item] = json.loads(synced.stdout)["items"]
    assert (item["run_id"], item["complete"], item["removed"]) == (run.run_id, True, False)
    assert run.values() == list(range(1000))
    run.client.request("POST", f"/runs/{run.run_id}/complete")
    [result] = interactive.sync(run.client, str(server.home))
    assert result.removed
    assert interactive.sync(run.client, str(server.home)) == []
    assert run.values() == list(range(1000))


def test_sync_leaves_a_living_notebooks_folder_alone(
    server: ServerProcess, run: InteractiveRun
) -> None:
    folder = interactive.prepare(str(server.home), run.run_id, server=None)
    spool = Spool(folder)
    log = MetricLog(run.run_id, spool)
    log.scalar("n", 1)
    run.client.request("POST", f"/runs/{run.run_id}/complete")
    [result] = [
        one for one in interactive.sync(run.client, str(server.home)) if one.run_id == run.run_id
    ]
    assert result.complete
    assert not result.removed
    shipper = Shipper(run.client, run.run_id, folder)
    spool.close()
    assert not interactive.discard(shipper), "this shipper does not know yet that all is stored"
    assert shipper.flush(10.0)
    assert interactive.discard(shipper)
    assert run.values() == [1]


def test_sync_ships_what_a_runner_has_kept_and_leaves_its_other_files(
    server: ServerProcess, run: InteractiveRun
) -> None:
    kept = server.home / "runs" / run.run_id / "1"
    spool = kept / "spool" / "1-1-abc.spool"
    spool.parent.mkdir(parents=True)
    record = {"run": run.run_id, "name": "n", "kind": "scalar", "at": 1.0, "value": 7}
    spool.write_text(f"\n{json.dumps(record)}\n")
    about = {"run_id": run.run_id, "server": None, "pid": 0, "start_time": 0, "boot_id": ""}
    (kept / "run.json").write_text(json.dumps(about))
    (kept / "work").mkdir()
    run.client.request("POST", f"/runs/{run.run_id}/complete")

    def sync() -> list[interactive.SyncedRun]:
        found = interactive.sync(run.client, str(server.home))
        return [one for one in found if one.run_id == run.run_id]

    [result] = sync()
    assert (result.complete, result.removed) == (True, True)
    assert run.values() == [7]
    assert [path.name for path in kept.iterdir()] == ["work"]
    assert sync() == []


def test_a_spool_that_cannot_be_read_is_named_and_keeps_no_other(
    run: InteractiveRun, folder: Path
) -> None:
    MetricLog(run.run_id, Spool(str(folder))).scalar("n", 1)
    (folder / "0-1-folder.spool").mkdir()
    result = Shipper(run.client, run.run_id, str(folder)).ship()
    assert not result.complete
    assert result.problem
    assert "0-1-folder.spool cannot be read: Is a directory" in result.problem
    assert run.values() == [1]


def test_a_run_of_another_server_is_not_sent_to_this_one(
    server: ServerProcess, run: InteractiveRun
) -> None:
    folder = interactive.prepare(str(server.home), run.run_id, server="https://team.example")
    MetricLog(run.run_id, Spool(folder)).scalar("n", 1)
    [result] = [
        one for one in interactive.sync(run.client, str(server.home)) if one.run_id == run.run_id
    ]
    assert not result.complete
    assert result.problem
    assert "https://team.example" in result.problem
    assert run.values() == []


def test_a_killed_notebook_loses_no_record_that_log_returned_for(
    server: ServerProcess, run: InteractiveRun
) -> None:
    """It logs, forks a child that logs too, and is killed at a moment of chance."""
    script = NOTEBOOK + (
        "name = 'parent' if os.fork() else 'child'\n"
        "n = 0\n"
        "while True:\n"
        "    log.scalar(name, n)\n"
        "    os.write(1, f'{name} {n}\\n'.encode())\n"
        "    n += 1\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "ZAFFRE_HOME": str(server.home)}
    with subprocess.Popen(
        [sys.executable, "-c", script, run.run_id],
        env=environment,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as notebook:
        assert notebook.stdout is not None
        lines: list[bytes] = []
        wanted = 2000 + int.from_bytes(os.urandom(2), "big") // 3
        while len(lines) < wanted:
            lines.append(notebook.stdout.readline())
        os.killpg(notebook.pid, signal.SIGKILL)
        lines += notebook.stdout.read().splitlines()
    said = {"parent": -1, "child": -1}
    for line in lines:
        name, _, n = line.decode().partition(" ")
        if name in said and n.strip().isdigit():
            said[name] = max(said[name], int(n))
    results = interactive.sync(run.client, str(server.home))
    assert all(one.complete for one in results if one.run_id == run.run_id)
    for name, last in said.items():
        found = run.values(name)
        assert found == list(range(len(found)))
        assert len(found) in (last + 1, last + 2)


@pytest.mark.python38
def test_python_38_logs_and_ships(
    server: ServerProcess, run: InteractiveRun, run_python: RunPython, python38: str
) -> None:
    script = NOTEBOOK + (
        "import sys\nassert sys.version_info[:2] == (3, 8)\n"
        "for n in range(100): log.scalar('n', n)\n"
        "assert shipper.flush(10.0)\n"
        "assert interactive.sync(connect(), home_folder())\n"
    )
    done = run_python(
        script, run.run_id, interpreter=python38, environment={"ZAFFRE_HOME": str(server.home)}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert run.values() == list(range(100))


DOCTOR = """
import sys
from zaffre.client.__main__ import main
sys.exit(main(["doctor", "--json"]))
"""


def test_the_doctor_says_what_is_here(
    server: ServerProcess, run_python: RunPython, tmp_path: Path
) -> None:
    environment = {"ZAFFRE_HOME": str(server.home)}
    done = run_python(DOCTOR, environment=environment)
    found = json.loads(done.stdout)
    assert done.returncode == 0, found["problems"]
    assert found["azureml_is_ours"]
    assert found["server"]["home"] == str(server.home)
    assert found["interpreter"] == sys.executable
    real = tmp_path / "azureml" / "core"
    real.mkdir(parents=True)
    (real.parent / "__init__.py").write_text("")
    (real / "__init__.py").write_text("")
    distribution = tmp_path / "azureml_core-1.61.0.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: azureml-core\nVersion: 1.61.0\n"
    )
    shadowed = {**environment, "PYTHONPATH": f"{tmp_path}:{SOURCE}"}
    done = run_python(DOCTOR, environment=shadowed)
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert not found["azureml_is_ours"]
    assert "azureml-core 1.61.0" in found["problems"][0]
    assert str(tmp_path) in found["problems"][0]
    done = run_python(DOCTOR, environment={"ZAFFRE_HOME": str(tmp_path / "none")})
    assert json.loads(done.stdout)["server"] is None
    assert not (tmp_path / "none").exists()
