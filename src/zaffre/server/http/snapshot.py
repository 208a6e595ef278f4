"""Routes of snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from litestar import Response, get, post

from zaffre.contract.errors import Invalid
from zaffre.contract.snapshot import FileEntry, Snapshot
from zaffre.server.http.file import LIST_MAX_BYTES
from zaffre.server.http.request import Request
from zaffre.server.usecases import snapshot as usecase

#: Largest content that is sent in one answer, bytes.
CONTENT_MAX_BYTES = 8 << 20


@dataclass(frozen=True)
class SnapshotRequest:
    """The files of a snapshot."""

    files: list[FileEntry]


@dataclass(frozen=True)
class SnapshotId:
    """The id of a stored snapshot."""

    snapshot_id: str


@post(
    "/api/v1/workspaces/{workspace_id:str}/snapshots",
    status_code=201,
    sync_to_thread=True,
    request_max_body_size=LIST_MAX_BYTES,
)
def put_snapshot(workspace_id: str, data: SnapshotRequest, request: Request) -> SnapshotId:
    """Store a snapshot; 409 blob.missing names the blobs that must be sent first."""
    return SnapshotId(
        usecase.put(
            workspace_id,
            data.files,
            caller=request.caller,
            store=request.store,
            now=datetime.now(UTC),
        )
    )


@get("/api/v1/workspaces/{workspace_id:str}/snapshots/{snapshot_id:str}", sync_to_thread=True)
def get_snapshot(workspace_id: str, snapshot_id: str, request: Request) -> Snapshot:
    """Return a snapshot with its files."""
    return usecase.get(workspace_id, snapshot_id, caller=request.caller, store=request.store)


@get(
    "/api/v1/workspaces/{workspace_id:str}/snapshots/{snapshot_id:str}/content",
    sync_to_thread=True,
)
def get_content(
    workspace_id: str, snapshot_id: str, request: Request, max_bytes: int = CONTENT_MAX_BYTES
) -> Response[bytes]:
    """Send a small snapshot whole: one line of JSON as above, then its blobs as a bundle.

    The bundle is missing when the files have more than `max_bytes` together, at most 8 MiB.
    """
    if not 0 <= max_bytes <= CONTENT_MAX_BYTES:
        raise Invalid("max_bytes", f"must be from 0 to {CONTENT_MAX_BYTES}")
    snapshot, content = usecase.get_content(
        workspace_id,
        snapshot_id,
        max_bytes=max_bytes,
        caller=request.caller,
        store=request.store,
    )
    line = msgspec.json.encode(snapshot)
    return Response(line + b"\n" + content, media_type="application/x-zaffre-snapshot")


HANDLERS = [put_snapshot, get_snapshot, get_content]
