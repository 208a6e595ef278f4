"""v1's module of ComputeInstance."""

from __future__ import annotations

from zaffre.sdk.compute_target import ComputeInstance

__all__ = ["ComputeInstance"]
