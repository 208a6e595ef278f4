"""v1's module of DataFactoryCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import DataFactoryCompute

__all__ = ["DataFactoryCompute"]
