"""Blobs: bytes named by their SHA-256, as files in a folder and rows in the database.

How bytes come in and go, so that nobody who was told "it is here" finds it gone:

* Bytes are written to tmp/ while they are hashed (`Incoming`), and renamed into their place inside
  the transaction that writes their row (`record`). Small ones are held in memory (`Held`) and
  written to their place beforehand: half the system calls, and a crash there leaves a file without
  a row, which counts as nothing. The transaction looks whether the file is still there.
* A blob is there for callers when its row is not marked and its file has the right size. The size
  is looked at (`BlobFolder.has`) because a power loss can leave an empty file behind a rename.
* Saying "it is here" moves `kept_until` a day ahead (`keep`).
* Garbage is marked first, in one transaction, and removed in a second one, which looks again at
  who uses it (`loops.garbage`). Who uses or sends a marked blob takes the mark off in its own
  transaction (`use`, `record`, `keep`), or waits there for a removal that holds the row.

Rows are locked in the order of their names, so that two transactions cannot wait for each other.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import re
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from zaffre.contract.errors import BlobsMissing, Invalid, NotFound, StoreFull
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import artifacts, blob_uses, blobs

#: A file in tmp/ that nobody has written to for so long belongs to an upload that is dead.
STALE_TMP_S = 86_400.0

#: From so many files on, one sync of the file system is cheaper than one a file
#: (measured: 100 files 3 ms against 40 ms).
_SYNC_ONE_BY_ONE = 4

#: How many blobs are known one by one to wait for a sync; with more, the next sync is of all.
UNSYNCED_MAX = 100_000

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SLICE = 500
_READ_BYTES = 1 << 20


class BlobMismatch(Invalid):
    """The bytes sent are not those that their name promised; nothing was stored."""

    code = "blob.hash_mismatch"

    def __init__(self, *, expected: str, actual: str) -> None:
        super().__init__("sha256", f"the bytes sent have SHA-256 {actual}, not {expected}")


def sha256_name(value: object, field: str = "sha256") -> str:
    """Return `value` if it is the name of a blob: 64 lower-case hex digits."""
    if not isinstance(value, str) or not _SHA256.match(value):
        raise Invalid(field, "must be 64 lower-case hex digits")
    return value


@contextlib.contextmanager
def full_disk_is_said() -> Iterator[None]:
    """Turn the system's 'no space left' into StoreFull."""
    try:
        yield
    except OSError as problem:
        if problem.errno in _NO_ROOM:
            raise StoreFull from problem
        raise


class Arrived(Protocol):
    """Bytes that have come whole, with their hash."""

    sha256: str
    size_bytes: int

    def place(self, target: str) -> None:
        """Make `target` the file of these bytes."""
        ...

    def discard(self) -> None:
        """Remove what is not in its place; harmless otherwise."""
        ...


class Held:
    """A small blob in memory."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size_bytes = len(content)
        self.sha256 = hashlib.sha256(content).hexdigest()

    def place(self, target: str) -> None:
        """Write the file if it is not there. One of another size is what a crash has left."""
        with full_disk_is_said():
            try:
                _write_new(target, self.content)
            except FileExistsError:
                if _has_size(target, self.size_bytes):
                    return
                # In tmp/, where what a crash leaves is found and removed.
                part = Path(target).parent.with_name("tmp") / secrets.token_hex(12)
                _write_new(str(part), self.content)
                part.rename(target)

    def discard(self) -> None:
        """Nothing of it is outside its place."""


class Incoming:
    """Bytes on their way in: written to a file in tmp/ and hashed as they come.

    What lies in the file already counts as come. A context manager: what was not recorded when
    the block ends is removed. Raises StoreFull.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self.sha256 = ""
        self._placed = False
        self._hash = hashlib.sha256()
        with full_disk_is_said():
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        while piece := os.read(self._fd, _READ_BYTES):
            self._hash.update(piece)
            self.size_bytes += len(piece)

    def pause(self) -> None:
        """Hold no descriptor until `go_on`."""
        os.close(self._fd)
        self._fd = -1

    def go_on(self) -> bool:
        """Be ready to write again; say whether the file is still as it was left."""
        if self._fd < 0:
            try:
                self._fd = os.open(self.path, os.O_WRONLY)
            except FileNotFoundError:
                return False
            os.lseek(self._fd, 0, os.SEEK_END)
        return os.fstat(self._fd).st_size == self.size_bytes

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Add bytes."""
        self._hash.update(chunk)
        self.size_bytes += len(chunk)
        view = memoryview(chunk)
        with full_disk_is_said():
            while view:
                view = view[os.write(self._fd, view) :]

    def finish(self, expected: str | None = None) -> None:
        """All has come. Raises BlobMismatch if the bytes are not those named `expected`."""
        self.pause()
        self.sha256 = self._hash.hexdigest()
        if expected is not None and self.sha256 != expected:
            raise BlobMismatch(expected=expected, actual=self.sha256)

    def place(self, target: str) -> None:
        """Rename the file."""
        with full_disk_is_said():
            os.rename(self.path, target)  # noqa: PTH104
        self._placed = True

    def discard(self) -> None:
        """Remove what is still in tmp/; harmless after the file went to its place."""
        if self._placed:
            return
        if self._fd >= 0:
            self.pause()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Incoming:
        """Return self."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove what was not recorded."""
        self.discard()


class BlobFolder:
    """The blobs' bytes in a folder on this machine: ab/<sha256>. Safe to use from threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tmp = path / "tmp"
        self._tmp.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._made: set[str] = set()
        # What this process has put in place and not synced; before the first sync of the whole
        # file system, what an earlier process left unsynced is not known either.
        self._unsynced: set[str] = set()
        self._synced_once = False
        self._sync_lock = threading.Lock()

    def file_path(self, sha256: str) -> Path:
        """Return where the blob's bytes are, or would be."""
        return self.path / sha256[:2] / sha256

    def has(self, sha256: str, size_bytes: int) -> bool:
        """Say whether the whole file is there."""
        return _has_size(f"{self.path}/{sha256[:2]}/{sha256}", size_bytes)

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading; it stays readable when it is removed meanwhile."""
        try:
            return self.file_path(sha256).open("rb", buffering=0)  # pyright: ignore[reportReturnType]
        except FileNotFoundError:
            raise NotFound("blob", sha256) from None

    def receive(self) -> Incoming:
        """Start to take bytes in."""
        return Incoming(self._tmp / secrets.token_hex(12))

    def receive_on(self, name: str) -> Incoming:
        """Go on to take in what is kept in tmp/ under a name."""
        return Incoming(self.incoming_path(name))

    def incoming_path(self, name: str) -> Path:
        """Return where in tmp/ it is kept."""
        return self._tmp / name

    def received_bytes(self, name: str) -> int:
        """Return how much of it is there."""
        try:
            return self.incoming_path(name).stat().st_size
        except FileNotFoundError:
            return 0

    def place(self, arrived: Arrived) -> None:
        """Put finished bytes into their place."""
        folder = arrived.sha256[:2]
        if folder not in self._made:
            (self.path / folder).mkdir(exist_ok=True)
            self._made.add(folder)
        arrived.place(f"{self.path}/{folder}/{arrived.sha256}")
        if len(self._unsynced) >= UNSYNCED_MAX:
            with self._sync_lock:  # a sync under way counts for what it began with
                self._unsynced.clear()
                self._synced_once = False
        self._unsynced.add(arrived.sha256)

    def set_aside(self, sha256: str) -> Path | None:
        """Take a blob out of its place into tmp/ and return where; None if it was not there.

        To rename is quick where to unlink gigabytes is not, and it happens inside a transaction.
        """
        aside = self._tmp / secrets.token_hex(12)
        try:
            self.file_path(sha256).rename(aside)
        except FileNotFoundError:
            return None
        self._unsynced.discard(sha256)
        return aside

    def sync(self, sha256s: Iterable[str]) -> None:
        """Return when these blobs survive power loss."""
        with self._sync_lock, full_disk_is_said():
            waiting = self._unsynced.intersection(sha256s)
            if self._synced_once and not waiting:
                return
            if self._synced_once and len(waiting) <= _SYNC_ONE_BY_ONE:
                for sha256 in waiting:
                    # One that is removed meanwhile is missed by the transaction that names it.
                    with contextlib.suppress(FileNotFoundError):
                        _sync_path(self.file_path(sha256))
                        _sync_path(self.path / sha256[:2])
                self._unsynced -= waiting
                return
            waiting = set(self._unsynced)
            _sync_file_system(self.path)
            self._synced_once = True
            self._unsynced -= waiting

    def stray(self, older_than_s: float = STALE_TMP_S) -> Iterator[Path]:
        """Yield files in tmp/ that no living upload owns."""
        border = time.time() - older_than_s
        for path in self._tmp.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < border:
                    yield path

    def names(self) -> Iterator[str]:
        """Yield the names of all files in place."""
        for folder in self.path.iterdir():
            if len(folder.name) == 2:
                yield from (p.name for p in folder.iterdir() if _SHA256.match(p.name))


def _has_size(path: str, size_bytes: int) -> bool:
    try:
        return os.stat(path).st_size == size_bytes  # noqa: PTH116
    except OSError:
        return False


def _write_new(path: str, content: bytes) -> None:
    """Write a file that must not exist; leave nothing if that fails."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        written = os.write(fd, content) if content else 0
        while written < len(content):
            written += os.write(fd, memoryview(content)[written:])
    except BaseException:
        os.unlink(path)  # noqa: PTH108
        raise
    finally:
        os.close(fd)


def _sync_path(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sync_file_system(folder: Path) -> None:
    """Write out the file system of `folder`: one call for any number of files."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    except AttributeError:
        os.sync()
    finally:
        os.close(fd)


def place_held(folder: BlobFolder, arrived: Sequence[Arrived]) -> None:
    """Write small blobs to their place, before and outside the transaction that records them."""
    held = [one for one in arrived if isinstance(one, Held)]
    # Those of one folder together.
    for one in sorted(held, key=lambda one: one.sha256):
        folder.place(one)


def record(
    tx: Transaction,
    folder: BlobFolder,
    arrived: Sequence[Arrived],
    *,
    now: float,
    kept_until: float,
) -> None:
    """Put finished uploads into their place and write their rows.

    The row is locked before the file is put or found there: a removal of the same blob has
    either ended, or will find the row unmarked.
    """
    by_name = {one.sha256: one for one in arrived}
    insert = postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(blobs)
    statement = statement.on_conflict_do_update(
        index_elements=["sha256"],
        set_={
            "marked_at": None,
            "kept_until": _greatest(tx, blobs.c.kept_until, statement.excluded.kept_until),
        },
    )
    for names in _slices(sorted(by_name)):
        tx.execute(
            statement,
            [
                {
                    "sha256": name,
                    "size_bytes": by_name[name].size_bytes,
                    "created_at": now,
                    "kept_until": kept_until,
                }
                for name in names
            ],
        )
        for name in names:
            if not folder.has(name, by_name[name].size_bytes):
                folder.place(by_name[name])


def find_missing(tx: Transaction, folder: BlobFolder, names: Iterable[str]) -> set[str]:
    """Return which of `names` are not there, without keeping the others. Needs no write."""
    wanted = sorted(set(names))
    there: set[str] = set()
    for some in _slices(wanted):
        rows = tx.execute(
            sa.select(blobs.c.sha256, blobs.c.size_bytes).where(blobs.c.sha256.in_(some))
        )
        there.update(row.sha256 for row in rows.all() if folder.has(row.sha256, row.size_bytes))
    return set(wanted) - there


def kept_until_of(tx: Transaction, names: Iterable[str]) -> float:
    """Return until when all of `names` are kept that have an unmarked row; -inf with a mark."""
    least = float("inf")
    for some in _slices(sorted(set(names))):
        rows = tx.execute(
            sa.select(blobs.c.kept_until, blobs.c.marked_at).where(blobs.c.sha256.in_(some))
        )
        for row in rows:
            least = min(least, row.kept_until if row.marked_at is None else float("-inf"))
    return least


def keep(tx: Transaction, folder: BlobFolder, names: Iterable[str], *, until: float) -> set[str]:
    """Keep those of `names` that are there, and return the others."""
    wanted = sorted(set(names))
    there: set[str] = set()
    for some in _slices(wanted):
        sizes = _lock(tx, some)
        whole = [sha256 for sha256, (size, _) in sizes.items() if folder.has(sha256, size)]
        tx.execute(
            sa.update(blobs)
            .where(blobs.c.sha256.in_(whole))
            .values(marked_at=None, kept_until=_greatest(tx, blobs.c.kept_until, until))
        )
        there.update(whole)
    return set(wanted) - there


def use(tx: Transaction, folder: BlobFolder, sizes: dict[str, int]) -> None:
    """Make sure that blobs which this transaction is about to name are there and stay.

    sizes: what the caller believes of them. Raises BlobsMissing, or Invalid for a wrong size.
    The caller has looked for the files before (`find_missing`), without a lock.
    """
    missing: list[str] = []
    marked: list[str] = []
    for some in _slices(sorted(sizes)):
        rows = _lock(tx, some)
        for sha256 in some:
            size, marked_at = rows.get(sha256, (None, None))
            if size is None or (marked_at is not None and not folder.has(sha256, size)):
                missing.append(sha256)
            elif size != sizes[sha256]:
                problem = f"blob {sha256} has {size} bytes, not {sizes[sha256]}"
                raise Invalid("size_bytes", problem)
            elif marked_at is not None:
                marked.append(sha256)
    if missing:
        raise BlobsMissing(missing)
    for some in _slices(marked):
        tx.execute(sa.update(blobs).where(blobs.c.sha256.in_(some)).values(marked_at=None))


def add_uses(tx: Transaction, owner: str, names: Iterable[str]) -> None:
    """Write down that `owner` (such as 'model:7') holds these blobs."""
    insert = postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(blob_uses).on_conflict_do_nothing()
    for some in _slices(sorted(set(names))):
        tx.execute(statement, [{"sha256": sha256, "owner": owner} for sha256 in some])


def remove_uses(tx: Transaction, owner: str) -> None:
    """Forget what `owner` holds."""
    tx.execute(sa.delete(blob_uses).where(blob_uses.c.owner == owner))


def sizes_of(tx: Transaction, names: Iterable[str]) -> dict[str, int]:
    """Return the size in bytes of each named blob that has a row."""
    sizes: dict[str, int] = {}
    for some in _slices(sorted(set(names))):
        rows = tx.execute(
            sa.select(blobs.c.sha256, blobs.c.size_bytes).where(blobs.c.sha256.in_(some))
        )
        sizes.update({row.sha256: row.size_bytes for row in rows})
    return sizes


def unused() -> sa.ColumnElement[bool]:
    """Return the condition that nothing names a blob."""
    by_run = sa.exists().where(artifacts.c.sha256 == blobs.c.sha256)
    by_other = sa.exists().where(blob_uses.c.sha256 == blobs.c.sha256)
    return sa.and_(~by_run, ~by_other)


def _lock(tx: Transaction, names: Sequence[str]) -> dict[str, tuple[int, float | None]]:
    """Lock the rows of `names` (SQLite: the transaction has locked all) and read them."""
    rows = tx.execute(
        sa.select(blobs.c.sha256, blobs.c.size_bytes, blobs.c.marked_at)
        .where(blobs.c.sha256.in_(names))
        .order_by(blobs.c.sha256)
        .with_for_update()
    )
    return {row.sha256: (row.size_bytes, row.marked_at) for row in rows.all()}


def _greatest(tx: Transaction, one: sa.ColumnElement[float], other: object) -> sa.Function[float]:
    greatest = sa.func.greatest if tx.connection.dialect.name == "postgresql" else sa.func.max
    return greatest(one, other)


def _slices(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _SLICE):
        yield names[start : start + _SLICE]
