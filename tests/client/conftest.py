"""Homes whose server the client under test starts by itself."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tools.programs import find_python

from zaffre.client import process

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home that does not exist yet; whatever server serves it is gone after the test."""
    for name in list(os.environ):
        if name.startswith(("ZAFFRE_", "AZUREML_")):
            monkeypatch.delenv(name)
    parent = Path(tempfile.mkdtemp(prefix="zf-", dir="/tmp"))
    home = parent / "home"
    monkeypatch.setenv("ZAFFRE_HOME", str(home))
    yield home
    for pid in servers_of(home):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(parent, ignore_errors=True)


def servers_of(home: Path) -> list[int]:
    """Return the pids of all server processes of a home."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"zaffre.server" in words and str(home).encode() in words:
                pid = int(entry.name)
                with contextlib.suppress(OSError):
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                    if process.is_alive(pid, 0):
                        parents[pid] = int(fields[1])
    # A child that a server has forked is called like it until it executes what it is to be.
    return [pid for pid, parent in parents.items() if parent not in parents]


def address_of(home: Path) -> dict[str, Any]:
    return json.loads((home / "server.json").read_text())


RunPython = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run_python() -> RunPython:
    """Run a script in a fresh interpreter that has nothing but this source on its path."""

    def run(
        script: str,
        *arguments: str,
        interpreter: str = sys.executable,
        environment: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [interpreter, "-c", script, *arguments],
            env={**os.environ, "PYTHONPATH": str(SOURCE), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def python38() -> str:
    """A real Python 3.8."""
    found = find_python("3.8")
    if found is None:
        pytest.skip("Python 3.8 is not installed: tools/uv python install 3.8")
    return found
