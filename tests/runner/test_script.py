"""What a script sees: its folder, its variables, its descriptors and where its output goes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from base64 import b64encode
from pathlib import Path

import pytest

SHOW = """
import json, os, sys
print(json.dumps({
    "environment": dict(os.environ), "cwd": os.getcwd(), "path": sys.path, "argv": sys.argv,
    "fds": sorted(int(n) for n in os.listdir("/proc/self/fd")), "pid": os.getpid(),
    "ppid": os.getppid(), "sid": os.getsid(0), "umask": os.umask(0),
    "stdin": os.readlink("/proc/self/fd/0"), "mask": open("/proc/self/status").read(),
}))
"""


def show(bench, **options):
    bench.run(SHOW, **options)
    return json.loads(bench.server.log())


def test_a_script_runs_in_its_copy_of_the_snapshot(bench):
    files = {"a/b/data.txt": b"data", "tool.sh": b"#!/bin/sh\necho tool", "leer.txt": b""}
    script = """
import os, subprocess
print(open("a/b/data.txt").read(), os.path.getsize("leer.txt"), flush=True)
print(subprocess.run(["./tool.sh"], capture_output=True, text=True).stdout.strip())
print(os.path.isdir("outputs"), os.path.isdir("logs"), os.access("a/b/data.txt", os.X_OK))
"""
    bench.run(script, files=files, executable=("tool.sh",))
    assert bench.server.log() == "data 0\ntool\nTrue True False\n"


def test_a_large_file_of_the_snapshot_arrives(bench):
    data = os.urandom(3 << 20)
    script = "import hashlib; print(hashlib.sha256(open('big', 'rb').read()).hexdigest())"
    bench.run(script, files={"big": data})
    assert bench.server.log().strip() == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", ["../escape.py", "/etc/escape", "a/../../b", "C:/x"])
def test_a_snapshot_whose_names_leave_the_folder_fails_the_run(bench, name):
    report = bench.run("print('never')", files={name: b"x"})
    assert report["state"] == "Failed"
    assert report["reason"]["kind"] == "snapshot_broken"
    assert bench.server.log().startswith("[zaffre] The run's folder could not be made")
    assert not list(bench.folder.rglob("escape*"))


def test_a_blob_with_other_content_fails_the_run(bench):
    order = bench.order("print('never')")
    bench.server.blobs = dict.fromkeys(bench.server.blobs, b"x")
    bench.started.append(order)
    bench.runners.start(order)
    assert bench.server.final()["reason"]["kind"] == "snapshot_broken"


def whole_snapshot(files: dict[str, bytes], content: dict[str, bytes]) -> str:
    """Return a snapshot of `files` as an order holds it, with `content` for its blobs."""
    entries = [
        {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
        for name, data in files.items()
    ]
    manifest = json.dumps({"snapshot_id": "s", "files": entries}).encode()
    bundle = b"".join(
        b"%s %d\n%s"
        % (entry["sha256"].encode(), len(content[entry["name"]]), content[entry["name"]])
        for entry in entries
    )
    return b64encode(manifest + b"\n" + bundle).decode()


def test_a_snapshot_that_came_with_the_order_is_not_asked_for(bench):
    files = {"train.py": b"print(open('data/x').read())", "data/x": b"hello"}
    bench.run("", attempt={"snapshot": whole_snapshot(files, files)})
    assert bench.server.log() == "hello\n"
    assert not [path for _, path in bench.server.requests if "snapshots" in path or "blobs" in path]


@pytest.mark.parametrize("content", [b"print('?')", b"", b"print('never')..."])
def test_a_snapshot_with_other_content_in_the_order_fails_the_run(bench, content):
    files = {"train.py": b"print('never')"}
    bench.start("", attempt={"snapshot": whole_snapshot(files, {"train.py": content})})
    assert bench.server.final()["reason"]["kind"] == "snapshot_broken"


def test_a_script_has_the_variables_of_v1(bench):
    seen = show(bench, arguments=("--alpha", "0.5 ü"), attempt={"root_run_id": "root-1"})
    environment = seen["environment"]
    order = bench.started[0]
    assert seen["argv"] == ["train.py", "--alpha", "0.5 ü"]
    assert seen["cwd"] == f"{order.folder}/work"
    expected = {
        "AZUREML_RUN_ID": order.run_id,
        "AZUREML_ROOT_RUN_ID": "root-1",
        "AZUREML_RUN_TOKEN": "zf_secret-token",
        "AZUREML_ARM_SUBSCRIPTION": "sub",
        "AZUREML_ARM_RESOURCEGROUP": "rg",
        "AZUREML_ARM_WORKSPACE_NAME": "ws",
        "AZUREML_ARM_PROJECT_NAME": "exp",
        "AZUREML_EXPERIMENT_ID": "e1",
        "AZUREML_WORKSPACE_ID": "w1",
        "AZUREML_SERVICE_ENDPOINT": "http://127.0.0.1:1",
        "ZAFFRE_RUN_TOKEN": "zf_secret-token",
        "ZAFFRE_SOCKET": str(bench.server.path),
        "ZAFFRE_SPOOL_FOLDER": f"{order.folder}/spool",
        "ZAFFRE_WORKSPACE_LOCATION": "here",
        "MPLBACKEND": "Agg",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": f"{order.folder}/tmp",
        "PYTHONPATH": f"{order.folder}/work",
    }
    assert {name: environment.get(name) for name in expected} == expected
    assert int(environment["AZUREML_RUN_TOKEN_EXPIRY"]) > 1_700_000_000
    assert "ZAFFRE_HOME" not in environment


def test_the_environment_is_that_of_the_submitter_and_of_the_spec_and_nothing_else(bench):
    os.environ["OF_THE_SERVER"] = "1"
    try:
        process = {
            "PATH": "/elsewhere:/bin",
            "HOME": "/home/x",
            "MINE": "1",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "JPY_PARENT_PID": "5",
            "VIRTUAL_ENV": "/v",
            "CONDA_PREFIX": "/c",
            "PYTHONPATH": "/else",
            "PYTHONHOME": "/nowhere",
            "AZUREML_RUN_ID": "other",
            "ZAFFRE_URL": "http://other",
        }
        asked = {"MINE": "2", "EXAMPLE_ENV_VAR": "EXAMPLE_VALUE", "PYTHONPATH": "/asked"}
        seen = show(
            bench,
            environment_variables=asked,
            attempt={"process_environment": process, "sdk_path": "/sdk"},
        )["environment"]
    finally:
        del os.environ["OF_THE_SERVER"]
    order = bench.started[0]
    ours = {n for n in seen if n.startswith(("AZUREML_", "ZAFFRE_"))}
    others = {n: v for n, v in seen.items() if n not in ours}
    others.pop("LC_CTYPE", None)  # Python's own doing, where the locale is C
    assert others == {
        "PATH": f"{Path(sys.executable).parent}:/elsewhere:/bin",
        "HOME": "/home/x",
        "MINE": "2",
        "EXAMPLE_ENV_VAR": "EXAMPLE_VALUE",
        "MPLBACKEND": "Agg",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": f"{order.folder}/work:/sdk:/asked",
        "TMPDIR": f"{order.folder}/tmp",
        "PWD": f"{order.folder}/work",
    }
    assert seen["AZUREML_RUN_ID"] == order.run_id


def test_a_backend_that_the_run_asks_for_is_kept(bench):
    seen = show(bench, environment_variables={"MPLBACKEND": "svg", "HOME": "/elsewhere"})
    assert seen["environment"]["MPLBACKEND"] == "svg"
    assert seen["environment"]["HOME"] == "/elsewhere"


@pytest.mark.parametrize("isolated", [True, False])
def test_a_script_is_a_fresh_process(bench, isolated):
    seen = show(bench, isolated=isolated)
    assert seen["fds"][:3] == [0, 1, 2]
    assert len(seen["fds"]) == 4  # and the one that lists them
    assert seen["stdin"] == "/dev/null"
    assert seen["sid"] == seen["pid"]
    assert seen["umask"] == 0o022
    status = dict(line.split(":\t", 1) for line in seen["mask"].splitlines() if ":\t" in line)
    assert int(status["SigBlk"], 16) == 0
    # Python itself ignores SIGPIPE and SIGXFSZ; 32 and 33 belong to the C library.
    theirs = (signal.SIGPIPE, signal.SIGXFSZ, 32, 33)
    assert int(status["SigIgn"], 16) & ~sum(1 << number - 1 for number in theirs) == 0
    assert (seen["ppid"] == 1) == isolated
    assert seen["pid"] == int(status["NSpid"].split()[-1])


def test_a_script_sees_its_own_process_in_proc(bench):
    script = """
import os
print(os.readlink("/proc/self") == str(os.getpid()))
print(len([name for name in os.listdir("/proc") if name.isdigit()]))
"""
    bench.run(script)
    assert bench.server.log() == "True\n2\n"


def test_output_and_errors_keep_their_order(bench):
    script = """
import os, subprocess, sys
for i in range(200):
    os.write(1, b"out %d\\n" % i)
    os.write(2, b"err %d\\n" % i)
    if i % 50 == 0:
        subprocess.run(["sh", "-c", "echo child %d" % i])
sys.stdout.write("no newline at the end")
"""
    bench.run(script)
    expected = ""
    for i in range(200):
        expected += f"out {i}\nerr {i}\n" + (f"child {i}\n" if i % 50 == 0 else "")
    assert bench.server.log() == expected + "no newline at the end"


def test_prints_arrive_while_the_script_runs(bench):
    script = "import time; print('first'); time.sleep(300)"
    bench.start(script)
    bench.server.settle(lambda: bench.server.log() == "first\n", 3.0)


def test_neither_token_nor_environment_stand_in_arguments_or_on_the_disk(bench):
    process = {"PATH": "/elsewhere:/bin", "PASSWORD": "hunter2-in-the-environment"}
    order = bench.start(
        "import time; print('up', flush=True); time.sleep(300)",
        attempt={"process_environment": process},
    )
    bench.server.settle(lambda: "up" in bench.server.log())
    secrets = (b"zf_secret-token", b"hunter2-in-the-environment")
    pids = [bench.runner_pid(), bench.runners.zygote_pid, *bench.marked()]
    for pid in pids:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        assert not any(secret in line for secret in secrets)
    for pid in pids[:2]:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert not any(secret in environment for secret in secrets)
    for path in Path(order.folder).rglob("*"):
        if path.is_file():
            assert not any(secret in path.read_bytes() for secret in secrets), path
