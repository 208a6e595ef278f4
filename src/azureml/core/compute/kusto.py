"""v1's module of KustoCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import KustoCompute

__all__ = ["KustoCompute"]
