"""Finding a server, and starting one, from any process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.client.conftest import SOURCE, RunPython, address_of, servers_of

from zaffre.client import connection, process
from zaffre.client.connection import connect, without_starting
from zaffre.contract.errors import Invalid, ServerNotStarted, ServerUnreachable

ASK = """
from zaffre.client.connection import connect
print(connect().request("GET", "/server")["pid"])
"""


def test_the_first_request_starts_a_server_that_is_nobodys_child(
    home: Path, run_python: RunPython
) -> None:
    unwanted = {
        "JPY_PARENT_PID": "1",
        "MPLBACKEND": "module://ipykernel",
        "VIRTUAL_ENV": "/nowhere",
        "CONDA_PREFIX": "/nowhere",
        "AZUREML_RUN_ID": "r1",
        "ZAFFRE_RUN_ID": "r1",
        "KEPT": "yes",
    }
    done = run_python(ASK, environment=unwanted)
    assert done.returncode == 0, done.stderr
    pid = int(done.stdout)
    assert servers_of(home) == [pid]
    assert address_of(home)["pid"] == pid
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    assert int(fields[3]) not in (os.getsid(0), pid), "its session is neither ours nor its own"
    assert Path(f"/proc/{pid}/cwd").resolve() == home
    assert Path(f"/proc/{pid}/fd/0").resolve() == Path("/dev/null")
    variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    names = {variable.partition("=")[0] for variable in variables}
    assert "KEPT" in names
    assert not names & set(unwanted) - {"KEPT"}
    pipes = [
        entry
        for entry in Path(f"/proc/{pid}/fd").iterdir()
        if os.readlink(entry).startswith(f"{os.getcwd()}/")
        # What it opens itself at this moment, to import it, is not inherited.
        and not entry.resolve().is_relative_to(SOURCE)
        and not entry.resolve().is_relative_to(sys.prefix)
    ]
    assert not pipes
    assert home.stat().st_mode & 0o077 == 0


def test_a_server_that_was_killed_is_started_again_by_the_next_request(home: Path) -> None:
    client = connect()
    first = client.request("GET", "/server")["pid"]
    os.kill(first, signal.SIGKILL)
    second = client.request("GET", "/server")["pid"]
    assert second != first
    assert servers_of(home) == [second]


def test_an_address_file_of_a_server_that_died_with_the_machine_is_not_believed(
    home: Path,
) -> None:
    home.mkdir(mode=0o700)
    stale = {"pid": 1, "url": "http://127.0.0.1:9", "socket_path": str(home / "s.sock")}
    (home / "server.json").write_text(json.dumps(stale))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(home / "s.sock"))
    listener.close()
    (home / "token").write_text("zf_" + "x" * 43)
    (home / "token").chmod(0o600)
    assert connect().request("GET", "/server")["pid"] == servers_of(home)[0]


def test_thirty_two_processes_at_once_start_one_server(home: Path) -> None:
    wait_and_ask = f"import sys\nsys.stdin.read(1)\n{ASK}"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", wait_and_ask],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(32)
    ]
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("x")
        one.stdin.flush()
    answers = [one.communicate(timeout=50) for one in processes]
    assert [one.returncode for one in processes] == [0] * 32, [a[1] for a in answers if a[1]]
    assert {answer[0] for answer in answers} == {f"{servers_of(home)[0]}\n"}
    assert len(servers_of(home)) == 1


def test_threads_of_one_process_start_one_server(home: Path) -> None:
    client = connect()
    pids: list[int] = []
    threads = [
        threading.Thread(target=lambda: pids.append(client.request("GET", "/server")["pid"]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert pids == servers_of(home) * 8


def test_a_starter_that_was_killed_does_not_block_the_next_one(
    home: Path, run_python: RunPython
) -> None:
    dies = (
        "import os, zaffre.client.connection as c\n"
        "c._start = lambda home, options: os.kill(os.getpid(), 9)\n" + ASK
    )
    assert run_python(dies).returncode == -signal.SIGKILL
    assert connect().request("GET", "/server")["pid"] == servers_of(home)[0]


def test_a_server_that_is_going_down_is_waited_for(home: Path) -> None:
    client = connect()
    first = client.request("GET", "/server")["pid"]
    os.kill(first, signal.SIGTERM)
    second = client.request("GET", "/server")["pid"]
    if second == first:  # it answered once more before it heard the signal
        while process.is_alive(first, 0):
            second = client.request("GET", "/server")["pid"]
    second = client.request("GET", "/server")["pid"]
    assert second != first
    assert servers_of(home) == [second]


def test_a_lock_that_someone_holds_without_answering_ends_in_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    home.mkdir(mode=0o700)
    monkeypatch.setattr(connection, "START_TIMEOUT_S", 0.3)
    with (home / "server.lock").open("w") as lock:
        lock.write('{"host": "elsewhere", "pid": 7}')
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ServerNotStarted, match="elsewhere") as caught:
            connect(retry_s=0.1).request("GET", "/server")
    assert "zaffre down" in caught.value.message


def test_a_server_that_is_started_by_hand_at_the_same_moment_is_used(
    home: Path, run_python: RunPython
) -> None:
    """The client has just found the home free when somebody else's server takes it."""
    script = f"""
import subprocess, sys, zaffre.client.connection as c
start = c._start
def late(home, options):
    log = open(home + "/by-hand.log", "wb")
    reader, writer = c.os.pipe()
    command = [sys.executable, "-m", "zaffre.server", "--home", home, "--ready-fd", str(writer)]
    subprocess.Popen(command, pass_fds=(writer,), stdout=log, stderr=log)
    c.os.close(writer)
    assert c._read_line(reader, 30) == "ok"
    c._start = start
    return start(home, options)
c._start = late
{ASK}
c.os._exit(0 if sys.stdout.flush() is None else 1)
"""
    done = run_python(script)
    assert done.returncode == 0, done.stderr
    assert address_of(home)["pid"] == int(done.stdout)
    deadline = time.monotonic() + 10
    while servers_of(home) != [int(done.stdout)]:  # the one that came second is ending
        assert time.monotonic() < deadline


def test_what_is_unasked_starts_no_server(home: Path) -> None:
    with pytest.raises(ServerUnreachable, match="no server runs there"):
        without_starting(connect()).request("GET", "/server")
    assert not home.exists()


def test_what_asks_again_and_again_starts_a_crashed_server_and_no_stopped_one(home: Path) -> None:
    client = connect(retry_s=5.0)
    first = client.request("GET", "/server")["pid"]
    with connection.LeavingStopped():
        os.kill(first, signal.SIGKILL)
        second = client.request("GET", "/server")["pid"]
        assert second != first
        os.kill(second, signal.SIGTERM)
        while process.is_alive(second, 0):
            with contextlib.suppress(ServerUnreachable):
                client.request("GET", "/server", retry_s=0.0)
        with pytest.raises(ServerUnreachable, match="the server was stopped"):
            client.request("GET", "/server")
    assert servers_of(home) == []
    assert client.request("GET", "/server")["pid"] not in (first, second)


def test_inside_a_run_no_server_is_started(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAFFRE_RUN_TOKEN", "zf_run")
    monkeypatch.setenv("ZAFFRE_ADDRESS_FILE", str(home / "server.json"))
    monkeypatch.setenv("ZAFFRE_SOCKET", str(home / "s.sock"))
    with pytest.raises(ServerUnreachable):
        connect(retry_s=0.1).request("GET", "/server")
    assert not servers_of(home)


def test_inside_a_run_a_server_that_moved_is_found_by_its_address_file(
    new_server: Callable[..., object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tests.conftest import ServerProcess

    one, other = new_server(), new_server()
    assert isinstance(one, ServerProcess)
    assert isinstance(other, ServerProcess)
    file = tmp_path / "address.json"
    file.write_text(json.dumps(one.address))
    monkeypatch.setenv("ZAFFRE_RUN_TOKEN", one.token)
    monkeypatch.setenv("ZAFFRE_ADDRESS_FILE", str(file))
    client = connect()
    assert client.request("GET", "/healthz")["status"] == "ok"
    one.kill()
    other.stop()
    (other.home / "token").write_text(one.token)
    other.start()
    file.write_text(json.dumps(other.address))
    assert client.request("GET", "/healthz")["status"] == "ok"


def test_a_running_server_is_found_after_its_restart(
    new_server: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conftest import ServerProcess

    server = new_server()
    assert isinstance(server, ServerProcess)
    monkeypatch.setenv("ZAFFRE_HOME", str(server.home))
    client = without_starting(connect())
    first = client.request("GET", "/server")["pid"]
    server.restart()
    assert client.request("GET", "/server")["pid"] != first
    server.kill()
    with pytest.raises(ServerUnreachable):
        client.request("GET", "/server")
    server.start()
    assert client.request("GET", "/server")["pid"] == server.address["pid"]


def test_a_teams_server_needs_a_token_and_a_url(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del home
    monkeypatch.setenv("ZAFFRE_URL", "https://team.example")
    with pytest.raises(Invalid, match="ZAFFRE_TOKEN"):
        connect()
    monkeypatch.setenv("ZAFFRE_TOKEN", "t")
    assert connection.named_url(connect()) == "https://team.example"
    monkeypatch.setenv("ZAFFRE_URL", "team.example")
    with pytest.raises(Invalid, match="http:// or https://"):
        connect()


def test_an_interpreter_that_cannot_hold_the_server_is_named(
    home: Path, run_python: RunPython, python38: str
) -> None:
    done = run_python(ASK, interpreter=python38)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert f"{python38} does not" in last
    assert "pip install 'zaffre[server]'" in last
    assert not servers_of(home)


@pytest.mark.python38
def test_a_notebooks_python_starts_the_server_in_the_remembered_interpreter(
    home: Path, run_python: RunPython, python38: str
) -> None:
    home.mkdir(mode=0o700)
    (home / "interpreter").write_text(sys.executable)
    done = run_python(ASK, interpreter=python38)
    assert done.returncode == 0, done.stderr
    assert Path(f"/proc/{int(done.stdout)}/exe").resolve() == Path(sys.executable).resolve()


def test_a_remembered_interpreter_that_lost_its_packages_is_passed_over(
    home: Path, run_python: RunPython, tmp_path: Path
) -> None:
    home.mkdir(mode=0o700)
    broken = tmp_path / "python"
    broken.write_text(f'#!/bin/sh\nexec "{Path(sys.executable).resolve()}" -S "$@"\n')
    broken.chmod(0o755)
    (home / "interpreter").write_text(str(broken))
    done = run_python(ASK)
    assert done.returncode == 0, done.stderr
    assert servers_of(home) == [int(done.stdout)]


def test_a_home_that_cannot_be_made_is_named(home: Path) -> None:
    home.write_text("a file")
    with pytest.raises(ServerNotStarted, match=str(home)):
        connect().request("GET", "/server")


def test_a_socket_of_another_user_gets_no_token(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to listen as somebody else: run as root")
    home.mkdir(mode=0o755)
    home.parent.chmod(0o755)
    path = home / "theirs"
    path.mkdir(mode=0o777)
    path.chmod(0o777)
    script = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(5)\n"
        "print('ready', flush=True)\n"
        "c, _ = s.accept(); print(c.recv(1000), flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path / "s.sock")], stdout=subprocess.PIPE
    ) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline() == b"ready\n"
        (home / "server.json").write_text(
            json.dumps({"url": "http://127.0.0.1:9", "socket_path": str(path / "s.sock")})
        )
        (home / "token").write_text("zf_secret")
        with pytest.raises(ServerUnreachable, match="another user"):
            without_starting(connect()).request("GET", "/server")
        assert listener.stdout.readline() == b"b''\n"
