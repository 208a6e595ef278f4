"""Collecting garbage: blobs that no run, snapshot or model names any more."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy.exc

from zaffre.server.access import Caller, require_owner
from zaffre.server.store import garbage
from zaffre.server.store import snapshot as snapshots
from zaffre.server.store.blob import STALE_TMP_S
from zaffre.server.store.store import Store
from zaffre.server.usecases import removal

#: Blobs in one transaction: others write between two.
_SLICE = 200


@dataclass(frozen=True)
class Collected:
    """What a collection has removed."""

    removed_count: int
    removed_bytes: int


def collect_now(*, force: bool, caller: Caller, store: Store, now: datetime) -> Collected:
    """Collect garbage. The owner's token only."""
    require_owner(caller, "garbage.collect")
    return collect(force=force, store=store, now=now)


def collect(*, force: bool, store: Store, now: datetime) -> Collected:
    """Remove what was deleted, snapshots that no run names, blobs that nothing names.

    force: promises of the last day ("this is here") do not count; a client that relies on one is
    told that it is missing, and sends it again. When the server stops, the collection ends after
    the batch that it is at, and the next one goes on.
    """
    moment = now.timestamp()
    before = float("inf") if force else moment
    removal.remove_due(store=store, now=now)
    with store.database.transaction() as tx:
        snapshots.remove_unnamed(
            tx, before=before if force else moment - store.settings.blob_kept_s
        )
    _adopt_orphans(store, moment)
    with store.database.reading() as tx:
        found = garbage.find_unused(tx, before=before)
    for names in _batches(found, store):
        with store.database.transaction() as tx:
            garbage.mark(tx, names, before=before, now=moment)
    count = size = 0
    for names in _batches(found, store):
        with store.database.transaction() as tx:
            removed = garbage.remove(tx, store.blobs, names)
        count += len(removed)
        size += sum(one.size_bytes for one in removed)
        for one in removed:
            if one.aside is not None:
                one.aside.unlink(missing_ok=True)
    for path in store.blobs.stray():
        path.unlink(missing_ok=True)
    store.uploads.forget_removed()
    return Collected(count, size)


def _adopt_orphans(store: Store, now: float) -> None:
    """Give files that have no row one, if they are old enough not to be on their way in."""
    old: list[str] = []
    border = time.time() - STALE_TMP_S
    for name in store.blobs.names():
        if store.hub.closing:
            return
        with contextlib.suppress(FileNotFoundError):
            if store.blobs.file_path(name).stat().st_mtime < border:
                old.append(name)
    for names in _batches(sorted(old), store):
        # Another server may adopt, or a client send, the same one at this moment.
        with (
            contextlib.suppress(sqlalchemy.exc.IntegrityError),
            store.database.transaction() as tx,
        ):
            garbage.add_orphans(tx, names, store.blobs, now=now)


def _batches(names: Sequence[str], store: Store) -> Iterator[Sequence[str]]:
    """Yield `names` in parts until the server stops."""
    for start in range(0, len(names), _SLICE):
        if store.hub.closing:
            return
        yield names[start : start + _SLICE]
