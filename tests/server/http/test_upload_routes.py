"""Uploads: large files come in parts, by offset, and survive cut connections."""

from __future__ import annotations

import json
import os
import socket
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Answer, Client, ServerProcess
from tests.server.data import sha256_of

CONTENT = os.urandom(3_000_000)


@pytest.fixture
def upload(server: ServerProcess) -> str:
    """The path of an upload that nobody has begun."""
    del server
    return f"/api/v1/uploads/{uuid.uuid4().hex}"


def put(client: Client, upload: str, offset: int, content: bytes) -> Answer:
    return client.request("PUT", f"{upload}?offset={offset}", body=content)


def finish(client: Client, upload: str, content: bytes) -> Answer:
    whole = {"sha256": sha256_of(content), "size_bytes": len(content)}
    return client.post(f"{upload}/finish", whole)


def begin(server: ServerProcess, upload: str, offset: int, size: int, sent: bytes) -> socket.socket:
    """Send a part of `size` bytes, but only its first bytes; the connection stays open."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(30)
    connection.connect(server.socket_path)
    head = f"PUT {upload}?offset={offset} HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Authorization: Bearer {server.token}\r\nContent-Length: {size}\r\n\r\n"
    connection.sendall(head.encode() + sent)
    return connection


def until(is_so: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(400):
        if is_so():
            return
        pause.wait(0.025)
    raise AssertionError("it did not become so within 10 s")


def state(client: Client, upload: str) -> dict[str, Any]:
    return client.get(upload).json


def tmp(server: ServerProcess) -> Path:
    return server.home / "store" / "blobs" / "tmp"


def test_parts_become_a_blob(server: ServerProcess, upload: str) -> None:
    client = server.client
    assert state(client, upload) == {"offset": 0, "active": False}
    for start in range(0, len(CONTENT), 700_001):
        part = CONTENT[start : start + 700_001]
        answer = put(client, upload, start, part)
        assert answer.json == {"offset": start + len(part), "active": False}
    answer = finish(client, upload, CONTENT)
    assert (answer.status, answer.json) == (201, {"size_bytes": len(CONTENT)})
    assert client.get(f"/api/v1/blobs/{sha256_of(CONTENT)}").body == CONTENT
    assert state(client, upload) == {"offset": 0, "active": False}
    assert finish(client, upload, CONTENT).status == 201  # its first answer was lost
    assert finish(client, upload, b"other").error["code"] == "offset.conflict"


def test_an_upload_of_what_is_there_already_leaves_nothing(
    server: ServerProcess, upload: str
) -> None:
    for _ in range(2):
        assert put(server.client, upload, 0, CONTENT).status == 200
        assert finish(server.client, upload, CONTENT).status == 201
    assert not list(tmp(server).iterdir())


def test_a_part_that_begins_elsewhere_than_the_store_ends_is_told_where(
    server: ServerProcess, upload: str
) -> None:
    client = server.client
    put(client, upload, 0, b"12345")
    for offset in (0, 4, 6):
        answer = put(client, upload, offset, b"x")
        assert (answer.status, answer.error["code"]) == (409, "offset.conflict")
        assert answer.error["facts"] == {"offset": 5}
    answer = finish(client, upload, b"123456")
    assert answer.error["facts"] == {"offset": 5}
    assert put(client, upload, 5, b"6").status == 200
    assert finish(client, upload, b"123456").status == 201


def test_what_came_before_a_cut_is_kept(server: ServerProcess, upload: str) -> None:
    client = server.client
    begin(server, upload, 0, len(CONTENT), CONTENT[:2_000_000]).close()
    until(lambda: not state(client, upload)["active"] and state(client, upload)["offset"] > 0)
    offset = state(client, upload)["offset"]
    assert offset <= 2_000_000
    assert put(client, upload, offset, CONTENT[offset:]).status == 200
    assert finish(client, upload, CONTENT).status == 201


def test_a_later_request_takes_over_from_one_that_hangs(server: ServerProcess, upload: str) -> None:
    client = server.client
    hanging = begin(server, upload, 0, len(CONTENT), CONTENT[:2_000_000])
    until(lambda: state(client, upload)["offset"] >= 1_000_000)
    assert state(client, upload)["active"]
    offset = state(client, upload)["offset"]
    assert put(client, upload, offset, CONTENT[offset:]).status == 200
    hanging.sendall(CONTENT[2_000_000:])
    answer = hanging.recv(65536)
    hanging.close()
    assert answer.startswith(b"HTTP/1.1 409 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "upload.taken_over"
    assert finish(client, upload, CONTENT).status == 201
    assert client.get(f"/api/v1/blobs/{sha256_of(CONTENT)}").body == CONTENT


def test_content_with_another_hash_is_refused_and_removed(
    server: ServerProcess, upload: str
) -> None:
    put(server.client, upload, 0, b"12345")
    answer = finish(server.client, upload, b"54321")
    assert (answer.status, answer.error["code"]) == (400, "blob.hash_mismatch")
    assert state(server.client, upload)["offset"] == 0
    assert not list(tmp(server).iterdir())


def test_an_upload_can_be_given_up(server: ServerProcess, upload: str) -> None:
    put(server.client, upload, 0, b"12345")
    for _ in range(2):
        assert server.client.request("DELETE", upload).status == 204
    assert state(server.client, upload)["offset"] == 0
    assert not list(tmp(server).iterdir())


def test_odd_ids_and_offsets_are_refused(server: ServerProcess, upload: str) -> None:
    for path in ("/api/v1/uploads/abc", f"{upload}0", f"{upload[:-1]}X"):
        assert put(server.client, path, 0, b"x").status == 400
    assert put(server.client, upload, -1, b"x").status == 400
    assert server.client.request("PUT", upload, body=b"x").status == 400
    assert server.client.post(f"{upload}/finish", {"sha256": "x", "size_bytes": 1}).status == 400


def test_an_upload_goes_on_after_the_server_was_killed(
    new_server: Callable[..., ServerProcess], upload: str
) -> None:
    server = new_server()
    put(server.client, upload, 0, CONTENT[:2_000_000])
    server.kill()
    server.start()
    assert state(server.client, upload)["offset"] == 2_000_000
    assert put(server.client, upload, 2_000_000, CONTENT[2_000_000:]).status == 200
    assert finish(server.client, upload, CONTENT).status == 201
    assert server.client.get(f"/api/v1/blobs/{sha256_of(CONTENT)}").body == CONTENT
