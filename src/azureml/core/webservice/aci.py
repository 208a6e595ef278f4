"""v1's module of AciWebservice."""

from __future__ import annotations

from zaffre.sdk.webservice import AciWebservice

__all__ = ["AciWebservice"]
