"""What every request must have before any route is looked for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conftest import ServerProcess

PATH = "/api/v1/experiments"


def test_a_request_without_a_token_is_told_how_to_sign_in(server: ServerProcess) -> None:
    answer = server.client.as_caller("zf_" + "x" * 43).get(PATH)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.error["code"] == "unauthenticated"
    assert f"{server.home}/token" in answer.error["message"]
    assert b"x" * 43 not in answer.body


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "0.0.0.0", ""])
def test_another_sites_name_is_refused(server: ServerProcess, host: str) -> None:
    assert server.client.get(PATH, headers={"Host": host}).status == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:1", "[::1]:8080"])
def test_names_of_this_machine_are_taken(server: ServerProcess, host: str) -> None:
    assert server.client.get(PATH, headers={"Host": host}).status == 200


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_page_of_another_origin_may_ask_for_nothing(server: ServerProcess, method: str) -> None:
    headers = {"Origin": "http://evil.example"}
    answer = server.client.request(method, PATH, headers=headers)
    assert answer.status == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_our_own_page_may(server: ServerProcess) -> None:
    assert server.client.get(PATH, headers={"Origin": "http://localhost"}).status == 200


def test_an_unknown_path_says_nothing_of_the_inside(server: ServerProcess) -> None:
    answer = server.client.get("/api/v1/nothing-<b>xyzzy</b>")
    assert answer.status == 404
    assert answer.error["code"] == "not_found"
    assert b"xyzzy" not in answer.body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": 5}, "name"),
        ({"name": "e", "is_admin": True}, "body"),
        ({}, "body"),
        ([], "body"),
        (None, "body"),
    ],
)
def test_a_bad_body_names_its_field(
    server: ServerProcess, workspace: dict[str, Any], body: object, field: str
) -> None:
    path = f"/api/v1/workspaces/{workspace['workspace_id']}/experiments"
    answer = server.client.post(path, body)
    assert answer.status == 400
    assert answer.error["field"] == field


@pytest.mark.parametrize(
    "text",
    [
        b'{"name":"a","name":"b"}',
        b'{"name":"a\\u0000b"}',
        b'{"name":NaN}',
        b'{"name":"\xff"}',
        b"[" * 100_000,
        b'{"name":"x"}{}',
    ],
)
def test_a_body_that_is_no_plain_json_is_refused(
    server: ServerProcess, workspace: dict[str, Any], text: bytes
) -> None:
    path = f"/api/v1/workspaces/{workspace['workspace_id']}/experiments"
    headers = {"Content-Type": "application/json"}
    assert server.client.post(path, body=text, headers=headers).status == 400


def test_json_under_another_content_type_is_refused(
    server: ServerProcess, workspace: dict[str, Any]
) -> None:
    path = f"/api/v1/workspaces/{workspace['workspace_id']}/experiments"
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = server.client.post(path, body=b'{"name":"e"}', headers={"Content-Type": kind})
        assert answer.status == 415


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(
    server: ServerProcess, workspace: dict[str, Any]
) -> None:
    path = f"/api/v1/workspaces/{workspace['workspace_id']}/experiments"
    headers = {"Content-Type": "application/json", "Content-Length": str(10**13)}
    assert server.client.post(path, body=b"{}", headers=headers).status == 413


def test_every_answer_says_that_it_is_not_to_be_sniffed_or_stored(server: ServerProcess) -> None:
    for path in (PATH, "/healthz", "/api/v1/nothing"):
        headers = server.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_nul_in_an_address_is_refused(server: ServerProcess) -> None:
    assert server.client.get("/api/v1/runs/a%00b").status == 400
    assert server.client.get("/api/v1/runs?tag=%00").status == 400
