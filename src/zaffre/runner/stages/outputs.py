"""Stage 4: the files in outputs/ and logs/ go to the store, as they come to rest and at the end.

A file in outputs/ is sent once it has been still for some seconds, and each time it was changed
and sent again it must be still for longer: a checkpoint that is rewritten each epoch is stored a
few times, not each time. Files in logs/ are live: they are shipped by offset while they grow, and
one that is rewritten instead is treated as an output. A file is read between two looks at its
state; if they differ, what was read is not named as the run's. Who has not seen how a file came
to be what it is (a salvage) cannot tell a grown one from a rewritten one, and ships none by offset.

All this is the script's own folder, which the script may change at any moment: whatever is not a
plain file inside it is left out, with a warning.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from zaffre.client import blobs
from zaffre.contract import names
from zaffre.contract.errors import FileChanging, Invalid, Refused, ZaffreError
from zaffre.contract.snapshot import FileEntry
from zaffre.runner import attempt as attempts
from zaffre.runner.attempt import Attempt, Patience, Stopped, Superseded
from zaffre.runner.growing_file import GrowingFile, Rewritten
from zaffre.runner.notes import note

#: Pause between two looks at the folders, seconds; longer where a look itself takes long.
LOOK_S = 1.0
LOOK_SHARE = 20
#: How long a file must have been still, and how much longer after each time it was stored.
STILL_S, STILL_FACTOR = 3.0, 4.0
#: Largest part of logs/ that is shipped live by offset, files and bytes each.
LIVE_MAX_COUNT = 200
LIVE_MAX_BYTES = 1_000_000_000
#: How many files are registered at once.
BATCH_COUNT = 1_000
WARNINGS_MAX = 20

State = tuple[int, int, int, int]


@dataclass
class Seen:
    """One file as it was last looked at.

    state: device, inode, size, mtime. still_since: monotonic. stored: the state in the store.
    sent_count: how often it was sent.
    """

    path: Path
    state: State
    still_since: float
    stored: State | None = None
    sent_count: int = 0


class Outputs:
    """Stores what a script leaves in outputs/ and logs/; `start` on a thread, then `finish`.

    live_max_count: how many files of logs/ are shipped by offset.
    """

    def __init__(
        self, attempt: Attempt, work: Path, *, live_max_count: int = LIVE_MAX_COUNT
    ) -> None:
        self.warnings: list[str] = []
        self._attempt = attempt
        self._work = work
        self._live_max_count = live_max_count
        self._seen: dict[str, Seen] = {}
        self._live: dict[str, GrowingFile] = {}
        self._rewritten: set[str] = set()
        self._warned: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outputs", daemon=True)

    def start(self) -> None:
        """Look at the folders now and then until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a request that is under way is waited for."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def has_news(self) -> bool:
        """Look once more, now that nothing changes; say whether `finish` has anything to send."""
        # What troubled a look at a living script may be over.
        self.warnings.clear()
        self._warned.clear()
        self._look()
        return any(seen.stored != seen.state for seen in self._seen.values())

    def finish(self, stop: threading.Event) -> None:
        """Store all that `has_news` has found. Raises Stopped when `stop` is set, Superseded."""
        patience = self._attempt.patience(stop)
        self._ship_live(patience, ended=True)
        waiting = [name for name, seen in self._seen.items() if seen.stored != seen.state]
        self._store(waiting, patience)
        hidden = len(self._warned) - len(self.warnings)
        if hidden > 0:
            self.warnings.append(f"{hidden} more files were not stored for such reasons.")

    def _run(self) -> None:
        patience = self._attempt.patience(self._stop)
        pause_s = LOOK_S
        try:
            while not self._stop.wait(pause_s):
                before = time.monotonic()
                self._look()
                pause_s = max(LOOK_S, (time.monotonic() - before) * LOOK_SHARE)
                self._ship_live(patience, ended=False)
                self._store(self._still(), patience)
        except (Stopped, Superseded):
            return  # the lease, or `finish`, hears it too
        except Exception as problem:
            note("outputs.failed", problem=repr(problem))

    def _still(self) -> list[str]:
        """Return the names of files that have been still long enough to be stored now."""
        now = time.monotonic()
        return [
            name
            for name, seen in self._seen.items()
            if seen.stored != seen.state
            and now - seen.still_since >= STILL_S * STILL_FACTOR**seen.sent_count
            and name not in self._live
        ]

    def _look(self) -> None:
        """Bring `_seen` up to date with the folders."""
        now = time.monotonic()
        present: set[str] = set()
        for name, path, status in self._files():
            state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            present.add(name)
            seen = self._seen.get(name)
            if seen is None:
                self._seen[name] = Seen(path, state, now)
            elif seen.state != state:
                seen.state, seen.still_since, seen.path = state, now, path
        for name in list(self._seen.keys() - present):
            del self._seen[name]

    def _files(self) -> Iterator[tuple[str, Path, os.stat_result]]:
        root = Path(os.path.realpath(self._work))
        for top in ("outputs", "logs"):
            yield from self._below(self._work / top, top, root, ())

    def _below(
        self, folder: Path, name: str, root: Path, above: tuple[str, ...]
    ) -> Iterator[tuple[str, Path, os.stat_result]]:
        """Yield the plain files below `folder`; links count if they stay below `root`."""
        real = os.path.realpath(folder)
        in_circle = real in above or any(one.startswith(f"{real}/") for one in above)
        if in_circle or not _is_inside(real, root):
            self._warn(name, "a link that leads out of the run's folder, or in a circle")
            return
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        except NotADirectoryError:
            self._warn(name, "a file where a folder belongs")
            return
        except OSError as problem:
            self._warn(name, problem.strerror or str(problem))
            return
        for entry in entries:
            full = f"{name}/{entry.name}"
            try:
                if entry.is_dir():
                    yield from self._below(Path(entry.path), full, root, (*above, real))
                    continue
                status = entry.stat()
            except FileNotFoundError:
                if entry.is_symlink():
                    self._warn(full, "a link that leads nowhere")
                continue
            except OSError as problem:
                self._warn(full, problem.strerror or str(problem))
                continue
            if entry.is_symlink() and not _is_inside(os.path.realpath(entry.path), root):
                self._warn(full, "a link that leads out of the run's folder")
            elif not stat.S_ISREG(status.st_mode):
                self._warn(full, "not a plain file")
            elif self._is_name(full):
                yield full, Path(entry.path), status

    def _is_name(self, name: str) -> bool:
        try:
            name.encode("utf-8")
            if names.file_name(name) == name:
                return True
            self._warn(name, "its name has a character that names of runs' files cannot have")
        except UnicodeEncodeError:
            self._warn(name, "its name is not UTF-8")
        except Invalid as problem:
            self._warn(name, problem.message)
        return False

    def _warn(self, name: str, problem: str) -> None:
        """Add a warning, once a file; past WARNINGS_MAX only their number is told."""
        if name in self._warned:
            return
        self._warned.add(name)
        if len(self.warnings) < WARNINGS_MAX:
            shown = name.encode("utf-8", "backslashreplace").decode()
            self.warnings.append(f"{shown!r} was not stored: {problem}.")

    def _ship_live(self, patience: Patience, *, ended: bool) -> None:
        """Ship what has grown in logs/ by offset."""
        for name, seen in self._seen.items():
            if not name.startswith("logs/") or name in self._rewritten:
                continue
            if seen.state[2] > LIVE_MAX_BYTES:
                self._as_output(name)
                continue
            live = self._live.get(name)
            if live is None:
                if len(self._live) >= self._live_max_count or seen.stored is not None:
                    continue
                live = GrowingFile(
                    self._attempt.client, self._attempt.run_id, name, seen.path, LIVE_MAX_BYTES
                )
                self._live[name] = live
            if seen.stored == seen.state:
                continue
            state = seen.state
            if self._settle(name, patience, lambda live=live: live.ship(ended=ended)):
                seen.stored = state

    def _settle(self, name: str, patience: Patience, ship: Callable[[], object]) -> bool:
        """Ship one file; return whether the store has it. A rewritten one becomes an output."""
        try:
            patience.call(ship)
        except Rewritten:
            self._as_output(name)
            return False
        except (Refused, OSError) as problem:
            if isinstance(problem, Refused) and attempts.is_superseded(problem):
                raise Superseded from problem
            self._warn(name, _words(problem))
            return False
        return True

    def _as_output(self, name: str) -> None:
        """Ship a file of logs/ by offset no more."""
        self._rewritten.add(name)
        self._live.pop(name, None)

    def _store(self, waiting: list[str], patience: Patience) -> None:
        """Upload the named files and make them the run's."""
        for start in range(0, len(waiting), BATCH_COUNT):
            self._store_group(waiting[start : start + BATCH_COUNT], patience)

    def _store_group(self, group: list[str], patience: Patience) -> None:
        before = {name: self._seen[name].state for name in group}
        sources = [blobs.Source(name, str(self._seen[name].path)) for name in group]
        try:
            entries = patience.call(lambda: blobs.send(self._attempt.client, sources))
            kept = [entry for entry in entries if self._is_unchanged(entry, before)]
            if kept:
                patience.call(lambda: self._register(kept))
        except (Refused, FileChanging, Invalid, OSError) as problem:
            if isinstance(problem, Refused) and attempts.is_superseded(problem):
                raise Superseded from problem
            if len(group) == 1:
                self._warn(group[0], _words(problem))
                self._seen[group[0]].sent_count += 1  # not again each second
                return
            # One bad file must not keep the others from being stored.
            half = len(group) // 2
            self._store_group(group[:half], patience)
            self._store_group(group[half:], patience)
            return
        for entry in kept:
            seen = self._seen[entry.name]
            seen.stored = before[entry.name]
            seen.sent_count += 1

    def _is_unchanged(self, entry: FileEntry, before: dict[str, State]) -> bool:
        try:
            status = self._seen[entry.name].path.stat()
        except OSError:
            return False
        state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        return state == before[entry.name] and status.st_size == entry.size_bytes

    def _register(self, entries: list[FileEntry]) -> None:
        self._attempt.client.request(
            "POST", f"/runs/{self._attempt.run_id}/files", json={"items": entries}
        )


def _is_inside(path: str, root: Path) -> bool:
    return path == str(root) or path.startswith(f"{root}/")


def _words(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return problem.strerror or str(problem)
    return (problem.message if isinstance(problem, ZaffreError) else str(problem)).rstrip(".")
