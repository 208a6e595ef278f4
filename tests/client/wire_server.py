"""A server that misbehaves as told: what networks, proxies and dying servers do to a client."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Request:
    """One request as it arrived; packets: how many reads it took."""

    head: str
    body: bytes
    packets: int

    @property
    def line(self) -> str:
        return self.head.split("\r\n", 1)[0]

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None


class Cut(Exception):
    """End the connection without an answer."""


def answer(
    body: bytes = b"{}", status: str = "200 OK", *headers: str, cut_after: int | None = None
) -> bytes:
    """The bytes of an answer; cut_after: how many of its body are sent although it says more."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    sent = body if cut_after is None else body[:cut_after]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + sent


@dataclass
class WireServer:
    """Answers each request with what `handle` returns, and closes the connection at a Cut.

    closes_after: how many answers a connection gets before it is closed.
    """

    handle: Callable[[Request], bytes]
    path: Path | None = None
    tls: ssl.SSLContext | None = None
    closes_after: int = 1_000_000
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> WireServer:
        if self.path is not None:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(self.path))
            self._listener.listen(16)
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, Cut):
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            for _ in range(self.closes_after):
                request = read_request(connection)
                if request is None:
                    break
                self.requests.append(request)
                connection.sendall(self.handle(request))
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()
        self.closed.set()


def read_request(connection: socket.socket) -> Request | None:
    """Read one request; None at the end of the connection."""
    data, packets = b"", 0
    while True:
        head, found, body = data.partition(b"\r\n\r\n")
        if found:
            text = head.decode("latin-1")
            length = 0
            for line in text.split("\r\n")[1:]:
                if line.lower().startswith("content-length:"):
                    length = int(line.partition(":")[2])
            if len(body) >= length:
                return Request(text, body, packets)
        chunk = connection.recv(1 << 20)
        packets += 1
        if not chunk:
            return None
        data += chunk
