"""What portal links lead to."""

from __future__ import annotations

import pytest
from tests.server.http.conftest import RunOnServer


def test_a_runs_page_names_the_run_and_its_state_and_how_to_see_more(run: RunOnServer) -> None:
    run.client.patch(run.path, {"display_name": "<b>mine</b>"})
    answer = run.client.get(f"/runs/{run.run_id}?wsid=/subscriptions/s")
    text = answer.body.decode()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "&lt;b&gt;mine&lt;/b&gt;: run 1 of experiment exp." in text
    assert "It is Running." in text
    assert f"zaffre run show {run.run_id}" in text
    assert "<script" not in text


def test_without_a_token_a_page_shows_nothing_of_the_store(run: RunOnServer) -> None:
    nobody = run.client.as_caller(None)
    run.client.patch(run.path, {"display_name": "mine"})
    known = nobody.get(f"/runs/{run.run_id}")
    unknown = nobody.get("/runs/nobody")
    assert known.status == unknown.status == 401
    assert known.body.replace(run.run_id.encode(), b"ID") == unknown.body.replace(b"nobody", b"ID")
    assert b"token" in known.body
    assert f"zaffre run show {run.run_id}".encode() in known.body
    hostile = nobody.get("/runs/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert b"<script" not in hostile.body


@pytest.mark.parametrize("path", ["/runs/nobody", "/experiments/id/nothing"])
def test_a_page_of_nothing_says_so(run: RunOnServer, path: str) -> None:
    answer = run.client.get(path)
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_an_experiments_page_says_how_to_see_more(run: RunOnServer) -> None:
    experiment = run.client.get(f"/experiments/id/{run.experiment_id}")
    assert b"zaffre run list --experiment exp" in experiment.body
