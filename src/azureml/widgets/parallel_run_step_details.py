"""v1's module of ParallelRunStepDetails."""

from __future__ import annotations

from zaffre.sdk.run_details_widget import ParallelRunStepDetails

__all__ = ["ParallelRunStepDetails"]
