"""Spools: shipped batches come in, and how far each spool is stored.

The batch's route is plain ASGI: it is asked for by every running script several times a second,
and the framework's parsing would cost more than the batch.
"""

from __future__ import annotations

import asyncio
import functools
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from litestar import Response, get, post
from litestar.types import ASGIApp, Receive, Scope, Send

from zaffre.contract.errors import Invalid, ZaffreError
from zaffre.server import log
from zaffre.server.http.answer import head
from zaffre.server.http.body import TooLong
from zaffre.server.http.failures import encode_error
from zaffre.server.http.request import Request, WrongContentType
from zaffre.server.store.store import Store
from zaffre.server.usecases import spool as usecase
from zaffre.server.usecases.spool import BATCH_MAX_BYTES, Batch, SpoolWriter, Stored

_CONTENT_TYPE = b"application/x-ndjson"
_FROM_OFFSET = re.compile(rb"from_offset=([0-9]{1,15})\Z")
_ROUTE = re.compile(r"/api/v1/runs/(?P<run_id>[^/]+)/spools/(?P<spool_id>[^/]+)/batches\Z")


@dataclass(frozen=True)
class Offset:
    """How far a spool is stored."""

    offset: int


@post(
    "/api/v1/runs/{run_id:str}/spools/{spool_id:str}/batches",
    status_code=200,
    request_max_body_size=None,
)
async def send_batch(
    request: Request, run_id: str, spool_id: str, from_offset: int
) -> Response[bytes]:
    """Take a batch: the spool's bytes from `from_offset` on, whole lines, at most 4 MiB.

    409 offset.conflict with `facts.offset` when the store's copy ends elsewhere.
    """
    del from_offset  # `_store` reads it itself, as for the short way
    writer = _writer(request.store)
    stored = await _store(request.scope, request.receive, writer, run_id, spool_id)
    return Response(_encode(stored), media_type="application/json")


class ShortWay:
    """ASGI application in front of the framework: answers `send_batch`'s route by itself.

    Every running script asks for it several times a second, and the framework's share of such a
    request (0.25 ms) is more than the batch's. What comes here has passed the door.
    """

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._writer = _writer(store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a batch, or hand the request on."""
        asked: Any = scope
        if asked["type"] == "http" and asked["method"] == "POST":
            match = _ROUTE.match(asked["path"])
            if match is not None:
                await self._answer(asked, receive, send, match)
                return
        await self._app(scope, receive, send)

    async def _answer(self, scope: Any, receive: Receive, send: Send, match: re.Match[str]) -> None:
        status = 200
        try:
            stored = await _store(scope, receive, self._writer, match["run_id"], match["spool_id"])
            body = _encode(stored)
        except ZaffreError as refusal:
            status, body = refusal.status, encode_error(refusal)
        except Exception as problem:
            log.exception("request.failed", problem, method="POST", path=scope["path"])
            status, body = 500, encode_error(_Internal())
        await send({"type": "http.response.start", "status": status, "headers": head(body)})
        await send({"type": "http.response.body", "body": body, "more_body": False})


class _Internal(ZaffreError):
    def __init__(self) -> None:
        super().__init__("The server failed to answer this request; its log says why.")


async def _store(
    scope: Any, receive: Receive, writer: SpoolWriter, run_id: str, spool_id: str
) -> Stored:
    batch = Batch(
        caller=scope["user"],
        run_id=run_id,
        spool_id=spool_id,
        start=_from_offset(scope["query_string"]),
        body=await _read_body(scope, receive),
    )
    usecase.check(batch)
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Stored] = loop.create_future()

    def settle(result: Stored | Exception) -> None:
        if outcome.done():  # the client has gone
            return
        if isinstance(result, Exception):
            outcome.set_exception(result)
        else:
            outcome.set_result(result)

    writer.put(batch, lambda result: _tell(loop, settle, result))
    return await outcome


def _tell(loop: asyncio.AbstractEventLoop, settle: Any, result: Stored | Exception) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(settle, result)


def _encode(stored: Stored) -> bytes:
    return b'{"offset":%d,"skipped_count":%d}' % (stored.offset, stored.skipped_count)


@functools.cache
def _writer(store: Store) -> SpoolWriter:
    """Return the store's one writer."""
    return SpoolWriter(store.database)


def _from_offset(query: bytes) -> int:
    plain = _FROM_OFFSET.match(query)
    if plain is not None:
        return int(plain[1])
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    texts = given.pop("from_offset", [])
    if given:
        raise Invalid(sorted(given)[0][:100], "is not a parameter of this route")
    if len(texts) != 1 or not texts[0].isascii() or not texts[0].isdigit() or len(texts[0]) > 15:
        raise Invalid("from_offset", "must be given once, a whole number from 0 on")
    return int(texts[0])


async def _read_body(scope: Any, receive: Receive) -> bytes:
    kind = length = b""
    for name, value in scope["headers"]:
        if name == b"content-type":
            kind = value
        elif name == b"content-length":
            length = value
    if kind.partition(b";")[0].strip() != _CONTENT_TYPE:
        raise WrongContentType(_CONTENT_TYPE.decode())
    if length.isdigit() and int(length) > BATCH_MAX_BYTES:
        raise TooLong(BATCH_MAX_BYTES)
    message: Any = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    chunks = bytearray(body)
    while message["type"] == "http.request" and message.get("more_body", False):
        message = await receive()
        chunks += message.get("body", b"")
        if len(chunks) > BATCH_MAX_BYTES:
            raise TooLong(BATCH_MAX_BYTES)
    if message["type"] != "http.request":
        raise Invalid("body", "the connection ended within it")
    return bytes(chunks)


@get("/api/v1/runs/{run_id:str}/spools/{spool_id:str}", sync_to_thread=True)
def get_spool(request: Request, run_id: str, spool_id: str) -> Offset:
    """Say how far a spool is stored; 0 for one that is not known."""
    return Offset(usecase.get_offset(run_id, spool_id, caller=request.caller, store=request.store))


HANDLERS = [send_batch, get_spool]
