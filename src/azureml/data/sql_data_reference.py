"""v1's module of SqlDataReference."""

from __future__ import annotations

from zaffre.sdk.data_reference import SqlDataReference

__all__ = ["SqlDataReference"]
