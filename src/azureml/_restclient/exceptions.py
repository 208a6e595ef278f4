"""Where v1 defined what its service's refusals raised."""

from __future__ import annotations

from zaffre.sdk.exceptions import ServiceException

__all__ = ["ServiceException"]
