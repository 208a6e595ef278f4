"""The server itself: is it there, what is it, stop."""

from __future__ import annotations

from litestar import get, post

from zaffre.contract.version import ZAFFRE_VERSION
from zaffre.server.access import require_owner
from zaffre.server.http.request import Request
from zaffre.server.usecases import server as usecase


@get("/healthz", sync_to_thread=False)
def health() -> dict[str, str]:
    """Say that the server is there. Needs no token."""
    return {"status": "ok", "version": ZAFFRE_VERSION}


@get("/api/v1/server", sync_to_thread=True, opt={"small": True})
def describe(request: Request) -> usecase.ServerFacts:
    """Describe the server: version, addresses, how many runs it has."""
    return usecase.describe(store=request.store, address=request.app.state.address)


@post("/api/v1/server/stop", status_code=202, sync_to_thread=False)
def stop(request: Request) -> dict[str, str]:
    """Ask the server to stop. Runs that run go on. The owner's token only."""
    require_owner(request.caller, "server.stop")
    request.app.state.stop()
    return {}


HANDLERS = [health, describe, stop]
