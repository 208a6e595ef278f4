"""What a dead runner left is shipped by the attempt that follows it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from zaffre.contract.attempt import Report
from zaffre.contract.reason import Reason, ReasonKind
from zaffre.contract.run import RunError, RunState
from zaffre.runner import process_tree

SCRIPT = """
import os, sys, time
folder = os.environ["ZAFFRE_SPOOL_FOLDER"]
fd = os.open(f"{folder}/{os.getpid()}-1-abcdef.spool", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for i in range(1000):
    os.write(fd, b'\\n{"i":%d}\\n' % i)
    print(i)
open("outputs/model", "w").write("m")
open("logs/notes", "w").write("n")
os.write(fd, b'\\n{"half')
if "SPAWN" in os.environ:
    import subprocess
    subprocess.Popen(["sleep", "300"], start_new_session=True)
print("up", flush=True)
time.sleep(300)
"""
DIED = Report(
    RunState.FAILED,
    RunError("SystemError", "The runner was killed."),
    Reason(ReasonKind.RUNNER_DIED, {"pid": 1, "how": " by signal 9"}),
)


@pytest.mark.parametrize("isolated", [True, False])
def test_a_salvage_ships_what_a_killed_runner_left_and_ends_the_run(bench, isolated):
    order = bench.start(SCRIPT, isolated=isolated)
    bench.server.settle(lambda: "0\n1\n" in bench.server.log())
    folder = Path(order.folder)
    while b"up" not in (folder / "user_logs" / "std_log.txt").read_bytes():
        pass
    os.kill(bench.runner_pid(), signal.SIGKILL)
    bench.next_end()
    bench.wait_until_none_is_left(1.0)
    bench.salvage(order, DIED)
    report = bench.server.final()
    bench.next_end()
    assert (report["state"], report["error"]["message"]) == ("Failed", "The runner was killed.")
    assert report["reason"]["kind"] == "runner_died"
    lines = bytes(next(iter(bench.server.spools.values()))).split(b"\n")
    assert [line for line in lines if line] == [b'{"i":%d}' % i for i in range(1000)]
    assert bench.server.log() == "".join(f"{i}\n" for i in range(1000)) + "up\n"
    assert bench.server.content("outputs/model") == b"m"
    assert bench.server.content("logs/notes") == b"n"
    assert not folder.exists()


def test_a_salvage_stores_a_file_in_logs_as_it_was_left_although_it_was_rewritten(bench):
    script = """
import time
open("logs/state", "w").write("a" * 100)
while not __import__("os").path.exists("go"):
    time.sleep(0.01)
open("logs/state", "w").write("b" * 150)
open("gone", "w")
time.sleep(300)
"""
    order = bench.start(script)
    bench.server.settle(lambda: bench.server.log("logs/state") == "a" * 100)
    work = Path(order.folder) / "work"
    (work / "go").touch()
    while not (work / "gone").exists():
        pass
    os.kill(bench.runner_pid(), signal.SIGKILL)
    bench.next_end()
    bench.salvage(order, DIED)
    bench.server.final()
    assert bench.server.content("logs/state") == b"b" * 150


def test_a_salvage_ends_what_outlived_runner_and_reaper(bench):
    order = bench.start(SCRIPT, isolated=False, environment_variables={"SPAWN": "1"})
    bench.server.settle(lambda: "up" in bench.server.log())
    runner = bench.runner_pid()
    reaper = process_tree.children(runner)[0]
    for pid in (reaper, runner):
        os.kill(pid, signal.SIGSTOP)
    for pid in (reaper, runner):
        os.kill(pid, signal.SIGKILL)
    bench.next_end()
    assert len(bench.marked()) == 2
    bench.salvage(order, DIED)
    bench.server.final()
    assert bench.marked() == []


def test_a_salvage_spares_other_runs(bench):
    order = bench.start(SCRIPT)
    bench.server.settle(lambda: "up" in bench.server.log())
    os.kill(bench.runner_pid(), signal.SIGKILL)
    bench.next_end()
    other = os.posix_spawn(
        "/bin/sleep",
        ["sleep", "300"],
        {"AZUREML_RUN_ID": order.run_id + "0", "ZAFFRE_RUN_ATTEMPT": "1"},
    )
    try:
        bench.salvage(order, DIED)
        bench.server.final()
        assert process_tree.is_living(other)
    finally:
        os.kill(other, signal.SIGKILL)
        os.waitpid(other, 0)


def test_a_log_that_was_cut_at_its_limit_goes_on_as_it_began(bench):
    script = """
import time
for i in range(20000):
    print("line", i)
open("outputs/up", "w")
time.sleep(300)
"""
    order = bench.start(script, attempt={"log_max_bytes": 50_000})
    bench.server.settle(lambda: "its last" in bench.server.log())
    while not (Path(order.folder) / "work" / "outputs" / "up").exists():
        pass
    os.kill(bench.runner_pid(), signal.SIGKILL)
    bench.next_end()
    bench.salvage(order, DIED)
    bench.server.final()
    assert bench.server.log().count("[zaffre]") == 1
    assert bench.server.log().endswith("line 19998\nline 19999\n")


def test_a_salvage_of_a_folder_that_is_gone_ends_the_run(bench):
    order = bench.order("pass")
    bench.salvage(order, DIED)
    assert bench.server.final()["state"] == "Failed"


def test_marks_are_compared_whole():
    sleeper = os.posix_spawn("/bin/sleep", ["sleep", "300"], {"A": "b", "LONG": "x"})
    try:
        assert process_tree.marked([b"A=b", b"LONG="]) == [sleeper]
        assert process_tree.marked([b"A=", b"LONG=xy"]) == []
        assert sleeper not in process_tree.marked([b"ONG=x"])
    finally:
        os.kill(sleeper, signal.SIGKILL)
        os.waitpid(sleeper, 0)
