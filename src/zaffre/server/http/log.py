"""Routes of logs: pieces in by offset, pieces out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import Response, get, put

from zaffre.contract.errors import Invalid
from zaffre.server.http.body import on_disk_thread, pour
from zaffre.server.http.request import Request
from zaffre.server.usecases import log as usecase


@dataclass(frozen=True)
class LogOffset:
    """A log's size: the offset that its next piece starts at."""

    offset: int


@put(
    "/api/v1/runs/{run_id:str}/logs/{name:path}",
    status_code=200,
    request_max_body_size=None,
)
async def append(run_id: str, name: str, offset: int, request: Request) -> LogOffset:
    """Add the body to a log at `offset`; 409 offset.conflict if the log does not end there."""
    piece = bytearray()
    await pour(request, piece.extend, limit_bytes=usecase.PIECE_MAX_BYTES)
    size: int = await on_disk_thread(
        lambda: usecase.append(
            run_id,
            plain_name(name),
            offset,
            bytes(piece),
            caller=request.caller,
            store=request.store,
            now=datetime.now(UTC),
        )
    )
    return LogOffset(size)


@get("/api/v1/runs/{run_id:str}/logs/{name:path}", sync_to_thread=True)
def read(
    run_id: str, name: str, request: Request, offset: int = 0, limit: int = 1 << 20
) -> Response[bytes]:
    """Send a part of a log as bytes; the header X-Log-Size says how long it is by now."""
    piece = usecase.read(
        run_id, plain_name(name), offset, limit, caller=request.caller, store=request.store
    )
    return Response(
        piece.content,
        media_type="application/octet-stream",
        headers={
            "x-log-size": str(piece.size_bytes),
            "content-security-policy": "sandbox; default-src 'none'",
        },
    )


def plain_name(given: str) -> str:
    """Return a `:path` parameter without the one slash that the framework puts in front."""
    if not given.startswith("/"):
        raise Invalid("file name", "is missing")
    return given[1:]


HANDLERS = [append, read]
