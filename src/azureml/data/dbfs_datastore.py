"""v1's module of DBFSDatastore."""

from __future__ import annotations

from zaffre.sdk.datastore_kinds import DBFSDatastore

__all__ = ["DBFSDatastore"]
