"""v1's module of BatchCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import BatchCompute

__all__ = ["BatchCompute"]
