"""v1's module of Webservice."""

from __future__ import annotations

from zaffre.sdk.webservice import Webservice

__all__ = ["Webservice"]
