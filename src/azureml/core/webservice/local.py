"""v1's module of LocalWebservice."""

from __future__ import annotations

from zaffre.sdk.webservice import LocalWebservice

__all__ = ["LocalWebservice"]
