"""Sending one large file: hashed while it is on its way, and sent on from where a cut left it.

A thread reads and hashes the file; the caller's sends it at the same time, without knowing yet
whether the server has it. When the hash is known first, as it is on all but the fastest ways, the
server is asked, and what it has is sent no further. The server keeps what has come under an id
made of the file's place and state, so that after a cut, or in another process that sends the same
file, only the rest is sent. The server hashes too: bytes are never stored under another's hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from typing import TYPE_CHECKING, Callable, Iterator

from zaffre.client.transport import Upload
from zaffre.contract.errors import Refused, ServerUnreachable

if TYPE_CHECKING:
    from zaffre.client.http import Client

#: How much must be left to be sent for asking whether the server has it already, bytes.
ASKED_FROM_BYTES = 8 << 20
_CHUNK_BYTES = 1 << 20
#: How many attempts in a row may bring nothing.
_FRUITLESS_MAX = 5
#: Pauses in which the server may notice that a connection has ended, seconds.
_SETTLING_S = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


class Changed(Exception):
    """The file is not any more what it was when it was opened."""


class _There(Exception):
    """The server has the file already."""


def send_file(
    client: Client, path: str, seen: os.stat_result, on_bytes: Callable[[int], None]
) -> str:
    """Make sure that the server has a file's content; return its SHA-256.

    seen: the file's state. on_bytes: called with how many more bytes are done.

    Raises Changed when the file has another state before its end, OSError when it cannot be read,
    Refused, ServerUnreachable.
    """
    hashing = _Hashing(path, seen)
    try:
        sending = _Sending(client, path, seen, hashing, on_bytes)
        return sending.run(*sending.find_begun())
    finally:
        hashing.stop()


def send_missing(
    client: Client,
    path: str,
    seen: os.stat_result,
    sha256: str,
    on_bytes: Callable[[int], None],
) -> None:
    """Send a file whose hash is known and that the server lacks. Raises as `send_file` does."""
    _Sending(client, path, seen, _Hashed(sha256), on_bytes).run(_new_id(), 0)


def is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """Say whether a file still is what it was; a file that was replaced has another inode."""
    return (one.st_ino, one.st_dev, one.st_size, one.st_mtime_ns) == (
        other.st_ino,
        other.st_dev,
        other.st_size,
        other.st_mtime_ns,
    )


def read_chunks(path: str, seen: os.stat_result, offset: int) -> Iterator[bytes]:
    """Yield a file from `offset` on. Raises Changed unless it is as it was seen to its end."""
    with open(path, "rb", buffering=0) as file:
        file.seek(offset)
        while True:
            # One byte more shows that it grows. (To ask for a megabyte takes longer than to read.)
            chunk = file.read(min(_CHUNK_BYTES, seen.st_size - offset + 1))
            offset += len(chunk)
            at_end = offset >= seen.st_size
            if (at_end or not chunk) and not is_same(seen, os.fstat(file.fileno())):
                raise Changed
            if chunk:
                yield chunk
            if at_end or not chunk:
                return


class _Hashed:
    """A file's hash that was known beforehand; the server has been asked about it."""

    is_news = False

    def __init__(self, sha256: str) -> None:
        self._sha256 = sha256

    def result(self) -> str:
        return self._sha256


class _Hashing:
    """Hashes a file in a thread of its own."""

    def __init__(self, path: str, seen: os.stat_result) -> None:
        self._path = path
        self._seen = seen
        self._state = hashlib.sha256()
        self._failure: BaseException | None = None
        self._stopped = False
        self._told = False
        self._thread = threading.Thread(target=self._run, name="zaffre-hashing", daemon=True)
        self._thread.start()

    @property
    def is_news(self) -> bool:
        """Whether the hash has become known since this was last asked."""
        if self._told or self._thread.is_alive():
            return False
        self._told = True
        return True

    def result(self) -> str:
        """Wait for the hash. Raises Changed, OSError."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return self._state.hexdigest()

    def stop(self) -> None:
        """Hash no further."""
        self._stopped = True
        self._thread.join()

    def _run(self) -> None:
        try:
            for chunk in read_chunks(self._path, self._seen, 0):
                if self._stopped:
                    return
                self._state.update(chunk)
        except BaseException as failure:
            self._failure = failure


class _Sending:
    """One file on its way."""

    def __init__(
        self,
        client: Client,
        path: str,
        seen: os.stat_result,
        hashing: _Hashing | _Hashed,
        on_bytes: Callable[[int], None],
    ) -> None:
        self._client = client
        self._path = path
        self._seen = seen
        self._hashing = hashing
        self._on_bytes = on_bytes
        self._told = 0

    def find_begun(self) -> tuple[str, int]:
        """Return the id of the upload of this file in this state, and how much has come of it."""
        upload_id = _id_of(self._path, self._seen)
        offset, active = self._find_offset(upload_id)
        if active or offset > self._seen.st_size:
            return _new_id(), 0  # another process sends this very file
        return upload_id, offset

    def run(self, upload_id: str, offset: int) -> str:
        """Send the file from `offset` on; return its hash."""
        fruitless = 0
        while True:
            before = offset
            try:
                if offset < self._seen.st_size:
                    self._send_from(upload_id, offset)
                return self._finish(upload_id)
            except _There:
                self._discard(upload_id)
                self._tell(self._seen.st_size)
                return self._hashing.result()
            except (Changed, OSError):
                self._discard(upload_id)
                raise
            except ServerUnreachable:
                offset, _ = self._find_offset(upload_id)
            except Refused as refusal:
                if refusal.code == "blob.hash_mismatch":
                    raise Changed from refusal
                if refusal.code == "offset.conflict":
                    offset = int(str(refusal.facts["offset"]))
                elif refusal.code == "upload.taken_over":
                    upload_id, offset = _new_id(), 0
                else:
                    raise
            fruitless = 0 if offset > before else fruitless + 1
            if fruitless > _FRUITLESS_MAX:
                raise ServerUnreachable(
                    self._client.locator.name(), "an upload is cut off each time"
                )

    def _find_offset(self, upload_id: str) -> tuple[int, bool]:
        """Return how much has come, and whether a request writes to it.

        What was on its way when a connection ended is waited for, but not for long.
        """
        offset, active = 0, True
        for pause_s in _SETTLING_S:
            time.sleep(pause_s)
            answer = self._client.request("GET", f"/uploads/{upload_id}")
            offset, active = answer["offset"], answer["active"]
            if not active:
                break
        return offset, active

    def _send_from(self, upload_id: str, offset: int) -> None:
        self._tell(offset)
        self._client.request(
            "PUT",
            f"/uploads/{upload_id}",
            query={"offset": offset},
            body=Upload(lambda: self._chunks(offset), self._seen.st_size - offset),
            headers={"Content-Type": "application/octet-stream"},
            retry_s=0,
        )

    def _chunks(self, offset: int) -> Iterator[bytes]:
        for chunk in read_chunks(self._path, self._seen, offset):
            if self._hashing.is_news and self._seen.st_size - offset >= ASKED_FROM_BYTES:
                asked = {"sha256": [self._hashing.result()]}
                if not self._client.request("POST", "/blobs/missing", json=asked)["missing"]:
                    raise _There
            yield chunk
            offset += len(chunk)
            self._tell(offset)

    def _finish(self, upload_id: str) -> str:
        sha256 = self._hashing.result()
        whole = {"sha256": sha256, "size_bytes": self._seen.st_size}
        self._client.request("POST", f"/uploads/{upload_id}/finish", json=whole)
        return sha256

    def _discard(self, upload_id: str) -> None:
        """Have the server forget what has come; it does so by itself within a day."""
        with contextlib.suppress(Refused, ServerUnreachable):
            self._client.request("DELETE", f"/uploads/{upload_id}", retry_s=0)

    def _tell(self, done: int) -> None:
        """Tell of progress, which does not go back when a part is sent again."""
        if done > self._told:
            self._on_bytes(done - self._told)
            self._told = done


def _new_id() -> str:
    return os.urandom(16).hex()


def _id_of(path: str, seen: os.stat_result) -> str:
    """Return the id of a file's upload: the same for the same state of the same file."""
    import socket

    place = (socket.gethostname(), os.path.realpath(path), seen.st_dev, seen.st_ino)
    state = (*place, seen.st_size, seen.st_mtime_ns)
    return hashlib.sha256(repr(state).encode("utf-8", "surrogateescape")).hexdigest()[:32]
