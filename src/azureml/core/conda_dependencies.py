"""v1's module of CondaDependencies."""

from __future__ import annotations

from zaffre.sdk.conda_dependencies import VERSION, CondaDependencies

__all__ = ["VERSION", "CondaDependencies"]
