"""The hostile requests of tests/faults/hostile, against a real server."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Client, ServerProcess, workspace_request

from zaffre.server.store import token as tokens
from zaffre.server.store.database import Database, sqlite_url

PROBE = Path(__file__).parent / "hostile" / "http_probe.py"
OK = b"fine"
PAGE = b"<script>alert(1)</script>"
#: Parts of later issues, and what only pages have.
ABSENT = ("page", "login", "service", "import_url", "tokens")


def _store_file(client: Client, run_id: str, name: str, content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    put = client.request(
        "PUT",
        f"/api/v1/blobs/{sha256}",
        body=content,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert put.status in (200, 201), put.body
    entry = {"name": name, "sha256": sha256, "size_bytes": len(content)}
    answer = client.post(f"/api/v1/runs/{run_id}/files", {"items": [entry]})
    assert answer.status in (200, 201), answer.body


def _run(client: Client, workspace_id: str, run_id: str) -> None:
    path = f"/api/v1/workspaces/{workspace_id}/experiments"
    experiment_id = client.post(path, {"name": "exp"}).json["experiment_id"]
    body = {"run_id": run_id, "idempotency_key": "k", "state": "Running"}
    assert client.post(f"/api/v1/experiments/{experiment_id}/runs", body).status == 201


@pytest.mark.timeout(240)
def test_no_hostile_request_gets_what_it_wants(server: ServerProcess, tmp_path: Path) -> None:
    client = server.client
    own = client.post("/api/v1/workspaces/open", workspace_request()).json["workspace"]
    foreign = client.post("/api/v1/workspaces/open", workspace_request()).json["workspace"]
    names = {name: f"{name}-{uuid.uuid4().hex[:8]}" for name in ("own", "other", "dead", "foreign")}
    for name, run_id in names.items():
        workspace = foreign if name == "foreign" else own
        _run(client, workspace["workspace_id"], run_id)
    for name, content in (("ok.txt", OK), ("page.html", PAGE), ("page.svg", b"<svg/>")):
        _store_file(client, names["own"], f"outputs/{name}", content)
    run_token, dead_token = _tokens(server, own["workspace_id"], names)
    workspace_path = f"/api/v1/workspaces/{own['workspace_id']}"
    chosen: dict[str, Any] = {
        "list": "/api/v1/experiments",
        "create": f"{workspace_path}/experiments",
        "create_body": {"name": "{unique}"},
        "files": f"/api/v1/runs/{names['own']}/files",
        "own_run": f"/api/v1/runs/{names['own']}",
        "other_run": f"/api/v1/runs/{names['other']}",
        "foreign_run": f"/api/v1/runs/{names['foreign']}",
        "snapshot": f"{workspace_path}/snapshots",
        "register": f"{workspace_path}/models",
        **dict.fromkeys(ABSENT),
    }
    variables = tmp_path / "vars.json"
    variables.write_text(json.dumps(chosen))
    results = tmp_path / "results.json"
    command = [sys.executable, str(PROBE), server.url, "--quiet", "--vars", str(variables)]
    command += ["--token", server.token, "--token-of", f"run={run_token}"]
    command += ["--token-of", f"dead={dead_token}", "--json", str(results)]
    command += ["--openapi", f"{server.url}/openapi.json"]
    probe = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert probe.returncode == 0, probe.stdout[-4000:] + probe.stderr[-2000:]


def _tokens(server: ServerProcess, workspace_id: str, names: dict[str, str]) -> tuple[str, str]:
    """Store the token of a run and that of one that has ended, as an attempt's are stored."""
    database = Database(sqlite_url(server.home / "store" / "zaffre.db"))
    made = tokens.new_token(), tokens.new_token()
    with database.transaction() as tx:
        for token, name in zip(made, ("own", "dead"), strict=True):
            tokens.add_for_attempt(
                tx, token, run_id=names[name], attempt=1, workspace_id=workspace_id, now=0.0
            )
        tokens.expire(tx, names["dead"], 0.0)
    database.close()
    return made
