"""The server's ASGI application: the door, the routes, and how refusals are answered."""

from __future__ import annotations

import asyncio
import functools
import importlib
import importlib.util
from collections.abc import Callable, Coroutine
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from zaffre.contract.errors import ZaffreError
from zaffre.contract.version import ZAFFRE_VERSION
from zaffre.server.http import failures
from zaffre.server.http.door import Door
from zaffre.server.http.request import JSON_MAX_BYTES, Request
from zaffre.server.http.spool import ShortWay
from zaffre.server.store.store import Store
from zaffre.server.usecases.server import Address

#: The modules of zaffre.server.http whose HANDLERS are served.
NOUNS = (
    "server",
    "workspace",
    "experiment",
    "run",
    "attempt",
    "spool",
    "metric",
    "log",
    "file",
    "blob",
    "snapshot",
    "model",
    "garbage",
    "stream",
)


def build(store: Store, address: Address, stop: Callable[[], None]) -> Door:
    """Return the application. stop: what a request to stop the server calls."""
    handlers: list[Any] = []
    for noun in NOUNS:
        name = f"zaffre.server.http.{noun}"
        if importlib.util.find_spec(name) is not None:
            handlers += importlib.import_module(name).HANDLERS
    for handler in handlers:
        if getattr(handler, "sync_to_thread", False):
            handler._fn = _in_thread(handler.fn)  # noqa: SLF001
    app = Litestar(
        route_handlers=handlers,
        request_class=Request,
        request_max_body_size=JSON_MAX_BYTES,
        state=State({"store": store, "address": address, "stop": stop}),
        exception_handlers={
            ZaffreError: failures.on_refusal,
            HTTPException: failures.on_http,
            Exception: failures.on_exception,
        },
        response_headers=failures.COMMON_HEADERS,
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="Zaffre",
            version=ZAFFRE_VERSION,
            path="/",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
    )
    return Door(ShortWay(app, store), store)


def _in_thread(use: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return an async function that runs `use` in a worker thread.

    Litestar 2.25 wraps a handler once for every handler on its path, because it does not know its
    own wrapper again: two thread hops for a GET beside a POST, and a 500 if it returns a Response.
    """

    @functools.wraps(use)
    async def handle(**arguments: Any) -> Any:
        return await asyncio.to_thread(use, **arguments)

    return handle
