"""v1's module of ResourceConfiguration."""

from __future__ import annotations

from zaffre.sdk.resource_configuration import ResourceConfiguration

__all__ = ["ResourceConfiguration"]
