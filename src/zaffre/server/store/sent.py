"""Which blobs the runs of each workspace have sent lately.

To know a blob's SHA-256 is not to have its bytes. A run's token names blobs that its workspace uses
already, or that a run of it has sent to this process. What is forgotten (a restart, very many
blobs) is asked for again, and the client sends it once more.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

#: How many are remembered; more than one request can name.
SENT_MAX = 300_000


class Sent:
    """Pairs of workspace and blob; the oldest are forgotten. Safe to use from threads."""

    def __init__(self, most: int = SENT_MAX) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._pairs: dict[tuple[str, bytes], None] = {}

    def add(self, workspace_id: str, names: Iterable[str]) -> None:
        """Remember blobs that came for a workspace."""
        with self._lock:
            for name in names:
                pair = (workspace_id, bytes.fromhex(name))
                self._pairs.pop(pair, None)
                self._pairs[pair] = None
            while len(self._pairs) > self._most:
                del self._pairs[next(iter(self._pairs))]

    def without(self, workspace_id: str, names: Iterable[str]) -> list[str]:
        """Return those of `names` that did not come for a workspace."""
        return [name for name in names if (workspace_id, bytes.fromhex(name)) not in self._pairs]
