"""v1's module of RunDetails."""

from __future__ import annotations

from zaffre.sdk.run_details_widget import RunDetails

__all__ = ["RunDetails"]
