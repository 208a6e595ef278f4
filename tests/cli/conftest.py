"""The command line in the test's process, on the shared server or in a home of its own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zaffre.cli.main import call

if TYPE_CHECKING:
    from tests.conftest import ServerProcess


class Said:
    """What one call printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Zaffre:
    """The command line in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Said:
        self._capsys.readouterr()
        code = call(arguments)
        captured = self._capsys.readouterr()
        return Said(code, captured.out, captured.err)


@pytest.fixture
def zaffre(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Zaffre:
    """The command line with the test server's home."""
    monkeypatch.delenv("ZAFFRE_URL", raising=False)
    monkeypatch.setenv("ZAFFRE_HOME", str(server.home))
    return Zaffre(capsys)


@pytest.fixture
def own_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Zaffre]:
    """The command line with a home in which no server runs yet; one that is left is stopped."""
    monkeypatch.delenv("ZAFFRE_URL", raising=False)
    monkeypatch.setenv("ZAFFRE_HOME", str(tmp_path / "home"))
    yield Zaffre(capsys)
    call(["down"])


@pytest.fixture
def experiment(server: ServerProcess, workspace: dict[str, Any]) -> dict[str, Any]:
    """A fresh experiment in a fresh workspace."""
    path = f"/api/v1/workspaces/{workspace['workspace_id']}/experiments"
    return server.client.post(path, {"name": f"exp-{uuid.uuid4().hex[:8]}"}).json


def interactive_run(server: ServerProcess, experiment: dict[str, Any]) -> str:
    """Make an interactive run; return its id."""
    run_id = str(uuid.uuid4())
    body = {"run_id": run_id, "idempotency_key": run_id, "state": "Running", "tags": {"k": "v"}}
    path = f"/api/v1/experiments/{experiment['experiment_id']}/runs"
    answer = server.client.post(path, body)
    assert answer.status == 201, answer.body
    return run_id
