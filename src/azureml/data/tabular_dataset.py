"""v1's module of TabularDataset."""

from __future__ import annotations

from zaffre.sdk.dataset import TabularDataset

__all__ = ["TabularDataset"]
