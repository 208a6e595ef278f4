"""v1's module of UnknownImage."""

from __future__ import annotations

from zaffre.sdk.image import UnknownImage

__all__ = ["UnknownImage"]
