"""v1's module of Keyvault."""

from __future__ import annotations

from zaffre.sdk.keyvault import Keyvault

__all__ = ["Keyvault"]
