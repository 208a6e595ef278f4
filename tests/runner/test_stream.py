"""That log, metrics and files arrive, whole and once, whatever becomes of the server."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

LOG_RECORDS = """
import os, sys, time
folder = os.environ["ZAFFRE_SPOOL_FOLDER"]
fd = os.open(f"{folder}/{os.getpid()}-1-abcdef.spool", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def log(i):
    os.write(fd, b'\\n{"i":%d}\\n' % i)
"""


def records(bench) -> list[bytes]:
    return [
        line for spool in bench.server.spools.values() for line in bytes(spool).split(b"\n") if line
    ]


def test_records_and_log_arrive_while_the_script_runs(bench):
    bench.start(LOG_RECORDS + "log(1); print('x', flush=True); time.sleep(300)")
    bench.server.settle(lambda: records(bench) == [b'{"i":1}'], 3.0)


def test_what_is_logged_at_the_very_end_arrives(bench):
    bench.run(LOG_RECORDS + "for i in range(5000): log(i)\nprint('y' * 3_000_000)\nos.abort()")
    assert records(bench) == [b'{"i":%d}' % i for i in range(5000)]
    assert bench.server.log() == "y" * 3_000_000 + "\n"


def test_half_a_record_holds_up_nothing(bench):
    report = bench.run(LOG_RECORDS + "log(1); os.write(fd, b'\\n{\"i\":')")
    assert report["state"] == "Completed"
    assert records(bench) == [b'{"i":1}']
    assert "warnings" not in report or report["warnings"] == []


def test_a_server_that_goes_and_comes_loses_and_slows_nothing(bench):
    script = (
        LOG_RECORDS
        + """
begun = time.monotonic()
for i in range(200):
    log(i)
    print(i, flush=True)
    time.sleep(0.01)
print("took", time.monotonic() - begun < 4)
"""
    )
    bench.start(script)
    bench.server.settle(lambda: records(bench))
    for _ in range(3):
        bench.server.stop()
        threading.Event().wait(0.3)
        bench.server.start()
        threading.Event().wait(0.2)
    assert bench.server.final()["state"] == "Completed"
    assert records(bench) == [b'{"i":%d}' % i for i in range(200)]
    assert bench.server.log() == "".join(f"{i}\n" for i in range(200)) + "took True\n"


def test_a_server_that_is_away_when_the_script_ends_gets_everything_later(bench):
    script = LOG_RECORDS + "print('up', flush=True); time.sleep(0.5)\nfor i in range(9): log(i)"
    bench.start(script)
    bench.server.settle(lambda: "up" in bench.server.log())
    bench.server.stop()
    while bench.marked():
        threading.Event().wait(0.05)
    threading.Event().wait(0.5)
    assert bench.server.reports[-1]["state"] == "Running"
    bench.server.start()
    assert bench.server.final()["state"] == "Completed"
    assert len(records(bench)) == 9


def test_a_lost_answer_changes_nothing(bench):
    lost: list[str] = []

    def lose(method, path):
        if path not in lost and not path.endswith("renew"):
            lost.append(path)
            return 503, {"error": {"code": "busy", "message": "once"}}
        return None

    bench.server.refuse = lose
    report = bench.run("open('outputs/a', 'w').write('a'); print('b')")
    assert report["state"] == "Completed"
    assert bench.server.log() == "b\n"
    assert bench.server.content("outputs/a") == b"a"


def test_a_log_past_its_limit_is_stored_as_head_and_tail(bench):
    script = "for i in range(100000): print('line', i)"
    bench.run(script, attempt={"log_max_bytes": 10_000})
    text = bench.server.log()
    assert text.startswith("line 0\nline 1\n")
    assert text.endswith("line 99998\nline 99999\n")
    assert text.count("[zaffre] This log is longer than 10,000 bytes.") == 1
    assert len(text) < 11_000


def test_a_log_that_grows_past_its_limit_while_it_is_shipped_is_stored_as_head_and_tail(bench):
    script = """
import time
print("up", flush=True)
time.sleep(1)
for i in range(100000): print("line", i)
"""
    bench.start(script, attempt={"log_max_bytes": 10_000})
    bench.server.settle(lambda: "up" in bench.server.log())
    report = bench.server.final()
    assert not report.get("warnings")
    text = bench.server.log()
    assert text.startswith("up\nline 0\n")
    assert text.endswith("line 99998\nline 99999\n")


def test_a_log_goes_on_where_an_outage_has_cut_its_shipping(bench):
    sent: list[str] = []

    def refuse_the_third_piece(method, path):
        if method == "PUT" and path.endswith("user_logs/std_log.txt"):
            sent.append(path)
            if len(sent) == 3:
                return 503, {"error": {"code": "busy", "message": "once"}}
        return None

    bench.server.refuse = refuse_the_third_piece
    bench.start("import time; print('up', flush=True); time.sleep(1); print('y' * 5_000_000)")
    bench.server.settle(lambda: "up" in bench.server.log())
    report = bench.server.final()
    assert not report.get("warnings")
    assert bench.server.log() == "up\n" + "y" * 5_000_000 + "\n"


def test_files_arrive_with_their_content(bench):
    script = """
import os
os.makedirs("outputs/deep/er")
open("outputs/deep/er/größe %20 #1.txt", "w").write("t")
open("outputs/model.bin", "wb").write(b"m" * 3_000_000)
open("outputs/empty", "w")
open("logs/epochs.txt", "w").write("1")
open("elsewhere", "w").write("not mine")
"""
    report = bench.run(script)
    assert report["state"] == "Completed"
    assert sorted(bench.server.files) == [
        "outputs/deep/er/größe %20 #1.txt",
        "outputs/empty",
        "outputs/model.bin",
    ]
    assert bench.server.content("outputs/model.bin") == b"m" * 3_000_000
    assert bench.server.log("logs/epochs.txt") == "1"
    assert [r["state"] for r in bench.server.reports] == ["Running", "Finalizing", "Completed"]


def test_a_file_in_logs_is_live(bench):
    bench.start("import time; print('one', file=open('logs/live.txt', 'w')); time.sleep(300)")
    bench.server.settle(lambda: bench.server.log("logs/live.txt") == "one\n", 5.0)


def test_a_rewritten_file_in_logs_is_stored_as_it_is_at_the_end(bench):
    script = """
import time
for i in range(4):
    open("logs/state.json", "w").write("x" * (100 - i))
    open("logs/table", "w").write(f"{i} rows\\n" + "x" * (3000 + i))
    time.sleep(1.2)
"""
    bench.run(script)
    assert bench.server.content("logs/state.json") == b"x" * 97
    assert bench.server.content("logs/table") == b"3 rows\n" + b"x" * 3003


def test_a_file_goes_up_once_it_is_still_and_not_each_time_it_is_rewritten(bench):
    script = """
import os, time
open("outputs/ready", "w").write("r")
begun = time.monotonic()
i = 0
while time.monotonic() - begun < 12:
    i += 1
    open("outputs/tmp", "w").write("c" * i)
    os.replace("outputs/tmp", "outputs/checkpoint")
    time.sleep(0.5)
print(i)
"""
    bench.start(script)
    bench.server.settle(lambda: "outputs/ready" in bench.server.files, 8.0)
    assert bench.server.state == "Running"
    assert bench.server.final()["state"] == "Completed"
    last = int(bench.server.log())
    assert bench.server.content("outputs/checkpoint") == b"c" * last
    assert bench.server.file_posts.count("outputs/checkpoint") == 1
    assert bench.server.file_posts.count("outputs/ready") == 1


def test_what_is_no_plain_file_inside_is_left_out_with_a_warning(bench):
    script = """
import os, socket
open("outputs/good", "w").write("good")
open("data.txt", "w").write("inside")
os.symlink("../data.txt", "outputs/link-inside")
os.makedirs("outputs/step-1"); open("outputs/step-1/w", "w").write("w")
os.symlink("step-1", "outputs/latest")
os.symlink("/etc/passwd", "outputs/link-outside")
os.symlink("/etc", "outputs/folder-outside")
os.symlink("..", "outputs/circle")
os.symlink("nowhere", "outputs/dangling")
os.mkfifo("outputs/fifo")
s = socket.socket(socket.AF_UNIX); s.bind("outputs/socket")
open(b"outputs/not-utf8-\\xff", "w")
open("outputs/new\\nline", "w")
"""
    report = bench.run(script)
    assert report["state"] == "Completed"
    assert sorted(bench.server.files) == [
        "outputs/good",
        "outputs/latest/w",
        "outputs/link-inside",
        "outputs/step-1/w",
    ]
    assert bench.server.content("outputs/link-inside") == b"inside"
    assert len(report["warnings"]) == 8
    for name in ("link-outside", "folder-outside", "circle", "dangling", "fifo", "socket"):
        assert any(f"outputs/{name}" in warning for warning in report["warnings"])
    assert Path(bench.started[0].folder).exists()


def test_thousands_of_files_arrive_in_few_requests(bench):
    script = "for i in range(2500): open(f'outputs/{i:04}', 'w').write(str(i))"
    bench.run(script)
    assert len(bench.server.files) == 2500
    assert len(bench.server.requests) < 40


def test_a_file_that_is_refused_keeps_no_other_from_being_stored(bench):
    refused = hashlib.sha256(b"b" * (2 << 20)).hexdigest()

    def refuse(_, path):
        if path.endswith(refused):
            return 413, {"error": {"code": "too_large", "message": "It is too large."}}
        return None

    bench.server.refuse = refuse
    report = bench.run("for n in 'abcde': open(f'outputs/{n}', 'w').write(n * (2 << 20))")
    assert report["state"] == "Completed"
    assert sorted(bench.server.files) == [f"outputs/{n}" for n in "acde"]
    assert report["warnings"] == ["'outputs/b' was not stored: It is too large."]


FAULT = 500, {"error": {"code": "internal", "message": "Its log says why."}}


def test_what_the_server_never_takes_holds_up_nothing_and_is_kept(bench):
    unloved = hashlib.sha256(b"b" * (2 << 20)).hexdigest()
    never = ("/spools/1-1-bad/", "/logs/user_logs/", unloved)
    bench.server.refuse = lambda _, path: FAULT if any(part in path for part in never) else None
    script = (
        LOG_RECORDS
        + """
open(f"{folder}/1-1-bad.spool", "w").write('\\n{"bad": 1}\\n')
print("x", flush=True)
log(1)
time.sleep(2)
for n in "abc": open(f"outputs/{n}", "w").write(n * (2 << 20))
"""
    )
    bench.start(script)
    bench.server.settle(lambda: records(bench) == [b'{"i":1}'], 1.5)
    report = bench.server.final()
    assert report["state"] == "Completed"
    assert sorted(bench.server.files) == ["outputs/a", "outputs/c"]
    folder = Path(bench.started[0].folder)
    metrics, log, file = report["warnings"]
    assert "metrics could not be stored: Its log says why. They are kept in" in metrics
    assert f"{folder}/spool" in metrics
    assert "log could not be stored: Its log says why." in log
    assert file == "'outputs/b' was not stored: Its log says why."
    assert (folder / "spool" / "1-1-bad.spool").read_text() == '\n{"bad": 1}\n'
    assert json.loads((folder / "run.json").read_text())["run_id"] == bench.started[0].run_id


def test_nothing_is_given_up_while_the_server_takes_nothing_else_either(bench):
    tries: list[str] = []

    def fail(_, path):
        if "/spools/" in path:
            tries.append(path)
        return FAULT if ("/spools/" in path or "/renew" in path) and len(tries) < 10 else None

    bench.server.refuse = fail
    report = bench.run(LOG_RECORDS + "log(1)")
    assert report["state"] == "Completed"
    assert not report.get("warnings")
    assert records(bench) == [b'{"i":1}']


def test_what_the_script_made_of_one_file_holds_up_no_other(bench):
    script = (
        LOG_RECORDS
        + """
log(1)
print("x", flush=True)
time.sleep(0.5)
os.mkdir(f"{folder}/0-1-folder.spool")
os.mkfifo(f"{folder}/0-1-pipe.spool")
log_path = os.readlink("/proc/self/fd/1")
os.unlink(log_path)
os.mkdir(log_path)
time.sleep(0.5)
log(2)
time.sleep(300)
"""
    )
    bench.start(script)
    bench.server.settle(lambda: records(bench) == [b'{"i":1}', b'{"i":2}'], 5.0)
    bench.server.set_state("CancelRequested")
    report = bench.server.final()
    assert report["state"] == "Canceled"
    assert any("0-1-folder.spool cannot be read" in warning for warning in report["warnings"])
