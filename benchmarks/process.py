"""Processes that a benchmark starts, and ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

_POLL_S = 0.002
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 15.0


class Asked:
    """A client process (clients/asked.py) that works when asked, one request at a time."""

    def __init__(self, command: Sequence[str], *, environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def ask(self, work: str, **arguments: object) -> Any:
        """Have a work done and return its answer."""
        self.send(work, **arguments)
        return self.receive()

    def send(self, work: str, **arguments: object) -> None:
        """Have a work done without waiting for it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"work": work, **arguments}) + "\n")
        self._process.stdin.flush()

    def receive(self) -> Any:
        """Wait for the answer to what was sent."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a client ended: {self._log.read_text()[-1500:].strip()}")
        return json.loads(line)

    def __enter__(self) -> Asked:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        end(self._process)


class Served:
    """A server process that listens at a Unix socket. `start_s`: until it first answered."""

    def __init__(
        self, command: Sequence[str], *, path: Path, environment: dict[str, str], log: Path
    ) -> None:
        self.path = path
        started = time.perf_counter()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        while not _answers(path):
            late = time.perf_counter() - started > _START_TIMEOUT_S
            if late or self.process.poll() is not None:
                end(self.process)
                raise RuntimeError(f"a server did not start: {log.read_text()[-1500:].strip()}")
            time.sleep(_POLL_S)
        self.start_s = time.perf_counter() - started

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        end(self.process)


def _answers(path: Path) -> bool:
    """Say whether an HTTP server answers at a Unix socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(path))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return connection.recv(12) == b"HTTP/1.1 200"
        except OSError:
            return False


def tree(pid: int) -> list[int]:
    """Return `pid` and what descends from it."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found.extend(int(child) for child in children.read_text().split())
    return found


def memory_mb(pid: int) -> float:
    """Return what a process and its descendants hold, shared pages shared out (PSS), in MB."""
    total_kb = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total_kb += int(line.split()[1])
    return total_kb / 1024


def end(process: subprocess.Popen[Any]) -> None:
    """End a process and all that descends from it."""
    family = tree(process.pid)
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for one in family[1:]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
