"""Requests to a server: retries, patience, refusals.

Every request of Zaffre's may be sent twice: writes carry an idempotency key or an offset. So when
a connection fails, at whatever point, the request is simply sent again, to wherever the server is
by then, until the caller's patience ends in `ServerUnreachable`. What the server refuses is
raised as `Refused` at once.

Connections are kept between requests and never shared by two threads at a time. A forked child
makes its own.
"""

from __future__ import annotations

import os
import time

from zaffre.client.transport import BodyFailed, Connection, Upload
from zaffre.contract.errors import Refused, ServerUnreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Protocol, TypeVar, Union

    from zaffre.client.response import Response
    from zaffre.client.transport import Address, Body

    T = TypeVar("T")
    Query = Dict[str, Union[str, int, float, bool, List[str], None]]

    class Locator(Protocol):
        """What knows where the server is."""

        def locate(self, lost: Address | None, *, patience_s: float) -> Address:
            """Return the server's present address, or raise OSError if there is none just now.

            lost: the address that has just failed. patience_s: how long starting one may take.
            """
            ...

        def name(self) -> str:
            """Return what the server is called in an error, such as its URL."""
            ...


#: How long a caller at a terminal or in a notebook waits for a server that does not answer.
INTERACTIVE_PATIENCE_S = 30.0
#: How long one answer may take, seconds.
ANSWER_TIMEOUT_S = 60.0
API = "/api/v1"

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 2.0
_KEPT_CONNECTIONS = 8
#: Answers of what stands in front of a server that is away for a moment.
_AWAY = (502, 503, 504)


class AnswerCut(ConnectionError):
    """The connection ended, or fell silent, before an answer's body did."""


class Answer:
    """A server's answer; `read` and `chunks` take its body off the connection.

    Use it in a `with` block: the connection goes back when the body has been read to its end.
    status: HTTP status. headers: by lower-case name.
    """

    def __init__(self, client: Client, connection: Connection, response: Response) -> None:
        self._client = client
        self._connection: Connection | None = connection
        self._response = response
        self.status = response.status
        self.headers = response.headers

    def read(self, size_bytes: int) -> bytes:
        """Return up to `size_bytes` of the body, b'' at its end. Raises AnswerCut."""
        try:
            return self._response.read(size_bytes)
        except OSError as problem:
            raise self._cut() from problem

    def read_all(self) -> bytes:
        """Return the rest of the body. Raises AnswerCut."""
        try:
            return self._response.read_all()
        except OSError as problem:
            raise self._cut() from problem

    def chunks(self, size_bytes: int = 1 << 20) -> Iterator[bytes]:
        """Yield the body piece by piece. Raises AnswerCut."""
        while True:
            data = self.read(size_bytes)
            if not data:
                return
            yield data

    def lines(self) -> Iterator[str]:
        """Yield the body's lines as they come, without their ends. Raises AnswerCut."""
        while True:
            try:
                line = self._response.readline()
            except OSError as problem:
                raise self._cut() from problem
            if not line:
                return
            yield line.decode("utf-8", "replace").rstrip("\r\n")

    def _cut(self) -> AnswerCut:
        self._response.will_close = True
        return AnswerCut("the answer was cut off")

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else close it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._response.is_over():
            self._client.keep(connection)
        else:
            connection.close()

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def parse_events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Yield (event, data) of the lines of a stream of server-sent events; comments are left out."""
    from json import loads

    kind, data = "message", ""
    for line in lines:
        name, _, value = line.partition(":")
        if value.startswith(" "):
            value = value[1:]
        if name == "event":
            kind = value
        elif name == "data":
            data = f"{data}\n{value}" if data else value
        elif not line and data:
            yield kind, loads(data)
            kind, data = "message", ""


class Client:
    """Sends requests to one server; safe to share between threads and to take through a fork.

    retry_s: how long a request is tried again while no server answers, unless it says otherwise.
    """

    def __init__(self, locator: Locator, *, retry_s: float = INTERACTIVE_PATIENCE_S) -> None:
        self.locator = locator
        self.retry_s = retry_s
        self._address: Address | None = None
        self._kept: list[Connection] = []
        self._lost_address: Address | None = None
        self._pid = os.getpid()

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        body: Body | None = None,
        query: Query | None = None,
        headers: dict[str, str] | None = None,
        timeout_s: float = ANSWER_TIMEOUT_S,
        retry_s: float | None = None,
    ) -> Any:
        """Send a request and return its answer's JSON (None for an empty one).

        path: below /api/v1, such as `/runs/r1/files/a b.txt`: plain text, percent-encoded here.
        json: what json.dumps takes; records of `contract` are encoded too. body: raw bytes or an
        `Upload`, instead of json. query: None values are left out, lists repeat their key.
        timeout_s: how long the answer may take, counted anew whenever bytes arrive. retry_s: how
        long to go on when no server answers; 0 is one attempt.

        Raises Refused when the server says no, ServerUnreachable when none answers.
        """
        content = self.fetch(
            method,
            path,
            json=json,
            body=body,
            query=query,
            headers=headers,
            timeout_s=timeout_s,
            retry_s=retry_s,
        )[0]
        from json import loads

        return loads(content) if content else None

    def fetch(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        body: Body | None = None,
        query: Query | None = None,
        headers: dict[str, str] | None = None,
        timeout_s: float = ANSWER_TIMEOUT_S,
        retry_s: float | None = None,
    ) -> tuple[bytes, dict[str, str]]:
        """Send a request as `request` does; return the answer's bytes and its headers."""
        sending = _Sending(method, path, json, body, query, headers)
        try:
            return self._retry(sending, timeout_s, retry_s, _read_whole)
        except Refused as refused:
            if refused.status == 404 and method == "DELETE" and sending.may_have_come:
                return b"", {}  # the first one, whose answer was lost, has removed it
            raise

    def stream(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        body: Body | None = None,
        query: Query | None = None,
        headers: dict[str, str] | None = None,
        timeout_s: float = ANSWER_TIMEOUT_S,
        retry_s: float | None = None,
    ) -> Answer:
        """Send a request as `request` does; return the answer with its body unread.

        Only getting the answer is tried again; reading its body may raise AnswerCut.
        """
        sending = _Sending(method, path, json, body, query, headers)
        return self._retry(sending, timeout_s, retry_s, _leave_unread)

    def events(
        self,
        path: str,
        *,
        query: Query | None = None,
        timeout_s: float = 45.0,
        retry_s: float | None = None,
    ) -> Iterator[tuple[str, Any]]:
        """Yield (event, data) of a stream of server-sent events until the server ends it.

        timeout_s: a silence longer than this counts as a lost connection (the server comments
        every 15 s). Raises AnswerCut, and may end early: ask again until the final state.
        """
        accept = {"Accept": "text/event-stream"}
        with self.stream(
            "GET", path, query=query, headers=accept, timeout_s=timeout_s, retry_s=retry_s
        ) as answer:
            yield from parse_events(answer.lines())

    def close(self) -> None:
        """Close the connections that are kept; the client goes on to work with new ones."""
        kept, self._kept = self._kept, []
        for connection in kept:
            connection.close()

    def keep(self, connection: Connection) -> None:
        """Take back a connection whose answer has been read to its end."""
        if (
            len(self._kept) < _KEPT_CONNECTIONS
            and self._pid == os.getpid()
            and connection.address == self._address
        ):
            connection.used = True
            self._kept.append(connection)
        else:
            connection.close()

    def _retry(
        self,
        sending: _Sending,
        timeout_s: float,
        retry_s: float | None,
        take: Callable[[Answer], T],
    ) -> T:
        deadline = time.monotonic() + (self.retry_s if retry_s is None else retry_s)
        pause_s = _FIRST_PAUSE_S
        while True:
            connection = None
            try:
                connection = self._connection(timeout_s, deadline - time.monotonic())
                return take(self._exchange(connection, sending, timeout_s))
            except BodyFailed as problem:
                raise problem.cause from None
            except Refused as refused:
                if refused.status == 401 and connection and self._has_new_token(connection):
                    continue
                raise
            except OSError as problem:
                if connection is not None:
                    sending.may_have_come = True
                    stale = connection.used and not isinstance(sending.body, Upload)
                    if stale and isinstance(problem, ConnectionError):
                        # The server closed it while it was idle, or was restarted: no outage yet.
                        # (A streamed body shows such a close before much of it is sent.)
                        self.close()
                        continue
                    self._lost(connection.address)
                left_s = deadline - time.monotonic()
                if left_s <= 0 or _is_hopeless(problem):
                    raise ServerUnreachable(self.locator.name(), _words(problem)) from problem
            time.sleep(min(left_s, pause_s * (0.5 + os.urandom(1)[0] / 256)))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _connection(self, timeout_s: float, patience_s: float) -> Connection:
        """Return a kept connection that is still open, or a new one."""
        if self._pid != os.getpid():
            self._kept, self._pid = [], os.getpid()
        while self._kept:
            try:
                connection = self._kept.pop()
            except IndexError:  # another thread was faster
                break
            if not connection.is_stale():
                return connection
            connection.close()
        address = self._address
        if address is None or address is self._lost_address:
            address = self.locator.locate(self._lost_address, patience_s=patience_s)
            self._address, self._lost_address = address, None
        try:
            return Connection(address, timeout_s=timeout_s)
        except OSError:
            self._lost(address)
            raise

    def _lost(self, address: Address) -> None:
        """Ask the locator before the next connection."""
        if address == self._address:
            self._lost_address = self._address

    def _has_new_token(self, connection: Connection) -> bool:
        """Look for another token than the refused one, as when the server's home was made anew."""
        self.close()
        self._address = self.locator.locate(None, patience_s=0.0)
        return self._address.token != connection.address.token

    def _exchange(self, connection: Connection, sending: _Sending, timeout_s: float) -> Answer:
        try:
            response = connection.exchange(
                sending.method, sending.target, sending.headers, sending.body, timeout_s=timeout_s
            )
        except BaseException:
            connection.close()
            raise
        answer = Answer(self, connection, response)
        if answer.status < 300 or answer.status == 304:
            return answer
        with answer:
            content = answer.read_all()
        if answer.status in _AWAY and b'"error"' not in content[:20]:
            raise OSError(f"it answered {answer.status} {response.reason}")
        raise _refusal(answer.status, response.reason, content)


class _Sending:
    """One request, encoded once however often it is sent.

    may_have_come: it was sent before, and whether the server took it then is not known.
    """

    def __init__(
        self,
        method: str,
        path: str,
        json: object,
        body: Body | None,
        query: Query | None,
        headers: dict[str, str] | None,
    ) -> None:
        self.method = method
        self.target = _target(path, query)
        self.headers = headers or {}
        self.body: Body = b"" if body is None else body
        self.may_have_come = False
        if json is not None:
            from json import dumps

            text = dumps(json, default=_encode_record, separators=(",", ":"), allow_nan=False)
            self.body = text.encode()
            self.headers = dict(self.headers)
            self.headers["Content-Type"] = "application/json"


def _encode_record(value: object) -> Any:
    from zaffre.contract import wire

    encoded = wire.encode(value)
    if encoded is value:
        raise TypeError(f"{type(value).__name__} cannot be sent")
    return encoded


def _target(path: str, query: Query | None) -> str:
    from urllib.parse import quote, urlencode

    text = quote(path, safe="/:@!$&'()*+,;=~")
    if not text.startswith(("/api/", "/healthz", "/openapi")):
        text = API + text
    if not query:
        return text
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                shown = str(one).lower() if isinstance(one, bool) else str(one)
                pairs.append((name, shown))
    return f"{text}?{urlencode(pairs)}" if pairs else text


def _read_whole(answer: Answer) -> tuple[bytes, dict[str, str]]:
    with answer:
        return answer.read_all(), answer.headers


def _leave_unread(answer: Answer) -> Answer:
    return answer


def _refusal(status: int, reason: str, content: bytes) -> Refused:
    """Return what the server refused; a proxy's page becomes a sentence with its status."""
    from json import loads

    try:
        error = loads(content)["error"]
        return Refused(
            error["message"],
            code=error["code"],
            status=status,
            field=error.get("field"),
            facts=error.get("facts"),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        shown = content[:200].decode("utf-8", "replace").strip()
        return Refused(
            f"The server answered {status} {reason}: {shown}",
            code=f"http.{status}",
            status=status,
        )


def _is_hopeless(problem: BaseException) -> bool:
    """Say whether trying again cannot help."""
    return type(problem).__name__ == "SSLCertVerificationError"


def _words(problem: BaseException) -> str:
    if type(problem).__name__ == "SSLCertVerificationError":
        return f"{problem}; set SSL_CERT_FILE to the authorities that your company uses"
    text = str(problem) or type(problem).__name__
    return text[:-1] if text.endswith(".") else text
