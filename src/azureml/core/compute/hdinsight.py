"""v1's module of HDInsightCompute."""

from __future__ import annotations

from zaffre.sdk.compute_target import HDInsightCompute

__all__ = ["HDInsightCompute"]
