"""Shipping: what processes have logged goes from their spools to the server.

The server stores a batch of records together with the spool's offset, by compare-and-set: a batch
is taken if it starts where the store's copy ends, else the answer (409) says where that is. So a
shipper may forget everything, send twice, or have a rival: each record is stored exactly once.
Only whole lines are sent; what a write was cut off from stays until the next record ends it.

In a submitted run the runner ships; for interactive runs `client.background` does.
"""

from __future__ import annotations

import os
import threading
import time

from zaffre.client.http import ANSWER_TIMEOUT_S
from zaffre.client.spool import spool_files
from zaffre.contract.errors import Refused, ServerUnreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.client.http import Client, Query

#: Longest batch in bytes; the server takes no longer one.
BATCH_MAX_BYTES = 4 << 20
#: A spool up to this size is sent without asking first how far the server has it.
_SEND_UNASKED_BYTES = 64 << 10
_CONFLICTS_MAX = 20


class ShipResult:
    """What one pass did. (No dataclass: importing what makes those takes 8 ms.)

    bytes: how many were stored by it. complete: whether the store has every whole line that was
    there when each file was looked at. problem: a spool that cannot be shipped, in a sentence.
    """

    __slots__ = ("bytes", "complete", "problem")

    def __init__(self, bytes: int, *, complete: bool, problem: str | None = None) -> None:  # noqa: A002
        self.bytes = bytes
        self.complete = complete
        self.problem = problem


class Shipper:
    """Ships the spools of one folder to one run. Safe to use from threads and through a fork."""

    def __init__(self, client: Client, run_id: str, folder: str) -> None:
        self.client = client
        self.run_id = run_id
        self.folder = folder
        self._stored: dict[str, int] = {}
        self._turn = threading.Lock()
        self._pid = os.getpid()

    def ship(self, *, client: Client | None = None, patience_s: float | None = None) -> ShipResult:
        """Send everything that the folder holds now, in one pass.

        client: instead of the shipper's own. patience_s: how long all of it may take when the
        server answers late or not at all; as the client has it if None.

        Raises ServerUnreachable, or Refused when the server takes nothing (no such run, disk
        full): what is not stored stays in the files.
        """
        return self._ship(spool_files(self.folder), client or self.client, patience_s)

    def ship_one(self, spool_id: str, path: str) -> ShipResult:
        """Send everything that one spool holds now. Raises as `ship` does."""
        return self._ship([(spool_id, path)], self.client, None)

    def _ship(
        self, spools: list[tuple[str, str]], client: Client, patience_s: float | None
    ) -> ShipResult:
        patience = _Patience(client, patience_s)
        turn = self._lock()
        if not turn.acquire(timeout=patience.left_s()):
            return ShipResult(0, complete=False)
        try:
            sent_bytes, complete, problem = 0, True, None
            for spool_id, path in spools:
                try:
                    one = self._ship_spool(spool_id, path, patience)
                except OSError as failure:
                    # One that cannot be read keeps none of the others.
                    one = ShipResult(0, complete=False, problem=_unreadable(path, failure))
                sent_bytes += one.bytes
                complete = complete and one.complete
                problem = problem or one.problem
            return ShipResult(sent_bytes, complete=complete, problem=problem)
        finally:
            turn.release()

    def flush(self, timeout_s: float = 60.0) -> bool:
        """Say whether the store has, within `timeout_s`, all that was logged before this call.

        Raises Refused when the server takes nothing from this run.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            left_s = max(0.0, deadline - time.monotonic())
            result = self._ship_or_give_up(left_s)
            if result.complete or result.problem or time.monotonic() >= deadline:
                return result.complete

    def _ship_or_give_up(self, patience_s: float) -> ShipResult:
        try:
            return self.ship(patience_s=patience_s)
        except ServerUnreachable as problem:
            return ShipResult(0, complete=False, problem=problem.message)

    def has_news(self) -> bool:
        """Say whether a spool has grown since it was shipped. Asks the disk only."""
        return bool(self.find_grown())

    def find_grown(self) -> list[tuple[str, str]]:
        """Return (spool_id, path) of the spools that have grown since. Asks the disk only."""
        grown: list[tuple[str, str]] = []
        for spool_id, path in spool_files(self.folder):
            try:
                if os.stat(path).st_size > self._stored.get(spool_id, 0):
                    grown.append((spool_id, path))
            except FileNotFoundError:
                continue  # removed by a sync meanwhile
        return grown

    def _lock(self) -> threading.Lock:
        if self._pid != os.getpid():
            # In a forked child the lock may be held by a thread that is not there.
            self._turn, self._pid = threading.Lock(), os.getpid()
        return self._turn

    def _ship_spool(self, spool_id: str, path: str, patience: _Patience) -> ShipResult:
        url = f"/runs/{self.run_id}/spools/{spool_id}"
        try:
            file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115
        except FileNotFoundError:
            return ShipResult(0, complete=True)
        with file:
            goal = os.fstat(file.fileno()).st_size
            offset = self._stored.get(spool_id)
            if offset is None:
                offset = 0
                if goal > _SEND_UNASKED_BYTES:
                    offset = patience.ask("GET", url)["offset"]
            sent_bytes, conflicts = 0, 0
            while offset < goal:
                file.seek(offset)
                data = file.read(BATCH_MAX_BYTES)
                lines = data[: data.rfind(b"\n") + 1]
                if not lines:
                    # The half of a record that a kill left, or one that is just being written.
                    whole = len(data) < BATCH_MAX_BYTES
                    problem = None if whole else _no_lines(path)
                    return ShipResult(sent_bytes, complete=whole, problem=problem)
                try:
                    answer = patience.ask(
                        "POST",
                        f"{url}/batches",
                        body=lines,
                        query={"from_offset": offset},
                        headers={"Content-Type": "application/x-ndjson"},
                    )
                    sent_bytes += len(lines)
                    offset = int(answer["offset"])
                except Refused as refusal:
                    conflicts += 1
                    if refusal.code != "offset.conflict" or conflicts > _CONFLICTS_MAX:
                        raise
                    # The answer to an earlier batch was lost, or another shipper was here.
                    offset = int(str(refusal.facts["offset"]))
                self._stored[spool_id] = offset
            size = os.fstat(file.fileno()).st_size
            if offset > size:
                return ShipResult(sent_bytes, complete=False, problem=_ahead(path, offset, size))
            return ShipResult(sent_bytes, complete=True)


class _Patience:
    """Requests that share one deadline, if there is one."""

    def __init__(self, client: Client, patience_s: float | None) -> None:
        self._client = client
        self._deadline = None if patience_s is None else time.monotonic() + patience_s

    def left_s(self) -> float:
        """Return how long may be waited, -1 for ever."""
        return -1.0 if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        query: Query | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Send one request within the time that is left, but give its answer a second at least."""
        retry_s, timeout_s = None, ANSWER_TIMEOUT_S
        if self._deadline is not None:
            retry_s = self.left_s()
            timeout_s = min(timeout_s, max(1.0, retry_s))
        return self._client.request(
            method,
            path,
            body=body,
            query=query,
            headers=headers,
            timeout_s=timeout_s,
            retry_s=retry_s,
        )


def _open_at_once(path: str, flags: int) -> int:
    """Open a file; what a script has put in its place (a pipe) must not be waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


def _unreadable(path: str, problem: OSError) -> str:
    return f"{path} cannot be read: {problem.strerror or problem}."


def _ahead(path: str, offset: int, size: int) -> str:
    return (
        f"The server has {offset:,} bytes of {path}, which has only {size:,}: it is not the file "
        "that was shipped. Nothing of it is sent."
    )


def _no_lines(path: str) -> str:
    return f"{path} holds no line end within {BATCH_MAX_BYTES:,} bytes, so it is no spool."
