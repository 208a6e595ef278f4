"""Logs: pieces come in by offset and are read while the run lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from zaffre.contract import names
from zaffre.contract.errors import Invalid, NotFound, ZaffreError
from zaffre.server.access import Caller, require
from zaffre.server.store import log as logs
from zaffre.server.store import run_key as run_keys
from zaffre.server.store.database import Transaction
from zaffre.server.store.run_key import RunKey
from zaffre.server.store.store import Store
from zaffre.server.usecases.run_access import require_own

#: Longest piece in one request, bytes.
PIECE_MAX_BYTES = 16 * 1024 * 1024
#: A log may be this much longer than its limit: whoever cuts it says so in it.
_SPARE_BYTES = 1 << 20

#: What a script prints.
SCRIPT_LOG = "user_logs/std_log.txt"
#: v1 had two generations of names for the script's log; each answers for the other.
ALIASES = {
    "azureml-logs/70_driver_log.txt": SCRIPT_LOG,
    SCRIPT_LOG: "azureml-logs/70_driver_log.txt",
}


class LogTooLong(ZaffreError):
    """A log is longer than the server stores of one."""

    code = "log.too_long"
    status = 413

    def __init__(self, name: str, limit_bytes: int) -> None:
        super().__init__(
            f"Log {name!r} would be longer than {limit_bytes} bytes, the server's limit. "
            "Send its head and its tail.",
            facts={"limit_bytes": limit_bytes},
        )


@dataclass(frozen=True)
class Piece:
    """A part of a log: where it starts, its bytes, and the log's size when it was read."""

    offset: int
    content: bytes
    size_bytes: int


def append(
    run_id: str,
    name: str,
    offset: int,
    piece: bytes,
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> int:
    """Add a piece to a log and return its new size.

    Raises OffsetConflict unless `offset` is the log's size: a repeat changes nothing.
    """
    name = names.file_name(name)
    if offset < 0:
        raise Invalid("offset", "must not be negative")
    if len(piece) > PIECE_MAX_BYTES:
        raise Invalid("body", f"at most {PIECE_MAX_BYTES} bytes a piece")
    limit = store.settings.log_max_bytes
    if offset + len(piece) > limit + _SPARE_BYTES:
        raise LogTooLong(name, limit)
    with store.database.reading() as tx:
        run = run_keys.get(tx, run_id)
        require_own(tx, caller, "log.write", run)
        known = logs.has(tx, run.run_key, name)
    if not known:
        with store.database.transaction() as tx:
            logs.put(tx, run.run_key, name, now=now.timestamp())
    size = logs.append(logs.file_path(store.logs_path, run.run_key, name), offset, piece)
    if piece or not known:
        store.hub.publish([f"log:{run_id}"])
    return size


def read(run_id: str, name: str, offset: int, limit: int, *, caller: Caller, store: Store) -> Piece:
    """Return a part of a log, at most `limit` bytes from `offset` on."""
    if offset < 0 or not 1 <= limit <= PIECE_MAX_BYTES:
        raise Invalid("offset", f"from 0 on, and limit from 1 to {PIECE_MAX_BYTES}")
    with store.database.reading() as tx:
        run = run_keys.get(tx, run_id)
        require(caller, "log.read", run.workspace_id)
        found = find_name(tx, run, names.file_name(name))
    if found is None:
        raise NotFound("log", name)
    path = logs.file_path(store.logs_path, run.run_key, found)
    with logs.open_log(path) as file:
        file.seek(offset)
        content = file.read(limit)
    return Piece(offset, content, max(logs.size_of(path), offset + len(content)))


def find_name(tx: Transaction, run: RunKey, name: str) -> str | None:
    """Return the name that a log is stored by, which may be the other generation's."""
    for candidate in (name, ALIASES.get(name)):
        if candidate is not None and logs.has(tx, run.run_key, candidate):
            return candidate
    return None
