"""v1's module of NewLoggingLevel."""

from __future__ import annotations

from zaffre.sdk.logging_level import NewLoggingLevel

__all__ = ["NewLoggingLevel"]
