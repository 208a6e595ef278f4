"""v1's module of AzureMySqlDatastore."""

from __future__ import annotations

from zaffre.sdk.datastore_kinds import AzureMySqlDatastore

__all__ = ["AzureMySqlDatastore"]
