"""v1's module of AbstractDatastore."""

from __future__ import annotations

from zaffre.sdk.datastore_kinds import AbstractDatastore

__all__ = ["AbstractDatastore"]
