"""Garbage is collected while 8 clients send and register the same few files."""

from __future__ import annotations

import itertools
import random
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Client, ServerProcess, workspace_request
from tests.server.data import sha256_of

CLIENTS = 8
ROUNDS = 12
#: Few and shared, so that every one of them is garbage and needed again all the time.
CONTENTS = [b"content %d " % number * 200 for number in range(6)]
BUNDLE = {"Content-Type": "application/x-zaffre-bundle"}


@pytest.mark.timeout(180)
def test_nothing_is_missing_after_collecting_while_8_clients_register_the_same_files(
    new_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = new_server("--database", database_url, environment={"ZAFFRE_BLOB_KEPT_S": "0"})
    answer = server.client.post("/api/v1/workspaces/open", workspace_request())
    workspace_id = answer.json["workspace"]["workspace_id"]
    failures: list[str] = []
    kept: list[dict[str, Any]] = []
    done = threading.Event()
    removed = itertools.count()

    def collect() -> None:
        client = server.client
        while not done.is_set():
            # With force also what was promised a moment ago goes: clients must send it again.
            answer = client.post("/api/v1/garbage/collect?force=true")
            assert answer.status == 200, answer.body
            for _ in range(answer.json["removed_count"]):
                next(removed)

    def work(number: int) -> None:
        try:
            kept.extend(_register_many(server.client, workspace_id, random.Random(number)))
        except BaseException as failure:
            failures.append(repr(failure))
            raise

    collectors = [threading.Thread(target=collect) for _ in range(2)]
    workers = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in collectors + workers:
        thread.start()
    for thread in workers:
        thread.join()
    done.set()
    for thread in collectors:
        thread.join()
    assert failures == [], (server.home / "server.log").read_text()[-3000:]
    assert next(removed) > 0, "no garbage was collected meanwhile, so nothing was tested"
    server.client.post("/api/v1/garbage/collect?force=true")
    for model in kept:
        _assert_whole(server.client, workspace_id, model)


def _register_many(client: Client, workspace_id: str, chance: random.Random) -> list[Any]:
    """Register models, look at each, and remove most of them again; return those that stay."""
    kept: list[Any] = []
    for _ in range(ROUNDS):
        contents = chance.sample(CONTENTS, 3)
        model = _register(client, workspace_id, contents)
        _assert_whole(client, workspace_id, model)
        if chance.random() < 0.8:
            path = f"/api/v1/workspaces/{workspace_id}/models/{model['name']}"
            answer = client.request("DELETE", f"{path}/versions/{model['version']}")
            assert answer.status == 204, answer.body
        else:
            kept.append(model)
    return kept


def _register(client: Client, workspace_id: str, contents: list[bytes]) -> Any:
    """Do as the SDK does: ask what is missing, send it, register; again if it went meanwhile."""
    entries = [
        {"name": f"f{number}", "sha256": sha256_of(content), "size_bytes": len(content)}
        for number, content in enumerate(contents)
    ]
    body = {"name": "m", "idempotency_key": uuid.uuid4().hex, "files": entries}
    for _ in range(200):
        answer = client.post("/api/v1/blobs/missing", {"sha256": [e["sha256"] for e in entries]})
        assert answer.status == 200, answer.body
        missing = set(answer.json["missing"])
        bundle = b"".join(
            b"%b %d\n%b" % (sha256_of(content).encode(), len(content), content)
            for content in contents
            if sha256_of(content) in missing
        )
        if bundle:
            answer = client.post("/api/v1/blobs/bundle", body=bundle, headers=BUNDLE)
            assert answer.status == 200, answer.body
        answer = client.post(f"/api/v1/workspaces/{workspace_id}/models", body)
        if answer.status == 201:
            return {**answer.json, "contents": contents}
        assert answer.error["code"] == "blob.missing", answer.body
    raise AssertionError("the files of a model never stayed long enough to be registered")


def _assert_whole(client: Client, workspace_id: str, model: dict[str, Any]) -> None:
    path = f"/api/v1/workspaces/{workspace_id}/models/m/versions/{model['version']}/files"
    for number, content in enumerate(model["contents"]):
        answer = client.get(f"{path}/f{number}")
        assert answer.status == 200, answer.body
        assert answer.body == content
