from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from tests.conftest import Answer, ServerProcess


def ask(server: ServerProcess, noun: str, **query: Any) -> Answer:
    return server.client.get(f"/api/v1/{noun}?{urlencode(query, doseq=True)}")


@pytest.fixture
def runs(server: ServerProcess, experiment: dict[str, Any]) -> list[str]:
    """Five runs whose metric `loss` is 0 to 4; the last has none and a tag."""
    ids: list[str] = []
    for number in range(6):
        run_id = f"r{number}-{uuid.uuid4().hex[:8]}"
        body: dict[str, Any] = {"run_id": run_id, "idempotency_key": run_id, "state": "Running"}
        if number == 5:
            body["tags"] = {"last": "yes & no"}
        path = f"/api/v1/experiments/{experiment['experiment_id']}/runs"
        assert server.client.post(path, body).status == 201
        ids.append(run_id)
        if number < 5:
            record = {"run": run_id, "name": "loss", "kind": "scalar", "at": 1.0, "value": number}
            sent = server.client.post(
                f"/api/v1/runs/{run_id}/spools/s/batches?from_offset=0",
                body=b"\n" + json.dumps(record).encode() + b"\n",
                headers={"Content-Type": "application/x-ndjson"},
            )
            assert sent.status == 200, sent.body
    return ids


def test_a_search_is_paged_by_its_cursor(
    server: ServerProcess, experiment: dict[str, Any], runs: list[str]
) -> None:
    query = {"experiment_id": experiment["experiment_id"], "limit": 2}
    query |= {"where": "metrics.loss >= 1 or tags.last is not null", "order_by": "metrics.loss"}
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = ask(server, "runs", **query, **cursor).json
        seen += [run["run_id"] for run in answer["items"]]
        if answer["next"] is None:
            break
        cursor = {"cursor": answer["next"]}
    assert seen == [runs[1], runs[2], runs[3], runs[4], runs[5]]


def test_a_search_has_its_order_in_one_place(
    server: ServerProcess, experiment: dict[str, Any], runs: list[str]
) -> None:
    own = {"experiment_id": experiment["experiment_id"]}
    found = ask(server, "runs", where="order by metrics.loss desc", limit=2, **own).json["items"]
    assert [run["run_id"] for run in found] == [runs[4], runs[3]]
    twice = ask(server, "runs", where="order by name", order_by="id", **own)
    assert (twice.status, twice.error["field"]) == (400, "order_by")


def test_what_is_wrong_in_a_search_is_pointed_at(server: ServerProcess) -> None:
    refused = ask(server, "runs", where="metric.loss < 1")
    assert refused.status == 400
    assert refused.error == {
        "code": "search.invalid",
        "message": "where: metric.loss is no field; did you mean metrics?\n"
        "  metric.loss < 1\n"
        "  ^^^^^^^^^^^",
        "field": "where",
        "facts": {"position": 0, "length": 11},
    }
    assert ask(server, "runs", order_by="loss").error["field"] == "order_by"
    assert ask(server, "tables/runs", column=["id", "loss"]).error["field"] == "column"
    assert ask(server, "tables/runs").error["field"] == "column"


def test_a_table_has_all_runs_in_one_answer(
    server: ServerProcess, experiment: dict[str, Any], runs: list[str]
) -> None:
    answer = ask(
        server,
        "tables/runs",
        experiment_id=experiment["experiment_id"],
        column=["id", "METRICS.loss", 'tags."last"'],
        order_by="metrics.loss desc",
        where="metrics.loss > 2 or tags.last = 'yes & no'",
    )
    assert answer.json == {
        "columns": ["id", "metrics.loss", "tags.last"],
        "rows": [[runs[4], 4.0, None], [runs[3], 3.0, None], [runs[5], None, "yes & no"]],
    }


def test_a_large_table_comes_in_pieces(
    server: ServerProcess, experiment: dict[str, Any], runs: list[str]
) -> None:
    columns = ["id"] * 100
    items = [
        {"run_id": uuid.uuid4().hex, "idempotency_key": "k", "state": "NotStarted"}
        for _ in range(500)
    ]
    path = f"/api/v1/experiments/{experiment['experiment_id']}/runs/batch"
    assert server.client.post(path, {"items": items}).status == 201
    answer = ask(server, "tables/runs", experiment_id=experiment["experiment_id"], column=columns)
    assert "content-length" not in {name.lower() for name in answer.headers}
    rows = answer.json["rows"]
    assert [row[99] for row in rows] == [*[i["run_id"] for i in items[::-1]], *runs[::-1]]
