"""Requests over connections that fail in every way that connections do."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.client.wire_server import Cut, Request, WireServer, answer

from zaffre.client.connection import NamedServer
from zaffre.client.http import AnswerCut, Client
from zaffre.client.transport import Address, Upload
from zaffre.contract.errors import Refused, ServerUnreachable


def client_of(server: WireServer, retry_s: float = 5.0) -> Client:
    return Client(NamedServer(server.url, "zf_secret"), retry_s=retry_s)


class Script:
    """Handles requests one by one: bytes are answered, an exception is raised."""

    def __init__(self, *steps: bytes | Exception) -> None:
        self.steps = list(steps)

    def __call__(self, request: Request) -> bytes:
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step


def test_header_and_body_leave_in_one_packet_with_the_token() -> None:
    with WireServer(Script(answer())) as server:
        client_of(server).request("POST", "/runs/r1/start", json={"a": "é"})
    request = server.requests[0]
    assert request.packets == 1
    assert request.line == "POST /api/v1/runs/r1/start HTTP/1.1"
    assert request.header("Authorization") == "Bearer zf_secret"
    assert json.loads(request.body) == {"a": "é"}


def test_names_and_queries_are_percent_encoded() -> None:
    with WireServer(Script(answer())) as server:
        query: dict[str, Any] = {"tag": ["a=b c", "k"], "none": None, "top_level": True, "n": 3}
        client_of(server).request("GET", "/runs/r/files/a b%/ü?#.txt", query=query)
    assert server.requests[0].line == (
        "GET /api/v1/runs/r/files/a%20b%25/%C3%BC%3F%23.txt"
        "?tag=a%3Db+c&tag=k&top_level=true&n=3 HTTP/1.1"
    )


def test_one_connection_serves_many_requests() -> None:
    with WireServer(Script(answer(b'{"n": 1}'))) as server:
        client = client_of(server)
        assert [client.request("GET", "/server")["n"] for _ in range(5)] == [1] * 5
        assert server.connections == 1


def test_a_connection_that_was_closed_while_idle_costs_no_patience() -> None:
    with WireServer(Script(answer()), closes_after=1) as server:
        client = client_of(server, retry_s=0.0)
        for _ in range(5):
            server.closed.clear()
            client.request("GET", "/server")
            assert server.closed.wait(5)
        assert server.connections == 5


def test_a_kept_connection_that_is_cut_at_the_next_request_costs_no_patience() -> None:
    with WireServer(Script(answer(), Cut(), answer(b"[1]"))) as server:
        client = client_of(server, retry_s=0.0)
        client.request("GET", "/server")
        assert client.request("POST", "/runs/r/start") == [1]


def test_a_lost_answer_is_asked_for_again() -> None:
    with WireServer(Script(Cut(), Cut(), answer(b"[1]"))) as server:
        assert client_of(server).request("POST", "/x", json={"k": 1}) == [1]
    assert [request.body for request in server.requests] == [b'{"k":1}'] * 3


def test_an_answer_that_is_cut_in_the_middle_is_asked_for_again() -> None:
    torn = answer(b'{"value": 12345}', cut_after=11)

    with WireServer(Script(torn, answer(b'{"value": 12345}')), closes_after=1) as server:
        assert client_of(server).request("GET", "/x") == {"value": 12345}


@pytest.mark.parametrize("kept_bytes", [0, 5, 10, 13, 20, 30, 36, 37, 40])
def test_an_answer_that_is_cut_in_its_header_is_asked_for_again(kept_bytes: int) -> None:
    whole = answer(b'{"value": 12345}')
    with WireServer(Script(whole[:kept_bytes] or Cut(), whole), closes_after=1) as server:
        assert client_of(server).request("GET", "/x") == {"value": 12345}


GONE = answer(b'{"error": {"code": "model.not_found", "message": "gone"}}', "404 Not Found")


def test_a_removal_whose_answer_was_lost_is_done_when_nothing_is_left_to_remove() -> None:
    with WireServer(Script(Cut(), GONE)) as server:
        assert client_of(server).request("DELETE", "/models/m") is None
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("method", "steps"), [("DELETE", [GONE]), ("GET", [Cut(), GONE]), ("POST", [Cut(), GONE])]
)
def test_what_is_not_there_is_refused_otherwise(
    method: str, steps: list[bytes | Exception]
) -> None:
    with WireServer(Script(*steps)) as server, pytest.raises(Refused, match="gone"):
        client_of(server).request(method, "/models/m")


def test_a_balancer_without_a_server_behind_it_is_waited_for() -> None:
    away = answer(b"<html>bad gateway</html>", "502 Bad Gateway")
    with WireServer(Script(away, away, answer(b"[1]"))) as server:
        assert client_of(server).request("GET", "/x") == [1]


def test_patience_ends_in_a_sentence_that_says_what_to_do() -> None:
    with WireServer(Script(answer(b"", "503 Service Unavailable"))) as server:
        started = time.monotonic()
        with pytest.raises(ServerUnreachable) as caught:
            client_of(server, retry_s=0.3).request("GET", "/x")
        assert 0.2 < time.monotonic() - started < 3.0
        assert server.url in caught.value.message
        assert "zaffre up" in caught.value.message


def test_a_port_without_a_server_is_unreachable() -> None:
    client = Client(NamedServer("http://127.0.0.1:9", "t"), retry_s=0.0)
    with pytest.raises(ServerUnreachable, match="refused"):
        client.request("GET", "/x")


def test_a_server_that_never_answers_ends_the_patience() -> None:
    def hang(_: Request) -> bytes:
        threading.Event().wait(5)
        return b""

    with WireServer(hang) as server, pytest.raises(ServerUnreachable, match="timed out"):
        client_of(server, retry_s=0.0).request("GET", "/x", timeout_s=0.2)


def test_a_refusal_is_raised_at_once_with_all_its_parts() -> None:
    error = {
        "error": {"code": "offset.conflict", "message": "No.", "field": "f", "facts": {"offset": 7}}
    }
    with WireServer(Script(answer(json.dumps(error).encode(), "409 Conflict"))) as server:
        with pytest.raises(Refused) as caught:
            client_of(server).request("POST", "/x")
        assert len(server.requests) == 1
    refused = caught.value
    assert (refused.code, refused.status, refused.field) == ("offset.conflict", 409, "f")
    assert (refused.message, refused.facts) == ("No.", {"offset": 7})


@pytest.mark.parametrize("body", [b"<html>no</html>", b"[]", b"\xff\xfe", b'{"error": "x"}'])
def test_a_refusal_in_another_form_still_is_a_sentence(body: bytes) -> None:
    with (
        WireServer(Script(answer(body, "403 Forbidden"))) as server,
        pytest.raises(Refused, match="answered 403 Forbidden") as caught,
    ):
        client_of(server).request("GET", "/x")
    assert caught.value.code == "http.403"


def test_a_server_that_refuses_before_it_has_read_the_body_is_understood() -> None:
    import socket

    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        connection, _ = listener.accept()
        connection.recv(1000)
        error = b'{"error": {"code": "store.full", "message": "Full."}}'
        connection.sendall(answer(error, "507 Insufficient Storage", "Connection: close"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 20):
            pass
        connection.close()

    thread = threading.Thread(target=refuse, daemon=True)
    thread.start()
    client = Client(NamedServer(f"http://127.0.0.1:{listener.getsockname()[1]}", "t"), retry_s=0.0)
    with pytest.raises(Refused, match="Full"):
        client.request("PUT", "/blobs/x", body=Upload(lambda: [b"x" * 1000] * 20_000, 20_000_000))
    thread.join(10)
    listener.close()


def test_a_streamed_body_arrives_whole_and_is_read_anew_for_each_attempt() -> None:
    opened: list[int] = []

    def chunks() -> list[bytes]:
        opened.append(1)
        return [b"a" * 70_000, b"b" * 5]

    with WireServer(Script(Cut(), answer(b"[1]"))) as server:
        body = Upload(chunks, 70_005)
        assert client_of(server).request("PUT", "/blobs/x", body=body) == [1]
    assert len(opened) == 2
    assert server.requests[1].body == b"a" * 70_000 + b"b" * 5


def test_a_body_whose_source_fails_raises_that_failure_and_is_not_sent_again() -> None:
    class Gone(Exception):
        pass

    def chunks() -> Any:
        yield b"a" * 10
        raise Gone

    with WireServer(Script(answer())) as server:
        client = client_of(server)
        with pytest.raises(Gone):
            client.request("PUT", "/blobs/x", body=Upload(chunks, 20))
        with pytest.raises(EOFError):
            client.request("PUT", "/blobs/x", body=Upload(lambda: [b"a"], 20))
        client.request("GET", "/x")
    assert len(server.requests) == 1


def test_a_streamed_answer_that_is_cut_says_so() -> None:
    cut = Script(answer(b"x" * 100, cut_after=40))
    with WireServer(cut, closes_after=1) as server, client_of(server).stream("GET", "/x") as reply:
        assert reply.read(1000) == b"x" * 40
        with pytest.raises(AnswerCut):
            reply.read(1000)


def test_events_are_told_apart_and_comments_left_out() -> None:
    body = (
        b': hello\n\nevent: log\ndata: {"text":\ndata: "a\xc3\xa9"}\n\n: ping\n\n'
        b'event: state\r\ndata: {"state": "Completed"}\r\n\r\n'
    )
    with WireServer(Script(answer(body, "200 OK", "Content-Type: text/event-stream"))) as server:
        events = list(client_of(server).events("/runs/r/events", query={"since": 3}))
    assert events == [("log", {"text": "aé"}), ("state", {"state": "Completed"})]
    assert server.requests[0].line.endswith("/events?since=3 HTTP/1.1")


def test_an_event_stream_that_is_cut_does_not_look_like_its_end() -> None:
    chunk = b"event: log\ndata: {}\n\n"
    cut = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n%b\r\n" % (len(chunk), chunk)
        + b"30\r\nevent: log\n"
    )
    with WireServer(Script(cut), closes_after=1) as server:
        events = client_of(server).events("/runs/r/events")
        assert next(events) == ("log", {})
        with pytest.raises(AnswerCut):
            next(events)


def test_threads_share_a_client_and_never_a_connection() -> None:
    def echo(request: Request) -> bytes:
        return answer(request.body)

    with WireServer(echo) as server:
        client = client_of(server)
        wrong: list[object] = []

        def work(number: int) -> None:
            for turn in range(50):
                sent = {"n": number, "t": turn}
                got = client.request("POST", "/echo", json=sent)
                if got != sent:
                    wrong.append((sent, got))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not wrong
        assert len(server.requests) == 400
        assert server.connections <= 8


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_makes_a_connection_of_its_own() -> None:
    with WireServer(lambda request: answer(request.body)) as server:
        client = client_of(server)
        client.request("POST", "/x", json=1)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                got = [client.request("POST", "/x", json=n) for n in range(20)]
                os.write(writer, json.dumps(got).encode())
            finally:
                os._exit(0)
        os.close(writer)
        assert [client.request("POST", "/x", json=-n) for n in range(20)] == [-n for n in range(20)]
        os.waitpid(pid, 0)
        assert json.loads(os.read(reader, 10_000)) == list(range(20))
        os.close(reader)
        assert server.connections == 2


def test_an_interrupted_request_leaves_no_half_answer_behind() -> None:
    slow = threading.Event()

    def handle(request: Request) -> bytes:
        if request.line.startswith("GET /api/v1/slow"):
            slow.wait(5)
            return answer(b'"slow"')
        return answer(b'"fast"')

    def interrupt(_: int, __: object) -> None:
        raise KeyboardInterrupt

    with WireServer(handle) as server:
        client = client_of(server)
        client.request("GET", "/fast")
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                client.request("GET", "/slow")
        finally:
            signal.signal(signal.SIGALRM, before)
        slow.set()
        assert client.request("GET", "/fast") == "fast"


def test_a_new_token_of_the_server_is_looked_up_when_the_old_one_is_refused() -> None:
    class Moving:
        token = "old"

        def locate(self, lost: Address | None, *, patience_s: float) -> Address:
            del lost, patience_s
            return Address(server.url, self.token)

        def name(self) -> str:
            return "moving"

    def handle(request: Request) -> bytes:
        if request.header("Authorization") == "Bearer new":
            return answer(b"[1]")
        error = b'{"error": {"code": "unauthenticated", "message": "Who?"}}'
        return answer(error, "401 Unauthorized")

    with WireServer(handle) as server:
        moving = Moving()
        client = Client(moving)
        with pytest.raises(Refused, match="Who"):
            client.request("GET", "/x")
        moving.token = "new"
        assert client.request("GET", "/x") == [1]


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "zaffre test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("team.example")]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "authority.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def in_a_process(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str
) -> tuple[str, str]:
    """Ask `url` from a fresh process: the TLS settings are read once a process."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_ask, (url,))


def _ask(url: str) -> tuple[str, str]:
    try:
        client = Client(NamedServer(url, "t"), retry_s=0.0)
        return "answer", json.dumps(client.request("GET", "/server"))
    except ServerUnreachable as problem:
        return "unreachable", problem.message


def test_a_teams_certificate_is_checked_and_ssl_cert_file_is_honoured(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority)
    with WireServer(Script(answer(b"[1]")), tls=tls) as server:
        trusted = in_a_process(monkeypatch, {"SSL_CERT_FILE": str(authority)}, server.url)
        assert trusted == ("answer", "[1]")
        monkeypatch.delenv("SSL_CERT_FILE")
        kind, message = in_a_process(monkeypatch, {}, server.url)
        assert kind == "unreachable"
        assert "SSL_CERT_FILE" in message


def test_https_goes_through_the_proxy_in_a_tunnel(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority)
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def proxy() -> None:
        inside, _ = listener.accept()
        head = b""
        while b"\r\n\r\n" not in head:
            head += inside.recv(4096)
        asked.append(head.decode())
        # Any 2xx is a tunnel.
        inside.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Connected\r\n\r\n")
        served = tls.wrap_socket(inside, server_side=True)
        served.recv(4096)
        served.sendall(answer(b"[1]", "200 OK", "Connection: close"))
        served.close()

    thread = threading.Thread(target=proxy, daemon=True)
    thread.start()
    environment = {
        "HTTPS_PROXY": f"http://me:se%40cret@127.0.0.1:{listener.getsockname()[1]}",
        "SSL_CERT_FILE": str(authority),
    }
    found = in_a_process(monkeypatch, environment, "https://team.example/")
    thread.join(10)
    listener.close()
    assert found == ("answer", "[1]")
    assert asked[0].startswith("CONNECT team.example:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6c2VAY3JldA==\r\n" in asked[0]
    assert "Bearer" not in asked[0]


def test_http_goes_to_the_proxy_by_absolute_url_unless_no_proxy_names_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with WireServer(Script(answer(b"[1]"))) as server:
        proxied = {"http_proxy": server.url}
        assert in_a_process(monkeypatch, proxied, "http://team.example/zaffre")[0] == "answer"
        assert server.requests[0].line == "GET http://team.example/zaffre/api/v1/server HTTP/1.1"
        assert server.requests[0].header("Host") == "team.example"
        spared = {"http_proxy": server.url, "NO_PROXY": ".invalid"}
        kind, _ = in_a_process(monkeypatch, spared, "http://nowhere.invalid")
        assert kind == "unreachable"
        assert len(server.requests) == 1
        unused = {"http_proxy": "http://127.0.0.1:9"}
        assert in_a_process(monkeypatch, unused, server.url)[0] == "answer"
