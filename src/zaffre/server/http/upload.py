"""Routes of uploads: large files that come in parts."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import delete, get, post, put

from zaffre.contract.errors import Invalid, UploadTakenOver
from zaffre.server.http.blob import Size
from zaffre.server.http.body import on_disk_thread, pour
from zaffre.server.http.request import Request
from zaffre.server.store.upload import Writer
from zaffre.server.usecases import upload as usecase


@dataclass(frozen=True)
class UploadOffset:
    """How much of an upload is here. active: a request writes to it at this moment."""

    offset: int
    active: bool


@dataclass(frozen=True)
class Whole:
    """What an upload that has ended must be."""

    sha256: str
    size_bytes: int


@get("/api/v1/uploads/{upload_id:str}", sync_to_thread=True)
def get_offset(upload_id: str, request: Request) -> UploadOffset:
    """Say how much of an upload is here: 0 bytes of one that is not known."""
    return UploadOffset(*usecase.offset_of(upload_id, caller=request.caller, store=request.store))


@put("/api/v1/uploads/{upload_id:str}", status_code=200, request_max_body_size=None)
async def put_part(upload_id: str, offset: int, request: Request) -> UploadOffset:
    """Take a file's bytes from `offset` on. What has come when a connection ends is kept for a day.

    409 offset.conflict with `facts.offset` when another number of bytes is here.
    409 upload.taken_over when another request for the same upload has come meanwhile.
    """
    if offset < 0:
        raise Invalid("offset", "must not be negative")
    begin = functools.partial(
        usecase.begin, upload_id, offset, caller=request.caller, store=request.store
    )
    writer: Writer = await on_disk_thread(begin)
    try:
        await pour(request, writer.write)
    finally:
        here = writer.close()
    if here is None:
        raise UploadTakenOver
    return UploadOffset(here, active=False)


@post("/api/v1/uploads/{upload_id:str}/finish", status_code=201)
async def finish(upload_id: str, data: Whole, request: Request) -> Size:
    """Make an upload a blob; 400 blob.hash_mismatch, and then nothing of it is kept."""
    work = functools.partial(
        usecase.finish,
        upload_id,
        data.sha256,
        data.size_bytes,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )
    await on_disk_thread(work)
    return Size(data.size_bytes)


@delete("/api/v1/uploads/{upload_id:str}")
async def discard(upload_id: str, request: Request) -> None:
    """End an upload and remove what is here of it."""
    work = functools.partial(usecase.discard, upload_id, caller=request.caller, store=request.store)
    await on_disk_thread(work)


HANDLERS = [get_offset, put_part, finish, discard]
