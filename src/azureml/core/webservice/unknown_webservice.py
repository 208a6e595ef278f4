"""v1's module of UnknownWebservice."""

from __future__ import annotations

from zaffre.sdk.webservice import UnknownWebservice

__all__ = ["UnknownWebservice"]
