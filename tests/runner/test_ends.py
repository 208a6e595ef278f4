"""How the end of a script is told: exit codes, signals, exceptions, what it left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest


def test_a_script_that_ends_well_completes_its_run(bench):
    report = bench.run("print('hello')")
    assert report["state"] == "Completed"
    assert bench.server.log() == "hello\n"


def test_a_limit_of_thirty_days_is_none_that_poll_cannot_wait_for(bench):
    report = bench.run("print('hello')", max_duration_s=30 * 24 * 3600)
    assert report["state"] == "Completed"


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize("code", [1, 2, 255])
def test_an_exit_code_is_passed_through(bench, code, isolated):
    report = bench.run(f"import sys; sys.exit({code})", isolated=isolated)
    assert report["state"] == "Failed"
    assert report["reason"]["kind"] == "script_failed"
    assert report["reason"]["facts"]["exit_code"] == code


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGINT"])
def test_a_signal_is_passed_through(bench, name, isolated):
    script = f"""
import os, signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.kill(os.getpid(), signal.{name})
"""
    report = bench.run(script, isolated=isolated)
    assert report["state"] == "Failed"
    assert report["reason"]["kind"] == "script_signalled"
    assert report["reason"]["facts"]["signal"] == name
    assert ("out of memory" in report["reason"]["facts"]["hint"]) == (name == "SIGKILL")


def test_an_exception_is_told_with_class_file_and_line(bench):
    script = "def f():\n    raise KeyError('no such column')\nprint('before')\nf()\n"
    report = bench.run(script)
    error = report["error"]
    assert error["code"] == "UserError"
    assert (error["exception"], error["file"], error["line"]) == ("KeyError", "train.py", 2)
    assert error["message"] == "KeyError: 'no such column'"
    said = report["reason"]["facts"]["exception"]
    assert said == ": KeyError: 'no such column' (train.py, line 2)"


def test_an_exception_that_holds_a_nul_is_told_without_it(bench):
    report = bench.run("raise ValueError('a' + chr(0) + 'b')")
    assert report["error"]["message"] == "ValueError: ab"
    assert "\0" not in report["reason"]["facts"]["exception"]


def test_a_failure_without_exception_is_told_with_the_end_of_the_log(bench):
    report = bench.run("print('x' * 5000); print('cannot read data'); raise SystemExit(3)")
    message = report["error"]["message"]
    assert message.endswith("cannot read data")
    assert len(message) <= 3000


def test_a_missing_script_fails_the_run(bench):
    bench.start(files={"a.txt": b"a"})
    report = bench.server.final()
    assert report["state"] == "Failed"
    assert "train.py" in report["error"]["message"]


def test_a_missing_interpreter_is_named(bench):
    report = bench.run("pass", interpreter="/opt/gone/bin/python")
    assert report["state"] == "Failed"
    assert report["reason"]["kind"] == "interpreter_missing"
    assert "/opt/gone/bin/python" in report["error"]["message"]
    assert "/opt/gone/bin/python" in bench.server.log()


def test_an_interpreter_that_is_no_program_fails_the_run(bench):
    broken = bench.folder / "python"
    broken.write_bytes(b"\x00\x01")
    broken.chmod(0o755)
    report = bench.run("pass", interpreter=str(broken))
    assert report["state"] == "Failed"
    assert "Exec format error" in report["error"]["message"]


def test_a_command_runs_in_a_shell(bench):
    report = bench.run(command="echo $0-$1; exit 4", arguments=("a",))
    assert bench.server.log() == "sh-a\n"
    assert report["reason"]["facts"]["exit_code"] == 4


@pytest.mark.parametrize("isolated", [True, False])
def test_what_a_script_leaves_running_is_ended(bench, isolated):
    script = """
import os, subprocess, sys
code = '''
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(300)
'''
for own in (False, True):
    command = [sys.executable, "-c", code]
    child = subprocess.Popen(command, start_new_session=own, stdout=subprocess.PIPE)
    child.stdout.readline()
print("main ends")
"""
    begun = time.monotonic()
    report = bench.run(script, isolated=isolated)
    assert report["state"] == "Completed"
    assert bench.marked() == []
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("isolated", [True, False])
def test_what_a_script_leaves_running_may_end_by_itself(bench, isolated):
    script = """
import subprocess, sys
code = '''
import signal, sys, time
def end(*_):
    print("child saved its work", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("up", file=sys.stderr, flush=True)
time.sleep(300)
'''
child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
child.stderr.readline()
"""
    assert bench.run(script, isolated=isolated)["state"] == "Completed"
    assert bench.server.log() == "child saved its work\n"


def test_a_run_that_takes_too_long_is_canceled_and_says_so(bench):
    report = bench.run("import time; time.sleep(300)", max_duration_s=1)
    assert report["state"] == "Canceled"
    assert report["reason"] == {"kind": "duration_passed", "facts": {"limit_s": 1}}


def test_a_folder_that_cannot_be_made_fails_the_run_and_says_so(bench):
    report = bench.run("pass", attempt={"folder": "/dev/null/1"})
    assert report["state"] == "Failed"
    assert report["error"]["code"] == "SystemError"
    assert "Not a directory: '/dev/null/1'" in report["error"]["message"]


def test_a_limit_of_years_is_a_limit(bench):
    assert bench.run("print('fine')", max_duration_s=10**9)["state"] == "Completed"


def test_a_runner_that_gets_sigterm_ends_its_script_and_fails_the_run(bench):
    bench.start("import time; print('up', flush=True); time.sleep(300)")
    bench.server.settle(lambda: "up" in bench.server.log())
    os.kill(bench.runner_pid(), signal.SIGTERM)
    report = bench.server.final()
    assert report["state"] == "Failed"
    assert report["reason"]["kind"] == "runner_died"
    assert report["reason"]["facts"]["how"] == " by SIGTERM"
    assert bench.marked() == []


def test_signals_of_a_terminal_do_not_reach_a_runner(bench):
    bench.start("import time; print('up', flush=True); time.sleep(1); print('end')")
    bench.server.settle(lambda: "up" in bench.server.log())
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(bench.runner_pid(), number)
    assert bench.server.final()["state"] == "Completed"


def test_a_folder_goes_once_all_is_stored(bench):
    order = bench.start("import os; os.mkdir('d'); open('d/f', 'w'); os.chmod('d', 0o500)")
    bench.server.final()
    bench.next_end()
    assert not os.path.exists(order.folder)
    assert not os.path.exists(os.path.dirname(order.folder))


def test_a_script_cannot_end_its_reaper(bench):
    script = """
import os, signal
# Nothing is sent unless process 1 is ours and not the machine's.
assert open("/proc/1/comm").read() == "zaffre-reaper\\n"
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
    os.kill(1, number)
print("still here")
"""
    assert bench.run(script)["state"] == "Completed"
    assert bench.server.log() == "still here\n"


def test_what_a_script_left_and_nothing_can_end_does_not_hold_up_its_run():
    code = """
import os, select, signal, socket
from zaffre.contract.attempt import AttemptKind, StartOrder
from zaffre.runner import process_tree
from zaffre.runner.attempt import Attempt
from zaffre.runner.lease import Lease
from zaffre.runner.script_tree import ScriptTree
from zaffre.runner.stages import watch
tree = ScriptTree(isolated=False)
tree.wait_ready()
tree.launch(["/bin/sh", "-c", "sleep 300 & exit 7"], {}, cwd="/", log="/dev/null")
ended = select.poll()
ended.register(tree, select.POLLIN)
ended.poll()
(reaper,) = process_tree.children(os.getpid())
os.kill(reaper, signal.SIGSTOP)
watch.LEFTOVER_LIMIT_S = watch.GONE_LIMIT_S = 0.1
order = StartOrder("r", 1, AttemptKind.RUN, "", "/nonexistent", "http://localhost")
wake, _ = socket.socketpair()
lease = Lease(Attempt(order), lambda: None)
print(watch.Watch(tree, lease, wake, limit_s=None).run())
mine = os.getpid()
process_tree.kill_until_none(lambda: process_tree.descendants(mine), limit_s=5.0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=20
    )
    assert done.stdout == f"OfScript(status={7 << 8})\n", done.stderr
