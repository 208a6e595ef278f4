"""v1's module of the makers of datasets."""

from __future__ import annotations

from zaffre.sdk.dataset import DataType, FileDatasetFactory, TabularDatasetFactory

__all__ = ["DataType", "FileDatasetFactory", "TabularDatasetFactory"]
