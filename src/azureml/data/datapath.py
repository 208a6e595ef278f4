"""v1's module of DataPath."""

from __future__ import annotations

from zaffre.sdk.data_reference import DataPath, DataPathComputeBinding

__all__ = ["DataPath", "DataPathComputeBinding"]
