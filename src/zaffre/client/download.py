"""Fetching files: into a file beside the target, which then takes its name.

So a target is the whole new file or what it was before, whenever this process dies. A download
that is cut goes on where it stopped (Range), for as long as each attempt brings some bytes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Callable, Iterable

from zaffre.client.bundle import read_blobs
from zaffre.client.http import AnswerCut
from zaffre.contract import names
from zaffre.contract.errors import Refused, ServerUnreachable

if TYPE_CHECKING:
    from zaffre.client.blobs import Progress
    from zaffre.client.http import Client
    from zaffre.contract.snapshot import FileEntry

#: Files below this size come in bundles, bytes.
BUNDLED_BELOW_BYTES = 1 << 20
GROUP_FILES = 1000
GROUP_BYTES = 32 << 20
_CHUNK_BYTES = 1 << 20
_CHUNKS_AHEAD = 4
_FRUITLESS_MAX = 5


def fetch(
    client: Client,
    entries: Iterable[FileEntry],
    folder: str,
    *,
    on_progress: Progress | None = None,
) -> None:
    """Write files by their names below `folder`, with their content checked against its hash.

    Files that are there are replaced. Raises Invalid when a name would leave the folder, OSError
    when a file cannot be written, Refused when the server has no such content, ServerUnreachable.
    """
    wanted = [(names.file_name(entry.name), entry) for entry in entries]
    total = sum(entry.size_bytes for _, entry in wanted)
    done = 0

    def tell(size_bytes: int) -> None:
        nonlocal done
        done += size_bytes
        if on_progress is not None:
            on_progress(done, total)

    def tell_within(came: int, _: int) -> None:
        if on_progress is not None:
            on_progress(done + came, total)

    made: set[str] = set()
    group: dict[str, list[tuple[str, FileEntry]]] = {}
    held_bytes = 0
    for name, entry in wanted:
        target = os.path.join(folder, name)
        parent = os.path.dirname(target)
        if parent not in made:
            os.makedirs(parent, exist_ok=True)
            made.add(parent)
        if entry.size_bytes >= BUNDLED_BELOW_BYTES:
            fetch_path(
                client,
                f"/blobs/{entry.sha256}",
                target,
                sha256=entry.sha256,
                executable=entry.executable,
                on_progress=tell_within,
            )
            tell(entry.size_bytes)
            continue
        if entry.sha256 not in group:
            held_bytes += entry.size_bytes
        group.setdefault(entry.sha256, []).append((target, entry))
        if len(group) >= GROUP_FILES or held_bytes >= GROUP_BYTES:
            _fetch_group(client, group, tell)
            group, held_bytes = {}, 0
    if group:
        _fetch_group(client, group, tell)


def fetch_path(
    client: Client,
    path: str,
    target: str,
    *,
    sha256: str | None = None,
    executable: bool = False,
    on_progress: Progress | None = None,
) -> int:
    """Write what a GET of `path` answers to the file `target`; return its size in bytes.

    sha256: what the content must hash to; if it is not given, the answer's ETag says it, which
    files that still grow do not have.

    Raises as `fetch` does. The folder of `target` must exist.
    """
    part = _part_beside(target)
    try:
        with open(part, "wb") as file:
            size_bytes = _Fetching(client, path, file, sha256, on_progress).run()
        _finish(part, target, executable=executable)
    except BaseException:
        _remove(part)
        raise
    return size_bytes


class _Hashing:
    """Hashes what a download writes, in a thread: hashing and writing take equally long."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()
        self._chunks: list[bytes] = []
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="zaffre-hashing", daemon=True)
        self._thread.start()

    def add(self, chunk: bytes) -> None:
        """Hash this next, once there are few others to be hashed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._chunks) < _CHUNKS_AHEAD)
            self._chunks.append(chunk)
            self._changed.notify_all()

    def restart(self) -> None:
        """Forget what was added: the file is written from its start again."""
        with self._changed:
            self._changed.wait_for(lambda: not self._chunks)
            self._state = hashlib.sha256()

    def end(self) -> str:
        """Return the hash of all that was added, and end the thread."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()
        return self._state.hexdigest()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._chunks or self._ended)
                if not self._chunks:
                    return
                chunk = self._chunks[0]
            self._state.update(chunk)
            with self._changed:
                del self._chunks[0]
                self._changed.notify_all()


class _Fetching:
    """One answer's body on its way into a file."""

    def __init__(
        self,
        client: Client,
        path: str,
        file: BinaryIO,
        sha256: str | None,
        on_progress: Progress | None,
    ) -> None:
        self._client = client
        self._path = path
        self._file = file
        self._wanted = sha256
        self._on_progress = on_progress
        self._etag: str | None = None
        self._size_bytes = 0
        self._hashing = _Hashing()

    def run(self) -> int:
        """Write the body, asking for the rest when it is cut; return its size in bytes."""
        fruitless = 0
        try:
            while True:
                before = self._size_bytes
                try:
                    self._take_answer()
                    break
                except AnswerCut as cut:
                    fruitless = 0 if self._size_bytes > before else fruitless + 1
                    if fruitless > _FRUITLESS_MAX:
                        raise ServerUnreachable(self._client.locator.name(), str(cut)) from cut
                except Refused as refusal:
                    if refusal.status != 416 or not self._size_bytes:
                        raise
                    break  # all of it had come before the cut
        finally:
            found = self._hashing.end()
        _check(self._path, self._wanted or _hash_in(self._etag) or found, found)
        return self._size_bytes

    def _take_answer(self) -> None:
        headers: dict[str, str] = {}
        if self._size_bytes:
            headers["Range"] = f"bytes={self._size_bytes}-"
            if self._etag is not None:
                # Of what has been replaced meanwhile all is sent.
                headers["If-Range"] = self._etag
        with self._client.stream("GET", self._path, headers=headers) as answer:
            self._etag = answer.headers.get("etag")
            if self._size_bytes and answer.status != 206:
                # The server starts over, so do we.
                self._file.seek(0)
                self._file.truncate()
                self._size_bytes = 0
                self._hashing.restart()
            total = self._size_bytes + int(answer.headers.get("content-length", 0))
            for chunk in answer.chunks(_CHUNK_BYTES):
                self._hashing.add(chunk)
                self._file.write(chunk)
                self._size_bytes += len(chunk)
                if self._on_progress is not None:
                    self._on_progress(self._size_bytes, total)


def _hash_in(etag: str | None) -> str | None:
    """Return the SHA-256 that an ETag of Zaffre's is."""
    value = (etag or "").strip('"')
    return value if len(value) == 64 else None


def _check(path: str, sha256: str | None, found: str | None) -> None:
    if found != sha256:
        raise _damaged(path)


def _fetch_group(
    client: Client,
    group: dict[str, list[tuple[str, FileEntry]]],
    tell: Callable[[int], None],
) -> None:
    """Fetch small files by one request, or by more if it is cut."""
    left = dict(group)
    parts: dict[str, str] = {}
    fruitless = 0
    while left:
        before = len(left)
        asked = {"sha256": list(left)}
        with client.stream("POST", "/blobs/read", json=asked) as answer, suppress(AnswerCut):
            for sha256, content in read_blobs(answer.read):
                _check(f"/blobs/{sha256}", sha256, hashlib.sha256(content).hexdigest())
                for target, entry in left.pop(sha256, []):
                    folder = target.rpartition(os.sep)[0]
                    part = parts.get(folder) or parts.setdefault(folder, _part_beside(target))
                    _write(part, target, content, executable=entry.executable)
                    tell(len(content))
        fruitless = 0 if len(left) < before else fruitless + 1
        if fruitless > _FRUITLESS_MAX:
            raise ServerUnreachable(client.locator.name(), "a bundle is cut off each time")


def _damaged(path: str) -> Refused:
    return Refused(
        f"What came for {path} is not what its hash says: it was damaged on its way or in the "
        "store. Ask again; if it stays so, upload the file anew.",
        code="blob.damaged",
        status=502,
    )


def _check_whole(written: int, content: bytes, target: str) -> None:
    if written != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)


def _write(part: str, target: str, content: bytes, *, executable: bool) -> None:
    """Write a small file: first under the name `part`, beside it, which is free again then."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    fd = os.open(part, flags, 0o777 if executable else 0o666)
    try:
        try:
            written = os.write(fd, content)
        finally:
            os.close(fd)
        _check_whole(written, content, target)
        os.replace(part, target)
    except BaseException:
        _remove(part)
        raise


def _finish(part: str, target: str, *, executable: bool) -> None:
    if executable:
        mode = os.stat(part).st_mode
        # Whoever may read it may run it, as the umask has it.
        os.chmod(part, stat.S_IMODE(mode | ((mode & 0o444) >> 2)))
    os.replace(part, target)


def _part_beside(target: str) -> str:
    name = f".zaffre-{os.getpid()}-{os.urandom(4).hex()}.part"
    return os.path.join(os.path.dirname(target), name)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
