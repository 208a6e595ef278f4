"""The door: what every request must have before any route is looked for.

A name in Host that is ours (a page that rebinds DNS has another), an Origin that is ours if there
is one (so no other site's page can ask for anything), one bearer token that the store knows, or to
read one file a permit (`server.permits`). It stands in front of routing, so that no route can
forget its guard.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

from zaffre.contract.errors import Invalid, Unauthenticated, ZaffreError
from zaffre.server import permits
from zaffre.server.access import Caller, hash_token
from zaffre.server.http.answer import head
from zaffre.server.http.failures import encode_error
from zaffre.server.http.page import is_page
from zaffre.server.store import token as tokens
from zaffre.server.store.store import Store

#: Answered without a token.
PUBLIC = frozenset({"/healthz", "/openapi.json"})
#: How long a run's token is believed without asking the store again, seconds.
_BELIEVED_S = 2.0
_HOST = re.compile(rb"(?P<name>\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:(?P<port>[0-9]{1,5}))?\Z")
_PERMIT = re.compile(rb"(?:^|&)permit=(?P<permit>[^&]*)")
_REPORT = re.compile(r"/api/v1/runs/[^/]+/attempts/[0-9]+/report\Z")


class WrongHost(ZaffreError):
    """The Host header names another server."""

    code = "host"
    status = 421

    def __init__(self) -> None:
        super().__init__(
            "This request's Host header does not name this server. "
            "Add the name to the setting 'host_names' if it should."
        )


class WrongOrigin(ZaffreError):
    """A page of another site asks."""

    code = "origin"
    status = 403

    def __init__(self) -> None:
        super().__init__("Pages of another origin may not ask this server for anything.")


class Door:
    """ASGI application around the routes; puts the Caller into the scope as "user"."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._store = store
        self._known: dict[str, tuple[float, Caller]] = {}
        #: Monotonic time of the last request that counts as use of the server.
        self.last_request_at = time.monotonic()
        #: Requests that are being answered.
        self.held_count = 0
        names = {"localhost", "127.0.0.1", "[::1]"}
        self._names = names | {name.lower() for name in store.settings.host_names}
        store.hub.listen(self._forget)

    def _forget(self, topics: set[str]) -> None:
        if "tokens" in topics:
            self._known = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            scope["user"] = await self._admit(scope)  # type: ignore[typeddict-unknown-key]
        except ZaffreError as refusal:
            await _answer(refusal, send)
            return
        if scope["user"] is None:
            await self._app(scope, receive, send)
            return
        self.held_count += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self.held_count -= 1
            self.last_request_at = time.monotonic()

    async def _admit(self, scope: Any) -> Caller | None:
        hosts: list[bytes] = []
        authorizations: list[bytes] = []
        origins: list[bytes] = []
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"authorization":
                authorizations.append(value)
            elif name == b"origin":
                origins.append(value)
        match = _HOST.match(hosts[0]) if len(hosts) == 1 else None
        if match is None or match["name"].decode("latin-1").lower() not in self._names:
            raise WrongHost
        for origin in origins:
            if origin.lower() != scope["scheme"].encode() + b"://" + hosts[0].lower():
                raise WrongOrigin
        path: str = scope["path"]
        if "\0" in path or b"%00" in scope["query_string"]:
            raise Invalid("address", "must not hold NUL characters")
        if not authorizations:
            if path in PUBLIC or is_page(path):
                return None
            permit = _PERMIT.search(scope["query_string"])
            if permit is not None and scope["method"] in ("GET", "HEAD"):
                given = permit["permit"].decode("latin-1")
                return permits.caller_of(self._store.key, path, given, now=time.time())
        if len(authorizations) != 1 or authorizations[0][:7].lower() != b"bearer ":
            raise self._unauthenticated()
        token = authorizations[0][7:]
        if not 20 <= len(token) <= 200:
            raise self._unauthenticated()
        caller = await self._find(hash_token(token.decode("latin-1")))
        if caller.ended and not (scope["method"] == "POST" and _REPORT.match(path)):
            raise self._unauthenticated()
        return caller

    def _unauthenticated(self) -> Unauthenticated:
        return Unauthenticated(str(self._store.settings.home))

    async def _find(self, token_hash: str) -> Caller:
        """Return whose token it is. The owner's is looked up once, a run's every two seconds."""
        known = self._known.get(token_hash)
        if known is not None and (known[1].is_owner or time.monotonic() - known[0] < _BELIEVED_S):
            return known[1]
        seen = self._known
        caller = await asyncio.to_thread(tokens.find_caller, self._store, token_hash, time.time())
        if caller is None:
            raise self._unauthenticated()
        if len(seen) > 10_000:
            seen.clear()
        seen[token_hash] = (time.monotonic(), caller)
        return caller


async def _answer(refusal: ZaffreError, send: Send) -> None:
    body = encode_error(refusal)
    # The body of a refused request was not read; what follows on the connection would be taken
    # for the next request.
    headers = [*head(body), (b"connection", b"close")]
    if isinstance(refusal, Unauthenticated):
        headers.append((b"www-authenticate", b'Bearer realm="zaffre"'))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
