"""Images of models: their names only; v1 had replaced them by environments itself."""

from __future__ import annotations

from zaffre.sdk.unbuilt import Unbuilt, method


class Image(Unbuilt):
    """An image of models and a script."""

    create = method("Image.create")
    list = method("Image.list")
    image_configuration = method("Image.image_configuration")


class ContainerImage(Image):
    """An image for containers."""


class UnknownImage(Image):
    """An image of a kind that this SDK does not know."""
