"""v1's package of data."""

from __future__ import annotations

from zaffre.contract.version import SDK_V1_VERSION as __version__
from zaffre.sdk.dataset import (
    DatacacheStore,
    DataType,
    FileDataset,
    HDFSOutputDatasetConfig,
    LinkFileOutputDatasetConfig,
    LinkTabularOutputDatasetConfig,
    OutputFileDatasetConfig,
    TabularDataset,
)

__all__ = [
    "DataType",
    "DatacacheStore",
    "FileDataset",
    "HDFSOutputDatasetConfig",
    "LinkFileOutputDatasetConfig",
    "LinkTabularOutputDatasetConfig",
    "OutputFileDatasetConfig",
    "TabularDataset",
    "__version__",
]
