"""What the zygote and its children have, and what becomes of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from zaffre.runner import namespace, process_tree

SLEEP = "import time; print('up', flush=True); time.sleep(300)"
SOURCE = Path(__file__).resolve().parents[2] / "src"


def descriptors(pid: int) -> dict[int, str]:
    folder = f"/proc/{pid}/fd"
    found: dict[int, str] = {}
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found[int(name)] = os.readlink(f"{folder}/{name}")
    return found


def wait_until(condition, limit_s: float = 5.0) -> None:
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until
        threading.Event().wait(0.01)


@pytest.fixture
def own_runners(bench) -> Iterator:
    """A driver of the test's own, for what would disturb the others."""
    kept = bench.runners
    bench.runners = type(kept)()
    yield bench.runners
    bench.runners.close()
    bench.runners = kept


def test_the_zygote_has_one_thread_and_nothing_open_but_its_socket(bench, runners):
    bench.run("pass")
    pid = runners.zygote_pid
    assert len(os.listdir(f"/proc/{pid}/task")) == 1
    wait_until(lambda: not [o for o in bench.started if bench.marked()])
    opened = descriptors(pid)
    sockets = [fd for fd, what in opened.items() if what.startswith("socket:")]
    assert {opened[0], opened[1]} == {"/dev/null"}
    # To the driver and to the spare; pidfds name the children.
    assert len(sockets) <= 2
    rest = [w for fd, w in opened.items() if fd > 2 and fd not in sockets]
    assert all("pidfd" in what for what in rest), rest


def test_a_runner_has_nothing_open_that_it_inherited(bench):
    order = bench.start(SLEEP)
    bench.server.settle(lambda: "up" in bench.server.log())
    opened = descriptors(bench.runner_pid())
    assert opened[2] == f"{order.folder}/runner.log"
    for fd, what in opened.items():
        own = what.startswith((f"{order.folder}/", "socket:"))
        assert own or (fd < 2 and what == "/dev/null"), opened
    assert os.getsid(bench.runner_pid()) == bench.runner_pid()


def test_the_zygote_ends_with_its_driver_and_runners_go_on(bench, own_runners):
    bench.start("import time; print('up', flush=True); time.sleep(1); print('end')")
    bench.server.settle(lambda: "up" in bench.server.log())
    zygote = own_runners.zygote_pid
    wait_until(lambda: len(process_tree.children(zygote)) == 2)  # the runner and a spare
    spare = next(p for p in process_tree.children(zygote) if p != bench.runner_pid())
    own_runners.close()
    wait_until(lambda: not process_tree.is_living(zygote) and not process_tree.is_living(spare))
    assert bench.server.final()["state"] == "Completed"
    assert bench.server.log() == "up\nend\n"
    own_runners.__init__()


def test_a_killed_zygote_takes_no_runner_with_it_and_is_started_again(bench, own_runners):
    bench.start("import time; print('up', flush=True); time.sleep(1)")
    bench.server.settle(lambda: "up" in bench.server.log())
    first = own_runners.zygote_pid
    os.kill(first, signal.SIGKILL)
    (bench.folder / "second").mkdir()
    other = type(bench)(bench.folder / "second", own_runners)
    try:
        assert other.run("print('second')")["state"] == "Completed"
    finally:
        other.server.stop()
    assert own_runners.zygote_pid != first
    assert bench.server.final()["state"] == "Completed"


def test_a_killed_spare_is_replaced(bench, own_runners):
    zygote = own_runners.zygote_pid
    wait_until(lambda: len(process_tree.children(zygote)) == 1)
    spare = process_tree.children(zygote)[0]
    os.kill(spare, signal.SIGKILL)
    wait_until(lambda: process_tree.children(zygote) not in ([], [spare]))
    assert bench.run("print('fine')")["state"] == "Completed"


def test_starts_that_come_at_once_each_get_a_runner(bench):
    order = bench.order("pass")
    for _ in range(8):
        bench.runners.start(order)
    assert bench.server.final()["state"] == "Completed"
    assert len({claim["claim_id"] for claim in bench.server.claims}) == 1


def test_a_namespace_is_possible_here_as_root_and_is_left_alone_where_it_is_not():
    possible = namespace.is_possible()
    assert possible or os.geteuid() != 0


def test_an_ordinary_user_gets_a_namespace_too():
    if Path("/proc/sys/user/max_user_namespaces").read_text().strip() == "0":
        pytest.skip("this kernel has no user namespaces")
    code = """
import ctypes, os
from zaffre.runner import namespace
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # dumpable again, as after an exec
print(namespace.is_possible())
"""
    folder = tempfile.mkdtemp(prefix="zf-", dir="/tmp")
    try:
        shutil.copytree(SOURCE / "zaffre", f"{folder}/zaffre")
        os.chmod(folder, 0o755)
        done = subprocess.run(
            [sys.executable, "-c", code], cwd="/", env={"PYTHONPATH": folder}, capture_output=True
        )
    finally:
        shutil.rmtree(folder)
    assert done.stdout.decode().strip() == "True", done.stderr.decode()


def test_the_order_does_not_pass_through_the_zygote(bench, own_runners):
    """What it receives is a number and a descriptor: its memory never has the token."""
    bench.start(SLEEP)
    bench.server.settle(lambda: "up" in bench.server.log())
    zygote = own_runners.zygote_pid
    with open(f"/proc/{zygote}/maps") as maps, open(f"/proc/{zygote}/mem", "rb") as memory:
        for line in maps:
            span, rights = line.split()[:2]
            if "rw" not in rights:
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            memory.seek(start)
            try:
                assert b"zf_secret-token" not in memory.read(end - start), line
            except OSError:
                continue
