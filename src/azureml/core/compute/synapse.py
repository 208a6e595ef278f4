"""v1's module of SynapseCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import SynapseCompute

__all__ = ["SynapseCompute"]
