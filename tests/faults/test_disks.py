"""Full disks: a clear refusal, nothing by halves, and all goes on once there is room."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Answer, ServerProcess, workspace_request
from tests.faults import life as lives
from tests.journeys.conftest import Project
from tests.server.data import sha256_of

from zaffre.client import blobs
from zaffre.client.connection import FoundServer
from zaffre.client.http import Client
from zaffre.contract.errors import Refused

MIB = 1 << 20


class SmallDisk:
    """A file system of a few MiB that can be filled to its last byte."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.filler = folder / "filler"

    def fill(self, *, but_bytes: int = 0) -> None:
        """Leave `but_bytes` of room."""
        with self.filler.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(64 << 10))
            except OSError:
                # What a write of 64 KiB has left.
                end = file.tell()
            try:
                while True:
                    file.write(bytes(4 << 10))
            except OSError:
                end = max(end, file.tell())
            file.truncate(max(0, end - but_bytes))

    def free(self) -> None:
        """Make room again."""
        self.filler.unlink()


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], SmallDisk]]:
    """Mount small disks: `small_disk(mib)`; needs root."""
    mounted: list[Path] = []

    def mount(mib: int) -> SmallDisk:
        folder = Path(tempfile.mkdtemp(prefix="zf-", dir="/tmp"))
        command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            folder.rmdir()
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        mounted.append(folder)
        return SmallDisk(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def full_server(
    small_disk: Callable[[int], SmallDisk],
) -> Iterator[tuple[ServerProcess, SmallDisk]]:
    """A server whose home is a disk of 24 MiB, and that disk."""
    disk = small_disk(24)
    server = ServerProcess(disk.folder / "home")
    yield server, disk
    server.stop()


def refused_as_full(answer: Answer) -> bool:
    """Say whether a request was refused for want of room; it must be well or that."""
    if answer.status < 300:
        return False
    assert answer.status == 507, answer.body
    assert answer.error["code"] == "store.full"
    assert "disk is full" in answer.error["message"]
    return True


def test_a_full_store_refuses_in_a_sentence_keeps_no_halves_and_goes_on(
    full_server: tuple[ServerProcess, SmallDisk],
) -> None:
    server, disk = full_server
    client = server.client
    workspace_id = client.post("/api/v1/workspaces/open", workspace_request()).json["workspace"][
        "workspace_id"
    ]
    experiment = client.post(f"/api/v1/workspaces/{workspace_id}/experiments", {"name": "full"})
    runs = f"/api/v1/experiments/{experiment.json['experiment_id']}/runs"
    run_id = uuid.uuid4().hex
    assert client.post(runs, new_run(run_id)).status == 201
    disk.fill()

    content = bytes(range(256)) * 4096
    blob = f"/api/v1/blobs/{sha256_of(content)}"
    assert refused_as_full(client.request("PUT", blob, body=content))
    bundle = b"%s %d\n" % (sha256_of(content).encode(), len(content)) + content
    kind = {"Content-Type": "application/x-zaffre-bundle"}
    assert refused_as_full(
        client.request("POST", "/api/v1/blobs/bundle", body=bundle, headers=kind)
    )
    log = f"/api/v1/runs/{run_id}/logs/logs/a.txt?offset=0"
    assert refused_as_full(client.request("PUT", log, body=content))
    spool = f"/api/v1/runs/{run_id}/spools/1-2-a"
    lines = b"".join(record(run_id, number) for number in range(20_000))
    ndjson = {"Content-Type": "application/x-ndjson"}
    batch = f"{spool}/batches?from_offset=0"
    assert refused_as_full(client.request("POST", batch, body=lines, headers=ndjson))
    others = [new_run(uuid.uuid4().hex) for _ in range(300)]
    answers = [client.post(f"{runs}/batch", {"items": others[i : i + 100]}) for i in (0, 100, 200)]
    refused = [refused_as_full(answer) for answer in answers]
    assert any(refused)

    # Reading goes on, and shows nothing of what was refused.
    assert client.get(spool).json == {"offset": 0}
    assert client.get(f"/api/v1/runs/{run_id}").json["state"] == "Running"
    assert client.get(f"/api/v1/runs/{run_id}/metrics").json["runs"][run_id] == []
    assert client.get(blob).status == 404
    listed = client.get(f"/api/v1/runs?workspace_id={workspace_id}&limit=1000").json["items"]
    assert len(listed) == 1 + 100 * refused.count(False)
    assert list((server.home / "store" / "blobs" / "tmp").iterdir()) == []

    disk.free()
    assert client.request("PUT", blob, body=content).status == 201
    assert client.get(blob).body == content
    assert client.request("PUT", log, body=content).json == {"offset": len(content)}
    answer = client.request("POST", batch, body=lines, headers=ndjson)
    assert answer.json["offset"] == len(lines)
    series = client.get(f"/api/v1/runs/{run_id}/metrics").json["runs"][run_id]
    assert series[0]["values"] == list(range(20_000))
    for i in (0, 100, 200):
        assert client.post(f"{runs}/batch", {"items": others[i : i + 100]}).status in (200, 201)
    assert client.post(f"/api/v1/runs/{run_id}/complete").json["state"] == "Completed"
    assert server.process is not None
    assert server.process.poll() is None


def test_a_large_file_that_does_not_fit_is_refused_and_leaves_nothing(
    full_server: tuple[ServerProcess, SmallDisk], tmp_path: Path
) -> None:
    server, _ = full_server
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(48 * MIB))
    client = Client(FoundServer(str(server.home)))
    with pytest.raises(Refused, match="disk is full") as caught:
        blobs.send(client, [blobs.Source("large.bin", str(large))])
    assert caught.value.code == "store.full"
    assert list((server.home / "store" / "blobs" / "tmp").iterdir()) == []
    small = tmp_path / "small.bin"
    small.write_bytes(b"x" * 1000)
    assert blobs.send(client, [blobs.Source("small.bin", str(small))])


def test_a_bundle_that_fits_in_part_leaves_nothing(
    full_server: tuple[ServerProcess, SmallDisk],
) -> None:
    server, disk = full_server
    contents = [os.urandom(100_000) for _ in range(60)]
    names = [sha256_of(content) for content in contents]
    bundle = b"".join(
        b"%b %d\n%b" % (name.encode(), len(content), content)
        for name, content in zip(names, contents, strict=True)
    )
    headers = {"Content-Type": "application/x-zaffre-bundle"}
    disk.fill(but_bytes=2_000_000)
    assert refused_as_full(server.client.post("/api/v1/blobs/bundle", body=bundle, headers=headers))
    disk.free()
    answer = server.client.post("/api/v1/blobs/missing", {"sha256": names})
    assert answer.json["missing"] == sorted(names)
    answer = server.client.post("/api/v1/blobs/bundle", body=bundle, headers=headers)
    assert answer.json == {"stored": 60}
    assert server.client.post("/api/v1/blobs/read", {"sha256": names}).body == bundle


def test_metrics_and_logs_go_on_where_they_stopped_once_there_is_room(
    full_server: tuple[ServerProcess, SmallDisk],
) -> None:
    server, disk = full_server
    client = server.client
    workspace_id = client.post("/api/v1/workspaces/open", workspace_request()).json["workspace"][
        "workspace_id"
    ]
    experiment = client.post(f"/api/v1/workspaces/{workspace_id}/experiments", {"name": "full"})
    runs = f"/api/v1/experiments/{experiment.json['experiment_id']}/runs"
    assert client.post(runs, new_run("r1")).status == 201
    run = "/api/v1/runs/r1"
    ndjson = {"Content-Type": "application/x-ndjson"}
    disk.fill(but_bytes=1_500_000)
    offset = size = count = 0
    full = {"metrics": False, "log": False}
    piece = b"a line of the log\n" * 500
    for _ in range(2000):
        if not full["metrics"]:
            body = b"".join(record("r1", count + i) for i in range(200))
            batch = f"{run}/spools/s/batches?from_offset={offset}"
            answer = client.post(batch, body=body, headers=ndjson)
            full["metrics"] = refused_as_full(answer)
            if not full["metrics"]:
                offset, count = answer.json["offset"], count + 200
        if not full["log"]:
            answer = client.request("PUT", f"{run}/logs/std.txt?offset={size}", body=piece)
            full["log"] = refused_as_full(answer)
            if not full["log"]:
                size = answer.json["offset"]
        if all(full.values()):
            break
    assert all(full.values())
    assert client.get(f"{run}/files/std.txt").body == piece * (size // len(piece))
    disk.free()
    batch = f"{run}/spools/s/batches?from_offset={offset}"
    assert client.post(batch, body=record("r1", count), headers=ndjson).status == 200
    assert client.request("PUT", f"{run}/logs/std.txt?offset={size}", body=b"x").status == 200
    (series,) = client.get(f"{run}/metrics").json["runs"]["r1"]
    assert series["values"] == list(range(count + 1))


def test_a_notebook_logs_on_while_its_server_has_no_room(
    full_server: tuple[ServerProcess, SmallDisk], tmp_path: Path
) -> None:
    server, disk = full_server
    project = TeamProject(tmp_path, server, tmp_path / "home")
    program = project.start(
        "import sys, time\n"
        "from azureml.core import Experiment, Workspace\n"
        "from azureml.exceptions import AzureMLException\n"
        "experiment = Experiment(Workspace.from_config(), 'full')\n"
        "run = experiment.start_logging(snapshot_directory=None)\n"
        "print(run.id, flush=True)\n"
        "sys.stdin.readline()\n"
        "for number in range(30_000): run.log('v', number)\n"
        "try:\n"
        "    run.flush(timeout_seconds=2)\n"
        "except AzureMLException as problem:\n"
        "    print('refused:', problem.message, flush=True)\n"
        "sys.stdin.readline()\n"
        "run.complete()\n"
    )
    assert program.stdin is not None
    assert program.stdout is not None
    run_id = program.stdout.readline().split()[-1]
    disk.fill()
    program.stdin.write("full\n")
    program.stdin.flush()
    refused = program.stdout.readline()
    assert refused.startswith("refused:")
    assert "full" in refused
    disk.free()
    program.stdin.write("freed\n")
    program.stdin.flush()
    stdout, stderr = program.communicate(timeout=30)
    assert program.returncode == 0, stdout + stderr
    series = server.client.get(f"/api/v1/runs/{run_id}/metrics").json["runs"][run_id]
    assert series[0]["values"] == list(range(30_000))


def test_a_spool_on_a_full_disk_refuses_one_record_and_keeps_those_before(
    server: ServerProcess, small_disk: Callable[[int], SmallDisk], tmp_path: Path
) -> None:
    disk = small_disk(2)
    project = TeamProject(tmp_path, server, disk.folder / "home")
    program = project.start(
        "import errno, os, sys\n"
        "from azureml.core import Experiment, Workspace\n"
        "experiment = Experiment(Workspace.from_config(), 'full')\n"
        "run = experiment.start_logging(snapshot_directory=None)\n"
        "run.log('v', -1)\n"
        "print(run.id, flush=True)\n"
        "sys.stdin.readline()\n"
        "taken, problems = [], 0\n"
        "for number in range(3_000):\n"
        "    try:\n"
        "        run.log('v', number)\n"
        "        taken.append(number)\n"
        "    except OSError as problem:\n"
        "        assert problem.errno == errno.ENOSPC, problem\n"
        "        problems += 1\n"
        "        words = str(problem)\n"
        "assert problems and taken, (problems, len(taken))\n"
        "assert 'not stored' in words and 'kept' in words and 'Free space' in words, words\n"
        f"os.unlink({str(disk.filler)!r})\n"
        "run.log('v', 10_000)\n"
        "run.complete()\n"
        "import json\n"
        "print(json.dumps([-1, *taken, 10_000]))\n"
    )
    assert program.stdin is not None
    assert program.stdout is not None
    run_id = program.stdout.readline().split()[-1]
    disk.fill(but_bytes=100_000)
    stdout, stderr = program.communicate("full\n", timeout=30)
    assert program.returncode == 0, stdout + stderr
    series = server.client.get(f"/api/v1/runs/{run_id}/metrics").json["runs"][run_id]
    assert series[0]["values"] == json.loads(stdout.splitlines()[-1])


FILLING = """\
import os, sys
from azureml.core import Run
run = Run.get_context()
for number in range(100): run.log("number", number)
try:
    with open("outputs/large.bin", "wb", buffering=0) as file:
        while True: file.write(os.urandom(65536))
except OSError as problem:
    os.write(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), b"0\\n")
"""


def test_a_run_that_filled_the_disk_ends_whole_once_there_is_room(
    full_server: tuple[ServerProcess, SmallDisk], tmp_path: Path
) -> None:
    server, disk = full_server
    disk.filler.write_bytes(bytes(14 * MIB))
    life = lives.start(server, tmp_path, script=FILLING)
    life.wait_until_acknowledged(1)
    lives.Pause().rest(1.0)
    assert life.run()["state"] not in lives.FINAL, lives.describe(life.run())
    disk.free()
    assert life.wait_for_state(*lives.FINAL)["state"] == "Completed"
    assert life.stored() == list(range(100))
    files = server.client.get(f"/api/v1/runs/{life.run_id}/files?prefix=outputs/").json["items"]
    assert [file["name"] for file in files] == ["outputs/large.bin"]
    life.assert_no_process_is_left()


class TeamProject(Project):
    """A user whose home is not the server's: ZAFFRE_URL and ZAFFRE_TOKEN lead to it."""

    def __init__(self, folder: Path, server: ServerProcess, home: Path) -> None:
        super().__init__(folder, server)
        self.home = home
        request = {"name": self.workspace_name, "subscription_id": "sub", "resource_group": "rg"}
        answer = server.client.post("/api/v1/workspaces/open", request)
        assert answer.status == 200, answer.body

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "ZAFFRE_HOME": str(self.home),
            "ZAFFRE_URL": self.server.url,
            "ZAFFRE_TOKEN": self.server.token,
        }

    def start(self, text: str) -> subprocess.Popen[str]:
        """Start a program that the test speaks with."""
        self.write("program.py", text)
        pipe: Any = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "program.py"],
            cwd=self.folder,
            env=self.environment(),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )


def new_run(run_id: str) -> dict[str, Any]:
    """A request for an interactive run."""
    return {"run_id": run_id, "idempotency_key": run_id, "state": "Running"}


def record(run_id: str, number: int) -> bytes:
    """One line of a spool."""
    value = {"run": run_id, "name": "v", "kind": "scalar", "at": 1.0, "value": number}
    return json.dumps(value).encode() + b"\n"
