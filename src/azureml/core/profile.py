"""v1's module of ModelProfile."""

from __future__ import annotations

from zaffre.sdk.profile import ModelProfile

__all__ = ["ModelProfile"]
