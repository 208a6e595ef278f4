"""v1's module of AbstractDataset."""

from __future__ import annotations

from zaffre.sdk.abstract_dataset import AbstractDataset

__all__ = ["AbstractDataset"]
