"""v1's module of AzureSqlDatabaseDatastore."""

from __future__ import annotations

from zaffre.sdk.datastore_kinds import AzureSqlDatabaseDatastore

__all__ = ["AzureSqlDatabaseDatastore"]
