"""An HTTP/1.1 answer, read off a socket.

The standard library's reader imports the parsers of e-mail and TLS, 25 ms before a process's first
request, and spends 75 us of each request in them. This one knows what servers, proxies and load
balancers send: a status line, headers, and a body of a known length or in chunks. An answer that
has neither could not be told from a part of it, so it is refused. It is not for HEAD requests,
whose answers name a length and have no body.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from socket import socket

#: Longest head of an answer, longest line in a chunked body, and most that may follow it, bytes.
HEAD_MAX_BYTES = 64 << 10
#: How much is received at once: more would be memory that is mapped anew each time.
_RECEIVED_BYTES = 64 << 10
_WITHOUT_BODY = (204, 304)
_DIGITS = frozenset("0123456789")
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


class BadAnswer(ConnectionError):
    """What came is no HTTP answer, or not a whole one."""


class Response:
    """One answer: its head is read by `begin`, its body by `read`, `read_all` and `readline`.

    headers: by lower-case name; of one that comes twice, both values with a comma between.
    will_close: nothing more may be sent on the connection.

    Every method raises BadAnswer, or the OSError of the socket.
    """

    def __init__(self, sock: socket) -> None:
        self.status = 0
        self.reason = ""
        self.headers: dict[str, str] = {}
        self.will_close = False
        self._sock = sock
        self._buffer = b""
        # What is left of the body, or of the present chunk; None before the first chunk's size.
        self._left: int | None = 0
        self._chunked = False
        self._whole = False

    def begin(self) -> None:
        """Read the head of the answer, past those that only say that one will come."""
        self.begin_tunnel()
        connection = self.headers.get("connection", "").lower()
        self.will_close = self.will_close or "close" in connection
        coding = self.headers.get("transfer-encoding", "").lower()
        length = self.headers.get("content-length")
        if self.status in _WITHOUT_BODY:
            self._left = 0
        elif coding:
            if coding != "chunked":
                raise BadAnswer(f"the answer's body is coded in an unknown way: {coding[:50]}")
            self._chunked, self._left = True, None
            # One that also gives a length was put together by something that is not to be trusted.
            self.will_close = self.will_close or length is not None
        elif length is not None and length and _DIGITS.issuperset(length) and len(length) < 19:
            self._left = int(length)
        else:
            raise BadAnswer(f"it answered {self._words()} without saying how long the answer is")
        self._whole = self._left == 0

    def begin_tunnel(self) -> None:
        """Read the head of a proxy's answer to CONNECT, which has no body if it is 2xx."""
        self._read_head()
        while self.status < 200:
            self._read_head()

    def _read_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        while end < 0 and len(self._buffer) <= HEAD_MAX_BYTES:
            searched = max(0, len(self._buffer) - 3)
            self._receive()
            end = self._buffer.find(b"\r\n\r\n", searched)
            # What is no answer is not waited for: its sender may wait for our next word, for ever.
            if self._buffer[:5] != b"HTTP/"[: len(self._buffer)] or (
                end < 0 and b"\n\n" in self._buffer
            ):
                raise BadAnswer("what answered does not speak HTTP")
        if not 0 <= end <= HEAD_MAX_BYTES:
            raise BadAnswer("the answer's head is too long")
        head = self._buffer[:end].decode("latin-1")
        self._buffer = self._buffer[end + 4 :]
        # A line that begins with a blank goes on with the header before it.
        lines = head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
        version, _, rest = lines[0].partition(" ")
        code, _, self.reason = rest.partition(" ")
        if not version.startswith("HTTP/1.") or len(code) != 3 or not _DIGITS.issuperset(code):
            raise BadAnswer("what answered does not speak HTTP")
        self.status = int(code)
        if self.status < 100:
            raise BadAnswer("what answered does not speak HTTP")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            # A line's end within a line is one that others may have taken for one.
            if not colon or not name or name[-1] in " \t" or "\n" in line or "\r" in line:
                raise BadAnswer("the answer's head holds a line that is no header")
            name, value = name.lower(), value.strip(" \t")
            if name in headers and headers[name] != value:
                value = f"{headers[name]}, {value}"
            headers[name] = value
        self.headers = headers
        if version == "HTTP/1.0" and headers.get("connection", "").lower() != "keep-alive":
            self.will_close = True

    def read(self, size_bytes: int) -> bytes:
        """Return the next bytes of the body, at most `size_bytes`; b'' at its end only."""
        if size_bytes <= 0 or not self._find_more():
            return b""
        data = self._buffer
        most = min(size_bytes, self._left or 0)
        if len(data) <= most:
            self._buffer = b""
        else:
            data, self._buffer = data[:most], data[most:]
        self._take(len(data))
        return data

    def read_all(self) -> bytes:
        """Return the rest of the body."""
        parts: list[bytes] = []
        while True:
            data = self.read(_RECEIVED_BYTES)
            if not data:
                return parts[0] if len(parts) == 1 else b"".join(parts)
            parts.append(data)

    def readline(self) -> bytes:
        """Return the body's next line with its end; b'' at the body's end only."""
        parts: list[bytes] = []
        while self._find_more():
            most = min(len(self._buffer), self._left or 0)
            end = self._buffer.find(b"\n", 0, most) + 1
            data = self._buffer[: end or most]
            self._buffer = self._buffer[len(data) :]
            self._take(len(data))
            parts.append(data)
            if end:
                break
        return b"".join(parts)

    def _words(self) -> str:
        return f"{self.status} {self.reason}".rstrip()

    def is_over(self) -> bool:
        """Say whether the answer has been read to its end and another request may follow."""
        return self._whole and not self.will_close and not self._buffer

    def _find_more(self) -> bool:
        """Have at least one byte of the body in the buffer, unless it has ended."""
        while not self._whole:
            if self._chunked and not self._left:
                self._begin_chunk()
                continue
            if not self._buffer:
                self._receive()
            return True
        return False

    def _take(self, count: int) -> None:
        assert self._left is not None  # noqa: S101 - a chunk or a length has begun
        self._left -= count
        if not self._left and not self._chunked:
            self._whole = True

    def _begin_chunk(self) -> None:
        """Read the line between two chunks; after the last one, what may follow it."""
        if self._left == 0 and self._line():
            raise BadAnswer("a chunk of the answer is longer than it says")
        size = self._line().partition(b";")[0].strip().decode("latin-1")
        if not size or len(size) > 15 or not _HEX_DIGITS.issuperset(size):
            raise BadAnswer("a chunk of the answer does not say how long it is")
        self._left = int(size, 16)
        if self._left == 0:
            left = HEAD_MAX_BYTES
            while line := self._line():
                left -= len(line)
                if left < 0:
                    raise BadAnswer("what follows the answer is too long")
            self._whole = True

    def _line(self) -> bytes:
        """Return a line of the coding, without its end."""
        end = self._buffer.find(b"\n")
        while end < 0:
            if len(self._buffer) > HEAD_MAX_BYTES:
                raise BadAnswer("a line of the answer is too long")
            self._receive()
            end = self._buffer.find(b"\n")
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line[:-1] if line.endswith(b"\r") else line

    def _receive(self) -> None:
        data = self._sock.recv(_RECEIVED_BYTES)
        if not data:
            raise BadAnswer("the connection ended within an answer")
        self._buffer += data
