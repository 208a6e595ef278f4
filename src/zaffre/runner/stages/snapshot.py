"""Stage 1: the run's folder is made from its snapshot.

Names come from outside, so they are checked again here, and a file is opened inside its folder
only if that folder is a real one: the work folder is new and empty, nothing else writes there yet.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from zaffre.client.bundle import read_blobs
from zaffre.client.http import Client
from zaffre.contract import names
from zaffre.contract.errors import Invalid, Refused, ZaffreError
from zaffre.contract.snapshot import FileEntry, Snapshot
from zaffre.runner.notes import note

#: Blobs up to this size come together in bundles, bytes.
BUNDLED_MAX_BYTES = 1 << 20
#: Largest bundle that is asked for, bytes and blobs.
BUNDLE_MAX_BYTES = 48 << 20
BUNDLE_MAX_COUNT = 5_000
#: Largest snapshot that is asked for while the claim is under way, and how long that may take.
AHEAD_MAX_BYTES = 8 << 20
AHEAD_LIMIT_S = 1.0
_CHUNK_BYTES = 1 << 20


class SnapshotBroken(Exception):
    """The folder could not be made from the snapshot."""


def get_manifest(client: Client, workspace_id: str, snapshot_id: str) -> Snapshot:
    """Return the snapshot's files. Raises SnapshotBroken, ServerUnreachable, passing Refused."""
    path = f"/workspaces/{workspace_id}/snapshots/{snapshot_id}"
    return _checked(snapshot_id, client.request("GET", path))


def _checked(snapshot_id: str, answer: Any) -> Snapshot:
    # Not by wire.decode: of 100,000 files each would cost ten times as much.
    files = tuple(
        FileEntry(one["name"], one["sha256"], one["size_bytes"], one.get("executable", False))
        for one in answer["files"]
    )
    snapshot = Snapshot(snapshot_id, files)
    for entry in snapshot.files:
        try:
            name = names.file_name(entry.name)
        except Invalid as problem:
            raise SnapshotBroken(problem.message) from problem
        if name != entry.name:
            raise SnapshotBroken(f"{entry.name!r} is no file name in its one form")
    return snapshot


def unpack(snapshot_id: str, content: bytes) -> tuple[Snapshot, dict[str, bytes]]:
    """Return a snapshot that came whole, and its files' contents by SHA-256.

    Raises SnapshotBroken, or OSError when the content was cut off.
    """
    manifest, _, bundle = content.partition(b"\n")
    return _checked(snapshot_id, json.loads(manifest)), dict(_contents(io.BytesIO(bundle).read))


class Ahead:
    """A small snapshot, asked for on a thread while the claim is under way.

    Nothing is written before the claim is taken, and whatever goes wrong here is asked for again.
    """

    def __init__(self, client: Client, workspace_id: str, snapshot_id: str) -> None:
        self._client = client
        self._ids = (workspace_id, snapshot_id)
        self._got: tuple[Snapshot, dict[str, bytes]] | None = None
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)
        self._thread.start()

    def take(self) -> tuple[Snapshot, dict[str, bytes]] | None:
        """Return the snapshot and its files' contents, None if they are to be asked for."""
        self._thread.join(AHEAD_LIMIT_S)
        return self._got

    def _run(self) -> None:
        try:
            workspace_id, snapshot_id = self._ids
            path = f"/workspaces/{workspace_id}/snapshots/{snapshot_id}/content"
            content, _ = self._client.fetch("GET", path, query={"max_bytes": AHEAD_MAX_BYTES})
            self._got = unpack(snapshot_id, content)
        except (SnapshotBroken, ZaffreError, OSError, ValueError) as problem:
            note("snapshot.not_ahead", problem=repr(problem))


def download(
    client: Client,
    snapshot: Snapshot,
    work: Path,
    check: Callable[[], None],
    ahead: dict[str, bytes],
) -> None:
    """Write the snapshot's files below `work`; what is there already and right is kept.

    check is called now and then and may raise to end this. ahead: contents by SHA-256 that need
    not be asked for. Safe to call again after a failure.
    Raises SnapshotBroken, OSError, ServerUnreachable, passing Refused.
    """
    wanted: dict[str, list[FileEntry]] = {}
    for folder in {entry.name.rpartition("/")[0] for entry in snapshot.files}:
        (work / folder).mkdir(parents=True, exist_ok=True)
    for entry in snapshot.files:
        if entry.size_bytes == 0 or entry.sha256 in ahead:
            _place(work, entry, ahead.get(entry.sha256, b""))
        elif not _is_there(f"{work}/{entry.name}", entry):
            wanted.setdefault(entry.sha256, []).append(entry)
    small = [digest for digest, same in wanted.items() if same[0].size_bytes <= BUNDLED_MAX_BYTES]
    for group in _groups(small, wanted):
        check()
        with client.stream("POST", "/blobs/read", json={"sha256": group}) as answer:
            for digest, data in _contents(answer.read):
                for entry in wanted.get(digest, ()):
                    _place(work, entry, data)
                wanted.pop(digest, None)
    for digest, same in list(wanted.items()):
        check()
        if digest in small:
            raise SnapshotBroken(f"the server did not send {same[0].name!r}")
        _download_big(client, same, work, check)


def _groups(digests: list[str], wanted: dict[str, list[FileEntry]]) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for digest in digests:
        size_bytes = wanted[digest][0].size_bytes
        if group and (size + size_bytes > BUNDLE_MAX_BYTES or len(group) >= BUNDLE_MAX_COUNT):
            yield group
            group, size = [], 0
        group.append(digest)
        size += size_bytes
    if group:
        yield group


def _contents(read: Callable[[int], bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the blobs of a bundle. Raises SnapshotBroken, AnswerCut."""
    for digest, data in read_blobs(read):
        if hashlib.sha256(data).hexdigest() != digest:
            raise SnapshotBroken(f"blob {digest} arrived with other content")
        yield digest, data


def _place(work: Path, entry: FileEntry, data: bytes) -> None:
    mode = 0o755 if entry.executable else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    fd = os.open(f"{work}/{entry.name}", flags, mode)
    try:
        written = 0
        while written < len(data):
            written += os.write(fd, data[written:] if written else data)
    finally:
        os.close(fd)
    if len(data) != entry.size_bytes:
        raise SnapshotBroken(f"{entry.name!r} has {len(data)} bytes, not {entry.size_bytes}")


def _download_big(
    client: Client, same: list[FileEntry], work: Path, check: Callable[[], None]
) -> None:
    for entry in same:
        digest = hashlib.sha256()
        path = work / entry.name
        part = path.with_name(path.name + ".part")
        with (
            client.stream("GET", f"/blobs/{entry.sha256}") as answer,
            part.open("wb") as file,
        ):
            for chunk in answer.chunks(_CHUNK_BYTES):
                check()
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != entry.sha256:
            raise SnapshotBroken(f"{entry.name!r} arrived with other content")
        part.chmod(0o755 if entry.executable else 0o644)
        part.replace(path)


def _is_there(path: str, entry: FileEntry) -> bool:
    """Say whether an earlier try of this runner has written the file whole."""
    try:
        if os.lstat(path).st_size != entry.size_bytes:
            return False
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256
    except OSError:
        return False


def refused(problem: Refused) -> SnapshotBroken:
    """Return what a refusal means here: the snapshot, or a blob of it, is not in the store."""
    return SnapshotBroken(problem.message)
