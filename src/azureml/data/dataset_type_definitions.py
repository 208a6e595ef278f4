"""v1's module of the choices of datasets."""

from __future__ import annotations

from zaffre.contract.dataset import Headers as PromoteHeadersBehavior

__all__ = ["PromoteHeadersBehavior"]
