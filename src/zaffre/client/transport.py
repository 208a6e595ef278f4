"""One connection to a server: Unix socket, TCP or TLS, directly or through a proxy.

Everything that costs milliseconds to import (`socket`, `ssl`, `urllib`) is imported by the
first connection, not by the module: scripts that only log never pay for it.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from typing import Callable, Iterable, Union
    from urllib.parse import SplitResult

    from zaffre.client.response import Response

    Body = Union[bytes, "Upload"]

#: How long one attempt to connect may take, seconds.
CONNECT_TIMEOUT_S = 10.0
#: A body up to this size leaves in one send with its header, bytes.
ONE_SEND_BYTES = 1 << 20


class Address:
    """Where a server listens and what it asks for.

    socket_path is used where it is given: only this user can listen there, while a free port can
    be taken by anyone. generation tells a restarted server from the one before it.
    """

    __slots__ = ("generation", "socket_path", "token", "url")

    def __init__(
        self, url: str, token: str, socket_path: str | None = None, generation: str = ""
    ) -> None:
        self.url = url
        self.token = token
        self.socket_path = socket_path
        self.generation = generation

    def _parts(self) -> tuple[str, str, str | None, str]:
        return self.url, self.token, self.socket_path, self.generation

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())


class Upload:
    """A body that is streamed; `open` gives its chunks anew for each attempt to send it."""

    __slots__ = ("open", "size_bytes")

    def __init__(self, open: Callable[[], Iterable[bytes]], size_bytes: int) -> None:  # noqa: A002
        self.open = open
        self.size_bytes = size_bytes


class BodyFailed(Exception):
    """The body's source failed; the connection is not to blame, so nothing is tried again."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Connection:
    """One kept-alive HTTP/1.1 connection; used by one thread at a time.

    Raises OSError when the connection fails.
    """

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        from urllib.parse import urlsplit

        self.address = address
        self.used = False
        self._sock: socket.socket | None = None
        parts = urlsplit(address.url)
        self._base = ""
        extra = ""
        host = "localhost"
        if address.socket_path is not None:
            self._sock = _connect_unix(address.socket_path, timeout_s)
        else:
            self._base = parts.path.rstrip("/")
            host = parts.netloc.rpartition("@")[2]
            self._sock, absolute, extra = _connect_tcp(parts, timeout_s)
            if absolute:
                self._base = f"http://{host}{self._base}"
        self._head = (
            f"Host: {host}\r\n{extra}"
            f"Authorization: Bearer {address.token}\r\n"
            "User-Agent: zaffre\r\nAccept-Encoding: identity\r\n"
        )

    def exchange(
        self, method: str, target: str, headers: dict[str, str], body: Body, *, timeout_s: float
    ) -> Response:
        """Send one request and return the answer with its body unread."""
        from zaffre.client.response import Response

        if self._sock is None:
            raise ConnectionResetError("the connection is closed")
        length = body.size_bytes if isinstance(body, Upload) else len(body)
        lines = [f"{method} {self._base}{target} HTTP/1.1\r\n", self._head]
        if length or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {length}\r\n")
        lines.extend(f"{name}: {value}\r\n" for name, value in headers.items())
        lines.append("\r\n")
        self._sock.settimeout(timeout_s)
        answer = Response(self._sock)
        early = self._send("".join(lines).encode("latin-1"), body)
        answer.begin()
        answer.will_close = answer.will_close or early
        return answer

    def _send(self, head: bytes, body: Body) -> bool:
        """Send a request; say whether the server stopped listening before its end.

        A server may refuse before it has read everything, and then says why.
        """
        try:
            self._send_all(head, body)
        except (BrokenPipeError, ConnectionResetError):
            return True
        return False

    def _send_all(self, head: bytes, body: Body) -> None:
        assert self._sock is not None  # noqa: S101 - exchange has looked
        if isinstance(body, bytes):
            # Header and body in two packets meet Nagle and a delayed ACK: 44 ms instead of 0.2.
            self._sock.sendall(head + body[:ONE_SEND_BYTES])
            if len(body) > ONE_SEND_BYTES:
                self._sock.sendall(memoryview(body)[ONE_SEND_BYTES:])
            return
        sent = 0
        chunks = iter(body.open())
        while True:
            try:
                chunk = next(chunks, b"")
                if not chunk and sent != body.size_bytes:
                    raise EOFError("the body ended early")  # noqa: TRY301
                if sent + len(chunk) > body.size_bytes:
                    raise EOFError("the body is longer than was said")  # noqa: TRY301
            except Exception as problem:
                raise BodyFailed(problem) from problem
            if sent and self.is_stale():
                raise BrokenPipeError  # it has answered already, so it does not want the rest
            if head or chunk:
                self._sock.sendall(head + chunk if head else chunk)
            head = b""
            if not chunk:
                return
            sent += len(chunk)

    def is_stale(self) -> bool:
        """Say whether the server closed this connection (or said something) while it was idle."""
        import select

        if self._sock is None:
            return True
        try:
            poll = select.poll()
            poll.register(self._sock, select.POLLIN | select.POLLHUP)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True

    def close(self) -> None:
        """Close the connection; closing again changes nothing."""
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    def __del__(self) -> None:
        if getattr(self, "_sock", None) is not None:
            self.close()


def _connect_unix(path: str, timeout_s: float) -> socket.socket:
    """Connect to a Unix socket that this user (or root) listens on."""
    import socket
    import struct

    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(min(timeout_s, CONNECT_TIMEOUT_S))
        sock.connect(path)
        if hasattr(socket, "SO_PEERCRED"):
            # The token goes out with the first request, so first make sure who would read it.
            raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            uid = struct.unpack("3i", raw)[1]
            if uid not in (os.geteuid(), 0):
                raise PermissionError(f"{path} is served by another user (uid {uid})")  # noqa: TRY301
    except BaseException:
        sock.close()
        raise
    return sock


def _connect_tcp(parts: SplitResult, timeout_s: float) -> tuple[socket.socket, bool, str]:
    """Connect to a URL; also return whether a proxy wants the absolute URL, and its header."""
    import socket

    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConnectionError(f"{parts.geturl()!r} is no http:// or https:// URL")
    host = parts.hostname
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    proxy = _proxy_for(parts.scheme, host, port)
    header = ""
    where = (host, port)
    if proxy is not None:
        if proxy.scheme != "http" or not proxy.hostname:
            raise ConnectionError(f"the proxy {proxy.hostname!r} must be an http:// URL")
        where = (proxy.hostname, proxy.port or 80)
        header = _proxy_header(proxy)
    sock = socket.create_connection(where, timeout=min(timeout_s, CONNECT_TIMEOUT_S))
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if secure:
            if proxy is not None:
                _open_tunnel(sock, host, port, header)
                header = ""
            sock = _tls_context().wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise
    return sock, proxy is not None and not secure, header


def _proxy_for(scheme: str, host: str, port: int) -> SplitResult | None:
    """Return the proxy that the environment names for this host."""
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    if host == "localhost" or host.startswith("127.") or host == "::1":
        return None
    if not any(os.environ.get(name) for name in names):
        return None
    from urllib.parse import urlsplit
    from urllib.request import (
        getproxies_environment,
        proxy_bypass_environment,  # pyright: ignore  # it is in no stub file
    )

    proxies = getproxies_environment()
    url = proxies.get(scheme) or proxies.get("all")
    if not url or proxy_bypass_environment(f"{host}:{port}", proxies):
        return None
    return urlsplit(url if "://" in url else f"http://{url}")


def _proxy_header(proxy: SplitResult) -> str:
    from base64 import b64encode
    from urllib.parse import unquote

    if proxy.username is None:
        return ""
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return f"Proxy-Authorization: Basic {b64encode(pair.encode()).decode()}\r\n"


def _open_tunnel(sock: socket.socket, host: str, port: int, header: str) -> None:
    from zaffre.client.response import Response

    name = f"[{host}]" if ":" in host else host
    request = f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n{header}\r\n"
    sock.sendall(request.encode("latin-1"))
    answer = Response(sock)
    answer.begin_tunnel()
    if not 200 <= answer.status < 300:
        raise ConnectionError(f"the proxy answered {answer.status} {answer.reason}")


_tls: list[ssl.SSLContext] = []


def _tls_context() -> ssl.SSLContext:
    """Return the TLS settings, made once: reading the authorities takes tens of milliseconds.

    OpenSSL itself reads SSL_CERT_FILE and SSL_CERT_DIR.
    """
    import ssl

    if not _tls:
        _tls.append(ssl.create_default_context())
    return _tls[0]
