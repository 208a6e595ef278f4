"""v1's module of KubernetesCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import KubernetesCompute

__all__ = ["KubernetesCompute"]
