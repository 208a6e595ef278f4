from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Zaffre
    from tests.conftest import ServerProcess

WRONG_USAGE, NOT_FOUND = 2, 3


def log(server: ServerProcess, run_id: str, **metrics: float) -> None:
    lines = [
        json.dumps({"run": run_id, "name": name, "kind": "scalar", "at": 1.0, "value": value})
        for name, value in metrics.items()
    ]
    answer = server.client.post(
        f"/api/v1/runs/{run_id}/spools/s/batches?from_offset=0",
        body="".join(f"\n{line}\n" for line in lines).encode(),
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert answer.status == 200, answer.body


def put_snapshot(server: ServerProcess, workspace_id: str, files: dict[str, bytes]) -> str:
    import hashlib

    entries: list[dict[str, Any]] = []
    for name, content in files.items():
        sha256 = hashlib.sha256(content).hexdigest()
        server.client.request("PUT", f"/api/v1/blobs/{sha256}", body=content)
        entries.append({"name": name, "sha256": sha256, "size_bytes": len(content)})
    path = f"/api/v1/workspaces/{workspace_id}/snapshots"
    answer = server.client.post(path, {"files": entries})
    assert answer.status == 201, answer.body
    return answer.json["snapshot_id"]


@pytest.fixture
def two(server: ServerProcess, experiment: dict[str, Any]) -> tuple[str, str]:
    """Two runs of one script that differ in a parameter, a metric, a file and the commit."""
    ids: list[str] = []
    for number in (1, 2):
        run_id = f"run{number}-{uuid.uuid4().hex[:6]}"
        snapshot_id = put_snapshot(
            server,
            experiment["workspace_id"],
            {"train.py": b"same", "model.py": f"{number}".encode()},
        )
        spec = {
            "target": "local",
            "interpreter": "/no/such/python",
            "script": "train.py",
            "arguments": ["--lr", f"0.{number}", "--epochs", "3"],
            "snapshot_id": snapshot_id,
            "environment_variables": {"MODE": "fast"},
            "definition": {"environment": {"name": f"env{number}", "python": {"pip": ["a", "b"]}}},
        }
        body = {
            "run_id": run_id,
            "idempotency_key": run_id,
            "state": "Queued",
            "spec": spec,
            "properties": {"azureml.git.commit": f"c{number}", "azureml.git.branch": "main"},
        }
        path = f"/api/v1/experiments/{experiment['experiment_id']}/runs"
        answer = server.client.post(path, body)
        assert answer.status == 201, answer.body
        log(server, run_id, loss=number / 4, best=1.0)
        ids.append(run_id)
    return ids[0], ids[1]


def test_runs_are_shown_side_by_side_with_a_sign_where_they_differ(
    zaffre: Zaffre, two: tuple[str, str]
) -> None:
    said = zaffre("run", "compare", *two)
    assert said.code == 0, said.err
    lines = [line.split() for line in said.out.splitlines()]
    assert ["PARAMETERS", *two] in lines
    assert ["lr", "≠", "0.1", "0.2"] in lines
    assert ["epochs", "3", "3"] in lines
    assert ["loss", "≠", "0.25", "0.5"] in lines
    assert ["best", "1", "1"] in lines
    assert ["name", "≠", "env1", "env2"] in lines
    assert ["python.pip", "a,", "b", "a,", "b"] in lines
    assert ["$MODE", "fast", "fast"] in lines
    assert ["git", "commit", "≠", "c1", "c2"] in lines
    assert ["files", "that", "are", "alike", "1", "1"] in lines
    assert [line[:2] for line in lines if line[:1] == ["model.py"]] == [["model.py", "≠"]]


def test_what_is_alike_can_be_left_out(zaffre: Zaffre, two: tuple[str, str]) -> None:
    said = zaffre("run", "compare", *two, "--only-differences", "--json")
    found = said.json
    assert found["runs"] == list(two)
    assert found["parameters"] == [{"name": "lr", "values": ["0.1", "0.2"], "differs": True}]
    assert found["metrics"] == [{"name": "loss", "values": [0.25, 0.5], "differs": True}]
    assert [line["name"] for line in found["code"]] == ["git commit", "model.py"]
    assert found["inputs"] == []


def test_more_than_two_and_runs_that_lack_something_are_compared(
    zaffre: Zaffre, server: ServerProcess, experiment: dict[str, Any], two: tuple[str, str]
) -> None:
    run_id = f"run3-{uuid.uuid4().hex[:6]}"
    body = {"run_id": run_id, "idempotency_key": run_id, "state": "Running"}
    path = f"/api/v1/experiments/{experiment['experiment_id']}/runs"
    assert server.client.post(path, body).status == 201
    found = zaffre("run", "compare", *two, run_id, "--json").json
    lr, epochs = found["parameters"]
    assert lr["values"] == ["0.1", "0.2", None]
    assert epochs == {"name": "epochs", "values": ["3", "3", None], "differs": True}


def test_runs_that_are_alike_are_said_to_be(zaffre: Zaffre, two: tuple[str, str]) -> None:
    said = zaffre("run", "compare", two[0], two[0], "--only-differences")
    assert (said.code, said.out) == (0, "The runs are alike.\n")


def test_one_run_and_an_unknown_one_are_refused(zaffre: Zaffre, two: tuple[str, str]) -> None:
    assert zaffre("run", "compare", two[0]).code == WRONG_USAGE
    assert zaffre("run", "compare", two[0], "nobody").code == NOT_FOUND


def test_a_list_is_searched_ordered_and_shows_what_orders_it(
    zaffre: Zaffre, experiment: dict[str, Any], two: tuple[str, str]
) -> None:
    own = ("-e", experiment["name"])
    said = zaffre("run", "list", *own, "--where", "params.epochs = 3", "--order-by", "metrics.loss")
    head, first, second = said.out.splitlines()
    assert head.split()[-1] == "metrics.loss"
    assert (first.split()[0], first.split()[-1]) == (two[0], "0.25")
    assert (second.split()[0], second.split()[-1]) == (two[1], "0.5")
    said = zaffre("run", "list", *own, "--where", "metrics.loss > 0.3", "-c", "params.lr", "--json")
    (found,) = said.json
    assert (found["run_id"], found["columns"]) == (two[1], {"params.lr": "0.2"})
    said = zaffre("run", "list", *own, "--where", "metrics.loss > 9")
    assert (said.code, said.out, said.err) == (0, "", "There are no such runs.\n")


def test_a_search_that_cannot_be_read_is_wrong_usage_with_the_place(zaffre: Zaffre) -> None:
    said = zaffre("run", "list", "--where", "status = 'Done'")
    assert said.code == WRONG_USAGE
    assert said.err.splitlines()[1:] == ["  status = 'Done'", "           ^^^^^^"]
