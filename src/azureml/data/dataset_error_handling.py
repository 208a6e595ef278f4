"""v1's module of the errors of datasets."""

from __future__ import annotations

from zaffre.sdk.dataset_errors import DatasetExecutionError, DatasetValidationError

__all__ = ["DatasetExecutionError", "DatasetValidationError"]
