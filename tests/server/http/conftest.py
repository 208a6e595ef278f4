"""A run on the shared real server."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from tests.conftest import Client, ServerProcess


@dataclass
class RunOnServer:
    """A run, its workspace, and a client with the owner's token."""

    client: Client
    server: ServerProcess
    workspace_id: str
    experiment_id: str
    run_id: str

    @property
    def path(self) -> str:
        return f"/api/v1/runs/{self.run_id}"


@pytest.fixture
def experiment(server: ServerProcess, workspace: dict[str, Any]) -> dict[str, Any]:
    """A fresh experiment in a fresh workspace."""
    path = f"/api/v1/workspaces/{workspace['workspace_id']}/experiments"
    return server.client.post(path, {"name": "exp"}).json


@pytest.fixture
def run(server: ServerProcess, workspace: dict[str, Any]) -> RunOnServer:
    """An interactive run of the test's own."""
    client = server.client
    workspace_id = workspace["workspace_id"]
    answer = client.post(f"/api/v1/workspaces/{workspace_id}/experiments", {"name": "exp"})
    experiment_id = answer.json["experiment_id"]
    run_id = f"run-{uuid.uuid4().hex}"
    body = {"run_id": run_id, "idempotency_key": run_id, "state": "Running"}
    answer = client.post(f"/api/v1/experiments/{experiment_id}/runs", body)
    assert answer.status == 201, answer.body
    return RunOnServer(client, server, workspace_id, experiment_id, run_id)
