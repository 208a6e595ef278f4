"""One life of a run under attack: start it, kill something, wait for its end, count.

The script counts upwards. It logs a number, prints it, and only then acknowledges it in a file of
the test's. What is in that file was promised: it must be in the store exactly once.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FINAL = ("Completed", "Failed", "Canceled")
END_LIMIT_S = 40.0

COUNTING = """\
import os, sys, time
from azureml.core import Run

run = Run.get_context()
acknowledged = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
count, pause_s = int(sys.argv[2]), float(sys.argv[3])
for number in range(count):
    run.log("number", number)
    print("line", number, flush=True)
    os.write(acknowledged, b"%d\\n" % number)
    time.sleep(pause_s)
"""


@dataclass
class Life:
    """A submitted run and the file in which its script acknowledges."""

    server: Any
    run_id: str
    acknowledged_path: Path
    facts: dict[str, Any] = field(default_factory=dict)

    def acknowledged(self) -> list[int]:
        """Return the numbers that `log` returned for, in order."""
        text = self.acknowledged_path.read_text() if self.acknowledged_path.exists() else ""
        return [int(line) for line in text.splitlines()]

    def wait_until_acknowledged(self, count: int) -> None:
        """Wait until the script has acknowledged `count` numbers."""
        eventually(lambda: len(self.acknowledged()) >= count, f"{count} numbers")

    def run(self) -> dict[str, Any]:
        """Return the run as the server has it."""
        answer = self.server.client.get(f"/api/v1/runs/{self.run_id}")
        assert answer.status == 200, answer.body
        return answer.json

    def wait_for_state(self, *states: str, limit_s: float = END_LIMIT_S) -> dict[str, Any]:
        """Wait until the run is in one of `states`; return it."""
        seen: dict[str, Any] = {}

        def arrived() -> bool:
            seen.update(self.run())
            return seen["state"] in states

        eventually(arrived, f"{self.run_id} in {states}, not {seen.get('state')}", limit_s)
        return seen

    def runner_pid(self) -> int:
        """Return the process of the run's present runner."""
        found: list[int] = []

        def claimed() -> bool:
            with sqlite3.connect(self.server.home / "store" / "zaffre.db") as store:
                row = store.execute(
                    "SELECT pid FROM attempts JOIN runs USING (run_key) WHERE run_id = ? "
                    "AND pid IS NOT NULL ORDER BY attempts.number DESC",
                    (self.run_id,),
                ).fetchone()
            store.close()
            found.extend(row or ())
            return bool(found)

        eventually(claimed, f"a runner of {self.run_id}")
        return found[0]

    def script_pids(self) -> list[int]:
        """Return the processes that run the script itself."""
        return [pid for pid in self.processes() if b"count.py" in _read(pid, "cmdline")]

    def processes(self) -> list[int]:
        """Return every process that carries the run's mark."""
        mark = f"AZUREML_RUN_ID={self.run_id}".encode()
        return [pid for pid in pids() if mark in _read(pid, "environ").split(b"\0")]

    def stored(self) -> list[int]:
        """Return the numbers in the store, in order."""
        answer = self.server.client.get(f"/api/v1/runs/{self.run_id}/metrics?name=number")
        assert answer.status == 200, answer.body
        series = answer.json["runs"][self.run_id]
        return series[0]["values"] if series else []

    def log_text(self) -> str:
        """Return what the store has of the script's output."""
        answer = self.server.client.get(f"/api/v1/runs/{self.run_id}/files/user_logs/std_log.txt")
        return answer.body.decode() if answer.status == 200 else ""

    def assert_nothing_is_lost(self) -> None:
        """Every acknowledged number is stored exactly once, in order; its line is in the log."""
        acknowledged, stored = self.acknowledged(), self.stored()
        assert stored == sorted(set(stored)), "doubled or out of order"
        # The last record may be in the store though the kill came before its acknowledgement.
        assert stored[: len(acknowledged)] == acknowledged
        assert len(stored) <= len(acknowledged) + 1
        lines = [line for line in self.log_text().splitlines() if line.startswith("line ")]
        assert lines[: len(acknowledged)] == [f"line {number}" for number in acknowledged]

    def assert_no_process_is_left(self, limit_s: float = 10.0) -> None:
        """No process of the run's script, nor of its runner, lives on."""
        eventually(lambda: not self.processes(), f"end of {self.processes()}", limit_s)


def start(
    server: Any, folder: Path, *, script: str = COUNTING, count: int = 200, pause_s: float = 0.005
) -> Life:
    """Submit the counting script as the SDK would: a blob, a snapshot, a run."""
    client = server.client
    opened = client.post(
        "/api/v1/workspaces/open",
        {"name": f"w{uuid.uuid4().hex[:12]}", "subscription_id": "s", "resource_group": "g"},
    )
    workspace_id = opened.json["workspace"]["workspace_id"]
    experiment = client.post(f"/api/v1/workspaces/{workspace_id}/experiments", {"name": "faults"})
    content = script.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    client.request("PUT", f"/api/v1/blobs/{sha256}", body=content)
    entry = {"name": "count.py", "sha256": sha256, "size_bytes": len(content)}
    snapshot = client.post(f"/api/v1/workspaces/{workspace_id}/snapshots", {"files": [entry]})
    assert snapshot.status == 201, snapshot.body
    acknowledged = folder / f"{uuid.uuid4().hex}.acknowledged"
    run_id = f"faults_{uuid.uuid4().hex[:12]}"
    spec = {
        "target": "local",
        "interpreter": sys.executable,
        "script": "count.py",
        "arguments": [str(acknowledged), str(count), str(pause_s)],
        "snapshot_id": snapshot.json["snapshot_id"],
    }
    request = {
        "run_id": run_id,
        "idempotency_key": uuid.uuid4().hex,
        "state": "Queued",
        "target": "local",
        "snapshot_id": snapshot.json["snapshot_id"],
        "spec": spec,
        "process_environment": {"PATH": os.environ["PATH"], "HOME": str(folder)},
    }
    experiment_id = experiment.json["experiment_id"]
    created = client.post(f"/api/v1/experiments/{experiment_id}/runs", request)
    assert created.status == 201, created.body
    return Life(server, run_id, acknowledged)


def kill_script(life: Life) -> None:
    """SIGKILL to the script."""
    for pid in life.script_pids():
        send(pid, signal.SIGKILL)


def kill_runner(life: Life) -> None:
    """SIGKILL to the runner."""
    send(life.runner_pid(), signal.SIGKILL)


def kill_server(life: Life) -> None:
    """SIGKILL to the server, which is started again."""
    life.server.kill()
    life.server.start()


def kill_runner_and_server(life: Life) -> None:
    """SIGKILL to both at once; the server is started again."""
    runner = life.runner_pid()
    life.server.kill()
    send(runner, signal.SIGKILL)
    life.server.start()


@dataclass(frozen=True)
class Attack:
    """Whom to kill, and how the run must end: (states, reason kinds or None for any)."""

    name: str
    strike: Callable[[Life], None]
    states: tuple[str, ...]
    reasons: tuple[str, ...] = ()


ATTACKS = (
    Attack("the script", kill_script, ("Failed", "Completed"), ("script_signalled",)),
    Attack("the runner", kill_runner, ("Failed", "Completed"), ("runner_died",)),
    Attack("the server", kill_server, ("Completed",)),
    Attack(
        "the runner and the server",
        kill_runner_and_server,
        ("Failed", "Completed"),
        ("runner_died",),
    ),
)


def random_moment(seed: int) -> Iterator[float]:
    """Yield seconds to wait before a strike: often at the very start, else somewhere in between."""
    chance = random.Random(seed)
    while True:
        yield chance.choice((0.0, 0.02, 0.1, 0.4)) + chance.random() * 0.6


def eventually(holds: Callable[[], bool], what: str, limit_s: float = END_LIMIT_S) -> None:
    """Wait until `holds`; AssertionError after `limit_s`. Looks often: processes do not tell."""
    deadline = time.monotonic() + limit_s
    pause = Pause()
    while not holds():
        assert time.monotonic() < deadline, f"not within {limit_s} s: {what}"
        pause.rest()


class Pause:
    """A rest of 10 ms that a signal cannot lengthen."""

    def rest(self, seconds: float = 0.01) -> None:
        """Rest."""
        signal.sigtimedwait((), seconds)


def pids() -> list[int]:
    """Return all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""


def reason_of(run: dict[str, Any]) -> str:
    """Return the kind of the run's reason, '' if it has none."""
    return (run.get("reason") or {}).get("kind", "")


def describe(run: dict[str, Any]) -> str:
    """Return what a failed assertion should show of a run."""
    return json.dumps({k: run.get(k) for k in ("state", "reason", "error", "attempt")})
