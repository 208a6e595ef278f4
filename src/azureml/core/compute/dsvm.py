"""v1's module of DsvmCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import DsvmCompute

__all__ = ["DsvmCompute"]
