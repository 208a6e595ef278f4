"""The route that collects garbage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from litestar import post
from litestar.params import QueryParameter

from zaffre.server.http.request import Request
from zaffre.server.usecases import garbage as usecase
from zaffre.server.usecases.garbage import Collected


@post("/api/v1/garbage/collect", status_code=200, sync_to_thread=True)
def collect(
    request: Request,
    force: Annotated[bool, QueryParameter()] = False,  # noqa: FBT002
) -> Collected:
    """Remove blobs that nothing names. force: also those that somebody was told are here."""
    return usecase.collect_now(
        force=force, caller=request.caller, store=request.store, now=datetime.now(UTC)
    )


HANDLERS = [collect]
