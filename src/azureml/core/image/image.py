"""v1's module of Image."""

from __future__ import annotations

from zaffre.sdk.image import Image

__all__ = ["Image"]
