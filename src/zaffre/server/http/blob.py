"""Routes of blobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import Response, get, post, put

from zaffre.server.http.body import Content, Pieces, on_disk_thread, pour
from zaffre.server.http.request import Request, WrongContentType
from zaffre.server.store import bundle
from zaffre.server.store.blob import Incoming, sha256_name
from zaffre.server.usecases import blob as usecase

_BUNDLE_TYPE = "application/x-zaffre-bundle"


@dataclass(frozen=True)
class Names:
    """Blobs by their names."""

    sha256: list[str]


@dataclass(frozen=True)
class Missing:
    """The blobs that are not here; the others are kept for a day."""

    missing: list[str]


@dataclass(frozen=True)
class Size:
    """The size of what was stored."""

    size_bytes: int


@dataclass(frozen=True)
class StoredCount:
    """How many blobs were stored."""

    stored: int


@post("/api/v1/blobs/missing", status_code=200, sync_to_thread=True)
def find_missing(data: Names, request: Request) -> Missing:
    """Say which blobs are not here. Those that are stay for a day at least."""
    return Missing(
        usecase.find_missing(
            data.sha256, caller=request.caller, store=request.store, now=datetime.now(UTC)
        )
    )


@put("/api/v1/blobs/{sha256:str}", status_code=201, request_max_body_size=None)
async def put_blob(sha256: str, request: Request) -> Size:
    """Store a body of any size under its SHA-256; 400 blob.hash_mismatch if it has another."""
    sha256_name(sha256)
    incoming: Incoming = await on_disk_thread(request.store.blobs.receive)
    with incoming:
        await pour(request, incoming.write)

        def record() -> None:
            incoming.finish(sha256)
            usecase.record(
                [incoming], caller=request.caller, store=request.store, now=datetime.now(UTC)
            )

        await on_disk_thread(record)
    return Size(incoming.size_bytes)


@get("/api/v1/blobs/{sha256:str}", sync_to_thread=True)
def get_blob(sha256: str, request: Request) -> Response[bytes]:
    """Send a blob, or the range of it that is asked for."""
    file = usecase.open_blob(sha256, caller=request.caller, store=request.store)
    return Content(
        file,
        name=sha256,
        range_header=request.headers.get("range"),
        if_range=request.headers.get("if-range"),
        etag=sha256,
    )


@post("/api/v1/blobs/bundle", status_code=200, request_max_body_size=None)
async def send_bundle(request: Request) -> StoredCount:
    """Store many small blobs: repeated `SHA256 SIZE`, newline, bytes. All or none."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != _BUNDLE_TYPE:
        raise WrongContentType(_BUNDLE_TYPE)
    limit = bundle.BUNDLE_MAX_BYTES + 80 * bundle.BUNDLE_MAX_COUNT
    with bundle.Unpacking(request.store.blobs) as unpacking:
        await pour(request, unpacking.feed, limit_bytes=limit)

        def record() -> int:
            return usecase.record(
                unpacking.finish(),
                caller=request.caller,
                store=request.store,
                now=datetime.now(UTC),
            )

        return StoredCount(await on_disk_thread(record))


@post("/api/v1/blobs/read", status_code=200, sync_to_thread=True)
def read_bundle(data: Names, request: Request) -> Response[bytes]:
    """Send many small blobs as a bundle, in the order asked for."""
    usecase.require_readable(data.sha256, caller=request.caller, store=request.store)
    return Pieces(bundle.pack(request.store.blobs, data.sha256), media_type=_BUNDLE_TYPE)


HANDLERS = [find_missing, put_blob, get_blob, send_bundle, read_bundle]
