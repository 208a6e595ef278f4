"""v1's module of AzurePostgreSqlDatastore."""

from __future__ import annotations

from zaffre.sdk.datastore_kinds import AzurePostgreSqlDatastore

__all__ = ["AzurePostgreSqlDatastore"]
