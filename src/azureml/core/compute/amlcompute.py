"""v1's module of AmlCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import AmlCompute

__all__ = ["AmlCompute"]
