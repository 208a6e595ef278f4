"""v1's module of FileDataset."""

from __future__ import annotations

from zaffre.sdk.dataset import FileDataset

__all__ = ["FileDataset"]
