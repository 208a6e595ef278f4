"""Uploads: large files on their way in, which survive cut connections.

A client gives its upload an id and sends the file's bytes from an offset on, in as many requests
as it takes; what has come stays in tmp/. A request takes its upload over from an older one, whose
last bytes may still be on their way on a connection that the client has given up. The running hash
is kept in memory; after a restart of the server what lies in tmp/ is hashed again. Who does not
come back within a day starts anew: `loops.garbage` removes what lies there.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from zaffre.contract.errors import OffsetConflict, UploadTakenOver
from zaffre.server.store.blob import BlobFolder, BlobMismatch, Incoming


class _Upload:
    """One upload. lock: held by who changes the rest. writer: the request that may write."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.incoming: Incoming | None = None
        self.writer: Writer | None = None


class Uploads:
    """All uploads that have begun, by name; safe to use from threads."""

    def __init__(self, folder: BlobFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._begun: dict[str, _Upload] = {}

    def offset_of(self, name: str) -> tuple[int, bool]:
        """Return how many bytes of an upload are here, and whether a request writes to it now."""
        upload = self._begun.get(name)
        active = upload is not None and upload.writer is not None
        return self._folder.received_bytes(name), active

    def claim(self, name: str, offset: int) -> Writer:
        """Return what writes to an upload from `offset` on, in place of who wrote to it before.

        Raises OffsetConflict when another number of bytes is here, StoreFull.
        """
        with self._held(name) as upload:
            here = self._folder.received_bytes(name)
            if here == offset:
                here = self._have(name, upload).size_bytes
            if here != offset:
                raise OffsetConflict("The upload", offset=here)
            upload.writer = Writer(self, name, upload)
            return upload.writer

    @contextlib.contextmanager
    def whole(self, name: str, size_bytes: int) -> Iterator[Incoming]:
        """Have an upload that is all here for oneself; it ends with the block.

        Raises OffsetConflict when another number of bytes is here. It goes on then, and when the
        block raises anything but BlobMismatch.
        """
        with self._held(name) as upload:
            here = self._folder.received_bytes(name)
            if here != size_bytes:
                raise OffsetConflict("The upload", offset=here)
            incoming = self._have(name, upload)
            try:
                yield incoming
            except BlobMismatch:
                self.give_up(name, upload)
                raise
            incoming.discard()
            self._forget(name, upload)

    def discard(self, name: str) -> None:
        """End an upload and remove its bytes; harmless if there is none."""
        with self._held(name) as upload:
            self.give_up(name, upload)

    def give_up(self, name: str, upload: _Upload) -> None:
        """As `discard`, for who holds the upload's lock."""
        if upload.incoming is not None:
            upload.incoming.discard()
        self._folder.incoming_path(name).unlink(missing_ok=True)
        self._forget(name, upload)

    def forget_removed(self) -> None:
        """Forget uploads whose bytes have been removed from tmp/."""
        for name in list(self._begun):
            with self._held(name) as upload:
                if upload.writer is None and not self._folder.incoming_path(name).exists():
                    self._forget(name, upload)

    @contextlib.contextmanager
    def _held(self, name: str) -> Iterator[_Upload]:
        """Hold the lock of an upload; it is a new one if none has begun."""
        while True:
            with self._lock:
                upload = self._begun.setdefault(name, _Upload())
            with upload.lock:
                if self._begun.get(name) is not upload:
                    continue  # it has ended while we waited
                try:
                    yield upload
                finally:
                    if upload.incoming is None:
                        self._forget(name, upload)
                return

    def _have(self, name: str, upload: _Upload) -> Incoming:
        """Return what has come of an upload, hashed again if that is not known any more."""
        if upload.incoming is None or not upload.incoming.go_on():
            upload.incoming = self._folder.receive_on(name)
        return upload.incoming

    def _forget(self, name: str, upload: _Upload) -> None:
        upload.incoming = upload.writer = None
        self._begun.pop(name, None)


class Writer:
    """One request's right to write to an upload, until another one takes it over."""

    def __init__(self, uploads: Uploads, name: str, upload: _Upload) -> None:
        self._uploads = uploads
        self._name = name
        self._upload = upload

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Add bytes. Raises UploadTakenOver; StoreFull or OSError, and then nothing is kept."""
        with self._upload.lock:
            incoming = self._upload.incoming
            if self._upload.writer is not self or incoming is None:
                raise UploadTakenOver
            try:
                incoming.write(chunk)
            except BaseException:
                self._uploads.give_up(self._name, self._upload)
                raise

    def close(self) -> int | None:
        """Write no more; return how many bytes are here now, None if another has taken over."""
        with self._upload.lock:
            if self._upload.writer is not self or self._upload.incoming is None:
                return None
            self._upload.writer = None
            self._upload.incoming.pause()
            return self._upload.incoming.size_bytes
