"""v1's module of RemoteCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import RemoteCompute

__all__ = ["RemoteCompute"]
