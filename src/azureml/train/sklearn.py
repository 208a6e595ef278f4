"""v1's module of SKLearn."""

from __future__ import annotations

from zaffre.sdk.sklearn import SKLearn

__all__ = ["SKLearn"]
