"""v1's module of Workspace."""

from __future__ import annotations

from zaffre.contract.version import SDK_V1_VERSION as VERSION
from zaffre.sdk.workspace import Workspace

__all__ = ["VERSION", "Workspace"]
