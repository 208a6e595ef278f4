"""What every use case is given: the database, the files and the settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zaffre.server.events import Hub
from zaffre.server.settings import Settings
from zaffre.server.store.blob import BlobFolder
from zaffre.server.store.database import Database


@dataclass(frozen=True)
class Store:
    """The server's state. logs_path: the folder of growing logs. key: seals secrets at rest."""

    database: Database
    blobs: BlobFolder
    logs_path: Path
    hub: Hub
    key: bytes
    settings: Settings
