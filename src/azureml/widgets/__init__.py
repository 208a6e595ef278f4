"""v1's package of RunDetails."""

from __future__ import annotations

from zaffre.sdk.run_details_widget import ParallelRunStepDetails, RunDetails

__all__ = ["ParallelRunStepDetails", "RunDetails"]
