"""Routes of workspaces, experiments, runs and attempts, on a real server."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import pytest
from tests.conftest import Client, ServerProcess, workspace_request


def create(client: Client, experiment: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"run_id": uuid.uuid4().hex, "idempotency_key": "k", "state": "Running", **fields}
    answer = client.post(f"/api/v1/experiments/{experiment['experiment_id']}/runs", body)
    assert answer.status == 201, answer.body
    return answer.json


def test_a_workspace_is_made_once_and_opened_after(server: ServerProcess) -> None:
    request = workspace_request()
    made = server.client.post("/api/v1/workspaces", request)
    assert made.status == 201
    refused = server.client.post("/api/v1/workspaces", request)
    assert (refused.status, refused.error["code"]) == (409, "workspace.exists")
    again = server.client.post("/api/v1/workspaces", {**request, "exist_ok": True})
    assert (again.status, again.json) == (200, made.json)
    opened = server.client.post("/api/v1/workspaces/open", request).json
    assert opened == {"workspace": made.json, "created": False}
    listed = server.client.get(f"/api/v1/workspaces?name={request['name']}").json
    assert listed == {"items": [made.json]}
    path = f"/api/v1/workspaces/{made.json['workspace_id']}"
    changed = server.client.patch(path, {"description": "d", "tags": {"a": None}}).json
    assert (changed["description"], changed["tags"]) == ("d", {"a": None})
    assert server.client.get(path).json == changed


def test_a_teams_server_makes_no_workspace_by_itself(new_server: Any) -> None:
    server = new_server(environment={"ZAFFRE_TEAM": "1"})
    answer = server.client.post("/api/v1/workspaces/open", workspace_request("lab"))
    assert (answer.status, answer.error["code"]) == (404, "workspace.not_found")


def test_an_experiment_is_tagged_and_listed(
    server: ServerProcess, experiment: dict[str, Any]
) -> None:
    path = f"/api/v1/experiments/{experiment['experiment_id']}"
    server.client.patch(path, {"set_tags": {"a": "1", "b": "2"}})
    changed = server.client.patch(path, {"remove_tags": ["a"]}).json
    assert changed["tags"] == {"b": "2"}
    listed = server.client.get(
        f"/api/v1/workspaces/{experiment['workspace_id']}/experiments?name=exp"
    ).json
    assert listed["items"] == [changed]
    seen: list[str] = []
    after = ""
    while True:
        page = server.client.get(f"/api/v1/experiments?limit=2{after}").json["items"]
        if not page:
            break
        seen += [item["experiment_id"] for item in page]
        after = f"&after={page[-1]['experiment_id']}"
    assert len(seen) == len(set(seen))
    assert experiment["experiment_id"] in seen


def test_a_repeat_of_a_request_for_a_run_is_answered_200(
    server: ServerProcess, experiment: dict[str, Any]
) -> None:
    path = f"/api/v1/experiments/{experiment['experiment_id']}/runs"
    body = {"run_id": uuid.uuid4().hex, "idempotency_key": "k", "state": "Running"}
    first, second = server.client.post(path, body), server.client.post(path, body)
    assert (first.status, second.status) == (201, 200)
    assert first.json == second.json
    other = server.client.post(path, {**body, "idempotency_key": "other"})
    assert (other.status, other.error["code"]) == (409, "run.exists")


def test_warnings_of_a_submit_are_the_run_s_and_bounded(
    server: ServerProcess, experiment: dict[str, Any]
) -> None:
    path = f"/api/v1/experiments/{experiment['experiment_id']}/runs"
    body = {"run_id": uuid.uuid4().hex, "idempotency_key": "k", "state": "Running"}
    assert server.client.post(path, {**body, "warnings": ["It lacks x."]}).status == 201
    assert server.client.get(f"/api/v1/runs/{body['run_id']}").json["warnings"] == ["It lacks x."]
    for warnings in (["x"] * 21, ["x" * 3001]):
        refused = server.client.post(path, {**body, "run_id": "other", "warnings": warnings})
        assert (refused.status, refused.error["field"]) == (400, "warnings")


def test_a_batch_of_children_is_listed_by_filters(
    server: ServerProcess, experiment: dict[str, Any]
) -> None:
    parent = create(server.client, experiment)
    items = [
        {
            "run_id": uuid.uuid4().hex,
            "idempotency_key": "k",
            "state": "NotStarted",
            "parent_run_id": parent["run_id"],
            "tags": {"n": str(number % 2)},
        }
        for number in range(6)
    ]
    path = f"/api/v1/experiments/{experiment['experiment_id']}/runs/batch"
    made = server.client.post(path, {"items": items})
    assert made.status == 201
    ids = [run["run_id"] for run in made.json["items"]]
    query = f"/api/v1/runs?parent_run_id={parent['run_id']}"
    assert [r["run_id"] for r in server.client.get(query).json["items"]] == ids[::-1]
    page = server.client.get(f"{query}&tag=n=1&state=NotStarted&limit=2").json
    assert [r["run_id"] for r in page["items"]] == [ids[5], ids[3]]
    rest = server.client.get(f"{query}&tag=n=1&limit=2&cursor={page['next']}").json
    assert ([r["run_id"] for r in rest["items"]], rest["next"]) == ([ids[1]], None)


def test_a_run_in_a_list_is_the_run_itself(
    server: ServerProcess, experiment: dict[str, Any]
) -> None:
    labels = {"tags": {"a": "ü", "b": None}, "properties": {"p": "1"}}
    run = create(server.client, experiment, display_name="n", **labels)
    failed = create(server.client, experiment, description="d")
    error = {"error": {"code": "UserError", "message": "m", "line": 3}}
    server.client.post(f"/api/v1/runs/{failed['run_id']}/fail", error)
    query = f"/api/v1/runs?experiment_id={experiment['experiment_id']}"
    listed = server.client.get(query).json["items"][:2]
    assert listed[0]["error"]["line"] == 3
    for item, one in zip(listed, (failed, run), strict=True):
        whole = server.client.get(f"/api/v1/runs/{one['run_id']}").json
        # What is null or empty may be left out.
        assert {**dict.fromkeys(whole), "warnings": [], **item, "spec": None} == whole


def test_who_waits_is_answered_when_the_state_changes(
    server: ServerProcess, experiment: dict[str, Any]
) -> None:
    run = create(server.client, experiment)
    path = f"/api/v1/runs/{run['run_id']}"
    answers: list[dict[str, Any]] = []

    def wait() -> None:
        answers.append(server.client.get(f"{path}/wait?state=Running&timeout_s=30").json)

    thread = threading.Thread(target=wait)
    thread.start()
    server.client.post(f"{path}/complete")
    began = time.monotonic()
    thread.join(20)
    assert answers[0]["state"] == "Completed"
    assert time.monotonic() - began < 5


def test_who_waits_with_several_states_is_not_answered_by_a_move_between_them(
    server: ServerProcess, experiment: dict[str, Any]
) -> None:
    run = create(server.client, experiment, state="NotStarted")
    path = f"/api/v1/runs/{run['run_id']}"
    answers: list[dict[str, Any]] = []

    def wait() -> None:
        query = "state=NotStarted&state=Running&timeout_s=30"
        answers.append(server.client.get(f"{path}/wait?{query}").json)

    thread = threading.Thread(target=wait)
    thread.start()
    server.client.post(f"{path}/start")
    thread.join(0.5)
    assert thread.is_alive()
    server.client.post(f"{path}/complete")
    thread.join(20)
    assert answers[0]["state"] == "Completed"


def test_who_waits_with_an_old_state_is_answered_at_once(
    server: ServerProcess, experiment: dict[str, Any]
) -> None:
    run = create(server.client, experiment)
    began = time.monotonic()
    answer = server.client.get(f"/api/v1/runs/{run['run_id']}/wait?state=Queued&timeout_s=30")
    assert answer.json["state"] == "Running"
    assert time.monotonic() - began < 5


def test_fifty_held_requests_do_not_stop_the_others(
    server: ServerProcess, experiment: dict[str, Any]
) -> None:
    run = create(server.client, experiment)
    path = f"/api/v1/runs/{run['run_id']}"
    held = [
        threading.Thread(
            target=server.client.get, args=(f"{path}/wait?state=Running&timeout_s=30",)
        )
        for _ in range(50)
    ]
    for thread in held:
        thread.start()
    began = time.monotonic()
    for _ in range(5):
        server.client.patch(path, {"set_tags": {"a": "b"}})
    assert time.monotonic() - began < 5
    server.client.post(f"{path}/complete")
    for thread in held:
        thread.join(20)
    assert not any(thread.is_alive() for thread in held)


def test_why_tells_states_and_durations(server: ServerProcess, experiment: dict[str, Any]) -> None:
    run = create(server.client, experiment)
    path = f"/api/v1/runs/{run['run_id']}"
    server.client.post(f"{path}/fail", {"error": {"code": "UserError", "message": "boom"}})
    why = server.client.get(f"{path}/why").json
    assert why["sentence"] == "The run was marked as failed: boom"
    assert [line["state"] for line in why["history"]] == ["Running", "Failed"]
    assert list(why["durations"]) == ["Running"]


def test_an_unknown_run_is_not_found_everywhere(server: ServerProcess) -> None:
    for method, path in [
        ("GET", "/api/v1/runs/nobody"),
        ("GET", "/api/v1/runs/nobody/wait"),
        ("GET", "/api/v1/runs/nobody/why"),
        ("POST", "/api/v1/runs/nobody/cancel"),
        ("POST", "/api/v1/runs/nobody/renew"),
    ]:
        answer = server.client.request(method, path)
        assert (answer.status, answer.error["code"]) == (404, "run.not_found"), path


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "state=Asleep", "cursor=-1", "cursor=eyJhIjoxfQ"],
)
def test_a_bad_filter_is_refused(server: ServerProcess, query: str) -> None:
    assert server.client.get(f"/api/v1/runs?{query}").status == 400


def test_the_owners_token_is_no_runners(server: ServerProcess, experiment: dict[str, Any]) -> None:
    run = create(server.client, experiment)
    path = f"/api/v1/runs/{run['run_id']}/attempts/1"
    claim = {"claim_id": "c", "pid": 1, "start_time": 1, "boot_id": "b"}
    assert server.client.post(f"{path}/claim", claim).status == 403
    assert server.client.post(f"{path}/report?claim_id=c", {"state": "Running"}).status == 403
    assert server.client.post(f"{path}/renew?claim_id=c").status == 403


def test_a_runner_names_its_claim_in_every_report_and_renewal(
    server: ServerProcess, experiment: dict[str, Any]
) -> None:
    run = create(server.client, experiment)
    path = f"/api/v1/runs/{run['run_id']}/attempts/1"
    for answer in (
        server.client.post(f"{path}/report", {"state": "Completed"}),
        server.client.post(f"{path}/renew"),
    ):
        assert (answer.status, answer.error["field"]) == (400, "claim_id")


def test_the_openapi_document_names_every_route_and_its_body(server: ServerProcess) -> None:
    document = server.client.get("/openapi.json").json
    create_run = document["paths"]["/api/v1/experiments/{experiment_id}/runs"]["post"]
    assert "RunRequest" in str(create_run["requestBody"])
    assert "Run" in str(create_run["responses"]["201"])
    operations = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
    ]
    assert len(operations) == len(set(operations))
    for path in ("/healthz", "/api/v1/server", "/api/v1/runs/{run_id}/attempts/{number}/report"):
        assert path in document["paths"]
