"""Sending files by content: what the server has already is not sent again.

One thread reads and hashes, the caller's sends: while a group of files is on its way, the next is
being hashed. A group costs one question (which of these hashes do you lack?), one bundle for its
small files, and one request for each large one. A small file is sent from the memory in which it
was hashed; a large one is read twice, and the server hashes what arrives, so bytes are never
stored under a hash that is not theirs.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Iterable, Iterator

from zaffre.client.transport import Upload
from zaffre.contract.errors import FileChanging, Invalid, Refused
from zaffre.contract.snapshot import FileEntry

if TYPE_CHECKING:
    from zaffre.client.http import Client

#: Files below this size travel in bundles, bytes.
BUNDLED_BELOW_BYTES = 1 << 20
#: What a group may hold: files, and bytes of bundled ones. A larger file ends its group.
GROUP_FILES = 1000
GROUP_BYTES = 24 << 20
_CHUNK_BYTES = 1 << 20
_READS_MAX = 5

#: Called with the bytes that are done and the bytes in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Source:
    """A file to send: the name that it gets, and where it is on this machine."""

    name: str
    path: str


@dataclass(frozen=True)
class _Hashed:
    """A file as it was read: its entry, and its content if it is small."""

    source: Source
    entry: FileEntry
    seen: os.stat_result
    content: bytes | None


class _Changed(Exception):
    """A large file is not any more what was hashed."""


def send(
    client: Client, sources: Iterable[Source], *, on_progress: Progress | None = None
) -> list[FileEntry]:
    """Make sure that the server has the content of every file; return their entries, in order.

    The server keeps them for a day; whoever needs them longer names them in a record by then.

    Raises FileChanging when a file does not stand still for as long as reading it takes, Invalid
    when it is no regular file, OSError when it cannot be read, Refused, ServerUnreachable.
    """
    files = list(sources)
    tell = _Teller(files, on_progress)
    entries: list[FileEntry] = []
    done: set[str] = set()
    for group in _Ahead(files):
        entries.extend(hashed.entry for hashed in _send_group(client, group, done, tell))
    return entries


def hash_file(path: str) -> tuple[str, int]:
    """Return the SHA-256 (64 hex digits) and the size of a file, read while it stood still.

    Raises as `send` does.
    """
    entry = _read(Source("", path)).entry
    return entry.sha256, entry.size_bytes


class _Teller:
    """Tells a caller of progress, if it wants to know."""

    def __init__(self, files: list[Source], on_progress: Progress | None) -> None:
        self._on_progress = on_progress
        self._done = 0
        self._total = 0
        if on_progress is not None:
            self._total = sum(os.stat(file.path).st_size for file in files)

    def add(self, size_bytes: int) -> None:
        if self._on_progress is not None:
            self._done += size_bytes
            self._total = max(self._total, self._done)
            self._on_progress(self._done, self._total)


class _Ahead:
    """Groups of hashed files, made by a thread that is at most one group ahead."""

    def __init__(self, files: list[Source]) -> None:
        self._files = files
        self._ready: list[list[_Hashed]] = []
        self._failure: BaseException | None = None
        self._ended = False
        self._stopped = False
        self._changed = threading.Condition()

    def __iter__(self) -> Iterator[list[_Hashed]]:
        if len(self._files) <= 1:
            yield from _groups(self._files)
            return
        thread = threading.Thread(target=self._run, name="zaffre-hashing", daemon=True)
        thread.start()
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._ready or self._ended)
                    if not self._ready:
                        break
                    group = self._ready.pop(0)
                    self._changed.notify_all()
                yield group
            if self._failure is not None:
                raise self._failure
        finally:
            with self._changed:
                self._stopped = True
                self._changed.notify_all()

    def _run(self) -> None:
        try:
            for group in _groups(self._files):
                with self._changed:
                    self._changed.wait_for(lambda: not self._ready or self._stopped)
                    if self._stopped:
                        return
                    self._ready.append(group)
                    self._changed.notify_all()
        except BaseException as failure:
            self._failure = failure
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()


def _groups(files: list[Source]) -> Iterator[list[_Hashed]]:
    group: list[_Hashed] = []
    held_bytes = 0
    for file in files:
        hashed = _read(file)
        group.append(hashed)
        held_bytes += hashed.entry.size_bytes
        if held_bytes >= GROUP_BYTES or len(group) >= GROUP_FILES:
            yield group
            group, held_bytes = [], 0
    if group:
        yield group


def _read(source: Source) -> _Hashed:
    """Read and hash a file, again if it changed meanwhile."""
    for attempt in range(_READS_MAX):
        if attempt:
            time.sleep(0.05 * attempt)
        hashed = _read_once(source)
        if hashed is not None:
            return hashed
    raise FileChanging(source.path)


def _read_once(source: Source) -> _Hashed | None:
    """Read and hash a file; None if it changed meanwhile."""
    if not stat.S_ISREG(os.stat(source.path).st_mode):
        raise Invalid("file", f"{source.path} is not a regular file")
    with open(source.path, "rb", buffering=0) as file:
        seen = os.fstat(file.fileno())
        content: bytes | None = None
        size_bytes = 0
        if seen.st_size < BUNDLED_BELOW_BYTES:
            # One byte more shows that it grows. (To ask for a megabyte costs six times the time.)
            data: bytes = file.read(seen.st_size + 1)
            content, size_bytes = data, len(data)
            sha256 = hashlib.sha256(data).hexdigest()
        else:
            state = hashlib.sha256()
            buffer = bytearray(_CHUNK_BYTES)
            view = memoryview(buffer)
            while True:
                count = file.readinto(buffer)
                if not count:
                    break
                state.update(view[:count])
                size_bytes += count
            sha256 = state.hexdigest()
        if size_bytes != seen.st_size or not _is_same(seen, os.fstat(file.fileno())):
            return None
    executable = bool(seen.st_mode & stat.S_IXUSR)
    return _Hashed(source, FileEntry(source.name, sha256, size_bytes, executable), seen, content)


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """Say whether a file still is what it was; a file that was replaced has another inode."""
    return (one.st_ino, one.st_dev, one.st_size, one.st_mtime_ns) == (
        other.st_ino,
        other.st_dev,
        other.st_size,
        other.st_mtime_ns,
    )


def _send_group(
    client: Client, group: list[_Hashed], done: set[str], tell: _Teller
) -> list[_Hashed]:
    """Send what the server lacks of a group; return the group as it was sent."""
    asked = sorted({hashed.entry.sha256 for hashed in group} - done)
    missing: set[str] = set()
    if asked:
        missing = set(client.request("POST", "/blobs/missing", json={"sha256": asked})["missing"])
    bundle: dict[str, bytes] = {}
    for hashed in group:
        if hashed.content is not None and hashed.entry.sha256 in missing:
            bundle[hashed.entry.sha256] = hashed.content
    if bundle:
        client.request(
            "POST",
            "/blobs/bundle",
            body=b"".join(
                part
                for sha256, content in bundle.items()
                for part in (b"%b %d\n" % (sha256.encode(), len(content)), content)
            ),
            headers={"Content-Type": "application/x-zaffre-bundle"},
        )
        missing.difference_update(bundle)
    sent: list[_Hashed] = []
    for hashed in group:
        if hashed.entry.sha256 in missing:
            kept = _put(client, hashed, tell)
            missing.discard(kept.entry.sha256)
        else:
            kept = hashed
            tell.add(hashed.entry.size_bytes)
        done.add(kept.entry.sha256)
        sent.append(kept)
    return sent


def _put(client: Client, hashed: _Hashed, tell: _Teller) -> _Hashed:
    """Send a large file in a request of its own; read it anew if it has changed."""
    for _ in range(_READS_MAX):
        if hashed.content is not None:
            # It has shrunk since: as small as it is now, it goes as it is in memory.
            body: bytes | Upload = hashed.content
        else:
            body = Upload(_chunks_of(hashed, tell), hashed.entry.size_bytes)
        try:
            client.request(
                "PUT",
                f"/blobs/{hashed.entry.sha256}",
                body=body,
                headers={"Content-Type": "application/octet-stream"},
            )
        except _Changed:
            hashed = _read(hashed.source)
        except Refused as refusal:
            if refusal.code != "blob.hash_mismatch":
                raise
            hashed = _read(hashed.source)
        else:
            return hashed
    raise FileChanging(hashed.source.path)


def _chunks_of(hashed: _Hashed, tell: _Teller) -> Callable[[], Iterator[bytes]]:
    """Return what reads a large file from its start, and raises _Changed if it has changed."""
    told = 0

    def chunks() -> Iterator[bytes]:
        nonlocal told
        read_bytes = 0
        with open(hashed.source.path, "rb", buffering=0) as file:
            while True:
                chunk = file.read(_CHUNK_BYTES)
                read_bytes += len(chunk)
                at_end = read_bytes >= hashed.entry.size_bytes
                if (at_end or not chunk) and not _is_same(hashed.seen, os.fstat(file.fileno())):
                    raise _Changed
                if not chunk:
                    return
                yield chunk
                # A second attempt to send starts over, and progress does not go back.
                if read_bytes > told:
                    tell.add(read_bytes - told)
                    told = read_bytes

    return chunks
