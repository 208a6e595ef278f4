"""Files to and from a datastore: `upload`, `upload_files`, `download`, with v1's printed lines."""

from __future__ import annotations

import os

from zaffre.contract.errors import NotBuiltYet, ZaffreError
from zaffre.sdk import argument, datastore_kinds
from zaffre.sdk.exceptions import UserErrorException, from_refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from zaffre.sdk.data_reference import DataReference
    from zaffre.sdk.datastore_kinds import AbstractDatastore
    from zaffre.sdk.exceptions import AzureMLException

#: Files that are on their way at once where a store is not on this machine.
_WORKERS = 8


def upload_files(
    datastore: AbstractDatastore,
    files: Any,
    relative_root: Any,
    target_path: Any,
    *,
    overwrite: bool,
    show_progress: bool,
) -> DataReference:
    """Send files; each keeps its path below `relative_root`, their common folder without one."""
    paths = [argument.path(file, "files") for file in argument.items(files, "files")]
    for path in paths:
        if not os.path.isfile(path):
            raise UserErrorException(f"'{path}' does not point to a file: every one must be there.")
    if relative_root is None:
        root = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths] or "/")
    else:
        root = os.path.abspath(argument.path(relative_root, "relative_root"))
    named: list[tuple[str, str]] = []
    for path in paths:
        name = os.path.relpath(os.path.abspath(path), root)
        if name == os.pardir or name.startswith(os.pardir + os.sep):
            raise UserErrorException(
                f"The relative_root: '{relative_root}' is not part of the file_path: '{path}'."
            )
        named.append((name.replace(os.sep, "/"), path))
    return _upload(datastore, named, target_path, overwrite, show_progress)


def upload(
    datastore: AbstractDatastore,
    src_dir: Any,
    target_path: Any,
    *,
    overwrite: bool,
    show_progress: bool,
) -> DataReference:
    """Send all files below a folder; say, as v1 did, that another call came after this one."""
    import logging

    from zaffre.data import copying

    logging.getLogger("azureml").warning(
        '"Datastore.upload" is deprecated after version 1.0.69. "Dataset.File.upload_directory" '
        "uploads a folder and makes a FileDataset of it."
    )
    folder = argument.path(src_dir, "src_dir")
    if not os.path.isdir(folder):
        raise UserErrorException(f"src_dir: '{folder}' must be a directory that is there.")
    named = [(name, os.path.join(folder, name)) for name, _ in copying.files_below(folder)]
    return _upload(datastore, named, target_path, overwrite, show_progress)


def _upload(
    datastore: AbstractDatastore,
    named: list[tuple[str, str]],
    target_path: Any,
    overwrite: bool,
    show_progress: bool,
) -> DataReference:
    from zaffre.data.errors import TargetExists
    from zaffre.sdk.data_reference import DataReference

    if datastore.settings.get("read_only"):
        raise UserErrorException(
            f"Datastore {datastore.name!r} is read-only. Upload to another one, such as "
            "ws.get_default_datastore()."
        )
    store = datastore_kinds.file_store(datastore)
    target = stripped(target_path, "target_path")
    transfer = _Transfer(datastore, show_progress=show_progress)
    transfer.say(f"Uploading an estimated of {len(named)} files")

    def send(at: int) -> bool:
        name, path = named[at]
        transfer.say(f"Uploading {path}")
        try:
            store.write(f"{target}/{name}", path, overwrite=overwrite)
        except TargetExists:
            transfer.say(f"Target already exists. Skipping upload for {name}")
            return False
        return True

    sizes = [(path, os.path.getsize(path)) for _, path in named]
    transfer.move(sizes, send, "Uploading", "Uploaded")
    transfer.say(f"Uploaded {transfer.count} files")
    return DataReference(datastore, path_on_datastore=target or None)


def download(
    datastore: AbstractDatastore,
    target_path: Any,
    prefix: Any,
    *,
    overwrite: bool,
    show_progress: bool,
) -> int:
    """Fetch the files whose path begins with `prefix`; return how many came."""
    from zaffre.data import copying
    from zaffre.data.errors import TargetExists
    from zaffre.data.stores.file_store import inner_path

    root = argument.path(target_path, "target_path")
    start = stripped(prefix, "prefix")
    store = datastore_kinds.file_store(datastore)
    transfer = _Transfer(datastore, show_progress=show_progress)
    try:
        listed = store.list(start.rpartition("/")[0])
        found = [entry for entry in listed if entry.path.startswith(start)]
        # A store that others fill may hold names that lead out of the target.
        targets = [os.path.join(root, *inner_path(entry.path).split("/")) for entry in found]
        os.makedirs(root, exist_ok=True)
    except (ZaffreError, OSError) as problem:
        raise transfer.failure(problem, 0) from problem

    def fetch(at: int) -> bool:
        path = found[at].path
        transfer.say(f"Downloading {path}")
        try:
            copying.fetch(store, path, targets[at], overwrite=overwrite)
        except TargetExists:
            transfer.say(f"Target already exists. Skipping download for {path}")
            return False
        return True

    sizes = [(entry.path, entry.size_bytes) for entry in found]
    transfer.move(sizes, fetch, "Downloading", "Downloaded")
    return transfer.count


class _Transfer:
    """Files that move one after another, several at once where the store is on another machine."""

    def __init__(self, datastore: AbstractDatastore, *, show_progress: bool) -> None:
        #: How many files have moved; those that were skipped do not count.
        self.count = 0
        self._done = 0
        self._datastore = datastore
        self._show = show_progress

    def say(self, text: str) -> None:
        """Print a line, unless nothing is to be shown."""
        if self._show:
            import sys

            sys.stdout.write(text + "\n")

    def move(
        self, files: list[tuple[str, int]], move: Callable[[int], bool], doing: str, did: str
    ) -> None:
        """Call `move` for each file, (name, bytes), by its number; it says whether it was moved.

        Raises UserErrorException that says how far it came.
        """
        from contextlib import nullcontext

        from zaffre.sdk import progress

        total = sum(size for _, size in files)
        moved_bytes = 0
        what = f"{doing} {len(files):,} files"
        try:
            with progress.shown(what) if self._show else nullcontext() as tell:
                for at, is_moved in self._results(len(files), move):
                    name, size = files[at]
                    self._done += 1
                    moved_bytes += size
                    if is_moved:
                        self.count += 1
                        of = f"{self.count} files out of an estimated total of {len(files)}"
                        self.say(f"{did} {name}, {of}")
                    if tell is not None:
                        tell(moved_bytes, total)
        except (ZaffreError, OSError) as problem:
            raise self.failure(problem, len(files)) from problem

    def _results(self, count: int, move: Callable[[int], bool]) -> Iterator[tuple[int, bool]]:
        if self._datastore.settings.get("root") is not None:
            yield from ((at, move(at)) for at in range(count))
            return
        from concurrent.futures import ThreadPoolExecutor, as_completed

        with ThreadPoolExecutor(_WORKERS) as pool:
            numbers = {pool.submit(move, at): at for at in range(count)}
            try:
                for future in as_completed(numbers):
                    yield numbers[future], future.result()
            finally:
                for future in numbers:
                    future.cancel()

    def failure(self, problem: ZaffreError | OSError, total: int) -> AzureMLException:
        """Return v1's exception for what ended a transfer of `total` files."""
        if isinstance(problem, NotBuiltYet):
            return from_refusal(problem)
        so_far = (
            f" {self._done:,} of {total:,} files were done; the same call goes on with the rest."
            if self._done
            else ""
        )
        return UserErrorException(
            f"Datastore {self._datastore.name!r}: {problem}{so_far}", inner_exception=problem
        )


def stripped(path: Any, field: str) -> str:
    """Return a path of a store without the dots and slashes in front that v1 dropped."""
    text = argument.optional_text(path, field) or ""
    return text.replace("\\", "/").lstrip("./").rstrip("/")
