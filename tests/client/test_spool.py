"""The spool: what append returned for is in the file, whole, whatever happens next."""

from __future__ import annotations

import errno
import json
import math
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.client.conftest import SOURCE, RunPython

from zaffre.client.metric_log import MetricLog
from zaffre.client.spool import Spool, spool_files
from zaffre.contract.errors import RecordTooLarge
from zaffre.contract.metric import RECORD_MAX_BYTES, MetricKind, decode_value


def records(folder: Path) -> list[dict[str, Any]]:
    """What a reader takes from all spools of a folder: whole lines that are JSON objects."""
    found: list[dict[str, Any]] = []
    for _, path in spool_files(str(folder)):
        for line in Path(path).read_bytes().split(b"\n")[:-1]:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found


def test_nothing_is_made_before_the_first_record(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "spool"))
    assert not (tmp_path / "spool").exists()
    spool.append(b'{"n":1}')
    [(spool_id, path)] = spool_files(str(tmp_path / "spool"))
    assert spool_id.startswith(f"{os.getpid()}-")
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert Path(path).read_bytes() == b'\n{"n":1}\n'


def test_threads_lose_and_mix_nothing(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path))

    def work(thread: int) -> None:
        for n in range(500):
            spool.append(json.dumps({"t": thread, "n": n, "x": "x" * (n % 300)}).encode())

    threads = [threading.Thread(target=work, args=(t,)) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(spool_files(str(tmp_path))) == 1
    found = [(record["t"], record["n"]) for record in records(tmp_path)]
    assert len(found) == 4000
    for thread in range(8):
        assert [n for t, n in found if t == thread] == list(range(500))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_writes_to_a_spool_of_its_own(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path))
    spool.append(b'{"n":"parent"}')
    own = spool.path
    children = []
    for n in range(3):
        pid = os.fork()
        if pid == 0:
            try:
                spool.append(b'{"n":%d}' % n)
            finally:
                os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    spool.append(b'{"n":"again"}')
    assert spool.path == own
    assert len(spool_files(str(tmp_path))) == 4
    assert sorted(str(r["n"]) for r in records(tmp_path)) == ["0", "1", "2", "again", "parent"]


def test_a_record_that_is_too_large_is_refused_and_harms_no_other(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path))
    spool.append(b'{"n":1}')
    with pytest.raises(RecordTooLarge, match="1,000,001"):
        spool.append(b"x" * (RECORD_MAX_BYTES + 1))
    spool.append(b'{"n":2}')
    assert [record["n"] for record in records(tmp_path)] == [1, 2]


def test_a_full_disk_is_said_and_costs_only_the_records_it_was_said_for(tmp_path: Path) -> None:
    """A limit on the file's size cuts a write halfway, as a full disk does."""
    script = """
import errno, os, resource, signal, sys
sys.path.insert(0, sys.argv[1])
from zaffre.client.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(sys.argv[2])
spool.append(b'{"n":1}')
resource.setrlimit(resource.RLIMIT_FSIZE, (25, resource.RLIM_INFINITY))
for n in (2, 3):
    try:
        spool.append(b'{"n":%d,"much":"xxxxxxxxxxxxxxxxxxxxx"}' % n)
    except OSError as problem:
        print(problem.errno in (errno.ENOSPC, errno.EFBIG), problem)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
spool.append(b'{"n":4}')
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(SOURCE), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout.splitlines()
    assert len(said) == 2
    assert all(line.startswith("True") and "was not stored" in line for line in said)
    assert all(str(tmp_path) in line for line in said)
    assert [record["n"] for record in records(tmp_path)] == [1, 4]


def test_a_killed_process_has_stored_every_record_that_append_returned_for(
    tmp_path: Path,
) -> None:
    """The process says after each append how far it is; it is killed at a moment of chance."""
    script = """
import os, sys
sys.path.insert(0, sys.argv[1])
from zaffre.client.spool import Spool
spool = Spool(sys.argv[2])
n = 0
while True:
    spool.append(b'{"n":%d,"x":"%b"}' % (n, b"x" * (n % 5000)))
    os.write(1, b"%d\\n" % n)
    n += 1
"""
    for attempt in range(10):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        with subprocess.Popen(
            [sys.executable, "-c", script, str(SOURCE), str(folder)], stdout=subprocess.PIPE
        ) as logging:
            assert logging.stdout is not None
            wanted = 50 + int.from_bytes(os.urandom(2), "big") % 3000
            while True:
                line = logging.stdout.readline()
                if int(line) >= wanted:
                    break
            os.kill(logging.pid, signal.SIGKILL)
            said = [line, *logging.stdout.read().splitlines()]
        last = max(int(line) for line in said if line.strip().isdigit())
        found = [record["n"] for record in records(folder)]
        assert found == list(range(len(found)))
        assert len(found) in (last + 1, last + 2)


values = st.one_of(
    st.floats(allow_nan=True), st.integers(-(2**60), 2**60), st.booleans(), st.text(), st.none()
)


@settings(max_examples=60, deadline=None)
@given(value=values, name=st.text(min_size=1), step=st.none() | st.integers(0, 10**9))
def test_what_is_logged_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, value: Any, name: str, step: int | None
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    MetricLog("r1", Spool(str(folder))).scalar(name, value, step=step)
    [record] = records(folder)
    read = decode_value(record["value"])
    assert read == value or (isinstance(value, float) and math.isnan(value) and math.isnan(read))
    assert type(read) is type(value)
    assert (record["run"], record["name"], record["kind"]) == ("r1", name, "scalar")
    assert record.get("step") == step


def test_half_a_surrogate_pair_does_not_cost_the_record(tmp_path: Path) -> None:
    MetricLog("r1", Spool(str(tmp_path))).scalar("loss \udcff", 0.5)
    assert records(tmp_path)[0]["name"] == "loss ?"


def test_a_row_and_a_table_are_one_record_each(tmp_path: Path) -> None:
    log = MetricLog("r1", Spool(str(tmp_path)))
    log.row("row", {"a": 1, "b": math.nan}, description="d")
    log.table("table", {"x": [1, 2], "y": ["a", math.inf]})
    log.values("list", [1.5, None, "NaN"])
    log.file("image", MetricKind.IMAGE, "aml://artifactId/x")
    found = records(tmp_path)
    assert found[0]["row"] == {"a": 1, "b": "NaN"}
    assert found[0]["description"] == "d"
    assert found[1]["columns"] == {"x": [1, 2], "y": ["a", "Infinity"]}
    assert found[2]["values"] == [1.5, None, "'NaN"]
    assert (found[3]["kind"], found[3]["value"]) == ("image", "aml://artifactId/x")


def test_a_list_or_table_that_is_too_long_for_a_record_is_split_in_order(tmp_path: Path) -> None:
    log = MetricLog("r1", Spool(str(tmp_path)))
    log.values("list", list(range(300_000)))
    log.table("table", {"x": list(range(100_000)), "y": ["é" * 5] * 100_000})
    found = records(tmp_path)
    lists = [record["values"] for record in found if record["name"] == "list"]
    tables = [record["columns"] for record in found if record["name"] == "table"]
    assert [n for part in lists for n in part] == list(range(300_000))
    assert [n for part in tables for n in part["x"]] == list(range(100_000))
    assert all(len(part["x"]) == len(part["y"]) for part in tables)
    assert len(lists) < 8
    with pytest.raises(RecordTooLarge):
        log.scalar("text", "x" * RECORD_MAX_BYTES)


def test_importing_what_logs_loads_nothing_heavy(run_python: RunPython) -> None:
    done = run_python(
        "import sys, zaffre.client.spool, zaffre.client.metric_log, zaffre.client.connection, "
        "zaffre.client.shipping, zaffre.client.background, zaffre.client.blobs, "
        "zaffre.client.download, zaffre.client.interactive\n"
        "print(*sys.modules)"
    )
    assert done.returncode == 0, done.stderr
    heavy = {"http.client", "subprocess", "ssl", "urllib.request", "asyncio", "logging", "socket"}
    heavy |= {"tempfile", "uuid", "pathlib", "email", "shutil", "random", "urllib.parse"}
    assert not heavy & set(done.stdout.split())


@pytest.mark.python38
def test_python_38_can_log(python38: str, run_python: RunPython, tmp_path: Path) -> None:
    script = """
import os, sys
from zaffre.client.spool import Spool
from zaffre.client.metric_log import MetricLog
log = MetricLog("r1", Spool(sys.argv[1]))
log.scalar("loss", 0.5, step=1)
log.table("t", {"x": [1], "y": [None]})
pid = os.fork()
if pid == 0:
    log.scalar("child", float("nan"))
    os._exit(0)
os.waitpid(pid, 0)
"""
    done = run_python(script, str(tmp_path), interpreter=python38)
    assert done.returncode == 0, done.stderr
    assert sorted(record["name"] for record in records(tmp_path)) == ["child", "loss", "t"]


def test_a_spool_that_was_closed_goes_on_in_a_new_file(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path))
    spool.append(b'{"n":1}')
    spool.close()
    spool.close()
    spool.append(b'{"n":2}')
    assert len(spool_files(str(tmp_path))) == 2


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="was not stored") as caught:
        Spool(str(tmp_path / "file" / "spool")).append(b"{}")
    assert caught.value.errno == errno.ENOTDIR


def test_a_process_may_hold_as_many_spools_as_files(tmp_path: Path) -> None:
    """A spool that nobody holds any more closes its file."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    for n in range(min(limit, 2000) + 50):
        Spool(str(tmp_path / str(n % 3))).append(b"{}")
