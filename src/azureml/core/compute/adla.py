"""v1's module of AdlaCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import AdlaCompute

__all__ = ["AdlaCompute"]
