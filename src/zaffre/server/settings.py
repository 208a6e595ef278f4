"""Settings of one server: defaults, then settings.json in the home folder, then ZAFFRE_<NAME>.

What the command line gives beats all three. An unknown name in settings.json is refused, because
a setting that is spelt wrongly and silently ignored is worse than none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from zaffre.contract.attempt import LEASE_S, RENEW_HOLD_S
from zaffre.contract.errors import Invalid


@dataclass(frozen=True)
class Settings:
    """What a server was told. Times in seconds, sizes in bytes.

    home: the folder that all else lives in. database: a URL, empty for SQLite in the home.
    host, port: where browsers and MLflow reach it; port 0 is the one kept from the last start.
    team: a server for several people: workspaces must exist, and `local` runs are off.
    host_names: names besides localhost under which the server may be asked for.
    local_slots: runs at once on `local`; 0 is one per core.
    idle_exit_s: a server that an SDK started ends after so long without requests and runs.
    lease_s: until when a silent runner counts as alive. renew_hold_s: how long its renewal is held
    open at most, a third of a lease where that is less. start_limit_s: how long a started runner
    may take to claim its attempt. silent_limit_s: a runner that is silent for so long is killed.
    duration_grace_s: how long after max_run_duration the server itself cancels.
    pool_threads: use cases at once. search_limit_s: a search that takes longer is ended.
    snapshot_max_bytes: 0 is no limit; SDKs have their own.
    log_max_bytes: how much of one log is stored. blob_kept_s: how long an unused blob is kept
    after somebody was told that it is here. garbage_every_s: pause between two collections.
    folder_kept_s: how long the folder of an ended run stays if not all of it could be stored.
    deleted_kept_s: how long a deleted workspace can be brought back.
    """

    home: Path
    database: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    team: bool = False
    host_names: tuple[str, ...] = ()
    started_by_sdk: bool = False
    local_slots: int = 0
    idle_exit_s: float = 1800.0
    lease_s: float = LEASE_S
    renew_hold_s: float = RENEW_HOLD_S
    start_limit_s: float = 30.0
    silent_limit_s: float = 86_400.0
    duration_grace_s: float = 60.0
    pool_threads: int = 12
    search_limit_s: float = 10.0
    snapshot_max_bytes: int = 0
    log_max_bytes: int = 1_000_000_000
    blob_kept_s: float = 86_400.0
    garbage_every_s: float = 3_600.0
    folder_kept_s: float = 7 * 86_400.0
    deleted_kept_s: float = 14 * 86_400.0

    @property
    def slots(self) -> int:
        """Runs at once on `local`."""
        return self.local_slots or max(1, os.cpu_count() or 1)


#: Given by the command line alone.
_NOT_IN_FILE = frozenset({"home", "started_by_sdk"})


def load(home: Path, environment: Mapping[str, str]) -> Settings:
    """Return the settings of `home`. Raises Invalid naming the setting."""
    settings = Settings(home=home)
    path = home / "settings.json"
    if path.exists():
        try:
            content = json.loads(path.read_text("utf-8"))
        except ValueError as problem:
            raise Invalid("settings.json", f"is not JSON ({problem})") from problem
        if not isinstance(content, dict):
            raise Invalid("settings.json", "must be an object of names and values")
        settings = _changed(settings, content)
    given = {
        f.name: environment[f"ZAFFRE_{f.name.upper()}"]
        for f in fields(Settings)
        if f.name not in _NOT_IN_FILE and f"ZAFFRE_{f.name.upper()}" in environment
    }
    return _changed(settings, given)


def _changed(settings: Settings, values: Mapping[str, object]) -> Settings:
    kinds = {f.name: str(f.type) for f in fields(Settings) if f.name not in _NOT_IN_FILE}
    changes: dict[str, object] = {}
    for name, value in values.items():
        if name not in kinds:
            raise Invalid(name, f"is not a setting; there are {', '.join(sorted(kinds))}")
        changes[name] = _read(name, kinds[name], value)
    return replace(settings, **changes)  # pyright: ignore[reportArgumentType]


def _read(name: str, kind: str, value: object) -> object:
    if kind == "bool":
        if isinstance(value, bool):
            return value
        if value in ("1", "true", "yes", "0", "false", "no"):
            return value in ("1", "true", "yes")
        raise Invalid(name, "must be true or false")
    if kind.startswith("tuple"):
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(i, str) for i in items):
            raise Invalid(name, "must be a list of texts")
        return tuple(str(item).strip() for item in items if str(item).strip())
    if kind == "str":
        if not isinstance(value, str):
            raise Invalid(name, "must be text")
        return value
    try:
        number = float(value) if isinstance(value, str | int | float) else None
    except ValueError:
        number = None
    if number is None or isinstance(value, bool) or not 0 <= number < float("inf"):
        raise Invalid(name, "must be a number that is not negative")
    return int(number) if kind == "int" else number
