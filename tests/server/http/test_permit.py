"""Addresses that read one file without a token."""

from __future__ import annotations

import time

import pytest
from tests.conftest import Client
from tests.server.http.conftest import RunOnServer

from zaffre.server import home, permits

NAME = "user_logs/a b%ü.txt"


@pytest.fixture
def path(run: RunOnServer) -> str:
    """The path of a file of the run, in plain text."""
    quoted = "user_logs/a%20b%25%C3%BC.txt"
    answer = run.client.request("PUT", f"{run.path}/logs/{quoted}?offset=0", body=b"hello\n")
    assert answer.status < 300, answer.body
    return f"{run.path}/files/{NAME}"


def permitted(run: RunOnServer, path: str) -> str:
    answer = run.client.post("/api/v1/permits", {"paths": [path]})
    assert answer.status == 200, answer.body
    (address,) = answer.json["addresses"]
    return address


@pytest.fixture
def nobody(run: RunOnServer) -> Client:
    return run.client.as_caller(None)


def test_an_address_with_a_permit_reads_its_file_without_a_token(
    run: RunOnServer, path: str, nobody: Client
) -> None:
    answer = nobody.get(permitted(run, path))
    assert (answer.status, answer.body) == (200, b"hello\n")
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_permit_is_for_reading_one_file(run: RunOnServer, path: str, nobody: Client) -> None:
    address = permitted(run, path)
    permit = address.partition("?")[2]
    for method in ("POST", "DELETE", "PATCH"):
        assert nobody.request(method, address).status in (401, 405)
    for other in (f"{run.path}/files/other.txt", f"{run.path}/files", run.path, "/api/v1/runs"):
        answer = nobody.get(f"{other}?{permit}")
        assert (answer.status, answer.error["code"]) == (403, "permit")


@pytest.mark.parametrize("change", ["later", "shorter", "another workspace", "another signature"])
def test_a_permit_that_was_changed_is_refused(
    run: RunOnServer, path: str, nobody: Client, change: str
) -> None:
    until, workspace, signature = permitted(run, path).partition("permit=")[2].split(".")
    head = permitted(run, path).partition("permit=")[0] + "permit="
    changed = {
        "later": f"{int(until) + 60}.{workspace}.{signature}",
        "shorter": f"{until}.{workspace}.{signature[:-1]}",
        "another workspace": f"{until}.{workspace[::-1]}.{signature}",
        "another signature": f"{until}.{workspace}.{'0' * 64}",
    }[change]
    answer = nobody.get(head + changed)
    assert (answer.status, answer.error["code"]) == (403, "permit")


def test_a_permit_ends(run: RunOnServer, path: str, nobody: Client) -> None:
    key = home.sealing_key(run.server.home)
    answers: list[int] = []
    for passed_s in (permits.PERMIT_S - 60, permits.PERMIT_S + 1):
        made_at = time.time() - passed_s
        address = permits.address(key, path, run.workspace_id, now=made_at)
        answers.append(nobody.get(address).status)
    assert answers == [200, 403]


def test_there_are_permits_for_files_of_runs_and_models_only(run: RunOnServer) -> None:
    for path in ("/api/v1/runs", run.path, "/etc/passwd", ""):
        answer = run.client.post("/api/v1/permits", {"paths": [path]})
        assert (answer.status, answer.error["field"]) == (400, "paths")
    unknown = run.client.post("/api/v1/permits", {"paths": ["/api/v1/runs/nobody/files/a"]})
    assert unknown.status == 404
