"""The server's ASGI application: the door, the routes, and how refusals are answered."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any

from litestar import Litestar, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from zaffre.contract.errors import ZaffreError
from zaffre.contract.version import ZAFFRE_VERSION
from zaffre.server.http import (
    attempt,
    blob,
    dataset,
    datastore,
    experiment,
    failures,
    file,
    garbage,
    link,
    log,
    metric,
    model,
    page,
    permit,
    run,
    run_list,
    secret,
    server,
    snapshot,
    spool,
    stream,
    upload,
    workspace,
)
from zaffre.server.http.answer import Encoded
from zaffre.server.http.door import Door
from zaffre.server.http.request import JSON_MAX_BYTES, Request
from zaffre.server.http.spool import ShortWay
from zaffre.server.http.threads import Threads
from zaffre.server.store.database import repeating
from zaffre.server.store.store import Store
from zaffre.server.usecases.server import Address

#: Whose HANDLERS are served.
NOUNS = (
    server,
    workspace,
    experiment,
    run,
    run_list,
    attempt,
    spool,
    metric,
    log,
    file,
    blob,
    upload,
    snapshot,
    model,
    secret,
    link,
    datastore,
    dataset,
    garbage,
    stream,
    permit,
    page,
)


def build(store: Store, address: Address, stop: Callable[[], None], threads: Threads) -> Door:
    """Return the application.

    stop: what a request to stop the server calls. threads: what requests are answered in.
    """
    handlers: list[Any] = []
    for noun in NOUNS:
        handlers += noun.HANDLERS
    for handler in handlers:
        _place(handler, store, threads)
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


def _place(handler: Any, store: Store, threads: Threads) -> None:
    """Say where a handler that is not a coroutine runs.

    In a worker thread. But one that says `opt={"small": True}` reads a row or two, which takes
    SQLite less time (0.1 ms, readers never wait) than the way to a thread and back (0.25 ms).
    """
    if not getattr(handler, "sync_to_thread", False):
        return
    use = repeating(_encoding(handler.fn, handler.status_code))
    if handler.opt.get("small") and store.database.is_sqlite:
        handler.sync_to_thread = False
        handler._fn = use
    else:
        handler._fn = _in_thread(use, threads)


def _encoding(use: Callable[..., Any], status_code: int) -> Callable[..., Any]:
    """Return a function that does as `use` does and encodes the record that it returns."""

    @functools.wraps(use)
    def answer(**arguments: Any) -> Any:
        record = use(**arguments)
        if record is None or isinstance(record, Response):
            return record
        return Encoded(record, status_code=status_code)

    return answer


def _in_thread(
    use: Callable[..., Any], threads: Threads
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return an async function that runs `use` in a worker thread.

    Litestar 2.25 wraps a handler once for every handler on its path, because it does not know its
    own wrapper again: two thread hops for a GET beside a POST, and a 500 if it returns a Response.
    """

    @functools.wraps(use)
    async def handle(**arguments: Any) -> Any:
        return await threads.run(use, arguments)

    return handle
