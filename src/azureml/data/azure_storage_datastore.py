"""v1's module of the stores of files."""

from __future__ import annotations

from zaffre.sdk.datastore_kinds import (
    AbstractAzureStorageDatastore,
    AzureBlobDatastore,
    AzureFileDatastore,
)

__all__ = ["AbstractAzureStorageDatastore", "AzureBlobDatastore", "AzureFileDatastore"]
