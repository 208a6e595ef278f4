"""v1's module of DatasetConsumptionConfig."""

from __future__ import annotations

from zaffre.sdk.dataset import DatasetConsumptionConfig

__all__ = ["DatasetConsumptionConfig"]
