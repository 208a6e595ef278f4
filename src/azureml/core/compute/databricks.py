"""v1's module of DatabricksCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import DatabricksCompute

__all__ = ["DatabricksCompute"]
