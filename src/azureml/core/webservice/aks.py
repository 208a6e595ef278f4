"""v1's module of AksWebservice."""

from __future__ import annotations

from zaffre.sdk.webservice import AksEndpoint, AksWebservice

__all__ = ["AksEndpoint", "AksWebservice"]
