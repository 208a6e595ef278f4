"""v1's module of Dataset."""

from __future__ import annotations

from zaffre.sdk.dataset import Dataset

__all__ = ["Dataset"]
