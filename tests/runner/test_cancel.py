"""How a run is ended from outside, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

#: Ignores SIGTERM and SIGINT, and has children that do too, one of them in a session of its own
#: and one that is nobody's child any more.
STUBBORN = """
import os, signal, subprocess, sys, time
code = '''
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("up", flush=True)
while True:
    time.sleep(0.01)
'''
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
for own_session in (False, True):
    subprocess.Popen([sys.executable, "-c", code], start_new_session=own_session)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        exec(code)
    os._exit(0)
exec(code)
"""


def up(bench, count=4):
    bench.server.settle(lambda: bench.server.log().count("up") == count)


@pytest.mark.parametrize("isolated", [True, False])
def test_a_script_that_ignores_sigterm_is_gone_after_the_grace(bench, isolated):
    bench.start(STUBBORN, isolated=isolated)
    up(bench)
    assert len(bench.marked()) == 4
    begun = time.monotonic()
    bench.server.set_state("CancelRequested")
    report = bench.server.final()
    assert report["state"] == "Canceled"
    assert "reason" not in report
    assert bench.marked() == []
    assert 9.5 < time.monotonic() - begun < 13


def test_a_runner_that_ends_its_script_renews_as_often_as_its_lease_asks(bench):
    bench.server.lease_s = 0.3
    bench.start(STUBBORN)
    up(bench)
    bench.server.set_state("CancelRequested")
    before = bench.server.renewed
    bench.server.settle(lambda: bench.server.renewed > before + 9, 8.0)


@pytest.mark.parametrize("isolated", [True, False])
def test_a_script_that_heeds_sigterm_ends_at_once(bench, isolated):
    script = """
import signal, sys, time
def end(*_):
    print("saved", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
time.sleep(300)
"""
    bench.start(script, isolated=isolated)
    up(bench, 1)
    begun = time.monotonic()
    bench.server.set_state("CancelRequested")
    assert bench.server.final()["state"] == "Canceled"
    assert time.monotonic() - begun < 2
    assert bench.server.log() == "up\nsaved\n"


@pytest.mark.parametrize("isolated", [True, False])
def test_a_killed_runner_leaves_no_process(bench, isolated):
    bench.start(STUBBORN, isolated=isolated)
    up(bench)
    os.kill(bench.runner_pid(), signal.SIGKILL)
    assert bench.wait_until_none_is_left(1.0) < 1.0
    run_id, attempt, how = bench.next_end(1.0)
    assert (run_id, attempt, how.signal) == (bench.started[0].run_id, 1, 9)


@pytest.mark.parametrize("isolated", [True, False])
def test_a_killed_reaper_leaves_no_process_and_fails_the_run(bench, isolated):
    bench.start(STUBBORN, isolated=isolated)
    up(bench)
    os.kill(reaper_of(bench), signal.SIGKILL)
    report = bench.server.final()
    assert report["state"] == "Failed"
    assert "watches the script was killed" in report["error"]["message"]
    assert bench.wait_until_none_is_left(1.0) < 1.0


def test_a_stopped_runner_goes_on_later(bench):
    script = "import time; print('up', flush=True); time.sleep(0.5); print('end')"
    bench.start(script)
    up(bench, 1)
    os.kill(bench.runner_pid(), signal.SIGSTOP)
    threading.Event().wait(1.0)
    os.kill(bench.runner_pid(), signal.SIGCONT)
    assert bench.server.final()["state"] == "Completed"
    assert bench.server.log() == "up\nend\n"


def test_a_runner_killed_while_its_reaper_is_stopped_leaves_no_process(bench):
    bench.start(STUBBORN)
    up(bench)
    os.kill(reaper_of(bench), signal.SIGSTOP)
    os.kill(bench.runner_pid(), signal.SIGKILL)
    bench.wait_until_none_is_left(1.0)


def test_a_cancel_while_the_snapshot_comes_starts_no_script(bench):
    held = threading.Event()

    def hold(method, path):
        if path.endswith(("/blobs/read", "/content")):
            held.set()
            return 503, {"error": {"code": "busy", "message": "later"}}
        return None

    bench.server.refuse = hold
    bench.start("print('never')")
    assert held.wait(10)
    bench.runner_pid()
    bench.server.set_state("CancelRequested")
    assert bench.server.final()["state"] == "Canceled"
    assert bench.server.log() == ""


def test_a_cancel_while_the_outputs_go_up_ends_the_run(bench):
    held = threading.Event()

    def hold(method, path):
        if "/blobs/" in path and "read" not in path:
            held.set()
            return 503, {"error": {"code": "busy", "message": "later"}}
        return None

    bench.server.refuse = hold
    bench.start("open('outputs/model', 'w').write('m')")
    assert held.wait(10)
    bench.server.set_state("CancelRequested")
    assert bench.server.final()["state"] == "Canceled"


def test_a_second_runner_of_one_attempt_ends_quietly(bench):
    order = bench.start("import time; print('up', flush=True); time.sleep(1); print('end')")
    up(bench, 1)
    bench.runners.start(order)
    report = bench.server.final()
    assert report["state"] == "Completed"
    assert bench.server.log() == "up\nend\n"
    assert bench.next_end()[2].pid == bench.runner_pid()
    assert bench.runners.driver.died().empty()


def test_a_runner_whose_attempt_is_superseded_ends_its_script_and_keeps_its_files(bench):
    order = bench.start(STUBBORN)
    up(bench)
    bench.server.supersede()
    bench.wait_until_none_is_left(3.0)
    bench.next_end()
    assert (Path(order.folder) / "user_logs" / "std_log.txt").exists()
    assert [r["state"] for r in bench.server.reports] == ["Running"]


def reaper_of(bench) -> int:
    from zaffre.runner import process_tree

    return process_tree.children(bench.runner_pid())[0]
