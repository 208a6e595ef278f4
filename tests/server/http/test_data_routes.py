from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.server.data import line, sha256_of
from tests.server.http.conftest import RunOnServer

from zaffre.server.usecases.metric import WHOLE_MAX

NDJSON = {"Content-Type": "application/x-ndjson"}
BUNDLE = {"Content-Type": "application/x-zaffre-bundle"}


def put_blob(run: RunOnServer, content: bytes) -> dict[str, Any]:
    """Store a blob; return its entry without a name."""
    name = sha256_of(content)
    answer = run.client.request("PUT", f"/api/v1/blobs/{name}", body=content)
    assert answer.status == 201, answer.body
    return {"sha256": name, "size_bytes": len(content)}


def put_file(run: RunOnServer, name: str, content: bytes) -> None:
    items = [{"name": name, **put_blob(run, content)}]
    answer = run.client.post(f"{run.path}/files", {"items": items})
    assert answer.status == 201, answer.body


def memory_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def stream_blob(run: RunOnServer, name: str, size: int, piece: bytes) -> tuple[int, bytes]:
    """PUT `size` bytes made of `piece` without holding them."""
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.connect(run.server.socket_path)
    connection.putrequest("PUT", f"/api/v1/blobs/{name}")
    connection.putheader("Authorization", f"Bearer {run.server.token}")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    for _ in range(size // len(piece)):
        connection.send(piece)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def test_a_large_blob_goes_in_and_out_with_flat_memory(run: RunOnServer) -> None:
    assert run.server.process is not None
    piece = os.urandom(1 << 20)
    count = 200
    state = hashlib.sha256()
    for _ in range(count):
        state.update(piece)
    name = state.hexdigest()
    before = memory_bytes(run.server.process.pid)
    status, body = stream_blob(run, name, count << 20, piece)
    assert (status, json.loads(body)) == (201, {"size_bytes": count << 20})
    answer = run.client.get(f"/api/v1/blobs/{name}", headers={"Range": "bytes=5-104857604"})
    assert answer.status == 206
    assert len(answer.body) == 100 << 20
    assert answer.body[: (1 << 20) - 5] == piece[5:]
    assert memory_bytes(run.server.process.pid) - before < 40 << 20


def test_others_are_served_while_a_body_trickles_in(run: RunOnServer) -> None:
    content = b"x" * 300_000
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(30)
    connection.connect(run.server.socket_path)
    head = f"PUT /api/v1/blobs/{sha256_of(content)} HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Authorization: Bearer {run.server.token}\r\nContent-Length: {len(content)}\r\n\r\n"
    connection.sendall(head.encode() + content[:100_000])
    offset = 0
    for _ in range(20):
        body = line(run.run_id, "m", value=1.5)
        answer = run.client.request(
            "POST",
            f"{run.path}/spools/s/batches?from_offset={offset}",
            body=body,
            headers=NDJSON,
        )
        offset = answer.json["offset"]
    connection.sendall(content[100_000:])
    assert b" 201 " in connection.recv(65536).split(b"\r\n")[0]
    connection.close()


def test_an_upload_that_is_cut_leaves_nothing(run: RunOnServer) -> None:
    tmp = run.server.home / "store" / "blobs" / "tmp"
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(run.server.socket_path)
    head = f"PUT /api/v1/blobs/{'0' * 64} HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Authorization: Bearer {run.server.token}\r\nContent-Length: 3000000\r\n\r\n"
    connection.sendall(head.encode() + b"x" * 2_000_000)
    connection.close()
    deadline = threading.Event()
    for _ in range(200):
        if not list(tmp.iterdir()):
            break
        deadline.wait(0.05)
    assert list(tmp.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "status", "content", "said"),
    [
        ("bytes=2-4", 206, b"cde", "bytes 2-4/10"),
        ("bytes=7-", 206, b"hij", "bytes 7-9/10"),
        ("bytes=-2", 206, b"ij", "bytes 8-9/10"),
        ("bytes=-99", 206, b"abcdefghij", "bytes 0-9/10"),
        ("bytes=0-99", 206, b"abcdefghij", "bytes 0-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=4-2", 200, b"abcdefghij", None),
        ("bytes=0-1,4-5", 200, b"abcdefghij", None),
        ("lines=0-1", 200, b"abcdefghij", None),
    ],
)
def test_a_range_of_a_file_is_sent(
    run: RunOnServer, asked: str, status: int, content: bytes, said: str | None
) -> None:
    put_file(run, "x.bin", b"abcdefghij")
    answer = run.client.get(f"{run.path}/files/x.bin", headers={"Range": asked})
    assert (answer.status, answer.body) == (status, content)
    assert answer.headers.get("content-range") == said


def test_a_range_of_an_older_content_is_not_mixed_with_the_newer(run: RunOnServer) -> None:
    put_file(run, "x.bin", b"newer content")
    headers = {"Range": "bytes=5-", "If-Range": f'"{sha256_of(b"older content")}"'}
    answer = run.client.get(f"{run.path}/files/x.bin", headers=headers)
    assert (answer.status, answer.body) == (200, b"newer content")


@pytest.mark.parametrize("name", ["page.html", "x.svg", "x.xhtml", "x.xml", "x", "x.js"])
def test_what_a_browser_could_run_is_a_sandboxed_attachment(run: RunOnServer, name: str) -> None:
    put_file(run, f"outputs/{name}", b"<script>alert(1)</script>")
    answer = run.client.get(f"{run.path}/files/outputs/{name}")
    assert answer.status == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "allow" not in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_picture_is_shown(run: RunOnServer) -> None:
    put_file(run, "plot.png", b"\x89PNG")
    answer = run.client.get(f"{run.path}/files/plot.png")
    assert answer.headers["content-type"] == "image/png"
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/passwd",
        "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "..%5c..%5cetc%5cpasswd",
        "%252e%252e%252fetc%252fpasswd",
        "C:/Windows/win.ini",
        ".",
        "..",
        "",
    ],
)
@pytest.mark.parametrize("folder", ["files", "logs"])
def test_no_name_leads_out_of_the_store(run: RunOnServer, folder: str, name: str) -> None:
    answer = run.client.get(f"{run.path}/{folder}/{name}")
    assert answer.status in (200, 400, 404, 405)
    assert b"root:" not in answer.body
    if folder == "logs":
        answer = run.client.request("PUT", f"{run.path}/logs/{name}?offset=0", body=b"x")
        assert answer.status in (200, 400, 404, 405)
        assert not Path("/etc/passwd.zaffre").exists()


def test_files_with_blanks_and_other_letters_keep_their_names(run: RunOnServer) -> None:
    name = "outputs/my model (1) é%20.pkl"
    put_file(run, name, b"x")
    (item,) = run.client.get(f"{run.path}/files").json["items"]
    assert item["name"] == name
    assert run.client.get(f"{run.path}/files/{quote(name)}").body == b"x"


def test_small_files_travel_in_bundles_both_ways(run: RunOnServer) -> None:
    contents = [b"%d" % number * number for number in range(300)]
    body = b"".join(
        b"%b %d\n%b" % (sha256_of(content).encode(), len(content), content) for content in contents
    )
    names = [sha256_of(content) for content in contents]
    answer = run.client.post("/api/v1/blobs/bundle", body=body, headers=BUNDLE)
    assert answer.json == {"stored": 300}
    assert run.client.post("/api/v1/blobs/missing", {"sha256": names}).json == {"missing": []}
    assert run.client.post("/api/v1/blobs/read", {"sha256": names}).body == body
    answer = run.client.post("/api/v1/blobs/read", {"sha256": [names[0], "0" * 64]})
    assert answer.status == 404


def test_a_bundle_of_another_type_or_content_is_refused(run: RunOnServer) -> None:
    assert run.client.post("/api/v1/blobs/bundle", body=b"x").status == 415
    answer = run.client.post("/api/v1/blobs/bundle", body=b"x", headers=BUNDLE)
    assert answer.status == 400


def test_a_blob_under_a_wrong_name_is_refused(run: RunOnServer) -> None:
    answer = run.client.request("PUT", f"/api/v1/blobs/{'0' * 64}", body=b"x")
    assert (answer.status, answer.error["code"]) == (400, "blob.hash_mismatch")
    assert run.client.request("PUT", "/api/v1/blobs/abc", body=b"x").status == 400


def test_batches_come_in_by_offset(run: RunOnServer) -> None:
    body = line(run.run_id, "m", value=1.5)
    path = f"{run.path}/spools/7-8-abcdef/batches"
    for _ in range(2):
        answer = run.client.post(f"{path}?from_offset=0", body=body, headers=NDJSON)
    assert (answer.status, answer.error["code"]) == (409, "offset.conflict")
    assert answer.error["facts"] == {"offset": len(body)}
    assert run.client.get(path.removesuffix("/batches")).json == {"offset": len(body)}
    answer = run.client.get(f"{run.path}/metrics/points?name=m")
    assert answer.json["values"] == [1.5]


def test_an_answer_of_very_many_points_comes_in_pieces(run: RunOnServer) -> None:
    count = WHOLE_MAX + 1
    body = line(run.run_id, "m", kind="list", values=[0.5] * count)
    path = f"{run.path}/spools/many/batches?from_offset=0"
    assert run.client.post(path, body=body, headers=NDJSON).status == 200
    answer = run.client.get(f"{run.path}/metrics")
    assert answer.headers["transfer-encoding"] == "chunked"
    (series,) = answer.json["runs"][run.run_id]
    assert series["values"] == [0.5] * count
    assert len(series["steps"]) == len(series["times"]) == count


@pytest.mark.parametrize(
    ("query", "body", "kind", "status"),
    [
        ("", b"\n", "application/x-ndjson", 400),
        ("?from_offset=-1", b"\n", "application/x-ndjson", 400),
        ("?from_offset=x", b"\n", "application/x-ndjson", 400),
        ("?from_offset=0&from_offset=0", b"\n", "application/x-ndjson", 400),
        ("?from_offset=0&more=1", b"\n", "application/x-ndjson", 400),
        ("?from_offset=0", b"\n", "text/plain", 415),
        ("?from_offset=0", b"x", "application/x-ndjson", 400),
        ("?from_offset=0", b"", "application/x-ndjson", 400),
        ("?from_offset=0", b"\n" * (4 * 1024 * 1024 + 1), "application/x-ndjson", 413),
    ],
)
def test_what_is_no_batch_is_refused(
    run: RunOnServer, query: str, body: bytes, kind: str, status: int
) -> None:
    answer = run.client.post(
        f"{run.path}/spools/s/batches{query}", body=body, headers={"Content-Type": kind}
    )
    assert answer.status == status, answer.body
    assert answer.error["message"]


def test_a_batch_needs_a_token(run: RunOnServer) -> None:
    stranger = run.client.as_caller("zf_wrong-wrong-wrong-wrong")
    assert stranger.post(f"{run.path}/spools/s/batches?from_offset=0", headers=NDJSON).status == 401
    assert stranger.get(f"{run.path}/spools/s").status == 401


def test_a_stream_tells_what_happens_and_ends_with_the_run(run: RunOnServer) -> None:
    kinds: list[str] = []
    running = threading.Event()
    logged = threading.Event()

    def listen() -> None:
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(30)
        connection.sock.connect(run.server.socket_path)
        headers = {"Authorization": f"Bearer {run.server.token}"}
        connection.request("GET", f"{run.path}/events", headers=headers)
        answer = connection.getresponse()
        for raw in answer:
            text = raw.decode().strip()
            if text.startswith("event: "):
                kinds.append(text.removeprefix("event: "))
                running.set()
            if kinds[-1:] == ["log"]:
                logged.set()
        connection.close()

    listener = threading.Thread(target=listen)
    listener.start()
    assert running.wait(20)
    run.client.request("PUT", f"{run.path}/logs/user_logs/std_log.txt?offset=0", body=b"x\n")
    assert logged.wait(20)
    body = line(run.run_id, "m", value=1.5)
    run.client.post(f"{run.path}/spools/s/batches?from_offset=0", body=body, headers=NDJSON)
    run.client.post(f"{run.path}/complete")
    listener.join(20)
    assert not listener.is_alive()
    assert kinds == ["state", "log", "metric", "state"]


def test_a_stream_that_was_cut_goes_on_behind_its_last_event(run: RunOnServer) -> None:
    run.client.request("PUT", f"{run.path}/logs/a.txt?offset=0", body=b"one\n")
    run.client.post(f"{run.path}/complete")
    whole = run.client.get(f"{run.path}/events").body.decode()
    ids = [text[4:] for text in whole.splitlines() if text.startswith("id: ")]
    answer = run.client.get(f"{run.path}/events", headers={"Last-Event-ID": ids[-1]})
    assert answer.body == b""
    assert run.client.get(f"{run.path}/events?since=zzz").status == 400
    assert run.client.get("/api/v1/runs/no-such-run/events").status == 404


def test_models_speak_json(run: RunOnServer) -> None:
    path = f"/api/v1/workspaces/{run.workspace_id}/models"
    file = {"name": "m.pkl", **put_blob(run, b"weights")}
    body = {"name": "m", "idempotency_key": run.run_id, "files": [file], "run_id": run.run_id}
    answer = run.client.post(path, body)
    assert (answer.status, answer.json["model_id"]) == (201, "m:1")
    assert answer.json["experiment_name"] == "exp"
    answer = run.client.post(path, {**body, "tags": ["a"]})
    assert (answer.status, answer.error["field"]) == (400, "tags")
    answer = run.client.post(path, {**body, "nmae": "x"})
    assert answer.status == 400
    assert "nmae" in answer.error["message"]
    assert run.client.get(f"{path}/m").json["version"] == 1
    assert run.client.get(f"{path}/m/versions/1/files/m.pkl").body == b"weights"
    assert run.client.get(f"{path}/m/versions/x").status == 400
    assert run.client.get(f"{path}/m?version=99999999999999").status == 404
    assert run.client.get(f"{path}?limit=0").status == 400
    assert run.client.request("DELETE", f"{path}/m/versions/1").status == 204
    answer = run.client.get(f"{path}/m")
    assert (answer.status, answer.error["code"]) == (404, "model.not_found")


def test_garbage_is_collected_on_request(run: RunOnServer) -> None:
    put_blob(run, os.urandom(1000))
    answer = run.client.post("/api/v1/garbage/collect?force=true")
    assert answer.status == 200
    assert answer.json["removed_bytes"] >= 1000


def test_a_refused_body_does_not_disturb_the_next_request_on_its_connection(
    run: RunOnServer,
) -> None:
    """The rest of a large body that nobody wants is read and forgotten."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(30)
    connection.connect(run.server.socket_path)
    token = f"Host: localhost\r\nAuthorization: Bearer {run.server.token}\r\n"
    path = f"/api/v1/uploads/{'0' * 32}?offset=5"
    head = f"PUT {path} HTTP/1.1\r\n{token}Content-Length: 8000000\r\n\r\n"
    connection.sendall(head.encode() + b"GET /nothing HTTP/1.1\r\n\r\n" * 8)
    answered = connection.recv(65536)
    assert answered.startswith(b"HTTP/1.1 409 ")
    connection.sendall(b"x" * (8_000_000 - 25 * 8))
    connection.sendall(f"GET /api/v1/server HTTP/1.1\r\n{token}\r\n".encode())
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    connection.close()


def test_a_large_body_is_followed_by_more_requests_on_its_connection(run: RunOnServer) -> None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(30)
    connection.connect(run.server.socket_path)
    token = f"Host: localhost\r\nAuthorization: Bearer {run.server.token}\r\n"
    for turn in range(3):
        content = bytes([turn]) * 5_000_001
        path = f"/api/v1/blobs/{sha256_of(content)}"
        head = f"PUT {path} HTTP/1.1\r\n{token}Content-Length: {len(content)}\r\n\r\n"
        # The next request comes right behind the body.
        following = f"GET {path} HTTP/1.1\r\n{token}Range: bytes=0-2\r\n\r\n"
        connection.sendall(head.encode() + content + following.encode())
        received = b""
        while not received.endswith(bytes([turn]) * 3):
            received += connection.recv(65536)
        assert received.startswith(b"HTTP/1.1 201 ")
        assert b"HTTP/1.1 206 " in received
    connection.close()
