"""v1's module of ContainerImage."""

from __future__ import annotations

from zaffre.sdk.image import ContainerImage

__all__ = ["ContainerImage"]
