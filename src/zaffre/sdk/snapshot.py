"""Snapshots: which files of a source folder are sent, and sending those that the server lacks.

Left out is what the root's `.amlignore` says, else what its `.gitignore` says (the one alone if
there are both, and none of other folders, as in v1), and besides version control, virtual
environments, byte code and caches. Links are followed as long as they stay inside the folder.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from dataclasses import dataclass, field

from zaffre.contract import ignore
from zaffre.contract.snapshot import SNAPSHOT_MAX_BYTES, FileEntry, Snapshot, snapshot_id
from zaffre.sdk.exceptions import SnapshotException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from zaffre.sdk.session import Session

#: Where v1 documents that the limit may be raised: module variables that users assign to.
_LIMIT_VARIABLES = ("azureml._restclient.snapshots_client", "azureml._restclient.constants")
_MIB = 1 << 20
_SHOWN_OFFENDERS = 5
#: For how long, and up to which size, a registered snapshot is not asked about again.
_REMEMBERED_S = 600.0
_REMEMBERED_MAX_BYTES = 4 << 20
_REMEMBERED_MAX_FILES = 1_000


@dataclass(frozen=True)
class SourceFile:
    """A file that belongs to a snapshot: its name there, its path here."""

    name: str
    path: str
    size_bytes: int
    executable: bool


@dataclass
class SourceFolder:
    """What a walk found.

    left_out: what only the defaults leave out, so v1 would have sent it; folders end with '/'.
    skipped: what cannot be part of a snapshot, with the reason. truncated: the walk was given up.
    """

    path: str
    files: list[SourceFile] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    truncated: bool = False

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)


def take(folder: str, session: Session, workspace_id: str) -> Snapshot:
    """Send a folder (or one file), and return its snapshot; what the server has is not sent again.

    Raises FileNotFoundError, SnapshotException when it is too large (before anything is sent),
    or what a refusal of the server becomes.
    """
    source = find_files(folder)
    check_size(source)
    warn_of_skipped(source)
    return send(source, session, workspace_id)


def send(source: SourceFolder, session: Session, workspace_id: str) -> Snapshot:
    """Send what `find_files` found, whatever its size, and return the snapshot."""
    from zaffre.client import blobs
    from zaffre.contract.errors import ZaffreError
    from zaffre.sdk import progress
    from zaffre.sdk.exceptions import from_refusal

    def register(entries: list[FileEntry]) -> Snapshot:
        path = f"/workspaces/{workspace_id}/snapshots"
        answer = session.client.request("POST", path, json={"files": entries})
        return Snapshot(answer["snapshot_id"], tuple(entries))

    try:
        known = _find_registered(source, session, workspace_id)
        if known is not None:
            return known
        files = [blobs.Source(file.name, file.path) for file in source.files]
        with progress.shown("Uploading the snapshot") as tell:
            snapshot = blobs.send_for(session.client, files, register, on_progress=tell)
    except ZaffreError as refusal:
        raise from_refusal(refusal) from refusal
    session.snapshots[workspace_id, snapshot.snapshot_id] = time.monotonic()
    return snapshot


def _find_registered(source: SourceFolder, session: Session, workspace_id: str) -> Snapshot | None:
    """Return the snapshot if this process registered the same content a moment ago.

    A loop that submits one small folder again and again asks the server nothing about it: two
    requests of three. The server keeps what was registered for a day.
    """
    from zaffre.client import blobs

    too_many = len(source.files) > _REMEMBERED_MAX_FILES
    if not session.snapshots or too_many or source.size_bytes > _REMEMBERED_MAX_BYTES:
        return None
    entries: list[FileEntry] = []
    for file in source.files:
        sha256, size_bytes = blobs.hash_file(file.path)
        entries.append(FileEntry(file.name, sha256, size_bytes, file.executable))
    found = snapshot_id(entries)
    at = session.snapshots.get((workspace_id, found))
    if at is None or time.monotonic() - at > _REMEMBERED_S:
        return None
    return Snapshot(found, tuple(entries))


def find_files(folder: str, *, files_max: int | None = None) -> SourceFolder:
    """Return the files of a folder that its snapshot holds, sorted by name; of a file, itself.

    files_max: give up when there are more, and say so by `truncated`.

    Raises FileNotFoundError, PermissionError for a folder that cannot be read.
    """
    if os.path.isfile(folder):
        file = _source_file(os.path.basename(folder), folder, os.stat(folder))
        return SourceFolder(folder, [file])
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"{folder!r} is not there. source_directory must be a folder that exists; "
            f"it is looked up from {os.getcwd()}."
        )
    source = SourceFolder(folder)
    _Walk(source).run(files_max)
    source.files.sort(key=lambda file: file.name)
    return source


def check_size(source: SourceFolder) -> None:
    """Raise SnapshotException that names the largest entries if the folder is over the limit."""
    limit = limit_bytes()
    size = source.size_bytes
    if size > limit:
        line = "=" * 68
        raise SnapshotException(
            f"{line}\n\nWhile attempting to take snapshot of {source.path}\n"
            f"Your total snapshot size exceeds the limit of {limit / _MIB:.1f} MB "
            f"(it is {size / _MIB:.1f} MB in {len(source.files):,} files).\n"
            f"The largest: {', '.join(largest(source))}.\n"
            f"List what the run does not need in {os.path.join(source.path, '.amlignore')}, or "
            "raise the limit: ZAFFRE_SNAPSHOT_MAX_BYTES, or "
            f"{_LIMIT_VARIABLES[0]}.SNAPSHOT_MAX_SIZE_BYTES.\n\n{line}"
        )


def limit_bytes() -> int:
    """Return the largest size of a snapshot, as a setting or v1's variables have it."""
    setting = os.environ.get("ZAFFRE_SNAPSHOT_MAX_BYTES", "")
    if setting.isdigit():
        return int(setting)
    assigned = [
        int(getattr(sys.modules[name], "SNAPSHOT_MAX_SIZE_BYTES", SNAPSHOT_MAX_BYTES))
        for name in _LIMIT_VARIABLES
        if name in sys.modules
    ]
    changed = [value for value in assigned if value != SNAPSHOT_MAX_BYTES]
    return max(changed, default=SNAPSHOT_MAX_BYTES)


def largest(source: SourceFolder) -> list[str]:
    """Return the largest entries of the folder with their sizes, the largest first.

    An entry stands for what it holds, unless one file is most of it: then the file is named. What
    is less than a hundredth of the largest is not named.
    """
    totals: dict[str, int] = {}
    biggest: dict[str, SourceFile] = {}
    for file in source.files:
        top, below, _ = file.name.partition("/")
        entry = top + below
        totals[entry] = totals.get(entry, 0) + file.size_bytes
        if entry not in biggest or file.size_bytes > biggest[entry].size_bytes:
            biggest[entry] = file
    ordered = sorted(totals, key=lambda entry: -totals[entry])[:_SHOWN_OFFENDERS]
    shown: list[str] = []
    for entry in ordered:
        if totals[entry] * 100 < totals[ordered[0]]:
            break
        file = biggest[entry]
        one = file.size_bytes * 2 > totals[entry]
        name, size = (file.name, file.size_bytes) if one else (entry, totals[entry])
        shown.append(f"{name} ({size / _MIB:.1f} MB)")
    return shown


def warn_of_skipped(source: SourceFolder) -> None:
    """Warn of what could not be part of the snapshot, naming the first few."""
    if not source.skipped:
        return
    import warnings

    shown = "; ".join(f"{name} ({why})" for name, why in source.skipped[:3])
    more = len(source.skipped) - 3
    rest = f" and {more} more" if more > 0 else ""
    warnings.warn(f"Not in the snapshot of {source.path}: {shown}{rest}.", stacklevel=4)


def _source_file(name: str, path: str, status: os.stat_result) -> SourceFile:
    return SourceFile(name, path, status.st_size, bool(status.st_mode & stat.S_IXUSR))


def _rules(folder: str) -> tuple[ignore.Rule, ...]:
    for name in (".amlignore", ".gitignore"):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                return ignore.parse(file.read())
    return ()


class _Walk:
    """One walk down a folder, without recursion so that depth does not matter."""

    def __init__(self, source: SourceFolder) -> None:
        self.source = source
        self.root = os.path.realpath(source.path)
        self.own = _rules(source.path)
        self.defaults = ignore.parse(ignore.DEFAULT_RULES)

    def run(self, files_max: int | None) -> None:
        # Each folder to read: its name below the root, its path, the real folders above it.
        waiting: list[tuple[str, str, tuple[str, ...]]] = [("", self.source.path, (self.root,))]
        while waiting:
            name, path, above = waiting.pop()
            if files_max is not None and len(self.source.files) > files_max:
                self.source.truncated = True
                return
            with os.scandir(path) as found:
                entries = list(found)
            if name and self._is_environment(name, entries):
                self.source.left_out.append(f"{name}/")
                continue
            for entry in entries:
                below = f"{name}/{entry.name}" if name else entry.name
                folder = self._take(entry, below, above)
                if folder is not None:
                    waiting.append((below, entry.path, (*above, folder)))

    def _is_environment(self, name: str, entries: list[os.DirEntry[str]]) -> bool:
        if not any(entry.name in ignore.ENVIRONMENT_MARKS for entry in entries):
            return False
        return ignore.decide(self.own, name, folder=True) is not False

    def _take(self, entry: os.DirEntry[str], name: str, above: tuple[str, ...]) -> str | None:
        """Note a file; return a folder's real path if it is to be read."""
        linked = entry.is_symlink()
        try:
            status = entry.stat()
        except OSError as problem:
            if not self._is_left_out(name, folder=False):
                why = "a link that leads nowhere" if linked else str(problem.strerror)
                self.source.skipped.append((name, why))
            return None
        folder = stat.S_ISDIR(status.st_mode)
        if self._is_left_out(name, folder=folder):
            return None
        problem_here = self._problem(entry.path, status, above) if linked else ""
        if not folder and not stat.S_ISREG(status.st_mode):
            problem_here = "neither a file nor a folder"
        if not problem_here and not _is_allowed(name):
            problem_here = "its name is not UTF-8, too long, or not possible on every system"
        if problem_here:
            self.source.skipped.append((ascii(name)[1:-1], problem_here))
            return None
        if folder:
            return os.path.realpath(entry.path) if linked else f"{above[-1]}/{entry.name}"
        self.source.files.append(_source_file(name, entry.path, status))
        return None

    def _is_left_out(self, name: str, *, folder: bool) -> bool:
        own = ignore.decide(self.own, name, folder=folder)
        if own is not None:
            return own
        if ignore.decide(self.defaults, name, folder=folder):
            self.source.left_out.append(f"{name}/" if folder else name)
            return True
        return False

    def _problem(self, path: str, status: os.stat_result, above: tuple[str, ...]) -> str:
        real = os.path.realpath(path)
        if real != self.root and not real.startswith(self.root.rstrip("/") + "/"):
            return f"a link out of the folder, to {real}"
        if stat.S_ISDIR(status.st_mode) and real in above:
            return "a link to a folder that it lies in"
        return ""


def _is_allowed(name: str) -> bool:
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        name.encode()
        return names.file_name(name) == name
    except (UnicodeEncodeError, Invalid):
        return False
