"""v1's module of Datastore."""

from __future__ import annotations

from zaffre.sdk.datastore import Datastore

__all__ = ["Datastore"]
