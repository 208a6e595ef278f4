"""The first schema.

A fresh database is made from store.tables at once and stamped with the newest revision, so no
migration leads here; later ones start from here.
"""

from __future__ import annotations

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing to do."""
