"""Sending files by content: what the server has already is not sent again.

One thread reads and hashes, the caller's sends: while a group of files is on its way, the next is
being hashed. A group costs one question (which of these hashes do you lack?), one bundle for its
small files, and an upload for each other one. A small file is sent from the memory in which it
was hashed, a large one while it is being hashed (`client.upload`). The server hashes what arrives,
so bytes are never stored under a hash that is not theirs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Iterable, Iterator

from zaffre.client import upload
from zaffre.contract.errors import FileChanging, Invalid, Refused
from zaffre.contract.snapshot import FileEntry

if TYPE_CHECKING:
    from typing import TypeVar

    from zaffre.client.http import Client

    T = TypeVar("T")

#: Files below this size travel in bundles, bytes.
BUNDLED_BELOW_BYTES = 1 << 20
#: What a group may hold: files, and bytes of bundled ones. A larger file ends its group.
GROUP_FILES = 1000
GROUP_BYTES = 24 << 20
_READS_MAX = 5
_SENT_MAX = 3
#: How much longer than before is waited until a changing file is read again, seconds.
_PAUSE_S = 0.05
_BINARY = getattr(os, "O_BINARY", 0)

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


@dataclass(frozen=True)
class _Large:
    """A file that is hashed while it is sent."""

    source: Source
    seen: os.stat_result


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
        entries.extend(_send_group(client, group, done, tell))
    return entries


def send_for(
    client: Client,
    sources: Iterable[Source],
    register: Callable[[list[FileEntry]], T],
    *,
    on_progress: Progress | None = None,
) -> T:
    """Send files and have a record name them; return what `register` returns.

    If files have been removed from the server in between, they are sent again. Raises as `send`
    does, and what `register` raises.
    """
    files = list(sources)
    for _ in range(_SENT_MAX - 1):
        try:
            return register(send(client, files, on_progress=on_progress))
        except Refused as refusal:
            if refusal.code != "blob.missing":
                raise
    return register(send(client, files, on_progress=on_progress))


def hash_file(path: str) -> tuple[str, int]:
    """Return the SHA-256 (64 hex digits) and the size of a file, read while it stood still.

    Raises as `send` does.
    """
    for attempt in range(_READS_MAX):
        time.sleep(_PAUSE_S * attempt)
        seen = os.stat(path)
        state = hashlib.sha256()
        with contextlib.suppress(upload.Changed):
            for chunk in upload.read_chunks(path, seen, 0):
                state.update(chunk)
            return state.hexdigest(), seen.st_size
    raise FileChanging(path)


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
        self._ready: list[list[_Hashed | _Large]] = []
        self._failure: BaseException | None = None
        self._ended = False
        self._stopped = False
        self._changed = threading.Condition()

    def __iter__(self) -> Iterator[list[_Hashed | _Large]]:
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


def _groups(files: list[Source]) -> Iterator[list[_Hashed | _Large]]:
    group: list[_Hashed | _Large] = []
    held_bytes = 0
    for file in files:
        one = _read(file)
        group.append(one)
        held_bytes += one.seen.st_size
        if held_bytes >= GROUP_BYTES or len(group) >= GROUP_FILES:
            yield group
            group, held_bytes = [], 0
    if group:
        yield group


def _read(source: Source) -> _Hashed | _Large:
    """Read and hash a file, again if it changed meanwhile; a large one is only looked at."""
    for attempt in range(_READS_MAX):
        time.sleep(_PAUSE_S * attempt)
        with contextlib.suppress(upload.Changed):
            return _read_once(source)
    raise FileChanging(source.path)


def _read_once(source: Source) -> _Hashed | _Large:
    # What is no file, such as a pipe, must not be waited for.
    fd = os.open(source.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    try:
        seen = os.fstat(fd)
        if not stat.S_ISREG(seen.st_mode):
            raise Invalid("file", f"{source.path} is not a regular file")
        if seen.st_size >= GROUP_BYTES:
            return _Large(source, seen)
        if seen.st_size >= BUNDLED_BELOW_BYTES:
            state = hashlib.sha256()
            for chunk in upload.read_chunks(source.path, seen, 0):
                state.update(chunk)
            return _Hashed(source, _entry(source, state.hexdigest(), seen), seen, None)
        # One byte more shows that it grows. (To ask for a megabyte costs six times the time.)
        content = os.read(fd, seen.st_size + 1)
        if len(content) != seen.st_size or not upload.is_same(seen, os.fstat(fd)):
            raise upload.Changed
    finally:
        os.close(fd)
    sha256 = hashlib.sha256(content).hexdigest()
    return _Hashed(source, _entry(source, sha256, seen), seen, content)


def _entry(source: Source, sha256: str, seen: os.stat_result) -> FileEntry:
    return FileEntry(source.name, sha256, seen.st_size, bool(seen.st_mode & stat.S_IXUSR))


def _send_group(
    client: Client, group: list[_Hashed | _Large], done: set[str], tell: _Teller
) -> list[FileEntry]:
    """Send what the server lacks of a group; return the entries of what was sent."""
    hashed = [one for one in group if isinstance(one, _Hashed)]
    asked = sorted({one.entry.sha256 for one in hashed} - done)
    missing: set[str] = set()
    if asked:
        missing = set(client.request("POST", "/blobs/missing", json={"sha256": asked})["missing"])
    bundle: dict[str, bytes] = {}
    for one in hashed:
        if one.content is not None and one.entry.sha256 in missing:
            bundle[one.entry.sha256] = one.content
    if bundle:
        _send_bundle(client, bundle)
        missing.difference_update(bundle)
    entries: list[FileEntry] = []
    for one in group:
        if isinstance(one, _Large) or one.entry.sha256 in missing:
            entry = _send_alone(client, one, tell)
            missing.discard(entry.sha256)
        else:
            entry = one.entry
            tell.add(entry.size_bytes)
        done.add(entry.sha256)
        entries.append(entry)
    return entries


def _send_bundle(client: Client, contents: dict[str, bytes]) -> None:
    parts: list[bytes] = []
    for sha256, content in contents.items():
        parts += (b"%b %d\n" % (sha256.encode(), len(content)), content)
    client.request(
        "POST",
        "/blobs/bundle",
        body=b"".join(parts),
        headers={"Content-Type": "application/x-zaffre-bundle"},
    )


def _send_alone(client: Client, one: _Hashed | _Large, tell: _Teller) -> FileEntry:
    """Send a file in requests of its own; read it anew if it has changed."""
    for attempt in range(_READS_MAX):
        try:
            if isinstance(one, _Large):
                seen = one.seen
                sha256 = upload.send_file(client, one.source.path, seen, tell.add)
                return _entry(one.source, sha256, seen)
            if one.content is not None:
                # It has shrunk since: as small as it is now, it goes as it is in memory.
                _send_bundle(client, {one.entry.sha256: one.content})
            else:
                upload.send_missing(client, one.source.path, one.seen, one.entry.sha256, tell.add)
        except upload.Changed:
            time.sleep(_PAUSE_S * attempt)
            one = _read(one.source)
        else:
            return one.entry
    raise FileChanging(one.source.path)
