"""Stores of files on other machines, by fsspec: whatever it has a file system for."""

from __future__ import annotations

import contextlib
import socket
import threading
from datetime import datetime, timezone
from typing import Any, BinaryIO, Callable, Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies

from zaffre.contract.errors import ZaffreError
from zaffre.data.errors import SourceMissing, TargetExists
from zaffre.data.stores.file_store import FileEntry, inner_path

#: What the file systems call the time of a file's last change.
_TIMES = ("last_modified", "LastModified", "mtime", "modified", "creation_time")
#: How long a server may take to accept a first connection, seconds.
_CONNECT_S = 10.0
_EPOCH = datetime.fromtimestamp(0, timezone.utc)


class StoreUnreachable(ZaffreError):
    """A datastore did not answer, or not as it should. secrets: are left out of the reason."""

    code = "data.unreachable"
    status = 502

    def __init__(
        self, name: str, address: str, problem: BaseException, secrets: tuple[str, ...] = ()
    ) -> None:
        lines = str(problem).strip().splitlines()
        reason = lines[0] if lines else type(problem).__name__
        for secret in secrets:
            reason = reason.replace(secret, "***")
        super().__init__(
            f"Datastore {name!r} could not be used at {address}: {reason}",
            facts={"name": name, "address": address},
        )


def require_listener(address: str) -> None:
    """Raise OSError unless something listens at a web address, which a proxy hides.

    The clients of clouds try for more than a minute where nothing does.
    """
    parts = urlsplit(address)
    if parts.hostname is None or parts.scheme in getproxies():
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    socket.create_connection((parts.hostname, port), timeout=_CONNECT_S).close()


class RemoteStore:
    """The files below `root` of an fsspec file system.

    make: makes the file system, when it is first used. name, address: of the datastore, for
    errors. secrets: what errors must not show. put_options: of the file system's `put_file`, to
    replace what is there.
    """

    def __init__(
        self,
        make: Callable[[], Any],
        root: str,
        *,
        name: str,
        address: str,
        secrets: tuple[str, ...] = (),
        put_options: dict[str, Any] | None = None,
    ) -> None:
        self._make = make
        self._made: Any = None
        self._making = threading.Lock()
        self._root = root.rstrip("/")
        self._name = name
        self._address = address
        self._secrets = secrets
        self._put_options = put_options or {}

    @property
    def _system(self) -> Any:
        with self._making:
            if self._made is None:
                require_listener(self._address)
                self._made = self._make()
            return self._made

    def make_root(self) -> None:
        """Make the container unless it is there. Raises StoreUnreachable."""
        with self._told():
            if not self._system.exists(self._root):
                self._system.mkdir(self._root)

    def list(self, folder: str) -> Iterator[FileEntry]:
        """Give all files below a folder, sorted by path."""
        start = self._full(inner_path(folder))
        found: list[FileEntry] = []
        with self._told():
            self._system.invalidate_cache()
            with contextlib.suppress(FileNotFoundError):
                there = self._system.find(start, detail=True)
                # Of a path that is a file, adlfs gives a list of itself.
                for full, facts in there.items() if isinstance(there, dict) else ():
                    path = full[len(self._root) :].strip("/")
                    if full.rstrip("/") != start and not full.endswith("/"):
                        # A web server's page of links does not tell their sizes.
                        known = facts.get("size") is not None
                        found.append(_entry(path, facts if known else self._system.info(full)))
            if not found and start == self._root and not self._system.exists(start):
                raise FileNotFoundError("there is no such container or folder")
        yield from sorted(found, key=lambda one: one.path)

    def find(self, path: str) -> FileEntry | None:
        """Return the file at `path`, or None."""
        name = inner_path(path)
        with self._told():
            self._system.invalidate_cache()
            try:
                facts = self._system.info(self._full(name))
            except FileNotFoundError:
                return None
        return None if facts.get("type") == "directory" else _entry(name, facts)

    def local_path(self, path: str) -> None:
        """Return None: the bytes are elsewhere."""
        inner_path(path)

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading."""
        name = inner_path(path)
        with self._told():
            try:
                return self._system.open(self._full(name), "rb")
            except FileNotFoundError:
                raise SourceMissing(path) from None

    def write(self, path: str, local_file: str, *, overwrite: bool) -> None:
        """Send a file; the other side shows it once it has all of it."""
        name = inner_path(path)
        if not overwrite and self.find(name) is not None:
            raise TargetExists(name)
        with self._told():
            self._system.put_file(local_file, self._full(name), **self._put_options)

    def _full(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turn whatever the file system's own client raises into StoreUnreachable."""
        try:
            yield
        except ZaffreError:
            raise
        except Exception as problem:
            raise StoreUnreachable(
                self._name, self._address, problem, self._secrets
            ) from None  # the client's own exception may hold the key


def _entry(path: str, facts: dict[str, Any]) -> FileEntry:
    moment = next((facts[key] for key in _TIMES if facts.get(key) is not None), _EPOCH)
    if isinstance(moment, (int, float)):
        moment = datetime.fromtimestamp(moment, timezone.utc)
    if not isinstance(moment, datetime):
        moment = _EPOCH
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return FileEntry(path, int(facts.get("size") or 0), moment)
