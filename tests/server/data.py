"""Sending data to a store without HTTP: blobs, records, entries."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tests.server.conftest import OWNER, World

from zaffre.contract.snapshot import FileEntry
from zaffre.server.access import Caller
from zaffre.server.store.store import Store
from zaffre.server.usecases import blob as blobs
from zaffre.server.usecases.spool import Batch, SpoolWriter, Stored, check


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def upload(store: Store, *contents: bytes, now: datetime, caller: Caller = OWNER) -> list[str]:
    """Put contents into the store; return their names."""
    arrived = []
    for content in contents:
        one = store.blobs.receive()
        one.write(content)
        one.finish(sha256_of(content))
        arrived.append(one)
    blobs.record(arrived, caller=caller, store=store, now=now)
    for one in arrived:
        one.discard()
    return [one.sha256 for one in arrived]


def entry(name: str, content: bytes) -> FileEntry:
    return FileEntry(name, sha256_of(content), len(content))


def line(run_id: str, name: str, **parts: Any) -> bytes:
    """One record as a spool holds it."""
    record = {"run": run_id, "name": name, "kind": "scalar", "at": 1.0, **parts}
    return b"\n" + json.dumps(record).encode() + b"\n"


class Sender:
    """Sends one spool's bytes and keeps its offset."""

    def __init__(
        self, world: World, run_id: str, spool_id: str = "s-1", caller: Caller = OWNER
    ) -> None:
        self.writer = SpoolWriter(world.store.database)
        self.run_id = run_id
        self.spool_id = spool_id
        self.caller = caller
        self.offset = 0

    def send(self, body: bytes) -> Stored:
        stored = self.send_at(self.offset, body)
        self.offset = stored.offset
        return stored

    def send_at(self, offset: int, body: bytes) -> Stored:
        batch = Batch(self.caller, self.run_id, self.spool_id, offset, body)
        check(batch)
        return wait_for_all(self.writer, [batch])[0]


def wait_for_all(writer: SpoolWriter, batches: Iterable[Batch]) -> list[Any]:
    """Put batches all at once; return their outcomes, raising the first refusal of a single one."""
    outcomes: list[tuple[int, Any]] = []
    arrived = threading.Semaphore(0)
    count = 0
    for position, batch in enumerate(batches):

        def answer(outcome: Any, position: int = position) -> None:
            outcomes.append((position, outcome))
            arrived.release()

        writer.put(batch, answer)
        count += 1
    for _ in range(count):
        assert arrived.acquire(timeout=30)
    found = [outcome for _, outcome in sorted(outcomes, key=lambda pair: pair[0])]
    if count == 1 and isinstance(found[0], Exception):
        raise found[0]
    return found
