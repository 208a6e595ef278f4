"""Many at once, and much of one kind: nothing is lost, doubled or refused for its number."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.conftest import Client, ServerProcess
from tests.faults import life as lives
from tests.journeys.conftest import Project

PROCESSES = 200
POINTS = 20

#: Forked from a process that has a connection and has logged, as a user's pool of workers is; all
#: begin when the gate closes.
CROWD = """\
import os, sys, traceback
from azureml.core import Experiment, Run, Workspace

count, points = int(sys.argv[1]), int(sys.argv[2])
waiting, gate = os.pipe()

def work(number):
    experiment = Experiment(Workspace.from_config(), "crowd")
    run = experiment.start_logging(snapshot_directory=None, run_id=f"crowd-{number}")
    for i in range(points):
        run.log("v", number * 1000 + i)
    run.log_row("row", number=number, text=str(number))
    run.complete()

work(0)
children = []
for number in range(1, count):
    pid = os.fork()
    if pid == 0:
        try:
            os.close(gate)
            os.read(waiting, 1)
            work(number)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    children.append(pid)
os.close(gate)
print(sum(os.waitpid(pid, 0)[1] != 0 for pid in children), "failed")
"""


@pytest.fixture
def project(new_server: Callable[..., ServerProcess], tmp_path: Path) -> Project:
    """A user's folder and a server that only this test uses."""
    return Project(tmp_path, new_server())


def run_with(project: Project, text: str, *arguments: str) -> str:
    """Run a program with arguments in the user's folder; return what it printed."""
    project.write("program.py", text)
    return project.call(sys.executable, "program.py", *arguments)


def workspace_id(project: Project) -> str:
    """Open the user's workspace; return its id."""
    request = {"name": project.workspace_name, "subscription_id": "sub", "resource_group": "rg"}
    answer = project.server.client.post("/api/v1/workspaces/open", request)
    return answer.json["workspace"]["workspace_id"]


def experiment_id(project: Project, name: str) -> str:
    """Open an experiment of the user's workspace; return its id."""
    answer = project.server.client.post(
        f"/api/v1/workspaces/{workspace_id(project)}/experiments", {"name": name}
    )
    return answer.json["experiment_id"]


@pytest.mark.timeout(120)
def test_200_processes_that_log_at_once_all_complete_and_lose_no_point(project: Project) -> None:
    assert run_with(project, CROWD, str(PROCESSES), str(POINTS)).endswith("\n0 failed\n")
    for number in range(PROCESSES):
        run_id = f"crowd-{number}"
        assert project.server.client.get(f"/api/v1/runs/{run_id}").json["state"] == "Completed"
        answer = project.server.client.get(f"/api/v1/runs/{run_id}/metrics").json["runs"][run_id]
        series = {one["name"]: one["values"] for one in answer}
        assert series["v"] == [number * 1000 + i for i in range(POINTS)]
        assert series["row"] == [{"number": number, "text": str(number)}]
    # Nothing is kept on disk of what the server has.
    assert list((project.server.home / "interactive").glob("*")) == []


@pytest.fixture
def empty_home() -> Iterator[Path]:
    """A home without anything; the server that users start in it is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="zf-", dir="/tmp"))
    home = folder / "home"
    yield home
    for pid in servers_of(home):
        os.kill(pid, 15)
    lives.eventually(lambda: not servers_of(home), "the end of the server")
    shutil.rmtree(folder, ignore_errors=True)


def servers_of(home: Path) -> list[int]:
    """Return the processes that serve a home."""
    found: list[int] = []
    for pid in lives.pids():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"zaffre.server" in words and os.fsencode(home) in words:
            found.append(pid)
    return found


@pytest.mark.timeout(120)
def test_32_processes_in_an_empty_home_start_one_server(empty_home: Path, tmp_path: Path) -> None:
    """R129."""
    project = Project(tmp_path, SimpleNamespace(home=empty_home))  # type: ignore[arg-type]
    project.write(
        "first.py",
        "import sys\n"
        "from azureml.core import Experiment, Workspace\n"
        "run = Experiment(Workspace.from_config(), 'first').start_logging("
        "snapshot_directory=None)\n"
        "run.log('n', int(sys.argv[1]))\n"
        "run.complete()\n"
        "print(run.id)\n",
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "first.py", str(number)],
            cwd=project.folder,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(32)
    ]
    printed = [process.communicate(timeout=100) for process in processes]
    assert [process.returncode for process in processes] == [0] * 32, printed
    assert len(servers_of(empty_home)) == 1
    starts = (empty_home / "server.log").read_text().count('"server.started"')
    assert starts <= 1
    address = json.loads((empty_home / "server.json").read_text())
    client = Client(address["socket_path"], (empty_home / "token").read_text().strip())
    for number, (stdout, _) in enumerate(printed):
        run_id = stdout.split()[-1]
        assert client.get(f"/api/v1/runs/{run_id}").json["state"] == "Completed"
        series = client.get(f"/api/v1/runs/{run_id}/metrics").json["runs"][run_id]
        assert [one["values"] for one in series] == [[number]]


@pytest.mark.timeout(120)
def test_two_clients_that_register_one_name_at_once_get_versions_without_gaps_or_doubles(
    project: Project,
) -> None:
    project.write(
        "register.py",
        "import sys\n"
        "from azureml.core import Workspace\n"
        "from azureml.core.model import Model\n"
        "ws = Workspace.from_config()\n"
        "for number in range(10):\n"
        "    open(f'{sys.argv[1]}.pkl', 'w').write(f'{sys.argv[1]} {number}')\n"
        "    model = Model.register(ws, f'{sys.argv[1]}.pkl', 'shared')\n"
        "    print('version', model.version, sys.argv[1], number)\n",
    )
    workspace_id(project)
    processes = [
        subprocess.Popen(
            [sys.executable, "register.py", name],
            cwd=project.folder,
            env=project.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("ann", "bob")
    ]
    printed = "".join(process.communicate(timeout=60)[0] for process in processes)
    lines = [line.split() for line in printed.splitlines() if line.startswith("version ")]
    assert sorted(int(line[1]) for line in lines) == list(range(1, 21))
    for _, version, name, number in lines:
        path = f"/api/v1/workspaces/{workspace_id(project)}/models/shared/versions/{version}"
        content = project.server.client.get(f"{path}/files/{name}.pkl").body
        assert content == f"{name} {number}".encode()


@pytest.mark.timeout(120)
def test_10000_children_of_one_run_are_each_listed_once(project: Project) -> None:
    printed = run_with(
        project,
        "import time\n"
        "from azureml.core import Experiment, Workspace\n"
        "run = Experiment(Workspace.from_config(), 'wide').start_logging(snapshot_directory=None)\n"
        "made = [child.id for child in run.create_children(count=10_000)]\n"
        "began = time.monotonic()\n"
        "listed = [child.id for child in run.get_children()]\n"
        "print('listed in', time.monotonic() - began)\n"
        "assert len(listed) == len(set(listed)) == 10_000, len(listed)\n"
        "assert set(listed) == set(made)\n"
        "some = list(run.get_children(tags={'azureml.batch_child_number': '777'}))\n"
        "assert len(some) == 1 and some[0].id == made[777]\n"
        "some[0].log('v', 1); some[0].complete()\n"
        "assert run.get_metrics(recursive=True)[some[0].id] == {'v': 1}\n"
        "assert [c.id for c in run.get_children(status='Completed')] == [made[777]]\n"
        "run.complete()\n",
    )
    assert "listed in" in printed


@pytest.mark.timeout(120)
def test_1200_runs_are_listed_once_each_while_new_ones_are_made(project: Project) -> None:
    """R037."""
    client, path = project.server.client, f"/api/v1/experiments/{experiment_id(project, 'long')}"
    made = {run["run_id"] for run in make_runs(client, path, 1200)}
    done = threading.Event()
    added: list[str] = []

    def add() -> None:
        while not done.is_set():
            added.extend(run["run_id"] for run in make_runs(client, path, 3))

    writer = threading.Thread(target=add)
    writer.start()
    try:
        printed = run_with(
            project,
            "from azureml.core import Experiment, Workspace\n"
            "experiment = Experiment(Workspace.from_config(), 'long')\n"
            "for children in (False, True):\n"
            "    print(' '.join(r.id for r in experiment.get_runs(include_children=children)))\n",
        )
    finally:
        done.set()
        writer.join()
    for line in printed.splitlines():
        listed = line.split()
        assert len(listed) == len(set(listed))
        assert made <= set(listed)
        assert set(listed) <= made | set(added)
    assert added, "nothing was made meanwhile"


def make_runs(client: Client, experiment_path: str, count: int) -> list[dict[str, Any]]:
    """Make interactive runs in batches of 300."""
    made: list[dict[str, Any]] = []
    while len(made) < count:
        requests = [
            {
                "run_id": uuid.uuid4().hex,
                "idempotency_key": uuid.uuid4().hex,
                "state": "Running",
            }
            for _ in range(min(300, count - len(made)))
        ]
        answer = client.post(f"{experiment_path}/runs/batch", {"items": requests})
        assert answer.status in (200, 201), answer.body
        made.extend(answer.json["items"])
    return made


@pytest.fixture
def fast_project() -> Iterator[Project]:
    """A user's folder and a server, both in memory where the machine has room there."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
    folder = Path(tempfile.mkdtemp(prefix="zf-", dir=place))
    server = ServerProcess(folder / "home")
    (folder / "user").mkdir()
    yield Project(folder / "user", server)
    server.stop()
    # The last runner may still be removing its own folder.
    lives.eventually(lambda: removed(folder), "removal of the folder")


def removed(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


@pytest.mark.timeout(180)
def test_a_folder_of_100000_files_runs_and_is_not_sent_again(fast_project: Project) -> None:
    project, folder = fast_project, fast_project.folder / "source"
    for number in range(100):
        below = folder / f"part{number:02}"
        below.mkdir(parents=True)
        for other in range(1000):
            fd = os.open(below / f"{other}.txt", os.O_WRONLY | os.O_CREAT)
            os.write(fd, b"%d" % (other % 50))
            os.close(fd)
    (folder / "train.py").write_text("import os; print(len(os.listdir('part07')), 'files')")
    printed = run_with(
        project,
        "import time\n"
        "from azureml.core import Experiment, ScriptRunConfig, Workspace\n"
        "experiment = Experiment(Workspace.from_config(), 'files')\n"
        "run = experiment.submit(ScriptRunConfig('source', 'train.py'))\n"
        "run.wait_for_completion()\n"
        "print(run.status, run.get_details_with_logs()['logFiles'])\n"
        "other = experiment.start_logging(snapshot_directory=None)\n"
        "other.take_snapshot('source')\n"
        "assert other.get_snapshot_id() == run.get_snapshot_id()\n",
    )
    assert "Completed" in printed
    assert "1000 files" in printed


def test_a_folder_over_the_limit_is_refused_and_its_largest_entries_are_named(
    project: Project,
) -> None:
    folder = project.folder / "source"
    (folder / "data").mkdir(parents=True)
    (folder / "train.py").write_text("print(1)")
    for name, mib in (("data/big.bin", 250), ("other.bin", 60), ("small.bin", 1)):
        with (folder / name).open("wb") as file:
            file.truncate(mib << 20)
    printed = run_with(
        project,
        "from azureml.core import Experiment, ScriptRunConfig, Workspace\n"
        "from azureml.exceptions import SnapshotException\n"
        "experiment = Experiment(Workspace.from_config(), 'files')\n"
        "try:\n"
        "    experiment.submit(ScriptRunConfig('source', 'train.py'))\n"
        "except SnapshotException as problem:\n"
        "    print(problem.message)\n"
        "print('runs', len(list(experiment.get_runs())))\n",
    )
    assert "exceeds the limit of 300.0 MB" in printed
    assert printed.index("data/big.bin (250.0 MB)") < printed.index("other.bin (60.0 MB)")
    assert printed.splitlines()[-1] == "runs 0"
