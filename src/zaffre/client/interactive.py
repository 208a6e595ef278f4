"""Folders of interactive runs, and what is left in them when their process is gone.

    home/interactive/<run_id>/run.json   {"run_id", "server": url or null, "pid", "start_time", "boot_id"}
    home/interactive/<run_id>/spool/     the spools of the run's processes

    home/runs/<run_id>/<attempt>/        both, of a submitted run whose runner could not ship all

`sync` ships all of them and removes what nobody needs any more.
"""  # noqa: E501

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from zaffre.client import process
from zaffre.client.connection import named_url
from zaffre.client.shipping import Shipper
from zaffre.client.spool import spool_files
from zaffre.contract.errors import Refused, ServerUnreachable

if TYPE_CHECKING:
    from typing import Callable

    from zaffre.client.http import Client

_ABOUT = "run.json"
_FINAL = ("Completed", "Failed", "Canceled")
_FOLDER_NAME_MAX_BYTES = 200


def prepare(home: str, run_id: str, *, server: str | None) -> str:
    """Make the folder of an interactive run that this process starts; return its spool folder.

    server: URL of a team's server, None for the server of `home`.
    """
    folder = os.path.join(home, "interactive", _folder_name(run_id))
    os.makedirs(os.path.join(folder, "spool"), mode=0o700, exist_ok=True)
    describe(folder, run_id, server=server)
    return os.path.join(folder, "spool")


def describe(folder: str, run_id: str, *, server: str | None) -> None:
    """Say in a folder whose spools it holds, and that this process owns it, for `sync`."""
    pid = os.getpid()
    content = {
        "run_id": run_id,
        "server": server,
        "pid": pid,
        "start_time": process.start_time(pid),
        "boot_id": process.boot_id(),
    }
    path = os.path.join(folder, _ABOUT)
    part = f"{path}.{pid}.part"
    with open(part, "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.replace(part, path)


def _folder_name(run_id: str) -> str:
    """Return the run's id, or of one too long for a file system its beginning and hash."""
    name = run_id.encode()
    if len(name) <= _FOLDER_NAME_MAX_BYTES:
        return run_id
    import hashlib

    return f"{run_id[:40]}-{hashlib.sha256(name).hexdigest()[:32]}"


def discard(shipper: Shipper) -> bool:
    """Remove an ended run's folder if the server has all of it; say whether it is gone.

    This process's own spool must be closed. Nothing is removed while another process that logged
    to the run still lives, such as a forked child.
    """
    if shipper.has_news() or _is_written(shipper.folder, but=os.getpid()):
        return False
    return _remove(os.path.dirname(shipper.folder))


@dataclass(frozen=True)
class SyncedRun:
    """What `sync` did for one run.

    complete: the server has all records. removed: the folder is gone. problem: why not all is
    there, in a sentence.
    """

    run_id: str
    sent_bytes: int
    complete: bool
    removed: bool
    problem: str | None = None

    def had_news(self) -> bool:
        """Say whether something was left to ship."""
        return self.sent_bytes > 0 or not self.complete


def sync(client: Client, home: str) -> list[SyncedRun]:
    """Ship what runs have left under `home`; remove what is shipped and has ended.

    A run whose process still lives is shipped too, which harms no one. Raises ServerUnreachable.
    """
    kept = [
        folder
        for run in _below(home, "runs")
        for folder in _below(run)
        if os.path.exists(os.path.join(folder, _ABOUT))
    ]
    return [
        *[_sync_run(client, folder, _remove) for folder in _below(home, "interactive")],
        *[_sync_run(client, folder, _remove_spools) for folder in kept],
    ]


def _below(*parts: str) -> list[str]:
    """Return the folders in a folder, sorted; none if it is not there."""
    folder = os.path.join(*parts)
    try:
        paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for path in paths if os.path.isdir(path)]


def _sync_run(client: Client, folder: str, remove: Callable[[str], bool]) -> SyncedRun:
    about = _read_about(folder)
    run_id = str(about.get("run_id") or os.path.basename(folder))
    server = about.get("server")
    if server != named_url(client):
        where = f"at {server}: set ZAFFRE_URL and ZAFFRE_TOKEN" if server else "this user's own"
        problem = f"The run's server is another one ({where})."
        return SyncedRun(run_id, 0, complete=False, removed=False, problem=problem)
    shipper = Shipper(client, run_id, os.path.join(folder, "spool"))
    try:
        result = shipper.ship()
        ended = client.request("GET", f"/runs/{run_id}")["state"] in _FINAL
    except ServerUnreachable:
        raise
    except Refused as refusal:
        return SyncedRun(run_id, 0, complete=False, removed=False, problem=refusal.message)
    written = _is_owner_alive(about) or _is_written(shipper.folder, but=0)
    removed = result.complete and ended and not written and remove(folder)
    return SyncedRun(run_id, result.bytes, result.complete, removed, result.problem)


def _remove(folder: str) -> bool:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    return not os.path.exists(folder)


def _remove_spools(folder: str) -> bool:
    """Remove what is shipped of a submitted run: what else its runner has kept stays."""
    if not _remove(os.path.join(folder, "spool")):
        return False
    os.unlink(os.path.join(folder, _ABOUT))
    return True


def _read_about(folder: str) -> dict[str, Any]:
    """Return run.json; a run that logged after its folder was removed has none."""
    try:
        with open(os.path.join(folder, _ABOUT), encoding="utf-8") as file:
            content = json.load(file)
    except (FileNotFoundError, ValueError):
        return {}
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}


def _is_owner_alive(about: dict[str, Any]) -> bool:
    if about.get("boot_id") not in (None, "", process.boot_id()):
        return False
    return process.is_alive(int(about.get("pid") or 0), int(about.get("start_time") or 0))


def _is_written(folder: str, *, but: int) -> bool:
    """Say whether a process other than `but` that has a spool in `folder` still lives."""
    for spool_id, _ in spool_files(folder):
        pid, _, rest = spool_id.partition("-")
        started = rest.partition("-")[0]
        known = pid.isdigit() and started.isdigit() and int(pid) != but
        if known and process.is_alive(int(pid), int(started)):
            return True
    return False
