"""What every use case is given: the database, the files and the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from zaffre.server.events import Hub
from zaffre.server.settings import Settings
from zaffre.server.store.blob import BlobFolder
from zaffre.server.store.database import Database
from zaffre.server.store.sent import Sent
from zaffre.server.store.upload import Uploads


@dataclass(frozen=True)
class Store:
    """The server's state.

    logs_path: the folder of growing logs. key: seals secrets at rest. sent: by runs' tokens.
    """

    database: Database
    blobs: BlobFolder
    logs_path: Path
    hub: Hub
    key: bytes
    settings: Settings
    sent: Sent = field(default_factory=Sent)
    uploads: Uploads = field(init=False)

    def __post_init__(self) -> None:
        """Keep the uploads beside the blobs that they become."""
        object.__setattr__(self, "uploads", Uploads(self.blobs))
