"""Uploads: large files that come in parts and become blobs."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from zaffre.contract.errors import Invalid, OffsetConflict
from zaffre.server.access import Caller
from zaffre.server.store import blob as blobs
from zaffre.server.store.store import Store
from zaffre.server.store.upload import Writer
from zaffre.server.usecases import blob

_ID = re.compile(r"[0-9a-f]{32}\Z")


def offset_of(upload_id: str, *, caller: Caller, store: Store) -> tuple[int, bool]:
    """Return how many bytes of an upload are here, and whether a request writes to it now."""
    return store.uploads.offset_of(_name(upload_id, caller))


def begin(upload_id: str, offset: int, *, caller: Caller, store: Store) -> Writer:
    """Return what writes to an upload from `offset` on. Raises OffsetConflict."""
    return store.uploads.claim(_name(upload_id, caller), offset)


def finish(
    upload_id: str,
    sha256: str,
    size_bytes: int,
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> None:
    """Make an upload that is all here the blob `sha256`; a repeat changes nothing.

    Raises OffsetConflict when a part is missing, BlobMismatch, after which nothing of it is here.
    """
    blobs.sha256_name(sha256)
    try:
        with store.uploads.whole(_name(upload_id, caller), size_bytes) as incoming:
            incoming.finish(sha256)
            blob.record([incoming], caller=caller, store=store, now=now)
    except OffsetConflict:
        if blob.find_missing([sha256], caller=caller, store=store, now=now):
            raise


def discard(upload_id: str, *, caller: Caller, store: Store) -> None:
    """End an upload and remove its bytes; harmless if there is none."""
    store.uploads.discard(_name(upload_id, caller))


def _name(upload_id: str, caller: Caller) -> str:
    """Return what an upload is called in the store: nobody else can have it by its id."""
    if not _ID.match(upload_id):
        raise Invalid("upload_id", "must be 32 lower-case hex digits")
    owner = caller.run_id or caller.kind
    return hashlib.sha256(f"{owner}/{upload_id}".encode()).hexdigest()[:32]
