"""A run's files: sending, listing and fetching them."""

from __future__ import annotations

import os

from zaffre.contract.errors import Refused, ZaffreError
from zaffre.sdk import argument, session
from zaffre.sdk.exceptions import UserErrorException, from_refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from zaffre.contract.snapshot import FileEntry

#: A request names at most so many files.
_GROUP = 1_000


def checked_name(name: object) -> str:
    """Return a file's name in its one form ('/' between parts). Raises UserErrorException."""
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        return names.file_name(name)
    except Invalid as problem:
        raise UserErrorException(str(problem)) from problem


def records(run_id: str, prefix: str | None = None) -> list[dict[str, Any]]:
    """Return what the server says of a run's files, sorted by name."""
    return session.current().request(
        "GET", f"/runs/{run_id}/files", query={"prefix": prefix or None}
    )["items"]


def file_names(run_id: str) -> list[str]:
    """Return the names of all files of a run, logs included, sorted."""
    return sorted(file["name"] for file in records(run_id))


def upload(run_id: str, files: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Send files, (name, path) each, and make them the run's; of a name that comes twice the last.

    Raises FileNotFoundError, IsADirectoryError, UserErrorException for a name.
    """
    from zaffre.client import blobs
    from zaffre.sdk import progress

    sources: dict[str, blobs.Source] = {}
    for name, path in files:
        checked = checked_name(name)
        check_file(path)
        sources[checked] = blobs.Source(checked, os.fspath(path))
    client = session.current().client

    def register(entries: list[FileEntry]) -> list[dict[str, Any]]:
        stored: list[dict[str, Any]] = []
        for start in range(0, len(entries), _GROUP):
            items = [vars(entry) for entry in entries[start : start + _GROUP]]
            answer = client.request("POST", f"/runs/{run_id}/files", json={"items": items})
            stored.extend(answer["items"])
        return stored

    try:
        with progress.shown(f"Uploading {_shown(list(sources))}") as tell:
            return blobs.send_for(client, sources.values(), register, on_progress=tell)
    except ZaffreError as refusal:
        raise from_refusal(refusal) from refusal


def _shown(names: Sequence[str]) -> str:
    """Return what files are called in a line of progress."""
    return names[0].rpartition("/")[2] if len(names) == 1 else f"{len(names):,} files"


def upload_content(run_id: str, name: str, content: bytes) -> None:
    """Store bytes as a file of the run."""
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="zaffre-") as file:
        file.write(content)
        file.flush()
        upload(run_id, [(name, file.name)])


def upload_stream(run_id: str, name: str, stream: Any) -> None:
    """Store what a binary (or text) stream has left as a file of the run."""
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="zaffre-") as file:
        while True:
            chunk = stream.read(1 << 20)
            if not chunk:
                break
            file.write(chunk.encode() if isinstance(chunk, str) else chunk)
        file.flush()
        upload(run_id, [(name, file.name)])


def check_file(path: Any) -> None:
    """Raise FileNotFoundError or IsADirectoryError unless `path` is a file."""
    import errno
    import stat

    if stat.S_ISDIR(os.stat(path).st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))


def files_below(folder: str, name: str) -> list[tuple[str, str]]:
    """Return (name/relative path, path) of every file below a folder, sorted."""
    found: list[tuple[str, str]] = []
    for parent, _, files in os.walk(folder):
        below = os.path.relpath(parent, folder).replace(os.sep, "/")
        prefix = name if below == "." else f"{name}/{below}"
        found.extend((f"{prefix}/{file}", os.path.join(parent, file)) for file in files)
    return sorted(found)


def check_same_length(names: Sequence[Any], paths: Sequence[Any]) -> None:
    """Raise TypeError that names both lengths if they differ; print a note of repeated names."""
    if len(names) != len(paths):
        raise TypeError(
            f"names and paths must be of one length: {len(names)} names, {len(paths)} paths."
        )
    repeated = sorted({str(name) for name in names if names.count(name) > 1})
    if repeated:
        _say(f"Several files have one name, the last of them counts: {', '.join(repeated)}")


def download(run_id: str, name: str, output_file_path: Any = None) -> None:
    """Write one file to a path of this machine, replacing what is there.

    Raises UserErrorException that lists the run's files when there is none of that name.
    """
    from zaffre.client import download as downloads
    from zaffre.sdk import progress

    checked = checked_name(name)
    target = target_path(checked, output_file_path)
    folder = os.path.dirname(target)
    if folder:
        os.makedirs(folder, exist_ok=True)
    path = f"/runs/{run_id}/files/{checked}"
    try:
        with progress.shown(f"Downloading {_shown([checked])}") as tell:
            downloads.fetch_path(session.current().client, path, target, on_progress=tell)
    except Refused as refusal:
        if refusal.status != 404 or refusal.code.startswith("run."):
            raise from_refusal(refusal) from refusal
        raise UserErrorException(
            f"File with path {name} was not found, available files include: "
            f"{','.join(file_names(run_id))}."
        ) from refusal
    except ZaffreError as refusal:
        raise from_refusal(refusal) from refusal


def target_path(name: str, output_file_path: Any) -> str:
    """Return where a file goes: v1's rules for `output_file_path`."""
    base = name.rpartition("/")[2]
    if output_file_path is None:
        return base
    path = argument.path(output_file_path, "output_file_path")
    if path.endswith(("/", os.sep)) or os.path.isdir(path):
        return os.path.join(path, base)
    return path


def download_many(
    run_id: str,
    prefix: str | None,
    output_directory: Any,
    output_paths: Sequence[Any] | None,
    *,
    append_prefix: bool,
) -> None:
    """Write all files below a folder `prefix`; a file is whole or not there at all."""
    from zaffre.client import download as downloads
    from zaffre.contract.snapshot import FileEntry
    from zaffre.sdk import progress

    folder = "" if not prefix else checked_name(prefix) + "/"
    root = os.curdir
    if output_directory is not None:
        root = argument.path(output_directory, "output_directory")
    found = records(run_id, folder)
    found = [file for file in found if file["name"].startswith(folder)]
    if not found:
        return
    client = session.current().client
    targets = _given_targets(output_paths, len(found))
    try:
        if targets is not None:
            for file, target in zip(found, targets):
                download(run_id, file["name"], target)
            return
        start = 0 if append_prefix else len(folder)
        entries: list[FileEntry] = []
        for file in found:
            name = file["name"][start:]
            if file.get("sha256") and not file.get("live"):
                entries.append(FileEntry(name, file["sha256"], file["size_bytes"]))
            else:
                target = os.path.join(root, name)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                downloads.fetch_path(client, f"/runs/{run_id}/files/{file['name']}", target)
        with progress.shown(f"Downloading {_shown([entry.name for entry in entries])}") as tell:
            downloads.fetch(client, entries, root, on_progress=tell)
    except ZaffreError as refusal:
        raise from_refusal(refusal) from refusal


def _given_targets(output_paths: Sequence[Any] | None, count: int) -> list[str] | None:
    """Return the paths that the caller chose; a note is printed when they cannot be used."""
    if output_paths is None:
        return None
    paths = [
        argument.path(path, "output_paths") for path in argument.items(output_paths, "output_paths")
    ]
    if len(paths) != count:
        _say(f"output_paths has {len(paths)} paths for {count} files, so it is not used.")
        return None
    if len(set(paths)) != len(paths):
        _say("output_paths names a path twice, so it is not used.")
        return None
    return paths


def download_snapshot(workspace_id: str, snapshot_id: str, target: str) -> None:
    """Write a snapshot as a zip file."""
    import tempfile
    import zipfile

    from zaffre.client import download as downloads
    from zaffre.contract import wire
    from zaffre.contract.snapshot import FileEntry
    from zaffre.sdk import progress

    answer = session.current().request("GET", f"/workspaces/{workspace_id}/snapshots/{snapshot_id}")
    entries = [wire.decode(FileEntry, file) for file in answer["files"]]
    with tempfile.TemporaryDirectory(prefix="zaffre-") as folder:
        try:
            with progress.shown("Downloading the snapshot") as tell:
                downloads.fetch(session.current().client, entries, folder, on_progress=tell)
        except ZaffreError as refusal:
            raise from_refusal(refusal) from refusal
        part = f"{target}.part"
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for entry in entries:
                archive.write(os.path.join(folder, entry.name), entry.name)
        os.replace(part, target)


def _say(text: str) -> None:
    import sys

    sys.stdout.write(text + "\n")
