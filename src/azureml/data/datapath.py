"""v1's module of DataPath."""

from __future__ import annotations

from zaffre.sdk.datastore import DataPath, DataPathComputeBinding

__all__ = ["DataPath", "DataPathComputeBinding"]
