"""Blobs: which are missing, taking them in, handing them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import BinaryIO

import sqlalchemy as sa

from zaffre.contract.errors import NotFound
from zaffre.server.access import Caller
from zaffre.server.store import blob as blobs
from zaffre.server.store.blob import Arrived
from zaffre.server.store.database import Transaction
from zaffre.server.store.store import Store
from zaffre.server.store.tables import artifacts, blob_uses, runs

#: What is said to be here is kept half as long again as promised, so that asking again at once
#: needs no write.
_SPARE = 1.5


def find_missing(names: Sequence[str], *, caller: Caller, store: Store, now: datetime) -> list[str]:
    """Return which blobs are not here for the caller, and keep those that are for a day."""
    for name in names:
        blobs.sha256_name(name)
    promised = now.timestamp() + store.settings.blob_kept_s
    with store.database.reading() as tx:
        missing = unavailable(tx, names, caller=caller, store=store)
        there = [name for name in names if name not in missing]
        if blobs.kept_until_of(tx, there) >= promised:
            return sorted(missing)
    until = now.timestamp() + store.settings.blob_kept_s * _SPARE
    with store.database.transaction() as tx:
        return sorted(missing | blobs.keep(tx, store.blobs, there, until=until))


def record(arrived: Sequence[Arrived], *, caller: Caller, store: Store, now: datetime) -> int:
    """Store finished uploads, all in one transaction; return how many. Kept for a day."""
    moment = now.timestamp()
    until = moment + store.settings.blob_kept_s * _SPARE
    blobs.place_held(store.blobs, arrived)
    with store.database.transaction() as tx:
        blobs.record(tx, store.blobs, arrived, now=moment, kept_until=until)
    if not caller.is_owner:
        store.sent.add(caller.workspace_id or "", [one.sha256 for one in arrived])
    return len(arrived)


def unavailable(tx: Transaction, names: Iterable[str], *, caller: Caller, store: Store) -> set[str]:
    """Return which of `names` the caller cannot name: they are not here.

    For a run's token also those that its workspace does not use and none of its runs has sent
    lately, since to know a hash is not to have the bytes. To send them again is to show them.
    """
    missing = blobs.find_missing(tx, store.blobs, names)
    if caller.is_owner:
        return missing
    workspace_id = caller.workspace_id or ""
    unsent = store.sent.without(workspace_id, set(names) - missing)
    return missing | (set(unsent) - _used_in(tx, unsent, workspace_id))


def require_readable(names: Sequence[str], *, caller: Caller, store: Store) -> None:
    """Refuse blobs that are not here, or that this run's workspace does not use.

    For a run's token a blob of another workspace is as one that is not there.
    """
    for name in names:
        blobs.sha256_name(name)
    with store.database.reading() as tx:
        there = set(blobs.sizes_of(tx, names))
        if not caller.is_owner:
            there = _used_in(tx, sorted(there), caller.workspace_id or "")
    for name in names:
        if name not in there:
            raise NotFound("blob", name)


def open_blob(name: str, *, caller: Caller, store: Store) -> BinaryIO:
    """Open a blob for reading."""
    require_readable([name], caller=caller, store=store)
    return store.blobs.open(name)


def _used_in(tx: Transaction, names: Sequence[str], workspace_id: str) -> set[str]:
    """Return which blobs a workspace's runs, snapshots and models use."""
    used: set[str] = set()
    # Owners are called WORKSPACE/snapshot/ID and WORKSPACE/model/KEY; '0' comes after '/'.
    of_workspace = sa.and_(
        blob_uses.c.owner >= f"{workspace_id}/", blob_uses.c.owner < f"{workspace_id}0"
    )
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        used.update(
            tx.execute(
                sa.select(artifacts.c.sha256)
                .join(runs, runs.c.run_key == artifacts.c.run_key)
                .where(artifacts.c.sha256.in_(some), runs.c.workspace_id == workspace_id)
            ).scalars()
        )
        used.update(
            tx.execute(
                sa.select(blob_uses.c.sha256).where(blob_uses.c.sha256.in_(some), of_workspace)
            ).scalars()
        )
    return used
