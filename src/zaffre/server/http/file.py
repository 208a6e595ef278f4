"""Routes of a run's files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import Response, delete, get, post

from zaffre.contract.snapshot import FileEntry
from zaffre.server.http.body import Content
from zaffre.server.http.log import plain_name
from zaffre.server.http.request import Request
from zaffre.server.usecases import file as usecase
from zaffre.server.usecases.file import RunFile

#: Longest list of files in one request, as JSON.
LIST_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class RunFiles:
    """Files of a run, sorted by name."""

    items: list[RunFile]


@dataclass(frozen=True)
class FileEntries:
    """Files by their names and blobs."""

    items: list[FileEntry]


@get("/api/v1/runs/{run_id:str}/files", sync_to_thread=True)
def find_all(run_id: str, request: Request, prefix: str = "") -> RunFiles:
    """List a run's files, logs included."""
    return RunFiles(usecase.find_all(run_id, prefix, caller=request.caller, store=request.store))


@post(
    "/api/v1/runs/{run_id:str}/files",
    status_code=201,
    sync_to_thread=True,
    request_max_body_size=LIST_MAX_BYTES,
)
def put_files(run_id: str, data: FileEntries, request: Request) -> RunFiles:
    """Add files whose blobs are in the store; 409 blob.missing names those that are not."""
    return RunFiles(
        usecase.put(
            run_id,
            data.items,
            caller=request.caller,
            store=request.store,
            now=datetime.now(UTC),
        )
    )


@get("/api/v1/runs/{run_id:str}/files/{name:path}", sync_to_thread=True)
def read(run_id: str, name: str, request: Request) -> Response[bytes]:
    """Send a file, or the range of it that is asked for."""
    opened = usecase.open_file(run_id, plain_name(name), caller=request.caller, store=request.store)
    return Content(
        opened.file,
        name=opened.name,
        range_header=request.headers.get("range"),
        if_range=request.headers.get("if-range"),
        etag=opened.sha256,
    )


@delete("/api/v1/runs/{run_id:str}/files/{name:path}", sync_to_thread=True)
def remove(run_id: str, name: str, request: Request) -> None:
    """Remove a file from a run."""
    usecase.remove(run_id, plain_name(name), caller=request.caller, store=request.store)


HANDLERS = [find_all, put_files, read, remove]
