"""The server's disk is full: each write is stored whole or refused, and what was stored stays."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Answer, ServerProcess, workspace_request
from tests.server.data import line, sha256_of

from zaffre.client import blobs
from zaffre.client.connection import FoundServer
from zaffre.client.http import Client
from zaffre.contract.errors import Refused

DISK_BYTES = 24 << 20
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder on a disk of its own; skipped where nothing may be mounted."""
    folder = Path(f"/tmp/zf-{uuid.uuid4().hex[:8]}")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        folder.rmdir()
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
def crowded(small_disk: Path) -> Iterator[tuple[ServerProcess, str]]:
    """A server on the small disk, with a run."""
    server = ServerProcess(small_disk / "home")
    client = server.client
    workspace = client.post("/api/v1/workspaces/open", workspace_request()).json["workspace"]
    path = f"/api/v1/workspaces/{workspace['workspace_id']}/experiments"
    experiment = client.post(path, {"name": "e"}).json["experiment_id"]
    body = {"run_id": "r1", "idempotency_key": "r1", "state": "Running"}
    assert client.post(f"/api/v1/experiments/{experiment}/runs", body).status == 201
    yield server, "/api/v1/runs/r1"
    server.stop()


def fill(folder: Path, *, leave_bytes: int = 0) -> Path:
    """Use up the disk but for `leave_bytes`."""
    free = shutil.disk_usage(folder).free - leave_bytes
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free))
    return ballast


def assert_full(answer: Answer) -> None:
    assert (answer.status, answer.error["code"]) == (507, "store.full"), answer.body
    assert "disk is full" in answer.error["message"]


def test_a_blob_that_does_not_fit_leaves_nothing(crowded: tuple[ServerProcess, str]) -> None:
    server, _ = crowded
    content = os.urandom(DISK_BYTES + 1)
    path = f"/api/v1/blobs/{sha256_of(content)}"
    assert_full(server.client.request("PUT", path, body=content))
    blobs = server.home / "store" / "blobs"
    assert list((blobs / "tmp").iterdir()) == []
    small = b"x" * 1000
    path = f"/api/v1/blobs/{sha256_of(small)}"
    assert server.client.request("PUT", path, body=small).status == 201


def test_a_large_file_that_does_not_fit_is_refused_and_leaves_nothing(
    crowded: tuple[ServerProcess, str], tmp_path: Path
) -> None:
    server, _ = crowded
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(2 * DISK_BYTES))
    with pytest.raises(Refused, match="disk is full") as caught:
        blobs.send(Client(FoundServer(str(server.home))), [blobs.Source("large.bin", str(large))])
    assert caught.value.code == "store.full"
    assert list((server.home / "store" / "blobs" / "tmp").iterdir()) == []


def test_a_bundle_that_does_not_fit_leaves_nothing(
    crowded: tuple[ServerProcess, str], small_disk: Path
) -> None:
    server, _ = crowded
    contents = [os.urandom(100_000) for _ in range(60)]
    bundle = b"".join(
        b"%b %d\n%b" % (sha256_of(content).encode(), len(content), content) for content in contents
    )
    names = [sha256_of(content) for content in contents]
    ballast = fill(small_disk, leave_bytes=2_000_000)
    headers = {"Content-Type": "application/x-zaffre-bundle"}
    assert_full(server.client.post("/api/v1/blobs/bundle", body=bundle, headers=headers))
    ballast.unlink()
    answer = server.client.post("/api/v1/blobs/missing", {"sha256": names})
    assert answer.json["missing"] == sorted(names)
    answer = server.client.post("/api/v1/blobs/bundle", body=bundle, headers=headers)
    assert answer.json == {"stored": 60}
    assert server.client.post("/api/v1/blobs/read", {"sha256": names}).body == bundle


def test_metrics_and_logs_go_on_where_they_stopped_once_there_is_room(
    crowded: tuple[ServerProcess, str], small_disk: Path
) -> None:
    server, run = crowded
    client = server.client
    ballast = fill(small_disk, leave_bytes=1_500_000)
    offset = size = count = 0
    full = {"metrics": False, "log": False}
    piece = b"a line of the log\n" * 500
    for _ in range(2000):
        if not full["metrics"]:
            body = b"".join(line("r1", "m", value=count + i + 0.5) for i in range(200))
            path = f"{run}/spools/s/batches?from_offset={offset}"
            answer = client.post(path, body=body, headers=NDJSON)
            if answer.status == 200:
                offset, count = answer.json["offset"], count + 200
            else:
                assert_full(answer)
                full["metrics"] = True
        if not full["log"]:
            answer = client.request("PUT", f"{run}/logs/std.txt?offset={size}", body=piece)
            if answer.status == 200:
                size = answer.json["offset"]
            else:
                assert_full(answer)
                full["log"] = True
        if all(full.values()):
            break
    assert all(full.values())
    assert client.get(f"{run}/files/std.txt").body == piece * (size // len(piece))
    ballast.unlink()
    body = line("r1", "m", value=count + 0.5)
    path = f"{run}/spools/s/batches?from_offset={offset}"
    assert client.post(path, body=body, headers=NDJSON).status == 200
    assert client.request("PUT", f"{run}/logs/std.txt?offset={size}", body=b"x").status == 200
    (series,) = client.get(f"{run}/metrics").json["runs"]["r1"]
    assert series["values"] == [i + 0.5 for i in range(count + 1)]
