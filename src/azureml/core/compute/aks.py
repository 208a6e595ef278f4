"""v1's module of AksCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import AksCompute

__all__ = ["AksCompute"]
