"""v1's package of images."""

from __future__ import annotations

from zaffre.sdk.image import ContainerImage, Image, UnknownImage

__all__ = ["ContainerImage", "Image", "UnknownImage"]
