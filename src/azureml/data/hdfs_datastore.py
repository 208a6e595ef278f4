"""v1's module of HDFSDatastore."""

from __future__ import annotations

from zaffre.sdk.datastore_kinds import HDFSDatastore

__all__ = ["HDFSDatastore"]
