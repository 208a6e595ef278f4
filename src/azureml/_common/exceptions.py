"""Where v1 defined the root of its exceptions."""

from __future__ import annotations

from zaffre.sdk.exceptions import AzureMLAggregatedException, AzureMLException

__all__ = ["AzureMLAggregatedException", "AzureMLException"]
