"""Files of a run: its artifacts and its logs under one set of names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from zaffre.contract import names
from zaffre.contract.errors import BlobsMissing, Invalid, NotFound
from zaffre.contract.run import RunState, is_final
from zaffre.contract.snapshot import FileEntry
from zaffre.server.access import Caller, require
from zaffre.server.store import blob as blobs
from zaffre.server.store import file as files
from zaffre.server.store import log as logs
from zaffre.server.store import run_key as run_keys
from zaffre.server.store.database import Transaction
from zaffre.server.store.run_key import RunKey
from zaffre.server.store.store import Store
from zaffre.server.usecases.blob import unavailable
from zaffre.server.usecases.log import ALIASES
from zaffre.server.usecases.run_access import require_own, require_related

#: Most files in one request.
FILES_MAX = 200_000


@dataclass(frozen=True)
class RunFile:
    """One file of a run. live: a log whose run has not ended. sha256: None for logs."""

    name: str
    size_bytes: int
    sha256: str | None
    created_at: datetime
    live: bool


@dataclass(frozen=True)
class OpenFile:
    """A file opened for reading. sha256: None for logs, which may still grow."""

    name: str
    file: BinaryIO
    sha256: str | None


def check_entries(entries: Sequence[FileEntry], field: str) -> tuple[FileEntry, ...]:
    """Return entries whose names, hashes and sizes can be stored, or raise Invalid.

    A name must be given in its one form, so that what is stored under it is found under it.
    """
    if len(entries) > FILES_MAX:
        raise Invalid(field, f"has {len(entries)} files, at most {FILES_MAX}")
    sizes: dict[str, int] = {}
    for position, entry in enumerate(entries):
        where = f"{field}[{position}]"
        if names.file_name(entry.name) != entry.name:
            form = names.file_name(entry.name)
            raise Invalid(f"{where}.name", f"{entry.name!r} must be written {form!r}")
        blobs.sha256_name(entry.sha256, f"{where}.sha256")
        if not 0 <= entry.size_bytes < 2**63:
            raise Invalid(f"{where}.size_bytes", "must not be negative")
        if sizes.setdefault(entry.sha256, entry.size_bytes) != entry.size_bytes:
            raise Invalid(f"{where}.size_bytes", "differs from another file of that sha256")
    return tuple(entries)


def require_there(entries: Sequence[FileEntry], *, caller: Caller, store: Store) -> dict[str, int]:
    """Return blob to size of `entries`; raise BlobsMissing for bytes that the caller must send.

    This looks at the files, without a lock; the transaction that names them calls `blobs.use`.
    """
    sizes = files.sizes(entries)
    with store.database.reading() as tx:
        missing = unavailable(tx, sizes, caller=caller, store=store)
    if missing:
        raise BlobsMissing(sorted(missing))
    return sizes


def put(
    run_id: str,
    entries: Sequence[FileEntry],
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> list[RunFile]:
    """Let names of a run's files point to blobs that are in the store. The last one wins."""
    check_entries(entries, "items")
    sizes = require_there(entries, caller=caller, store=store)
    with store.database.transaction() as tx:
        run = run_keys.get(tx, run_id)
        require_related(tx, caller, "file.write", run)
        blobs.use(tx, store.blobs, sizes)
        files.put(tx, run.run_key, entries, now=now.timestamp())
        tx.notify(f"file:{run_id}")
    return [RunFile(e.name, e.size_bytes, e.sha256, now, live=False) for e in entries]


def find_all(run_id: str, prefix: str, *, caller: Caller, store: Store) -> list[RunFile]:
    """Return a run's files whose names begin with `prefix`, sorted by name."""
    with store.database.reading() as tx:
        run = run_keys.get(tx, run_id)
        require(caller, "file.read", run.workspace_id)
        artifacts = files.find_all(tx, run.run_key, prefix)
        grown = logs.find_all(tx, run.run_key)
    live = not is_final(RunState(run.state))
    found = {
        log.name: RunFile(
            log.name,
            logs.size_of(logs.file_path(store.logs_path, run.run_key, log.name)),
            None,
            _time(log.created_at),
            live,
        )
        for log in grown
        if log.name.startswith(prefix)
    }
    for one in artifacts:
        found[one.name] = RunFile(
            one.name, one.size_bytes, one.sha256, _time(one.created_at), live=False
        )
    return [found[name] for name in sorted(found)]


def open_file(run_id: str, name: str, *, caller: Caller, store: Store) -> OpenFile:
    """Open a run's file: an artifact, else a log; else the other generation's name of it."""
    with store.database.reading() as tx:
        run = run_keys.get(tx, run_id)
        require(caller, "file.read", run.workspace_id)
        wanted = names.file_name(name)
        for candidate in (wanted, ALIASES.get(wanted)):
            opened = _open(tx, run, candidate, store) if candidate is not None else None
            if opened is not None:
                return opened
    raise NotFound("file", wanted, "The run's list of files shows what there is.")


def remove(run_id: str, name: str, *, caller: Caller, store: Store) -> None:
    """Remove an artifact from a run. Its bytes go with the next collection of garbage."""
    with store.database.transaction() as tx:
        run = run_keys.get(tx, run_id)
        require_own(tx, caller, "file.remove", run)
        if not files.remove(tx, run.run_key, names.file_name(name)):
            raise NotFound("file", name)


def _open(tx: Transaction, run: RunKey, name: str, store: Store) -> OpenFile | None:
    artifact = files.find(tx, run.run_key, name)
    if artifact is not None:
        return OpenFile(name, store.blobs.open(artifact.sha256), artifact.sha256)
    if logs.has(tx, run.run_key, name):
        path = logs.file_path(store.logs_path, run.run_key, name)
        return OpenFile(name, logs.open_log(path), None)
    return None


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
