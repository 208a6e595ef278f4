"""The least that can be called an HTTP server here: uvicorn and one function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import uvicorn

Handler = Callable[[bytes], bytes]
_Event = dict[str, Any]


def serve(path: str, handlers: Mapping[str, Handler]) -> None:
    """Answer at a Unix socket: a URL path's handler turns the request's body into the answer's."""

    async def application(
        scope: _Event,
        receive: Callable[[], Awaitable[_Event]],
        send: Callable[[_Event], Awaitable[None]],
    ) -> None:
        event = await receive()
        body: bytes = event["body"]
        while event["more_body"]:
            event = await receive()
            body += event["body"]
        answer = handlers[scope["path"]](body)
        length = str(len(answer)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    # uvicorn's own types of scope and event are unions of all that ASGI has.
    uvicorn.run(
        cast("Any", application),
        uds=path,
        log_level="error",
        access_log=False,
        lifespan="off",
    )
