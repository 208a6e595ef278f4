"""Answers in JSON, sent in the shortest way."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.types import Receive, Scope, Send

from zaffre.server.http.failures import COMMON_HEADERS

_COMMON = [(name.encode(), value.encode()) for name, value in COMMON_HEADERS.items()]
_encode = msgspec.json.Encoder().encode


def head(body: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer in JSON."""
    return [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        *_COMMON,
    ]


class Encoded(Response[Any]):
    """The answer that sends a record as JSON, encoded where it is made: in a worker's thread.

    It does without what the framework does for every answer (cookies, backgrounds, a choice of
    media types), which takes longer than a small record's encoding.
    """

    def __init__(self, content: Any, *, status_code: int = 200) -> None:
        super().__init__(content, status_code=status_code)
        self._status = status_code
        self._body = _encode(content)

    def to_asgi_response(self, *_given: Any, **_options: Any) -> Any:
        """Return the ASGI application that sends it."""
        return self._send

    async def _send(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = head(self._body)
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})
