"""Snapshots: a manifest of files whose blobs are here becomes one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from zaffre.contract.errors import Invalid
from zaffre.contract.snapshot import FileEntry, Snapshot, snapshot_id
from zaffre.server.access import Caller, require
from zaffre.server.store import blob as blobs
from zaffre.server.store import snapshot as snapshots
from zaffre.server.store import workspace as workspaces
from zaffre.server.store.bundle import BUNDLE_MAX_COUNT, pack
from zaffre.server.store.store import Store
from zaffre.server.usecases.file import check_entries, require_there


def put(
    workspace_id: str,
    entries: Sequence[FileEntry],
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> str:
    """Store a snapshot and return its id; storing it again changes nothing.

    Raises BlobsMissing naming the blobs that must be sent first. When it returns, the files
    survive power loss; the record does so with the next durable commit, which is the run's.
    """
    require(caller, "snapshot.create", workspace_id)
    snapshot = _make(entries)
    limit = store.settings.snapshot_max_bytes
    total = sum(file.size_bytes for file in snapshot.files)
    if limit and total > limit:
        largest = sorted(snapshot.files, key=lambda f: -f.size_bytes)[:5]
        shown = ", ".join(f"{file.name} ({file.size_bytes} bytes)" for file in largest)
        raise Invalid("files", f"have {total} bytes, at most {limit}; the largest are {shown}")
    sizes = require_there(snapshot.files, caller=caller, store=store)
    with store.database.reading() as tx:
        workspaces.get(tx, workspace_id)
        # One that was sent long ago is stored again: who is told that it is here has a while.
        since = now.timestamp() - store.settings.blob_kept_s / 2
        if snapshots.has(tx, workspace_id, snapshot.snapshot_id, since=since):
            return snapshot.snapshot_id
    store.blobs.sync(sizes)
    with store.database.transaction() as tx:
        blobs.use(tx, store.blobs, sizes)
        store.blobs.sync(sizes)  # sent again since: nothing to do but in that case
        snapshots.put(tx, workspace_id, snapshot, now=now.timestamp())
    return snapshot.snapshot_id


def get(workspace_id: str, wanted: str, *, caller: Caller, store: Store) -> Snapshot:
    """Return a snapshot with its files."""
    require(caller, "snapshot.read", workspace_id)
    with store.database.reading() as tx:
        return snapshots.get(tx, workspace_id, wanted)


def get_content(
    workspace_id: str, wanted: str, *, max_bytes: int, caller: Caller, store: Store
) -> tuple[Snapshot, bytes]:
    """Return a snapshot and the bundle of its files' blobs, an empty one if they are larger.

    For a small snapshot one request instead of two: a run's start waits for it.
    """
    snapshot = get(workspace_id, wanted, caller=caller, store=store)
    # What a snapshot of the workspace holds may be read, so no blob is looked up by itself.
    return snapshot, bundle_of(snapshot, store, max_bytes=max_bytes)


def bundle_of(snapshot: Snapshot, store: Store, *, max_bytes: int) -> bytes:
    """Return the bundle of a snapshot's blobs, an empty one if they are larger. Raises NotFound."""
    sizes = {file.sha256: file.size_bytes for file in snapshot.files}
    if sum(sizes.values()) > max_bytes or len(sizes) > BUNDLE_MAX_COUNT:
        return b""
    return b"".join(pack(store.blobs, [name for name, size in sizes.items() if size]))


def _make(entries: Sequence[FileEntry]) -> Snapshot:
    files = sorted(check_entries(entries, "files"), key=lambda file: file.name)
    folders: set[str] = set()
    seen: set[str] = set()
    for file in files:
        if file.name in seen:
            raise Invalid("files", f"name {file.name!r} twice")
        seen.add(file.name)
        parent = file.name.rpartition("/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    both = sorted(folders & seen)
    if both:
        raise Invalid("files", f"{both[0]!r} is a file and a folder")
    return Snapshot(snapshot_id(files), tuple(files))
