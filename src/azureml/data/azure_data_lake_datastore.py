"""v1's module of data lakes."""

from __future__ import annotations

from zaffre.sdk.datastore_kinds import (
    AbstractADLSDatastore,
    AzureDataLakeDatastore,
    AzureDataLakeGen2Datastore,
)

__all__ = ["AbstractADLSDatastore", "AzureDataLakeDatastore", "AzureDataLakeGen2Datastore"]
