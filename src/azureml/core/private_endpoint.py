"""v1's module of PrivateEndPoint."""

from __future__ import annotations

from zaffre.sdk.private_endpoint import PrivateEndPoint, PrivateEndPointConfig

__all__ = ["PrivateEndPoint", "PrivateEndPointConfig"]
