"""v1's module of DataReference."""

from __future__ import annotations

from zaffre.sdk.data_reference import DataReference

__all__ = ["DataReference"]
